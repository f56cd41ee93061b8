//! What goes into the store, counted.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::steady::open_regular;
use crate::base::Digest;
use crate::objects::Encoder;
use crate::objects::item::ItemKind;
use crate::storage::store::{CloneDraft, Kept, Parcel, Store, StoreError, StoreWriter};

/// Smaller files are not kept as clones, in bytes. A clone costs two files of the store, three calls that wait for the disk,
/// and later, when the file changes, that all of it is written anew: a pack costs less for what is written in some 0.1 s.
const WORTH_A_CLONE: u64 = 16 << 20;

/// A place for chunks other than the store.
pub trait Elsewhere: Sync {
    /// Whether it has the chunk.
    fn has(&self, chunk: &Digest) -> bool;

    /// Takes chunks; gives the bytes by which it grew.
    ///
    /// # Errors
    ///
    /// When it cannot.
    fn take(&self, parcel: &Parcel) -> Result<u64, StoreError>;
}

/// A writer of the store that counts by how much the store grows. May be shared by threads.
pub struct Intake<'a> {
    writer: StoreWriter,
    /// Where new chunks go instead.
    elsewhere: Option<&'a dyn Elsewhere>,
    /// The store, where large files may be kept as clones.
    cloning: Option<Store>,
    stored: AtomicU64,
    cloned: AtomicU64,
}

impl<'a> Intake<'a> {
    /// An intake that has taken nothing.
    pub fn new(store: &Store) -> Self {
        let (stored, cloned) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { writer: store.writer(), elsewhere: None, cloning: None, stored, cloned }
    }

    /// An intake that keeps large files as clones, where the file system makes them.
    pub fn cloning(store: &Store) -> Self {
        Self { cloning: Some(store.clone()), ..Self::new(store) }
    }

    /// An intake that keeps only nodes in the store, and sends chunks elsewhere.
    pub fn sending_chunks(store: &Store, elsewhere: &'a dyn Elsewhere) -> Self {
        Self { elsewhere: Some(elsewhere), ..Self::new(store) }
    }

    /// Whether contents stay on this disk.
    pub const fn fills_the_disk(&self) -> bool {
        self.elsewhere.is_none()
    }

    /// A clone of `file`, which has so many bytes; `None` where there can be none, and for files that are not worth one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written to.
    pub fn begin_clone(&self, file: &File, size: u64) -> Result<Option<CloneDraft>, StoreError> {
        match &self.cloning {
            Some(store) if size >= WORTH_A_CLONE => store.begin_clone(file, size),
            _ => Ok(None),
        }
    }

    /// Whether the file at `path`, which has so many bytes, can be kept as a clone: then it takes no room.
    pub fn can_clone(&self, path: &Path, size: u64) -> bool {
        let is_worth = self.cloning.is_some() && size >= WORTH_A_CLONE;
        let file = is_worth.then(|| open_regular(path).ok()).flatten();
        file.is_some_and(|(file, _)| matches!(self.begin_clone(&file, size), Ok(Some(_))))
    }

    /// Whether the store has the chunk.
    pub fn knows(&self, chunk: &Digest) -> bool {
        self.cloning.as_ref().is_some_and(|store| store.contains(chunk))
    }

    /// Keeps a clone as the content with this id; `size` is its length in bytes.
    ///
    /// # Errors
    ///
    /// When something cannot be written.
    pub fn keep_clone(&self, draft: CloneDraft, content: &Digest, size: u64) -> Result<(), StoreError> {
        draft.keep(content)?;
        self.cloned.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    /// Puts an item; one that the store has is skipped.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn put(&self, id: Digest, kind: ItemKind, raw: &[u8]) -> Result<(), StoreError> {
        if self.elsewhere.is_some() && kind == ItemKind::Chunk {
            let mut parcel = Parcel::default();
            self.encode(&mut parcel, &mut Encoder::default(), id, kind, raw)?;
            return self.append(&mut parcel);
        }
        if let Kept::New { stored } = self.writer.put(id, kind, raw)? {
            self.stored.fetch_add(u64::from(stored), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Encodes a new item, a chunk, into `parcel`, which is to be appended.
    ///
    /// # Errors
    ///
    /// For an item that cannot be.
    pub fn encode(
        &self,
        parcel: &mut Parcel,
        encoder: &mut Encoder,
        id: Digest,
        kind: ItemKind,
        raw: &[u8],
    ) -> Result<(), StoreError> {
        if self.elsewhere.is_some_and(|elsewhere| elsewhere.has(&id)) {
            return Ok(());
        }
        self.writer.encode(parcel, encoder, id, kind, raw)
    }

    /// Puts what is in `parcel`, which is empty then.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn append(&self, parcel: &mut Parcel) -> Result<(), StoreError> {
        if parcel.is_empty() {
            return Ok(());
        }
        let grown = match self.elsewhere {
            Some(elsewhere) => elsewhere.take(parcel).inspect(|_| parcel.clear())?,
            None => self.writer.append(parcel)?,
        };
        self.stored.fetch_add(grown, Ordering::Relaxed);
        Ok(())
    }

    /// Makes all that was put last. Before it returns well, nothing may be named.
    ///
    /// # Errors
    ///
    /// When something could not be made durable.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.writer.sync()
    }

    /// Bytes of files that were kept as clones.
    pub fn cloned(&self) -> u64 {
        self.cloned.load(Ordering::Relaxed)
    }

    /// Bytes by which the store grew, or the place elsewhere.
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }
}
