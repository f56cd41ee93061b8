//! Why data from elsewhere did not come.

use std::io;
use std::path::PathBuf;

use crate::base::{Advice, Failure, PathError, RepoPath, refusal_hints, typed};
use crate::data::add::AddError;
use crate::data::export::ExportError;
use crate::data::read::AtError;
use crate::data::remotes::RemotesError;
use crate::data::tracked::TrackedError;
use crate::data::transfer::TransferError;
use crate::data::workspace::WorkspaceError;
use crate::data::worktree::SnapshotError;
use crate::git::GitError;
use crate::objects::pointer::PointerError;
use crate::storage::durable::DurableError;
use crate::storage::remote::RemoteError;
use crate::storage::web::WebError;

/// Why data from elsewhere did not come.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Something lies there.
    #[error("'{}' is there already; nothing was written", .0.display())]
    Exists(PathBuf),
    /// The address names no file.
    #[error("'{0}' names no file")]
    NoFile(String),
    /// There is nothing at that address.
    #[error("there is nothing at '{0}'")]
    NotFound(String),
    /// The other repository has no data at that path.
    #[error("'{repo}' has no data of git-ml at '{path}'")]
    NoData {
        /// The repository.
        repo: String,
        /// The path.
        path: String,
    },
    /// The other repository's pointer cannot be used.
    #[error("the pointer of '{path}' in the other repository is none")]
    Pointer {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: PointerError,
    },
    /// The data was edited here.
    #[error("'{0}' was edited here; it was left as it is")]
    Modified(RepoPath),
    /// No remote has what lies here.
    #[error("what lies at '{0}' is nowhere else; it was left as it is")]
    OnlyCopy(RepoPath),
    /// The pointer names no source.
    #[error("the pointer of '{0}' names no source")]
    NoSource(RepoPath),
    /// A pointer leads to this machine.
    #[error("'{path}' came from a folder of a machine: {place}")]
    Local {
        /// The path.
        path: RepoPath,
        /// The folder.
        place: String,
    },
    /// A file cannot be read.
    #[error("cannot read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A web server.
    #[error(transparent)]
    Web(#[from] WebError),
    /// A remote.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A remote cannot be used.
    #[error(transparent)]
    Remotes(#[from] RemotesError),
    /// The other repository's remote.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The other repository's data.
    #[error(transparent)]
    At(#[from] AtError),
    /// Writing it.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Adding it.
    #[error(transparent)]
    Add(#[from] AddError),
    /// What is tracked.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// What lies here.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A name.
    #[error(transparent)]
    Name(#[from] PathError),
    /// The disk.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// A repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for SourceError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Exists(_) => vec!["name another place, or add --force, which replaces it".into()],
            Self::NoFile(_) => vec!["name one file: https://HOST/PATH/FILE, s3://BUCKET/PATH/FILE".into()],
            Self::NoData { .. } => vec![
                "a path of Git itself, without a pointer: git archive --remote REPO REV PATH, or a clone"
                    .into(),
            ],
            Self::Modified(path) => vec![
                format!("git mldata add {path}      keeps what was edited", path = typed(path)),
                format!("git mldata checkout --force {path}      drops it", path = typed(path)),
            ],
            Self::OnlyCopy(_) => vec!["git mldata push      brings it to a remote".into()],
            Self::NoSource(path) => {
                vec![format!("git mldata import url URL {path} --force", path = typed(path))]
            }
            Self::Local { path, .. } => {
                vec![format!(
                    "git mldata update {path}      reads there, if you trust that",
                    path = typed(path)
                )]
            }
            Self::Read { path, source } | Self::Write { path, source } => refusal_hints(path, source),
            Self::Web(error) => error.hints(),
            Self::Remote(error) => error.hints(),
            Self::Remotes(error) => error.hints(),
            Self::Transfer(error) => error.hints(),
            Self::At(error) => error.hints(),
            Self::Export(error) => error.hints(),
            Self::Add(error) => error.hints(),
            Self::Tracked(error) => error.hints(),
            Self::Snapshot(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
            Self::NotFound(_) | Self::Pointer { .. } | Self::Name(_) => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::NoFile(_) => Failure::WrongUse,
            Self::Remotes(error) => error.failure(),
            Self::Add(error) => error.failure(),
            Self::Git(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}
