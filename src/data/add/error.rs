//! Why nothing was added.

use crate::base::{Advice, Bytes, Failure, PathError, RepoPath, typed};
use crate::data::compose::{ComposeError, listed};
use crate::data::content::WriteError;
use crate::data::in_place::TrackError;
use crate::data::tracked::TrackedError;
use crate::data::transfer::TransferError;
use crate::data::workspace::WorkspaceError;
use crate::data::worktree::{ScanError, SnapshotError};
use crate::git::GitError;
use crate::storage::durable::DurableError;
use crate::storage::store::StoreError;

/// Leaves this much of the disk free, in bytes.
pub(super) const SPARE: u64 = 16 << 20;

/// Why nothing was added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// There is nothing at the path.
    #[error("'{0}' does not exist; nothing was added")]
    Absent(RepoPath),
    /// Git itself tracks the path.
    #[error("'{0}' is tracked by Git; nothing was added")]
    TrackedByGit(RepoPath),
    /// Some commit tracks the path: Git would overwrite the data, which it ignores, without a word.
    #[error(
        "'{0}' is in Git's history: a checkout of an older commit would overwrite the data; nothing was added"
    )]
    InHistory(RepoPath),
    /// A pointer inside a directory that is to be tracked as a whole.
    #[error("inside '{path}' something is tracked on its own; nothing was added:{}", named(inner))]
    Nested {
        /// The directory.
        path: RepoPath,
        /// What is tracked in it.
        inner: Vec<RepoPath>,
    },
    /// Another command wrote the pointer while this one read the data.
    #[error("the pointer of '{0}' was written by another command meanwhile; nothing was added")]
    PointerMoved(RepoPath),
    /// Files hold other bytes than were written although nobody wrote to them, as a power cut leaves them.
    #[error(
        "of '{path}' nobody wrote to what was checked out or added, and yet it is damaged, as a power cut does it; nothing was added:{}",
        listed(path, names)
    )]
    Damaged {
        /// The tracked path.
        path: RepoPath,
        /// The files, by path below it.
        names: Vec<Vec<u8>>,
    },
    /// Not enough space.
    #[error("{} to store, {} free on the disk of the store, {} of which stay free; nothing was added", Bytes(*needed), Bytes(*free), Bytes(SPARE))]
    NoSpace {
        /// Bytes that may have to be stored.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// A pattern for a file that is to be tracked in place.
    #[error(transparent)]
    Track(#[from] TrackError),
    /// The name cannot have a pointer.
    #[error(transparent)]
    Name(#[from] PathError),
    /// A pointer cannot be read.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// Something there is no data.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A file cannot be read or stored.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The new version cannot be composed.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The nodes of the tree cannot be stored.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The store.
    #[error("cannot store; nothing was added")]
    Store(#[from] StoreError),
    /// The pointer or the record cannot be written.
    #[error("the data is stored, but cannot be named")]
    Durable(#[from] DurableError),
    /// The remote does not take the data.
    #[error("nothing was added, for the remote does not have the data")]
    Transfer(#[from] TransferError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

/// Each on a line of its own.
fn named(paths: &[RepoPath]) -> String {
    paths.iter().map(|path| format!("\n  {path}")).collect()
}

impl Advice for AddError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Absent(path) => {
                vec![format!("if it was deleted on purpose: git mldata rm {path}", path = typed(path))]
            }
            Self::TrackedByGit(path) => vec![format!(
                "git rm --cached -r {path} && git mldata add --sidecar {path}      (the file stays where it is)",
                path = typed(path)
            )],
            Self::InHistory(path) => vec![format!(
                "git mldata add --sidecar {path}      keeps a pointer beside it; take care when you switch to old commits",
                path = typed(path)
            )],
            Self::Nested { path, inner } => {
                let inner: Vec<_> = inner.iter().map(typed).collect();
                vec![format!(
                    "git mldata rm --cached {} && git mldata add --sidecar {}      (the files stay where they are)",
                    inner.join(" "),
                    typed(path)
                )]
            }
            Self::PointerMoved(path) => vec![format!("git mldata add {path}", path = typed(path))],
            Self::Name(_) => Vec::new(),
            Self::Damaged { path, .. } => vec![
                format!("git mldata checkout {path}      brings back what was there", path = typed(path)),
                format!("git mldata add --all {path}      takes all as it is here", path = typed(path)),
            ],
            Self::NoSpace { .. } => {
                vec![
                    "git mldata add --to REMOTE PATH...      sends it to a remote instead of storing it here"
                        .into(),
                    "or free some space, or set mldata.storeDir to a folder on a larger disk".into(),
                ]
            }
            Self::Track(error) => error.hints(),
            Self::Tracked(error) => error.hints(),
            Self::Scan(error) => error.hints(),
            Self::Snapshot(error) => error.hints(),
            Self::Compose(error) => error.hints(),
            Self::Write(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::Transfer(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Transfer(error) => error.failure(),
            Self::Git(error) => error.failure(),
            Self::Workspace(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}
