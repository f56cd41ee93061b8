//! Why nothing goes.

use std::io;
use std::path::PathBuf;

use crate::base::{Advice, Digest, Failure};
use crate::data::kept::KeptError;
use crate::data::tracked::TrackedError;
use crate::data::transfer::TransferError;
use crate::data::versions::VersionsError;
use crate::data::workspace::WorkspaceError;
use crate::data::worktree::SnapshotError;
use crate::git::GitError;
use crate::storage::durable::DurableError;
use crate::storage::store::StoreError;

/// Why nothing was removed from the store.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A node of what is needed is damaged, so what it names is not known.
    #[error("what {} names cannot be told; nothing was removed", id.short())]
    Damaged {
        /// The node.
        id: Digest,
        /// The store's answer.
        #[source]
        source: StoreError,
    },
    /// Another clone that uses this store cannot be asked.
    #[error("'{}' uses this store and cannot be asked what it needs; nothing was removed", clone.display())]
    Clone {
        /// The Git directory of the clone.
        clone: PathBuf,
        /// Where it is noted.
        note: PathBuf,
        /// Why.
        #[source]
        source: GitError,
    },
    /// The notes of which clones use this store cannot be read.
    #[error("cannot read '{}'", path.display())]
    Clones {
        /// The note or the folder of notes.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Data in the work tree cannot be removed.
    #[error("cannot remove '{}'", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What the work tree holds cannot be told.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A note cannot be written.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A pointer.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// The versions.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// Copies that were taken before something was overwritten.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The remote.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for CollectError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Damaged { .. } => vec!["git mldata fsck --repair".into()],
            Self::Clone { note, .. } => {
                vec![format!("if that clone is gone for good, remove '{}'", note.display())]
            }
            Self::Snapshot(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Tracked(error) => error.hints(),
            Self::Versions(error) => error.hints(),
            Self::Kept(error) => error.hints(),
            Self::Transfer(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
            Self::Clones { .. } | Self::Remove { .. } => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Git(error) => error.failure(),
            Self::Versions(error) => error.failure(),
            Self::Workspace(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}
