//! Makes what others put last, before it is relied on.
//!
//! An item that the store has is not put again. But whoever put it may have been killed before it synced the table that
//! names the item, or the folder that names the pack: the item can be read now, and a power cut takes it back. So a
//! writer syncs what is that young before it says that all of its items last. What is older the system has long written:
//! journals of file systems are committed within 5 to 30 seconds.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::clones::SHARED;
use super::error::StoreError;
use super::open_pack::tables_of;
use crate::storage::durable::sync_folder;

/// What was not touched for so long lasts.
const WRITTEN: Duration = Duration::from_secs(300);

/// Makes the tables of open packs, and the names of all that lies in `store`, last.
pub(super) fn make_last(store: &Path) -> Result<(), StoreError> {
    let open = store.join("open");
    for table in tables_of(&open)?.into_iter().filter(|table| is_young(table)) {
        match File::open(&table).and_then(|table| table.sync_data()) {
            // Its pack was sealed meanwhile, by a process that lives.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            synced => synced.map_err(|source| StoreError::io("sync", &table, 0, source))?,
        }
    }
    let packs = store.join("packs");
    let inner = fs::read_dir(&packs).into_iter().flatten().flatten().map(|entry| entry.path());
    let folders: Vec<PathBuf> =
        inner.chain([packs.clone(), open, store.join(SHARED), store.to_owned()]).collect();
    for folder in folders.iter().filter(|folder| is_young(folder)) {
        sync_folder(folder)?;
    }
    // Somebody else's folder, perhaps, that may not be read; then it was not made just now either.
    match store.parent().filter(|above| is_young(above)).map(sync_folder) {
        Some(Err(error)) if !error.is_denied() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether it is there and was changed just now; by a clock that is behind, anything may have been.
fn is_young(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata: Metadata| metadata.modified());
    modified.is_ok_and(|time| time.elapsed().map_or(true, |age| age < WRITTEN))
}
