//! Why a DVC project cannot be moved at all.

use std::io;
use std::path::PathBuf;

use crate::base::{Advice, Bytes, Failure, refusal_hints};
use crate::data::WorkspaceError;
use crate::data::add::AddError;
use crate::git::GitError;
use crate::interop::place::PlaceError;
use crate::storage::durable::DurableError;
use crate::storage::remote::RemoteError;

/// Why nothing, or not all, was moved.
#[derive(Debug, thiserror::Error)]
pub enum DvcError {
    /// There is none.
    #[error("nothing of DVC is here: no '.dvc' file and no 'dvc.lock'")]
    NoProject,
    /// The remote that was asked for is not there.
    #[error("DVC's configuration has no remote '{0}'")]
    NoRemote(String),
    /// A file cannot be read.
    #[error("cannot read '{}'", path.display())]
    Read {
        /// The file or folder.
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
    /// A remote of DVC.
    #[error("DVC's remote does not give what it should; nothing was changed")]
    Remote(#[from] RemoteError),
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

impl Advice for DvcError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoProject => {
                vec!["git mldata add PATH      takes data in that no other tool tracks".into()]
            }
            Self::NoRemote(_) => vec!["see what there is: cat .dvc/config".into()],
            Self::Read { path, source } => refusal_hints(path, source),
            Self::NoSpace { .. } => {
                vec!["make room, or name a part of the project: git mldata import dvc DIR".into()]
            }
            Self::Remote(error) => error.hints(),
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
            Self::NoRemote(_) => Failure::WrongUse,
            _ => Failure::CouldNotDo,
        }
    }
}
