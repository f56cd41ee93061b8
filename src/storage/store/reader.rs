//! Reads many items one after the other.
//!
//! What costs in reading small items is not the bytes: it is a system call and fresh memory for each. So a reader keeps
//! its buffers, and where items are asked for in the order in which they lie, one read brings the next ones too. Git's
//! packs and restic's `restore` do the same: restic plans a restore by pack and reads neighbouring blobs in one range.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::clones::is_clone;
use super::error::StoreError;
use super::handle::Store;
use super::index::Location;
use super::window::Window;
use crate::base::Digest;
use crate::objects::codec::{Scratch, decode_in};
use crate::objects::{Codec, Encoder, FooterEntry, ItemKind};

/// So many bytes are read at once where items lie in the order in which they are asked for.
const AHEAD: usize = 256 << 10;

/// Where an item lies, for the order in which items are best read. It says nothing beyond that, and may be out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadOrder(Option<(u32, u64)>);

/// Reads items, each verified, with buffers that are used again. For one thread; it is best asked in [`ReadOrder`].
pub struct ItemReader {
    store: Store,
    /// The pack that was read last.
    pack: Option<OpenedPack>,
    /// What was read of it.
    window: Window,
    /// Where the item that was read last ends.
    last_end: u64,
    scratch: Scratch,
    /// An item that had to be read alone, or was made anew.
    alone: Vec<u8>,
    /// For items of clones, which are stored raw.
    encoder: Encoder,
}

/// A pack that items are read from.
struct OpenedPack {
    number: u32,
    file: Arc<File>,
    is_clone: bool,
}

impl Store {
    /// Where the item comes among others that are to be read; those that are not here come first.
    pub fn read_order(&self, id: &Digest) -> ReadOrder {
        let place = self.loaded().ok().and_then(|index| index.find(id).map(|(location, _)| location));
        ReadOrder(place.map(|location| (location.pack, location.offset)))
    }

    /// A reader of many items.
    pub fn reader(&self) -> ItemReader {
        ItemReader {
            store: self.clone(),
            pack: None,
            window: Window::default(),
            last_end: 0,
            scratch: Scratch::default(),
            alone: Vec::new(),
            encoder: Encoder::default(),
        }
    }
}

impl ItemReader {
    /// The item, verified against its id.
    ///
    /// # Errors
    ///
    /// As for [`Store::read`].
    pub fn read(&mut self, id: &Digest) -> Result<&[u8], StoreError> {
        self.read_if(id, |kind, item| kind.id_of(item) == *id)
    }

    /// The item, for a caller who verifies the whole that it is a part of: damage may go unnoticed here.
    ///
    /// # Errors
    ///
    /// As for [`Store::read`].
    pub fn read_unverified(&mut self, id: &Digest) -> Result<&[u8], StoreError> {
        self.read_if(id, |_, _| true)
    }

    /// Reads an item that is stored raw, of the length of `out`, into `out`; whether it is one and could be read. For a caller
    /// who verifies the whole that it is a part of.
    pub fn read_raw_into(&mut self, id: &Digest, out: &mut [u8]) -> bool {
        let Some(Location { offset, stored, codec, .. }) = self.open_pack_of(id) else { return false };
        let Some(pack) = self.pack.as_ref().filter(|_| codec == Codec::Raw) else { return false };
        stored as usize == out.len() && pack.file.read_exact_at(out, offset).is_ok()
    }

    /// The item as it is stored, verified against its id: to be copied to where others rely on it. Of clones it is encoded.
    ///
    /// # Errors
    ///
    /// As for [`Store::read`].
    pub fn read_stored(&mut self, id: &Digest) -> Result<(FooterEntry, &[u8]), StoreError> {
        let mut copy = None;
        if let Some((location, within)) = self.find(id) {
            let Location { kind, mut codec, raw, .. } = location;
            let is_clone = self.pack.as_ref().is_some_and(|pack| pack.is_clone);
            let item = decode_in(codec, &self.window.bytes()[within.clone()], raw, &mut self.scratch);
            if let Ok(item) = item
                && kind.id_of(item) == *id
            {
                let mut stored = within.len();
                if is_clone {
                    self.alone.clear();
                    codec = self.encoder.encode(item, &mut self.alone);
                    stored = self.alone.len();
                }
                let entry = FooterEntry { id: *id, stored: stored as u32, raw, codec, kind };
                copy = Some((entry, within, is_clone));
            }
        }
        if let Some((entry, within, is_clone)) = copy {
            return Ok((entry, if is_clone { &self.alone } else { &self.window.bytes()[within] }));
        }
        // Says where the damage lies, or finds the item where another process put it meanwhile.
        self.store.read(id)?;
        let stored = self.store.read_stored(id)?;
        if stored.open(id).is_none() {
            return Err(StoreError::Damaged { id: *id, path: self.store.path().to_owned(), source: None });
        }
        let entry = stored.entry(id);
        self.alone = stored.bytes;
        Ok((entry, &self.alone))
    }

    fn read_if(&mut self, id: &Digest, holds: impl Fn(ItemKind, &[u8]) -> bool) -> Result<&[u8], StoreError> {
        if let Some((location, stored)) = self.find(id) {
            let stored = &self.window.bytes()[stored];
            let decoded = decode_in(location.codec, stored, location.raw, &mut self.scratch);
            if decoded.is_ok_and(|item| holds(location.kind, item)) {
                return Ok(self.scratch.decoded(location.codec, stored));
            }
        }
        // What is missing or damaged is told by the store, which also looks whether it lies elsewhere by now.
        self.alone = self.store.read(id)?;
        Ok(&self.alone)
    }

    /// Brings the stored bytes of the item into the window; `None` where that cannot be done.
    fn find(&mut self, id: &Digest) -> Option<(Location, Range<usize>)> {
        let location = self.open_pack_of(id)?;
        let (from, length) = (location.offset, location.stored as usize);
        let file = &self.pack.as_ref()?.file;
        let wanted = if from == self.last_end { AHEAD } else { length };
        let stored = self.window.bring(file, from, length, wanted).ok()?;
        self.last_end = from + length as u64;
        Some((location, stored))
    }

    fn open_pack_of(&mut self, id: &Digest) -> Option<Location> {
        let index = self.store.loaded().ok()?;
        let (location, pack) = index.find(id)?;
        if self.pack.as_ref().is_none_or(|pack| pack.number != location.pack) {
            let file = self.store.file_of(pack).ok()?;
            let is_clone = is_clone(&pack.path);
            drop(index);
            self.pack = Some(OpenedPack { number: location.pack, file, is_clone });
            self.window.clear();
            self.last_end = 0;
        }
        Some(location)
    }
}
