//! Which items the store has and where: derived from footers and tables, held in memory.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::clones::{clone_entries, clones_in};
use super::error::StoreError;
use super::losses::{self, LossStamp};
use super::open_pack::{cut_to_length, tables_of, with_offsets, with_offsets_from};
use super::places::Places;
use super::table;
use crate::base::Digest;
use crate::objects::pack::{HEADER_LEN, TRAILER_LEN, Trailer};
use crate::objects::{Codec, FooterEntry, ItemKind, PackFooter};

/// Where an item lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Location {
    pub pack: u32,
    pub offset: u64,
    pub stored: u32,
    pub raw: u32,
    pub codec: Codec,
    pub kind: ItemKind,
}

/// A pack that the index knows.
#[derive(Debug, Clone)]
pub(super) struct PackFile {
    pub path: PathBuf,
    /// Held open for packs that are still open: they are renamed when they are full.
    pub file: Option<Arc<File>>,
    /// Whether a writer of this process fills it: what it holds is not in its table yet.
    pub ours: bool,
    /// Whether its time says that it is in use: see [`PackFile::touch`].
    fresh: Arc<AtomicBool>,
}

/// A pack that is relied on after so long says so by its time.
const STALE: Duration = Duration::from_hours(24);

/// So many footers are held at once while the store is read.
const FOOTERS_AT_ONCE: usize = 16;

/// What became of the wish to keep a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touched {
    /// It stays for the time of grace.
    Fresh,
    /// It is not there any more.
    Gone,
    /// It belongs to somebody else: it may go.
    Refused,
}

impl PackFile {
    fn new(path: PathBuf, file: Option<Arc<File>>, ours: bool) -> Self {
        Self { path, file, ours, fresh: Arc::default() }
    }

    /// Sets the time of a pack that is relied on anew, so that gc keeps it although no pointer may name it yet. Once a day
    /// is enough.
    pub fn touch(&self) -> Touched {
        if self.ours || self.fresh.load(Ordering::Relaxed) {
            return Touched::Fresh;
        }
        let modified = fs::metadata(&self.path).and_then(|metadata| metadata.modified());
        let touched = modified.and_then(|modified| {
            let age = SystemTime::now().duration_since(modified).unwrap_or_default();
            if age < STALE {
                return Ok(());
            }
            let now = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
            let times = rustix::fs::Timestamps { last_access: now, last_modification: now };
            let flags = rustix::fs::AtFlags::empty();
            Ok(rustix::fs::utimensat(rustix::fs::CWD, &self.path, &times, flags)?)
        });
        match touched {
            Ok(()) => {
                self.fresh.store(true, Ordering::Relaxed);
                Touched::Fresh
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Touched::Gone,
            Err(_) => Touched::Refused,
        }
    }
}

/// All items of the store that were seen.
#[derive(Debug, Default)]
pub(super) struct Index {
    loaded: bool,
    /// What the store had lost when it was loaded.
    losses: Option<LossStamp>,
    places: Places,
    packs: Vec<PackFile>,
    /// Sealed packs and clones by name.
    sealed: HashMap<OsString, u32>,
    /// Open packs of others by the name of their table: the pack, and how many of its items were seen.
    open: HashMap<OsString, (u32, usize)>,
}

impl Index {
    /// Whether the files were read at all.
    pub const fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// What the store had lost when the files were read.
    pub const fn losses(&self) -> Option<LossStamp> {
        self.losses
    }

    /// Where the item lies, and in which pack.
    pub fn find(&self, id: &Digest) -> Option<(Location, &PackFile)> {
        let location = self.places.get(id)?;
        Some((location, self.packs.get(location.pack as usize)?))
    }

    /// Whether the item was seen.
    pub fn contains(&self, id: &Digest) -> bool {
        self.places.get(id).is_some()
    }

    /// Forgets all that can be read again; the next look-up does so.
    pub fn forget(&mut self) {
        let packs = &self.packs;
        let is_ours = |location: &Location| packs.get(location.pack as usize).is_some_and(|pack| pack.ours);
        self.places = self.places.filter(is_ours);
        self.sealed.clear();
        self.open.clear();
        self.loaded = false;
    }

    /// Adds an open pack that a writer of this process fills; gives its number.
    pub fn add_ours(&mut self, path: PathBuf, file: Arc<File>) -> u32 {
        self.add_pack(PackFile::new(path, Some(file), true))
    }

    /// A pack of this process got its name: `sealed` is where it lies; `None` if it failed.
    pub fn settle(&mut self, number: u32, sealed: Option<&Path>) {
        let Some(pack) = self.packs.get_mut(number as usize) else { return };
        (pack.file, pack.ours) = (None, false);
        if let Some(path) = sealed {
            path.clone_into(&mut pack.path);
            self.sealed.insert(path.file_name().unwrap_or_default().to_owned(), number);
        }
    }

    /// The writer of this pack of this process is gone.
    pub fn let_go(&mut self, number: u32) {
        if let Some(pack) = self.packs.get_mut(number as usize) {
            pack.ours = false;
        }
    }

    fn add_pack(&mut self, pack: PackFile) -> u32 {
        self.packs.push(pack);
        self.packs.len() as u32 - 1
    }

    /// Adds an item of a pack.
    pub fn add_item(&mut self, pack: u32, entry: &FooterEntry, offset: u64) {
        let FooterEntry { id, stored, raw, codec, kind } = *entry;
        self.places.insert(id, &Location { pack, offset, stored, raw, codec, kind });
    }

