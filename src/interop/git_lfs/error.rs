//! Why nothing could be moved from Git LFS.

use std::io;
use std::path::PathBuf;

use crate::base::{Advice, Bytes, Failure, RepoPath, refusal_hints};
use crate::data::WorkspaceError;
use crate::data::add::AddError;
use crate::git::GitError;
use crate::interop::place::PlaceError;
use crate::storage::durable::DurableError;
use crate::storage::web::WebError;

/// Why nothing, or not all, was moved.
#[derive(Debug, thiserror::Error)]
pub enum LfsError {
    /// Nothing is tracked by LFS.
    #[error("Git LFS tracks nothing here{}", if *.named { " that matches" } else { "" })]
    Nothing {
        /// Whether patterns were given.
        named: bool,
    },
    /// The pattern of LFS that stays would take our pointer, too.
    #[error(
        "'{0}.mld' would go to Git LFS itself: a pattern that stays in '.gitattributes' matches it; nothing was changed"
    )]
    Caught(RepoPath),
    /// A file cannot be read.
    #[error("cannot read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The disk is too full.
    #[error("{} are to be brought, and {} are free; nothing was changed", Bytes(*needed), Bytes(*free))]
    NoSpace {
        /// Bytes that are not here.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The server.
    #[error("the server of Git LFS does not give what it should; nothing was changed")]
    Server(#[from] WebError),
    /// A file cannot be written.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The data cannot be added.
    #[error(transparent)]
    Add(#[from] AddError),
    /// The disk.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for LfsError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Nothing { .. } => vec!["git lfs ls-files      shows what it tracks".into()],
            Self::Caught(_) => {
                vec!["git mldata import lfs      takes over all that the pattern matches".into()]
            }
            Self::Read { path, source } => refusal_hints(path, source),
            Self::NoSpace { .. } => {
                vec!["make room, or name some of the files: git mldata import lfs PATTERN".into()]
            }
            Self::Server(error) => error.hints(),
            Self::Place(error) => error.hints(),
            Self::Add(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Add(error) => error.failure(),
            Self::Git(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}
