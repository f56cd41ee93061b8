//! Items on their way into the store.

use std::collections::HashSet;

use super::error::StoreError;
use crate::base::Digest;
use crate::objects::{Encoder, FooterEntry, ItemKind};

/// Items that one thread encodes and then appends in one piece ([`super::StoreWriter::append`]): so threads do not wait
/// for each other at each item, writes are large, and neighbours stay neighbours. Its memory is used again and again.
#[derive(Debug, Default)]
pub struct Parcel {
    entries: Vec<FooterEntry>,
    ids: HashSet<Digest>,
    stored: Vec<u8>,
}

impl Parcel {
    /// Encodes an item into it, unless it is there already.
    ///
    /// # Errors
    ///
    /// [`StoreError::BadItem`] for an item that no pack may hold.
    pub(super) fn add(
        &mut self,
        encoder: &mut Encoder,
        id: Digest,
        kind: ItemKind,
        raw: &[u8],
    ) -> Result<(), StoreError> {
        if raw.is_empty() || raw.len() > kind.longest() {
            return Err(StoreError::BadItem { id, raw: raw.len() as u32, stored: 0 });
        }
        if !self.ids.insert(id) {
            return Ok(());
        }
        let start = self.stored.len();
        let codec = encoder.encode(raw, &mut self.stored);
        let stored = (self.stored.len() - start) as u32;
        self.entries.push(FooterEntry { id, stored, raw: raw.len() as u32, codec, kind });
        Ok(())
    }

    /// Bytes in it, as stored.
    pub const fn len(&self) -> usize {
        self.stored.len()
    }

    /// Whether nothing is in it.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The items in order, each with its stored form.
    pub fn items(&self) -> impl Iterator<Item = (&FooterEntry, &[u8])> {
        self.entries.iter().scan(0, |start, entry| {
            let end = *start + entry.stored as usize;
            let stored = self.stored.get(*start..end)?;
            *start = end;
            Some((entry, stored))
        })
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.ids.clear();
        self.stored.clear();
    }

    /// The first items from `start` on (an item and a byte) that lie side by side and are wanted; and where the rest
    /// begins.
    pub(super) fn run(
        &self,
        start: (usize, usize),
        wanted: impl Fn(&Digest) -> bool,
    ) -> (&[FooterEntry], &[u8], (usize, usize)) {
        let bytes_of =
            |entries: &[FooterEntry]| entries.iter().map(|entry| entry.stored as usize).sum::<usize>();
        let (item, byte) = start;
        let rest = &self.entries[item..];
        let skipped = rest.iter().take_while(|entry| !wanted(&entry.id)).count();
        let taken = rest[skipped..].iter().take_while(|entry| wanted(&entry.id)).count();
        let byte = byte + bytes_of(&rest[..skipped]);
        let run = &rest[skipped..skipped + taken];
        let end = byte + bytes_of(run);
        (run, &self.stored[byte..end], (item + skipped + taken, end))
    }
}
