//! The store while nobody else uses it: the only time at which something goes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::StoreError;
use super::handle::Store;
use super::losses;
use super::users::{self, Entry};

/// The right to remove from the store, as long as it lives. Users wait meanwhile, so it must be short.
#[derive(Debug)]
pub struct Exclusion {
    store: Store,
    entry: Entry,
}

impl Exclusion {
    pub(super) fn begin(store: Store, patience: Duration) -> Result<Self, StoreError> {
        let entry = users::exclude(store.path(), patience)?;
        // What was read while others worked may be old.
        store.index_to_change().forget();
        Ok(Self { store, entry })
    }

    /// The store.
    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// The time by the clock of the store's file system, which is the clock of the packs' times.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] when the system does not tell.
    pub fn now(&self) -> Result<SystemTime, StoreError> {
        self.entry.made_at()
    }

    /// Removes files of the store; one that is gone is fine. Everybody learns that something went, before and after. What
    /// the other items of these files need must last elsewhere.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`]; some files may be gone then.
    pub fn remove(&self, files: &[PathBuf]) -> Result<(), StoreError> {
        if files.is_empty() {
            return Ok(());
        }
        losses::renew(self.store.path())?;
        let removed = files.iter().try_for_each(|file| remove_file(file));
        let renewed = losses::renew(self.store.path());
        self.store.index_to_change().forget();
        removed.and(renewed)
    }
}

fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", path, 0, error))
        }
        _ => Ok(()),
    }
}
