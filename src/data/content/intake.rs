//! What goes into the store, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::Digest;
use crate::objects::Encoder;
use crate::objects::item::ItemKind;
use crate::storage::store::{Kept, Parcel, Store, StoreError, StoreWriter};

/// A writer of the store that counts by how much the store grows. May be shared by threads.
#[derive(Debug)]
pub struct Intake {
    writer: StoreWriter,
    stored: AtomicU64,
}

impl Intake {
    /// An intake that has taken nothing.
    pub fn new(store: &Store) -> Self {
        Self { writer: store.writer(), stored: AtomicU64::new(0) }
    }

    /// Puts an item; one that the store has is skipped.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn put(&self, id: Digest, kind: ItemKind, raw: &[u8]) -> Result<(), StoreError> {
        if let Kept::New { stored } = self.writer.put(id, kind, raw)? {
            self.stored.fetch_add(u64::from(stored), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Encodes a new item into `parcel`, which is to be appended.
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
        self.writer.encode(parcel, encoder, id, kind, raw)
    }

    /// Puts what is in `parcel`, which is empty then.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn append(&self, parcel: &mut Parcel) -> Result<(), StoreError> {
        if !parcel.is_empty() {
            self.stored.fetch_add(self.writer.append(parcel)?, Ordering::Relaxed);
        }
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

    /// Bytes by which the store grew.
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }
}
