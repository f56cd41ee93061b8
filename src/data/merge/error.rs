//! Why versions cannot be merged.

use std::io;

use crate::base::{Advice, Failure, PathError, RepoPath, typed};
use crate::data::checkout::CheckoutError;
use crate::data::content::{WalkError, WriteError};
use crate::data::tracked::TrackedError;
use crate::data::workspace::WorkspaceError;
use crate::git::{GitError, PointerFault, TeamFileError};
use crate::storage::durable::DurableError;
use crate::storage::store::StoreError;

/// Why versions cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// One of the three is no pointer.
    #[error("{which} version of '{path}' is no pointer")]
    Pointer {
        /// Which version.
        which: &'static str,
        /// The tracked path.
        path: RepoPath,
        /// Why.
        #[source]
        fault: PointerFault,
    },
    /// A version must be known to be merged, and its nodes are not in the store.
    #[error("a version of '{path}' is not in the store, so it cannot be merged")]
    Missing {
        /// The tracked path.
        path: RepoPath,
        /// What is missing.
        #[source]
        source: WalkError,
    },
    /// A content cannot be read.
    #[error("cannot read '{path}'")]
    Read {
        /// The file.
        path: RepoPath,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is nothing to resolve.
    #[error("there is no conflict at '{0}'")]
    NoConflict(RepoPath),
    /// The versions cannot be united without a choice.
    #[error("{conflicts} of '{path}' must be decided", conflicts = if *.count == 1 { "1 conflict".to_owned() } else { format!("{} conflicts", .count) })]
    Undecided {
        /// The tracked path.
        path: RepoPath,
        /// How many.
        count: usize,
    },
    /// What lies in the work tree.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// A pointer of the work tree.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// A new version cannot be stored.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be written.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The team's settings.
    #[error(transparent)]
    TeamFile(#[from] TeamFileError),
    /// A name.
    #[error(transparent)]
    Name(#[from] PathError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for MergeError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Pointer { fault, .. } => fault.hints(),
            Self::Missing { path, source } if source.is_missing() => {
                let path = typed(path);
                vec![
                    format!(
                        "git mldata fetch --at HEAD --at MERGE_HEAD --at $(git merge-base HEAD MERGE_HEAD) {path}      brings all three"
                    ),
                    format!("git mldata resolve {path}      then merges them"),
                ]
            }
            Self::Missing { source, .. } => source.hints(),
            Self::NoConflict(_) => vec!["git status      shows the conflicts".into()],
            Self::Undecided { path, .. } => {
                let path = typed(path);
                vec![
                    format!("git mldata resolve --ours {path}      what both changed is as ours has it"),
                    format!("git mldata resolve --theirs {path}      what both changed is as theirs has it"),
                ]
            }
            Self::Checkout(error) => error.hints(),
            Self::Tracked(error) => error.hints(),
            Self::Write(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::TeamFile(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
            Self::Read { .. } | Self::Name(_) => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Undecided { .. } => Failure::AnswerIsNo,
            Self::Git(error) => error.failure(),
            Self::Workspace(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}
