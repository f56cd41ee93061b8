//! What can go wrong in the registry.

use crate::base::{Advice, Failure, typed};
use crate::git::{GitError, PointerFault};
use crate::objects::pointer::PointerError;

use super::tag::{Alias, ModelName, NameError};
use super::version::Version;

/// Why something could not be done in the registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is no commit yet.
    #[error("there is no commit to register '{path}' from")]
    NoCommit {
        /// What was to be registered.
        path: String,
    },
    /// The commit has neither a pointer nor a file at the path.
    #[error("'{path}' is not in the commit {commit}")]
    NotCommitted {
        /// What was to be registered.
        path: String,
        /// The commit, shortened.
        commit: String,
    },
    /// The pointer in the work tree says something else than the one in the commit.
    #[error("the pointer of '{path}' has changed since the commit {commit}")]
    Changed {
        /// What was to be registered.
        path: String,
        /// The commit, shortened.
        commit: String,
    },
    /// The pointer in the commit cannot be read.
    #[error("cannot read the pointer of '{path}'")]
    Pointer {
        /// What was to be registered.
        path: String,
        /// Why not.
        source: PointerError,
    },
    /// The pointer in the work tree cannot be read.
    #[error("cannot read the pointer of '{path}'")]
    WorkTreePointer {
        /// What was to be registered.
        path: String,
        /// Why not.
        source: PointerFault,
    },
    /// The same content at the same commit is a version already.
    #[error("this content is already registered as {model}@{version}")]
    AlreadyRegistered {
        /// The model.
        model: ModelName,
        /// Its version.
        version: Version,
    },
    /// The name is taken.
    #[error("the tag '{tag}' already exists{}", place(remote.as_deref()))]
    Taken {
        /// The tag.
        tag: String,
        /// The Git remote that has it; `None` if it is in this repository.
        remote: Option<String>,
    },
    /// The Git remote does not answer.
    #[error("cannot claim '{tag}' on '{remote}': it stays pending, and no tag was made")]
    Unreachable {
        /// The tag, or the model before its tag was known.
        tag: String,
        /// The remote.
        remote: String,
        /// Why not.
        source: GitError,
    },
    /// The Git remote refuses.
    #[error("'{remote}' refuses the tag '{tag}': {reason}")]
    Refused {
        /// The tag.
        tag: String,
        /// The remote.
        remote: String,
        /// In its own words.
        reason: String,
    },
    /// Others took every number that was tried.
    #[error("others keep registering '{model}' on '{remote}'")]
    Busy {
        /// The model.
        model: ModelName,
        /// The remote.
        remote: String,
    },
    /// Somebody else moved the alias meanwhile.
    #[error("'{by}' has moved {model}#{alias} to {} meanwhile", version.as_ref().map_or("nothing".into(), Version::to_string))]
    AliasMoved {
        /// The model.
        model: ModelName,
        /// The alias.
        alias: Alias,
        /// Where it is now.
        version: Option<Version>,
        /// Who did it.
        by: String,
    },
    /// No such model.
    #[error("there is no model '{model}'")]
    NoSuchModel {
        /// As it was named.
        model: ModelName,
    },
    /// No such version.
    #[error("there is no version '{named}'")]
    NoSuchVersion {
        /// As it was named.
        named: String,
        /// The versions that there are.
        known: Vec<Version>,
    },
    /// The version was taken back.
    #[error("{model}@{version} was taken back")]
    Deregistered {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
    },
}

fn place(remote: Option<&str>) -> String {
    remote.map(|remote| format!(" on '{remote}'")).unwrap_or_default()
}

impl Advice for RegistryError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Git(error) => error.hints(),
            Self::NoCommit { path } | Self::NotCommitted { path, .. } => {
                vec![format!("git mldata add {path} && git commit", path = typed(path))]
            }
            Self::Changed { path, .. } => vec![format!("git commit {path}.mld", path = typed(path))],
            Self::AlreadyRegistered { model, version } => vec![format!("git mlmodel show {model}@{version}")],
            Self::Taken { .. } => vec!["register it with the next number, by --bump".into()],
            Self::Unreachable { source, .. } => {
                let again = "run the same command again when the remote can be reached".to_owned();
                source.hints().into_iter().chain([again]).collect()
            }
            Self::Refused { .. } => vec!["ask who may make tags on that host (protected tags)".into()],
            Self::Busy { .. } => vec!["run the command again".into()],
            Self::AliasMoved { .. } => vec!["look at it, then run the command again to move it on".into()],
            Self::NoSuchModel { .. } => {
                vec!["git mlmodel ls".into(), "models of others come with 'git fetch --tags'".into()]
            }
            Self::NoSuchVersion { known, .. } => {
                let known: Vec<_> = known.iter().take(5).map(Version::to_string).collect();
                if known.is_empty() {
                    Vec::new()
                } else {
                    vec![format!("known versions: {}", known.join(", "))]
                }
            }
            _ => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Name(_) => Failure::WrongUse,
            _ => Failure::CouldNotDo,
        }
    }
}
