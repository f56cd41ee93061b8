//! What an operation works in: a repository with its store and settings.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::Advice;
use crate::data::worktree::WorktreeRecord;
use crate::git::{GitError, Repository};
use crate::storage::store::Store;

/// A repository with a work tree, and its store. Opening reads nothing of the store.
pub struct Workspace {
    repository: Repository,
    top: PathBuf,
    store: Store,
}

/// Why an operation cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The record of this worktree.
    #[error("cannot read what this worktree holds")]
    Record(#[source] std::io::Error),
}

impl Advice for WorkspaceError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Git(error) => error.hints(),
            Self::Record(_) => Vec::new(),
        }
    }

    fn failure(&self) -> crate::base::Failure {
        match self {
            Self::Git(error) => error.failure(),
            Self::Record(_) => crate::base::Failure::CouldNotDo,
        }
    }
}

impl Workspace {
    /// The workspace of a repository. The store is where `GIT_MLDATA_STORE` or `mldata.storeDir` says, else `ml` in the
    /// common Git directory.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError`]; a bare repository has no workspace.
    pub fn open(repository: Repository) -> Result<Self, WorkspaceError> {
        let top = repository.work_dir()?.to_owned();
        let elsewhere =
            std::env::var_os("GIT_MLDATA_STORE").filter(|value| !value.is_empty()).map(PathBuf::from);
        let elsewhere = elsewhere.or_else(|| repository.setting("mldata.storeDir").map(PathBuf::from));
        let folder = elsewhere.unwrap_or_else(|| repository.common_dir().join("ml"));
        let store = Store::open(folder);
        Ok(Self { repository, top, store })
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The top of the work tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// This worktree's own Git directory.
    pub fn git_dir(&self) -> &Path {
        self.repository.git_dir()
    }

    /// The Git directory that all worktrees share.
    pub fn common_dir(&self) -> &Path {
        self.repository.common_dir()
    }

    /// What this worktree last wrote or added.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::Record`] when the system refuses to read it.
    pub fn worktree_record(&self) -> Result<WorktreeRecord, WorkspaceError> {
        WorktreeRecord::open(self.git_dir()).map_err(WorkspaceError::Record)
    }

    /// Seconds since 1970, by this machine's clock: for notes, never for decisions about a remote.
    pub fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}