    /// Takes in what was added to the folder `store` since the last time. Open packs come first: one that is sealed
    /// meanwhile is found as a sealed one then.
    pub fn refresh(&mut self, store: &Path) -> Result<(), StoreError> {
        if !self.loaded {
            self.losses = losses::read(store);
        }
        let tables = tables_of(&store.join("open"))?;
        for table in &tables {
            self.read_table(table)?;
        }
        self.read_sealed(&store.join("packs"))?;
        self.read_clones(store)?;
        self.close_sealed(&tables);
        self.loaded = true;
        Ok(())
    }

    /// Lets go of open packs whose table is gone: their items were found in a sealed pack.
    fn close_sealed(&mut self, tables: &[PathBuf]) {
        let there: Vec<_> = tables.iter().filter_map(|table| table.file_name()).collect();
        let packs = &mut self.packs;
        self.open.retain(|name, (number, _)| {
            let stays = there.contains(&name.as_os_str());
            if let Some(pack) = packs.get_mut(*number as usize).filter(|_| !stays) {
                pack.file = None;
            }
            stays
        });
    }

    fn read_table(&mut self, path: &Path) -> Result<(), StoreError> {
        let name = path.file_name().unwrap_or_default().to_owned();
        let known = self.open.get(&name).copied();
        let pack_path = path.with_extension("pack");
        let opened = match known {
            Some((number, _)) => Ok(self.packs.get(number as usize).and_then(|pack| pack.file.clone())),
            None => File::open(&pack_path).map(|file| Some(Arc::new(file))),
        };
        let (file, bytes) = match (opened, fs::read(path)) {
            (Ok(Some(file)), Ok(bytes)) => (file, bytes),
            (Ok(None), _) => return Ok(()),
            (Err(error), _) | (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            (Err(error), _) | (_, Err(error)) => return Err(StoreError::io("read", path, 0, error)),
        };
        let mut entries = table::read(&bytes).unwrap_or_default();
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        cut_to_length(&mut entries, HEADER_LEN as u64, length);
        let (number, seen) =
            known.unwrap_or_else(|| (self.add_pack(PackFile::new(pack_path, Some(file), false)), 0));
        for (entry, offset) in with_offsets(&entries).skip(seen) {
            self.add_item(number, entry, offset);
        }
        self.open.insert(name, (number, entries.len().max(seen)));
        Ok(())
    }

    fn read_clones(&mut self, store: &Path) -> Result<(), StoreError> {
        for (path, _) in clones_in(store)? {
            let name = path.file_name().unwrap_or_default().to_owned();
            if self.sealed.contains_key(&name) {
                continue;
            }
            let Some(entries) = clone_entries(&path) else { continue };
            let number = self.add_pack(PackFile::new(path, None, false));
            with_offsets_from(0, &entries).for_each(|(entry, offset)| self.add_item(number, entry, offset));
            self.sealed.insert(name, number);
        }
        Ok(())
    }

    fn read_sealed(&mut self, packs: &Path) -> Result<(), StoreError> {
        let mut new = Vec::new();
        for folder in names_in(packs)? {
            for name in names_in(&packs.join(&folder))? {
                let id = name.to_str().and_then(|name| name.parse::<Digest>().ok());
                if let Some(id) = id.filter(|_| !self.sealed.contains_key(&name)) {
                    new.push((packs.join(&folder).join(&name), name, id));
                }
            }
        }
        for some in new.chunks(FOOTERS_AT_ONCE) {
            let footers: Vec<_> = some.par_iter().map(|(path, _, id)| read_footer(path, id)).collect();
            self.places.reserve(footers.iter().flatten().map(|footer| footer.entries.len()).sum());
            for (footer, (path, name, _)) in footers.into_iter().zip(some) {
                let Some(footer) = footer else { continue };
                let number = self.add_pack(PackFile::new(path.to_owned(), None, false));
                with_offsets(&footer.entries)
                    .for_each(|(entry, offset)| self.add_item(number, entry, offset));
                self.sealed.insert(name.clone(), number);
            }
        }
        Ok(())
    }
}

/// The footer of a sealed pack; `None` if the file is gone or is not what its name says: then its items count as
/// missing, and a fetch brings them again.
pub(super) fn read_footer(path: &Path, id: &Digest) -> Option<PackFooter> {
    let file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut trailer = [0; TRAILER_LEN];
    let footer_end = length.checked_sub(TRAILER_LEN as u64)?;
    file.read_exact_at(&mut trailer, footer_end).ok()?;
    let footer_len = Trailer::decode(&trailer).ok()?.footer_len;
    let start = footer_end.checked_sub(footer_len.into()).filter(|start| *start >= HEADER_LEN as u64)?;
    let mut bytes = vec![0; footer_len as usize];
    file.read_exact_at(&mut bytes, start).ok()?;
    let named = Digest::of(&bytes) == *id;
    PackFooter::decode(&bytes).ok().filter(|footer| named && u64::from(footer.pack_ref().size) == length)
}

/// The names in `folder`; none if it does not exist or is no folder.
pub(super) fn names_in(folder: &Path) -> Result<Vec<OsString>, StoreError> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.filter_map(|entry| entry.ok().map(|entry| entry.file_name())).collect()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(StoreError::io("list", folder, 0, error)),
    }
}
