//! Whether what the packs hold is what their tables say, read in order.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::error::StoreError;
use super::exclusion::Exclusion;
use super::handle::Store;
use super::losses;
use super::packs::{PackItem, PackOnDisk};
use super::window::Window;
use crate::base::{Digest, Progress, Unit};
use crate::objects::codec::{Scratch, decode_in};
use crate::storage::durable::{create_folders, sync_folder};

/// So many bytes are read at once.
const AHEAD: usize = 1 << 20;

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
    /// Reads each item of `ids`, which are in order, wherever a pack has it, and every table of a pack. Those that are
    /// `proven`, by their places in `ids`, were read and verified just now where [`Store::read`] finds them: there they are not
    /// read again.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] when the store cannot be read at all.
    pub fn check_packs(
        &self,
        ids: &[Digest],
        proven: &[bool],
        progress: &Progress,
    ) -> Result<PackCheck, StoreError> {
        let packs = self.packs()?;
        let whole: Vec<AtomicBool> = ids.iter().map(|_| AtomicBool::new(false)).collect();
        let bytes = AtomicU64::new(0);
        progress.begin("checking the store", Unit::Bytes, Some(packs.iter().map(|pack| pack.length).sum()));
        let is_proven = |at: usize, item: &PackItem, pack: &PackOnDisk| {
            proven.get(at).is_some_and(|proven| *proven) && self.finds_at(item, &pack.path)
        };
        let check = |scan: &mut Scan, pack: &PackOnDisk| -> Result<Option<PackFault>, StoreError> {
            let Some(table) = pack.items() else {
                // An open one is just being begun, or sealed.
                let stays = pack.sealed && pack.again()?.is_some();
                return Ok(stays.then(|| PackFault { pack: pack.clone(), items: Vec::new() }));
            };
            let Ok(file) = pack.open() else { return Ok(None) };
            scan.window.clear();
            let mut damaged = Vec::new();
            for item in &table {
                progress.advance(u64::from(item.0.stored));
                let Ok(at) = ids.binary_search(&item.0.id) else { continue };
                bytes.fetch_add(u64::from(item.0.stored), Ordering::Relaxed);
                match is_proven(at, item, pack) || scan.is_whole(pack, &file, item)? {
                    true => whole[at].store(true, Ordering::Relaxed),
                    false => damaged.push(item.0.id),
                }
            }
            Ok((!damaged.is_empty()).then(|| PackFault { pack: pack.clone(), items: damaged }))
        };
        let faults: Result<Vec<_>, _> = packs.par_iter().map_init(Scan::default, check).collect();
        progress.end();
        let whole = whole.into_iter().map(AtomicBool::into_inner).collect();
        Ok(PackCheck { whole, faults: faults?.into_iter().flatten().collect(), bytes: bytes.into_inner() })
    }

    /// Whether this is the place at which the item is found.
    fn finds_at(&self, (entry, offset): &PackItem, pack: &Path) -> bool {
        let Ok(index) = self.loaded() else { return false };
        index.find(&entry.id).is_some_and(|(place, file)| place.offset == *offset && file.path == pack)
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

/// Reads the items of one pack after the other, in order, with memory that is used again.
#[derive(Default)]
struct Scan {
    window: Window,
    scratch: Scratch,
}

impl Scan {
    /// Whether the item is what the table of the pack says.
    fn is_whole(&mut self, pack: &PackOnDisk, file: &File, item: &PackItem) -> Result<bool, StoreError> {
        let (entry, offset) = item;
        let stored = self.window.bring(file, *offset, entry.stored as usize, AHEAD);
        let is_whole = stored.is_ok_and(|stored| {
            let stored = &self.window.bytes()[stored];
            let item = decode_in(entry.codec, stored, entry.raw, &mut self.scratch);
            item.is_ok_and(|item| entry.kind.id_of(item) == entry.id)
        });
        // By itself once more: the bad place may be beside it.
        Ok(is_whole || pack.read(file, item)?.is_some())
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
