//! What an operation works in: a repository with its store and settings.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::{Advice, Digest, Progress};
use crate::data::worktree::WorktreeRecord;
use crate::git::{GitError, LockFile, Repository};
use crate::storage::durable::{self, DurableError};
use crate::storage::store::{Store, StoreError, StoreUse};

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
    Record(#[source] io::Error),
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
    /// The workspace of a repository.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError`]; a bare repository has no workspace.
    pub fn open(repository: Repository) -> Result<Self, WorkspaceError> {
        let top = repository.work_dir()?.to_owned();
        let store = Self::store_of(&repository);
        let workspace = Self { repository, top, store };
        // Who only reads may not be able to write there.
        let _ = workspace.note_clone();
        Ok(workspace)
    }

    /// A workspace of a repository with a store of its own, whatever the environment says: for a repository that lasts as long as
    /// the command.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError`]; a bare repository has no workspace.
    pub fn in_store(repository: Repository, store: Store) -> Result<Self, WorkspaceError> {
        let top = repository.work_dir()?.to_owned();
        Ok(Self { repository, top, store })
    }

    /// The store of a repository, which may be bare: where `GIT_MLDATA_STORE` or `mldata.storeDir` says, else `ml` in the
    /// common Git directory.
    pub fn store_of(repository: &Repository) -> Store {
        let elsewhere =
            std::env::var_os("GIT_MLDATA_STORE").filter(|value| !value.is_empty()).map(PathBuf::from);
        let elsewhere = elsewhere.or_else(|| repository.setting("mldata.storeDir").map(PathBuf::from));
        let folder = elsewhere.unwrap_or_else(|| repository.common_dir().join("ml"));
        Store::open(folder)
    }

    /// Begins to use the store: see [`Store::enter`].
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn enter(&self, progress: &Progress) -> Result<StoreUse, StoreError> {
        self.note_clone()?;
        self.store.enter(progress)
    }

    /// The right to write pointers and the team file of this worktree, one command after the other: who has read one, and
    /// writes it anew with a change of his own, must not take back what another one wrote in between. To be held shortly.
    ///
    /// # Errors
    ///
    /// [`GitError::Held`] when another command has it for too long, [`GitError::Io`].
    pub fn hold_pointers(&self) -> Result<LockFile, GitError> {
        LockFile::hold(&self.git_dir().join("ml").join("pointers.lock"))
    }

    /// Where it is noted which clones use the store, so that gc asks all of them.
    fn notes_of_clones(&self) -> PathBuf {
        self.store.path().join("clones")
    }

    /// Notes that this clone uses the store, where that is not its own, once a day.
    fn note_clone(&self) -> Result<(), DurableError> {
        if self.store.path().starts_with(self.common_dir()) {
            return Ok(());
        }
        let place = self.common_dir().as_os_str().as_encoded_bytes();
        let note = self.notes_of_clones().join(Digest::of(place).to_string());
        let noted = fs::metadata(&note).and_then(|metadata| metadata.modified()).ok();
        let age = noted.and_then(|noted| SystemTime::now().duration_since(noted).ok());
        if age.is_some_and(|age| age < Duration::from_hours(24)) {
            return Ok(());
        }
        durable::create_folders(&self.notes_of_clones())?;
        durable::write_atomically(&note, place)
    }

    /// The clones that use the store beside their own one: the note of each, and its common Git directory.
    ///
    /// # Errors
    ///
    /// When a note cannot be read.
    pub fn noted_clones(&self) -> io::Result<Vec<(PathBuf, PathBuf)>> {
        let entries = match fs::read_dir(self.notes_of_clones()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut clones = Vec::new();
        for entry in entries {
            let note = entry?.path();
            let place = fs::read(&note)?;
            // A name that begins otherwise is a note that is just being written.
            if note.file_name().is_some_and(|name| name.to_str() == Some(&Digest::of(&place).to_string())) {
                clones.push((note, PathBuf::from(OsString::from_vec(place))));
            }
        }
        clones.sort();
        Ok(clones)
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

    /// What this worktree last wrote or added. Where a switch was cut short, files are read: `progress` tells of it.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::Record`] when the system refuses to read it.
    pub fn worktree_record(&self, progress: &Progress) -> Result<WorktreeRecord, WorkspaceError> {
        let mut record = WorktreeRecord::open(self.git_dir()).map_err(WorkspaceError::Record)?;
        record.settle(&self.store, &self.top, progress);
        Ok(record)
    }

    /// Seconds since 1970, by this machine's clock: for notes, never for decisions about a remote.
    pub fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}
