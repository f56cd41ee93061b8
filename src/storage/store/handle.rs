//! The store as its users see it: ask, read, write.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use super::census::Census;
use super::clones::is_clone;
use super::error::StoreError;
use super::exclusion::Exclusion;
use super::index::{Index, Location, PackFile, Touched};
use super::losses::{self, LossStamp};
use super::users::{self, Entry, StoreUse};
use super::writer::StoreWriter;
use crate::base::{Digest, Progress};
use crate::objects::{Codec, Encoder, FooterEntry, ItemKind, codec};

/// How many sealed packs are held open at once.
const FILES_HELD: usize = 64;

/// The local store. Cheap to open and to clone; nothing is read before the first look-up. Clones share one index, and
/// every method may be called from any thread.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    path: PathBuf,
    index: RwLock<Index>,
    files: Mutex<HashMap<PathBuf, Arc<File>>>,
    /// The entry of this process among the users, as long as somebody holds it.
    entry: Mutex<Weak<Entry>>,
    /// Whether the file system is known to make no clones for this store.
    without_clones: AtomicBool,
    /// What was learned from chunks of clones that were encoded.
    encoder: Mutex<Encoder>,
    /// Items that were read or put one by one.
    singly: AtomicU64,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.path().display())
    }
}

/// What the store knows of an item without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: ItemKind,
    /// How it is stored.
    pub codec: Codec,
    /// Length as stored, in bytes.
    pub stored: u32,
    /// Length of the item itself, in bytes.
    pub raw: u32,
}

/// An item in its stored form, as a pack takes it. Its bytes are not verified: see [`Stored::open`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What it is.
    pub kind: ItemKind,
    /// How it is stored.
    pub codec: Codec,
    /// The stored bytes.
    pub bytes: Vec<u8>,
    /// Length of the item itself, in bytes.
    pub raw: u32,
}

impl Stored {
    /// The item, if these bytes are the item `id`; `None` if they are damaged.
    pub fn open(&self, id: &Digest) -> Option<Vec<u8>> {
        self.decode().filter(|item| self.kind.id_of(item) == *id)
    }

