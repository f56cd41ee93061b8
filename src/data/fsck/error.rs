//! Why the check or the repair could not be made.

use crate::base::{Advice, Failure};
use crate::data::content::WriteError;
use crate::data::remotes::RemotesError;
use crate::data::tracked::TrackedError;
use crate::data::versions::VersionsError;
use crate::data::workspace::WorkspaceError;
use crate::data::worktree::{ScanError, SnapshotError};
use crate::git::GitError;
use crate::storage::durable::DurableError;
use crate::storage::store::StoreError;

/// Why the store cannot be checked, or repaired.
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the store.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// A pointer.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// The versions of the commits.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// The remotes' settings.
    #[error(transparent)]
    Remotes(#[from] RemotesError),
    /// A file of the work tree.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A file of the work tree.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// What was read cannot be stored.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Advice for FsckError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Store(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::Tracked(error) => error.hints(),
            Self::Versions(error) => error.hints(),
            Self::Remotes(error) => error.hints(),
            Self::Scan(error) => error.hints(),
            Self::Snapshot(error) => error.hints(),
            Self::Write(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
            Self::Git(error) => error.hints(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Git(error) => error.failure(),
            Self::Versions(error) => error.failure(),
            Self::Remotes(error) => error.failure(),
            Self::Workspace(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}
