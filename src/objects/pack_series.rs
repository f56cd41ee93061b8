//! Items into packs, one pack after the other.
//!
//! A locator or a node of a pack set tells where other items lie, by the names of their packs; but the name of the pack
//! that it is put into itself is known only when that pack is full. A [`Berth`] is where an item was put; it becomes a
//! spot as seen from the pack that is open, at the moment when a locator is written into it.

use crate::base::Digest;
use crate::objects::codec;
use crate::objects::item::{ItemKind, MAX_ITEM};
use crate::objects::locator::{Located, LocatorNode, NodeSpot, Spot};
use crate::objects::pack::{FooterEntry, PackRef, Place};
use crate::objects::pack_builder::{FinishedPack, PackBuilder, PackError};
use crate::objects::session::SessionId;

/// Where an item was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Berth {
    /// Into a pack of this series.
    Here {
        /// Which pack, from 0.
        number: usize,
        /// Bytes from its start.
        offset: u32,
        /// Length as stored, in bytes.
        stored: u32,
        /// Length of the item itself, in bytes.
        raw: u32,
        /// How it is stored.
        codec: codec::Codec,
    },
    /// Into a pack that was finished before.
    There(Place),
}

impl From<Place> for Berth {
    fn from(place: Place) -> Self {
        Self::There(place)
    }
}

/// What a locator is to tell about one entry of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToLocate {
    /// Nothing: an empty file.
    Nothing,
    /// A chunk.
    Chunk(Berth),
    /// A node, and the locator beside it.
    Child {
        /// The node.
        node: Berth,
        /// Its locator.
        locator: Berth,
    },
}

/// Takes a full pack; gives memory for the next one, of a pack before if there is some, or none.
type Deliver<'a, E> = &'a mut dyn FnMut(FinishedPack<Vec<u8>>) -> Result<Vec<u8>, E>;

/// Packs in memory that are handed on as they become full.
pub struct PackSeries<'a, E> {
    session: SessionId,
    level: i32,
    open: PackBuilder<Vec<u8>>,
    finished: Vec<PackRef>,
    deliver: Deliver<'a, E>,
}

impl<'a, E: From<PackError>> PackSeries<'a, E> {
    /// A series that gives each full pack to `deliver`, which may give memory for the next one; nodes are compressed with
    /// this zstd level.
    pub fn new(session: SessionId, level: i32, deliver: Deliver<'a, E>) -> Self {
        Self { session, level, open: PackBuilder::in_memory(session), finished: Vec::new(), deliver }
    }

    /// Puts an item in the stored form that it has already.
    ///
    /// # Errors
    ///
    /// [`PackError`] when it cannot be; what `deliver` says.
    pub fn put_stored(&mut self, item: &FooterEntry, stored: &[u8]) -> Result<Berth, E> {
        self.make_room(1, stored.len())?;
        let FooterEntry { id, raw, codec, kind, .. } = *item;
        let offset = self.open.push(id, kind, codec, stored, raw)?;
        let number = self.finished.len();
        Ok(Berth::Here { number, offset, stored: stored.len() as u32, raw, codec })
    }

    /// Compresses an item and puts it.
    ///
    /// # Errors
    ///
    /// As [`PackSeries::put_stored`].
    pub fn put(&mut self, id: Digest, kind: ItemKind, raw: &[u8]) -> Result<Berth, E> {
        let (codec, stored) = codec::encode(raw, self.level);
        let item = FooterEntry { id, stored: stored.len() as u32, raw: raw.len() as u32, codec, kind };
        self.put_stored(&item, &stored)
    }

    /// Puts a node of a tree or manifest, and its locator right behind it.
    ///
    /// # Errors
    ///
    /// As [`PackSeries::put_stored`].
    pub fn put_with_locator(
        &mut self,
        id: Digest,
        kind: ItemKind,
        node: &[u8],
        level: u8,
        parts: &[ToLocate],
    ) -> Result<(Berth, Berth), E> {
        self.make_room(2, 2 * MAX_ITEM)?;
        let node = self.put(id, kind, node)?;
        let entries = parts.iter().map(|part| self.located(part)).collect();
        let locator = LocatorNode { level, entries }.encode();
        let locator = self.put(ItemKind::Locator.id_of(&locator), ItemKind::Locator, &locator)?;
        Ok((node, locator))
    }

    /// Puts a node that tells where others lie; `encode` gets their spots through the function it is handed.
    pub(super) fn put_linked(
        &mut self,
        kind: ItemKind,
        encode: impl FnOnce(&dyn Fn(&Berth) -> NodeSpot) -> Vec<u8>,
    ) -> Result<(Digest, Berth), E> {
        self.make_room(1, MAX_ITEM)?;
        let bytes = encode(&|berth| self.spot(berth));
        let id = kind.id_of(&bytes);
        Ok((id, self.put(id, kind, &bytes)?))
    }

    /// Where a berth lies, as seen from the pack that is open now.
    fn spot(&self, berth: &Berth) -> NodeSpot {
        match *berth {
            Berth::There(place) => place.into(),
            Berth::Here { number, offset, stored, raw, codec } => {
                let pack = self.finished.get(number).copied();
                NodeSpot { spot: Spot { pack, offset, stored, codec }, raw }
            }
        }
    }

    fn located(&self, part: &ToLocate) -> Located {
        match part {
            ToLocate::Nothing => Located::Nothing,
            ToLocate::Chunk(berth) => Located::Chunk(self.spot(berth).spot),
            ToLocate::Child { node, locator } => {
                Located::Child { node: self.spot(node), locator: self.spot(locator) }
            }
        }
    }

    /// Ends the open pack if items of together `stored` bytes have no room in it.
    fn make_room(&mut self, items: usize, stored: usize) -> Result<(), E> {
        if self.open.fits(items, stored) || self.open.is_empty() {
            return Ok(());
        }
        self.end_pack()
    }

    fn end_pack(&mut self) -> Result<(), E> {
        let full = std::mem::replace(&mut self.open, PackBuilder::in_memory(self.session));
        let pack = full.finish().map_err(PackError::from)?;
        self.finished.push(pack.pack);
        let memory = (self.deliver)(pack)?;
        self.open = PackBuilder::reusing(memory, self.session);
        Ok(())
    }

    /// Ends the series: the last pack is delivered, if it has items.
    ///
    /// # Errors
    ///
    /// What `deliver` says.
    pub fn finish(mut self) -> Result<FinishedSeries, E> {
        if !self.open.is_empty() {
            self.end_pack()?;
        }
        Ok(FinishedSeries { packs: self.finished })
    }
}

/// The packs of a series, all delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedSeries {
    /// In the order in which they were filled.
    pub packs: Vec<PackRef>,
}

impl FinishedSeries {
    /// Where a berth of this series lies; `None` for a berth of another series.
    pub fn place(&self, berth: &Berth) -> Option<Place> {
        match *berth {
            Berth::There(place) => Some(place),
            Berth::Here { number, offset, stored, raw, codec } => {
                let pack = *self.packs.get(number)?;
                Some(Place { pack, offset, stored, raw, codec })
            }
        }
    }
}
