//! Whether what the packs hold is what their tables say, read in order.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::error::StoreError;
use super::exclusion::Exclusion;
use super::handle::Store;
use super::losses;
use super::packs::PackOnDisk;
use crate::base::{Digest, Progress, Unit};
use crate::storage::durable::{create_folders, sync_folder};

/// A pack with a fault.
#[derive(Debug, Clone)]
pub struct PackFault {
    /// The pack.
    pub pack: PackOnDisk,
    /// Items of it that were asked for and are damaged; where its table cannot be read, none are known.
    pub items: Vec<Digest>,
}

/// What a check found.
#[derive(Debug)]
pub struct PackCheck {
    /// For each id that was asked for, whether the item is here and whole.
    pub whole: Vec<bool>,
    /// The packs with faults.
    pub faults: Vec<PackFault>,
    /// Bytes that were read.
    pub bytes: u64,
}

impl Store {
    /// Reads each item of `ids`, which are in order, wherever a pack has it, and every table of a pack.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] when the store cannot be read at all.
    pub fn check_packs(&self, ids: &[Digest], progress: &Progress) -> Result<PackCheck, StoreError> {
        let packs = self.packs()?;
        let whole: Vec<AtomicBool> = ids.iter().map(|_| AtomicBool::new(false)).collect();
        let bytes = AtomicU64::new(0);
        progress.begin("checking the store", Unit::Bytes, Some(packs.iter().map(|pack| pack.length).sum()));
        let check = |pack: &PackOnDisk| -> Result<Option<PackFault>, StoreError> {
            let Some(table) = pack.items() else {
                // An open one is just being begun, or sealed.
                let stays = pack.sealed && pack.again()?.is_some();
                return Ok(stays.then(|| PackFault { pack: pack.clone(), items: Vec::new() }));
            };
            let Ok(file) = pack.open() else { return Ok(None) };
            let mut damaged = Vec::new();
            for item in &table {
                progress.advance(u64::from(item.0.stored));
                let Ok(at) = ids.binary_search(&item.0.id) else { continue };
                bytes.fetch_add(u64::from(item.0.stored), Ordering::Relaxed);
                match pack.read(&file, item)? {
                    Some(_) => whole[at].store(true, Ordering::Relaxed),
                    None => damaged.push(item.0.id),
                }
            }
            Ok((!damaged.is_empty()).then(|| PackFault { pack: pack.clone(), items: damaged }))
        };
        let faults: Result<Vec<_>, _> = packs.par_iter().map(check).collect();
        progress.end();
        let whole = whole.into_iter().map(AtomicBool::into_inner).collect();
        Ok(PackCheck { whole, faults: faults?.into_iter().flatten().collect(), bytes: bytes.into_inner() })
    }

    /// Copies all whole items of a pack into other packs, as far as its table can be read, and makes them last.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn salvage(&self, pack: &PackOnDisk) -> Result<(), StoreError> {
        let _using = self.enter(&Progress::hidden())?;
        let Some(items) = pack.items() else { return Ok(()) };
        let (file, writer) = (pack.open()?, self.writer());
        writer.keep_apart()?;
        for item in &items {
            if let Some(stored) = pack.read(&file, item)? {
                writer.copy(item.0.id, &stored)?;
            }
        }
        writer.sync()
    }
}

impl Exclusion {
    /// Sets damaged packs aside, into the folder `damaged`: nothing in them is found any more. Returns where they lie then.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`].
    pub fn set_aside(&self, packs: &[PackOnDisk]) -> Result<Vec<PathBuf>, StoreError> {
        let store = self.store().path();
        let folder = store.join("damaged");
        create_folders(&folder)?;
        losses::renew(store)?;
        let moved = packs.iter().flat_map(PackOnDisk::files).map(|file| set_aside(&folder, &file));
        let moved = moved.collect();
        let synced = sync_folder(&folder);
        losses::renew(store)?;
        self.store().index_to_change().forget();
        synced?;
        moved
    }
}

fn set_aside(folder: &Path, file: &Path) -> Result<PathBuf, StoreError> {
    let place = folder.join(file.file_name().unwrap_or_default());
    match fs::rename(file, &place) {
        Ok(()) => Ok(place),
        Err(source) => Err(StoreError::io("set aside", file, 0, source)),
    }
}
