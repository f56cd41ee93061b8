//! Why a path could not be brought in step with a version.

use crate::base::{Advice, Bytes, RepoPath, typed};
use crate::data::content::{WalkError, WriteError};
use crate::data::kept::KeptError;
use crate::data::worktree::SnapshotError;
use crate::git::GitError;
use crate::storage::durable::DurableError;
use crate::storage::store::StoreError;

use super::apply::ApplyError;

/// Why a path could not be checked out.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// What is there cannot be told.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The version cannot be followed.
    #[error("the version of '{path}' cannot be read")]
    Version {
        /// The path.
        path: RepoPath,
        /// Why.
        #[source]
        source: WalkError,
    },
    /// Another command checks it out at this moment.
    #[error("another command is checking out '{0}'; it was left to that")]
    Running(RepoPath),
    /// Files cannot be written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A copy of modified files cannot be kept; they were not touched.
    #[error(transparent)]
    Keep(#[from] KeptError),
    /// A copy of modified files cannot be stored; they were not touched.
    #[error(transparent)]
    Copy(#[from] WriteError),
    /// A copy of modified files cannot be made durable; they were not touched.
    #[error("cannot keep a copy of '{path}'; it was not touched")]
    Store {
        /// The path.
        path: RepoPath,
        /// The store's answer.
        #[source]
        source: StoreError,
    },
    /// It cannot be noted where the path goes.
    #[error("cannot note which version '{path}' is to have; nothing was changed")]
    Note {
        /// The path.
        path: RepoPath,
        /// Why.
        #[source]
        source: DurableError,
    },
    /// Not enough space.
    #[error("'{path}' needs {}, and {} are free; nothing was written", Bytes(*needed), Bytes(*free))]
    NoSpace {
        /// The path.
        path: RepoPath,
        /// Bytes to be written.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The version holds a file of Git's own, which data never brings.
    #[error("'{path}' holds '{name}', which would change how Git works; nothing was written")]
    GitFile {
        /// The path.
        path: RepoPath,
        /// The file.
        name: String,
    },
    /// The folder for temporary files cannot be made.
    #[error(transparent)]
    Temporary(#[from] GitError),
}

impl Advice for CheckoutError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Snapshot(error) => error.hints(),
            Self::Version { source, .. } => source.hints(),
            Self::Running(path) => {
                vec![format!("git mldata checkout {path}      again when it has ended", path = typed(path))]
            }
            Self::Apply(error) => error.hints(),
            Self::Keep(error) => error.hints(),
            Self::Copy(error) => error.hints(),
            Self::Store { source, .. } => source.hints(),
            Self::Note { source, .. } => source.hints(),
            Self::NoSpace { path, .. } => {
                vec![
                    format!("take a part: git mldata checkout {path}/SUBFOLDER", path = typed(path)),
                    "or free some space".into(),
                ]
            }
            Self::Temporary(error) => error.hints(),
            Self::GitFile { .. } => Vec::new(),
        }
    }
}