    /// The same item in the form that `encoder` chooses, where it is stored raw.
    pub(super) fn encoded(self, encoder: &mut Encoder) -> Self {
        if self.codec != Codec::Raw {
            return self;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let codec = encoder.encode(&self.bytes, &mut bytes);
        Self { codec, bytes, ..self }
    }

    /// What the table of a pack says of it.
    pub const fn entry(&self, id: &Digest) -> FooterEntry {
        let Self { kind, codec, raw, .. } = *self;
        FooterEntry { id: *id, stored: self.bytes.len() as u32, raw, codec, kind }
    }

    /// The item, whatever it is; `None` if its bytes cannot be decoded.
    pub(in crate::storage) fn decode(&self) -> Option<Vec<u8>> {
        codec::decode(self.codec, &self.bytes, self.raw).ok()
    }
}

impl Store {
    /// The store in the folder `path`, which need not exist yet.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Shared {
            path: path.into(),
            index: RwLock::default(),
            files: Mutex::default(),
            entry: Mutex::default(),
            without_clones: AtomicBool::new(false),
            encoder: Mutex::default(),
            singly: AtomicU64::new(0),
        }))
    }

    /// Begins to use the store: as long as the answer lives, nothing goes that was there, whatever gc does. Whoever puts
    /// items, or names items that were put earlier, begins with this. Waits shortly for a gc that removes something.
    ///
    /// # Errors
    ///
    /// [`StoreError::Collected`] when gc does not end; [`StoreError::File`] where the store cannot be written to.
    pub fn enter(&self, progress: &Progress) -> Result<StoreUse, StoreError> {
        let mut held = self.0.entry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = held.upgrade() {
            return Ok(StoreUse(entry));
        }
        let entry = Arc::new(users::enter(self.path(), progress)?);
        *held = Arc::downgrade(&entry);
        let mut index = self.index_to_change();
        if index.is_loaded() && index.losses() != losses::read(self.path()) {
            index.forget();
        }
        Ok(StoreUse(entry))
    }

    /// Keeps everybody else away from the store, to remove something. Does not wait for long, and not for itself: whoever
    /// holds a [`StoreUse`] or a writer with items is in its own way.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] with the names of those who use it.
    pub fn exclude(&self) -> Result<Exclusion, StoreError> {
        Exclusion::begin(self.clone(), users::LONGEST_PATIENCE)
    }

    /// As [`Store::exclude`], without waiting for anybody.
    ///
    /// # Errors
    ///
    /// As [`Store::exclude`].
    pub fn exclude_at_once(&self) -> Result<Exclusion, StoreError> {
        Exclusion::begin(self.clone(), Duration::ZERO)
    }

    /// What the store has lost until now. What was there at one stamp is there as long as the stamp is the same, if it was
    /// looked for during a [`StoreUse`]. `None`: every item must be asked for.
    pub fn losses(&self) -> Option<LossStamp> {
        losses::read(self.path())
    }

    /// The packs that are here now: see [`Census::covers`].
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] when they cannot be listed.
    pub fn census(&self) -> Result<Census, StoreError> {
        Census::take(self.path())
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Whether the item is here. Items that another process added since the first look-up may be overlooked.
    pub fn contains(&self, id: &Digest) -> bool {
        self.loaded().is_ok_and(|index| index.contains(id))
    }

    /// Whether the item is here, and stays for the time of grace although no pointer names it yet.
    pub(super) fn keeps(&self, id: &Digest) -> bool {
        for _ in 0..2 {
            let Ok(index) = self.loaded() else { return false };
            let Some((_, pack)) = index.find(id) else { return false };
            match pack.touch() {
                Touched::Fresh => return true,
                Touched::Refused => return false,
                Touched::Gone => {}
            }
            drop(index);
            self.index_to_change().forget();
        }
        false
    }

    /// Kind and lengths of the item; `None` if it is not here.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] when the store cannot be read.
    pub fn find(&self, id: &Digest) -> Result<Option<Found>, StoreError> {
        let Some((Location { kind, codec, stored, raw, .. }, _)) = self.locate(id)? else { return Ok(None) };
        Ok(Some(Found { kind, codec, stored, raw }))
    }

    /// How many items were read or put one by one since the store was opened, as nodes are: what is done without a look at
    /// them shows here.
    pub fn handled_singly(&self) -> u64 {
        self.0.singly.load(Ordering::Relaxed)
    }

    pub(super) fn count_one(&self) {
        self.0.singly.fetch_add(1, Ordering::Relaxed);
    }

    /// The item, verified against its id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Damaged`], or [`StoreError::File`] when the store cannot be read.
    pub fn read(&self, id: &Digest) -> Result<Vec<u8>, StoreError> {
        self.count_one();
        let read = self.read_verified(id);
        if matches!(read, Err(StoreError::Damaged { .. })) {
            // Another process may have cut off what it could not make last, and written something else there.
            self.index_to_change().forget();
            return self.read_verified(id);
        }
        read
    }

    fn read_verified(&self, id: &Digest) -> Result<Vec<u8>, StoreError> {
        let (stored, path) = self.stored_and_path(id)?;
        let damaged = |source| StoreError::Damaged { id: *id, path: path.clone(), source };
        let item = codec::decode(stored.codec, &stored.bytes, stored.raw);
        let item = item.map_err(|source| damaged(Some(source)))?;
        if stored.kind.id_of(&item) == *id { Ok(item) } else { Err(damaged(None)) }
    }

    /// The item in its stored form, for copying into another pack: what lies raw in a clone is encoded now. Not verified.
    ///
    /// # Errors
    ///
    /// As for [`Store::read`].
    pub fn read_stored(&self, id: &Digest) -> Result<Stored, StoreError> {
        let (mut stored, path) = self.stored_and_path(id)?;
        if is_clone(&path) {
            let mut encoder = self.0.encoder.lock().unwrap_or_else(PoisonError::into_inner);
            stored = stored.encoded(&mut encoder);
        }
        Ok(stored)
    }

    /// Whether it is known that no clones can be made.
    pub(super) fn without_clones(&self) -> &AtomicBool {
        &self.0.without_clones
    }

    /// A writer. It takes an open pack at its first item.
    pub fn writer(&self) -> StoreWriter {
        StoreWriter::new(self.clone())
    }

    fn stored_and_path(&self, id: &Digest) -> Result<(Stored, PathBuf), StoreError> {
        let missing = || StoreError::Missing { id: *id };
        let (location, pack) = self.locate(id)?.ok_or_else(missing)?;
        match self.read_at(&location, &pack) {
            Ok(stored) => Ok((stored, pack.path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Folded or collected by another process: look where it lies now.
                self.index_to_change().forget();
                let (location, pack) = self.locate(id)?.ok_or_else(missing)?;
                let read = self.read_at(&location, &pack);
                let stored = read.map_err(|error| StoreError::io("read", &pack.path, 0, error))?;
                Ok((stored, pack.path))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(StoreError::Damaged { id: *id, path: pack.path, source: None })
            }
            Err(error) => Err(StoreError::io("read", &pack.path, 0, error)),
        }
    }

    /// Where the item lies; looks at the files again before it says that it is nowhere.
    fn locate(&self, id: &Digest) -> Result<Option<(Location, PackFile)>, StoreError> {
        let owned = |(location, pack): (Location, &PackFile)| (location, pack.clone());
        if let Some(found) = self.index().find(id).map(owned) {
            return Ok(Some(found));
        }
        let mut index = self.index_to_change();
        index.refresh(self.path())?;
        Ok(index.find(id).map(owned))
    }

    fn read_at(&self, location: &Location, pack: &PackFile) -> io::Result<Stored> {
        let file = self.file_of(pack)?;
        let Location { offset, stored, raw, codec, kind, .. } = *location;
        let mut bytes = vec![0; stored as usize];
        file.read_exact_at(&mut bytes, offset)?;
        Ok(Stored { kind, codec, bytes, raw })
    }

    /// The file of a pack, to be read.
    pub(super) fn file_of(&self, pack: &PackFile) -> io::Result<Arc<File>> {
        pack.file.as_ref().map_or_else(|| self.sealed_file(&pack.path), |file| Ok(Arc::clone(file)))
    }

    fn sealed_file(&self, path: &Path) -> io::Result<Arc<File>> {
        let mut files = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(path) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(path)?);
        if files.len() >= FILES_HELD {
            files.clear();
        }
        files.insert(path.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.0.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index, to be changed.
    pub(super) fn index_to_change(&self) -> RwLockWriteGuard<'_, Index> {
        self.0.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index after its first load.
    pub(super) fn loaded(&self) -> Result<RwLockReadGuard<'_, Index>, StoreError> {
        let index = self.index();
        if index.is_loaded() {
            return Ok(index);
        }
        drop(index);
        let mut index = self.index_to_change();
        if !index.is_loaded() {
            index.refresh(self.path())?;
        }
        drop(index);
        Ok(self.index())
    }
}
