//! What can go wrong in a repository.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::base::Advice;
use crate::base::PathError;
use crate::base::refusal_hints;
use crate::base::typed;
use crate::git::ObjectId;
use crate::git::ProgramError;

/// What the library below said, the outermost first.
pub struct Cause(gix::Error);

impl Cause {
    pub(super) fn is_not_found(&self) -> bool {
        self.0.is_not_found()
    }
}

impl From<gix::Error> for Cause {
    fn from(error: gix::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = String::new();
        for error in self.0.iter_errors() {
            let text = format!("{error:#}");
            if !said.contains(&text) {
                said.push_str(if said.is_empty() { "" } else { ": " });
                said.push_str(&text);
            }
        }
        f.write_str(&said)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cause({self})")
    }
}

impl std::error::Error for Cause {}

/// Why something could not be read from or written to the repository.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repository here, nor in any folder above.
    #[error("not a git repository (or any of the parent directories): '{}'", folder.display())]
    NotARepository {
        /// Where the search began.
        folder: PathBuf,
        /// What the search found.
        source: Cause,
    },
    /// The repository belongs to another user, so that its settings cannot be trusted.
    #[error("the repository at '{}' is owned by someone else", folder.display())]
    Untrusted {
        /// Where the search began.
        folder: PathBuf,
        /// Whose it is.
        source: Cause,
    },
    /// The repository exists but could not be opened.
    #[error("cannot open the repository at '{}'", folder.display())]
    Open {
        /// Where the search began.
        folder: PathBuf,
        /// Why not.
        source: Cause,
    },
    /// The repository is kept in a way that this program does not know.
    #[error("the repository at '{}' keeps its {what} as '{format}', which this program does not read", folder.display())]
    Unsupported {
        /// Where the search began.
        folder: PathBuf,
        /// `refs` or `objects`.
        what: &'static str,
        /// The name of the format.
        format: String,
    },
    /// A work tree is needed, and the repository is bare.
    #[error("'{}' is a bare repository: there is no work tree", git_dir.display())]
    Bare {
        /// The repository.
        git_dir: PathBuf,
    },
    /// A path that was named lies outside the work tree.
    #[error("'{}' is outside the work tree at '{}'", path.display(), top.display())]
    Outside {
        /// As it was named.
        path: PathBuf,
        /// The top of the work tree.
        top: PathBuf,
    },
    /// A path that was named is the top of the work tree, where a file or folder in it is needed.
    #[error("'{}' is the top of the work tree, not a path in it", path.display())]
    Top {
        /// As it was named.
        path: PathBuf,
    },
    /// A path that was named passes through a symbolic link.
    #[error("'{path}' is beyond the symbolic link '{link}'")]
    BeyondLink {
        /// The path.
        path: String,
        /// The link among its parents.
        link: String,
    },
    /// A path that was named belongs to another repository, such as a submodule.
    #[error("'{path}' is in another repository, '{repository}'")]
    OtherRepository {
        /// The path.
        path: String,
        /// The top of the other repository.
        repository: String,
    },
    /// A file that we read or write is a symbolic link, a folder or a pipe.
    #[error("'{}' is no regular file", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// A name is no UTF-8.
    #[error("'{}' is not valid UTF-8", path.display())]
    NotUtf8 {
        /// The name.
        path: PathBuf,
    },
    /// A path or name that is never written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Name or email of the user is not known.
    #[error("no name and email are known for the {role} of what is to be recorded")]
    NoIdentity {
        /// `author` or `committer`.
        role: &'static str,
    },
    /// A revision names nothing.
    #[error("unknown revision '{revision}'")]
    UnknownRevision {
        /// As it was given.
        revision: String,
        /// Why not.
        source: Cause,
    },
    /// An object is not in the repository.
    #[error("object {id} is missing")]
    Missing {
        /// The object.
        id: ObjectId,
    },
    /// An object is not of the kind that is needed.
    #[error("object {id} is a {found}, not a {wanted}")]
    WrongKind {
        /// The object.
        id: ObjectId,
        /// What it is.
        found: String,
        /// What is needed.
        wanted: &'static str,
    },
    /// An object is larger than what is read into memory.
    #[error("object {id} has {size} bytes, more than the {limit} that are read")]
    TooLarge {
        /// The object.
        id: ObjectId,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// An object is damaged or unreadable.
    #[error("cannot read object {id}")]
    Object {
        /// The object.
        id: ObjectId,
        /// Why not.
        source: Cause,
    },
    /// An object could not be written.
    #[error("cannot write a {kind} to the repository")]
    WriteObject {
        /// `blob`, `tree`, `commit` or `tag`.
        kind: &'static str,
        /// Why not.
        source: Cause,
    },
    /// A name of a ref breaks Git's rules.
    #[error("'{name}' is not a valid ref name")]
    RefName {
        /// The name.
        name: String,
        /// Which rule.
        source: Cause,
    },
    /// A ref already exists.
    #[error("'{name}' already exists")]
    RefExists {
        /// Its full name.
        name: String,
    },
    /// Somebody moved a ref meanwhile.
    #[error("'{name}' has been changed meanwhile")]
    RefMoved {
        /// Its full name.
        name: String,
    },
    /// A ref could not be read or written.
    #[error("cannot access ref '{name}'")]
    Ref {
        /// Its full name, or the prefix that was listed.
        name: String,
        /// Why not.
        source: Cause,
    },
    /// A walk through history failed.
    #[error("cannot walk the history")]
    History {
        /// Why not.
        source: Cause,
    },
    /// The index could not be read.
    #[error("cannot read the index '{}'", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// Why not.
        source: Cause,
    },
    /// The work tree could not be walked.
    #[error("cannot look through '{}'", path.display())]
    WorkTree {
        /// Its top.
        path: PathBuf,
        /// Why not.
        source: Cause,
    },
    /// Another process is writing the index.
    #[error("cannot write the index: '{}' exists", path.display())]
    IndexLocked {
        /// The lock.
        path: PathBuf,
    },
    /// Another process of this program holds a lock for too long.
    #[error("another git-ml process has held '{}' for too long", path.display())]
    Held {
        /// The lock.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} '{}'", path.display())]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The `git` program failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl GitError {
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

impl Advice for GitError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotARepository { .. } => vec!["run 'git init', or go to the folder of your project".into()],
            Self::Untrusted { folder, .. } => vec![format!(
                "if you trust it: git config --global --add safe.directory '{}'",
                folder.display()
            )],
            Self::NoIdentity { .. } => {
                vec!["git config user.name 'YOUR NAME' && git config user.email YOU@EXAMPLE.COM".into()]
            }
            Self::OtherRepository { repository, .. } => {
                vec![format!("go there first: cd {}", typed(repository))]
            }
            Self::RefMoved { .. } => vec!["run the command again".into()],
            Self::Missing { .. } => {
                vec!["in a shallow or partial clone, 'git fetch --unshallow --refetch' brings it".into()]
            }
            Self::IndexLocked { .. } => vec![
                "wait until the other git process in this repository has ended".into(),
                "if there is none, it was killed: remove the lock file".into(),
            ],
            Self::Held { path } => {
                vec![format!(
                    "fuser -v {}      tells which one; run the command again when it has ended",
                    typed(path.display())
                )]
            }
            Self::Program(error) => error.hints(),
            Self::Io { path, source, .. } => refusal_hints(path, source),
            _ => Vec::new(),
        }
    }
}
