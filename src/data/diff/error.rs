//! Why data cannot be compared.

use crate::base::{Advice, Failure, RepoPath};
use crate::data::compose::ComposeError;
use crate::data::content::WalkError;
use crate::data::tracked::TrackedError;
use crate::data::workspace::WorkspaceError;
use crate::data::worktree::SnapshotError;
use crate::git::{GitError, TeamFileError};

/// Why data cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// Neither side tracks it.
    #[error("there is no data at '{0}' on either side")]
    NoData(RepoPath),
    /// Two commits share no history.
    #[error("'{one}' and '{other}' have no common ancestor")]
    NoMergeBase {
        /// One revision.
        one: String,
        /// The other.
        other: String,
    },
    /// A tree is damaged.
    #[error("cannot compare '{path}'")]
    Walk {
        /// The tracked path.
        path: RepoPath,
        /// Why.
        #[source]
        source: WalkError,
    },
    /// It cannot be told what the modified directory in the work tree is.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// A file of the work tree.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A pointer.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// The team file, which says what is private.
    #[error(transparent)]
    TeamFile(#[from] TeamFileError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for DiffError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoData(_) => vec!["git mldata ls      shows what there is".into()],
            Self::NoMergeBase { one, other } => vec![format!("git mldata diff {one}..{other}")],
            Self::Walk { source, .. } => source.hints(),
            Self::Compose(error) => error.hints(),
            Self::Snapshot(error) => error.hints(),
            Self::Tracked(error) => error.hints(),
            Self::TeamFile(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Git(error) => error.failure(),
            Self::Workspace(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}
