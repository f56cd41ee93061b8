//! Where the parts lie that a node of a tree or manifest names.
//!
//! A locator stands beside each node, with an entry for each of its entries, in the same order. It is a hint: nothing
//! trusts it, what is read at a place is checked against the id in the node; where that fails, footers tell. So subtrees
//! that did not change keep their locators, and a reader of one path needs no table of any pack. It begins with the
//! head of a node ([`crate::objects::node`]; kind 3; level and count are those of the node beside it); its id is
//! `derive_key` with the context `git-ml 1 locator`.
//!
//! | bytes | after the head |
//! | ---: | --- |
//! | 2 | count of packs in the dictionary, at most 2,048 |
//! | 39 each | names of packs ([`crate::objects::pack`]), each once, in the order of their first use |
//! | | the entries |
//!
//! A spot is a codec (1 byte), a pack (2), an offset from the start of the pack (4) and a stored length (3): 10 bytes.
//! Pack 0 is the pack that holds this very locator, whose name is not known while the locator is written; pack n is the
//! n-th of the dictionary.
//!
//! | first byte | bytes | entry |
//! | ---: | ---: | --- |
//! | 0 … 3 | 10 | a spot: the only chunk of a file or link, or the chunk of a manifest's leaf. Its raw length stands in the node |
//! | 254 | 27 | spot of the top node of a manifest or directory, or of a split or lower node, its raw length (3); then the same of the locator beside it |
//! | 255 | 1 | nothing: an empty file |

use std::collections::{HashMap, HashSet};

use crate::base::Digest;
use crate::objects::codec::Codec;
use crate::objects::item::ItemKind;
use crate::objects::node;
use crate::objects::pack::{PackRef, Place};
use crate::objects::tree::MAX_TREE_ENTRIES;
use crate::objects::wire::{FormatError, Reader, Writer};

const FORMAT: &str = "locator";
const CHILD: u8 = 254;
const NOTHING: u8 = 255;

/// Where stored bytes lie, as seen from a locator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spot {
    /// The pack; `None`: the one that holds the locator.
    pub pack: Option<PackRef>,
    /// Bytes from the start of the pack.
    pub offset: u32,
    /// Length as stored, in bytes.
    pub stored: u32,
    /// How it is stored.
    pub codec: Codec,
}

impl Spot {
    /// The place of an item of `raw` bytes; `own` is the pack that holds the locator.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where no such item can lie.
    pub fn place(&self, own: PackRef, raw: u32) -> Result<Place, FormatError> {
        let Self { pack, offset, stored, codec } = *self;
        let place = Place { pack: pack.unwrap_or(own), offset, stored, raw, codec };
        if place.is_sound() { Ok(place) } else { Err(FormatError::Field { format: FORMAT, field: "place" }) }
    }
}

impl From<Place> for Spot {
    fn from(place: Place) -> Self {
        let Place { pack, offset, stored, codec, .. } = place;
        Self { pack: Some(pack), offset, stored, codec }
    }
}

/// Where a node lies, as seen from a locator or pack set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeSpot {
    /// Its stored bytes.
    pub spot: Spot,
    /// Length of the node itself, in bytes.
    pub raw: u32,
}

impl NodeSpot {
    /// The place of the node; `own` is the pack that holds the locator.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where no node can lie.
    pub fn place(&self, own: PackRef) -> Result<Place, FormatError> {
        self.spot.place(own, self.raw)
    }
}

impl From<Place> for NodeSpot {
    fn from(place: Place) -> Self {
        Self { spot: place.into(), raw: place.raw }
    }
}

/// Where lies what one entry of a node names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Located {
    /// Nothing to find: an empty file.
    Nothing,
    /// A chunk; its length stands in the node.
    Chunk(Spot),
    /// A node, and the locator beside it.
    Child {
        /// The node.
        node: NodeSpot,
        /// Its locator.
        locator: NodeSpot,
    },
}

/// A locator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatorNode {
    /// Level of the node beside it.
    pub level: u8,
    /// One for each entry of the node beside it, at most 1,024.
    pub entries: Vec<Located>,
}

impl LocatorNode {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut dictionary = Dictionary::default();
        let mut body = Writer::default();
        for entry in &self.entries {
            match entry {
                Located::Nothing => {
                    body.u8(NOTHING);
                }
                Located::Chunk(spot) => dictionary.write_spot(spot, &mut body),
                Located::Child { node, locator } => {
                    body.u8(CHILD);
                    for node in [node, locator] {
                        dictionary.write_spot(&node.spot, &mut body);
                        body.u24(node.raw);
                    }
                }
            }
        }
        let mut writer = node::begin(ItemKind::Locator, self.level, self.entries.len());
        writer.u16(dictionary.packs.len() as u16);
        dictionary.packs.iter().for_each(|pack| pack.write(&mut writer));
        writer.bytes(&body.finish());
        writer.finish()
    }

    /// Reads a locator.
    ///
    /// # Errors
    ///
    /// [`FormatError`] for bytes that [`LocatorNode::encode`] does not make.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let head = node::open(FORMAT, ItemKind::Locator, bytes, MAX_TREE_ENTRIES, 1)?;
        let (mut reader, level) = (head.reader, head.level);
        let packs = reader.u16()?.into();
        let most = 2 * MAX_TREE_ENTRIES as u64;
        let packs = reader.fits("count of packs", packs, most, PackRef::BYTES)?;
        let mut known = Known { packs: Vec::with_capacity(packs), used: 0 };
        for _ in 0..packs {
            known.packs.push(PackRef::read(&mut reader)?);
        }
        let distinct: HashSet<_> = known.packs.iter().collect();
        reader.check("dictionary of packs", distinct.len() == packs)?;
        let mut entries = Vec::with_capacity(head.count);
        for _ in 0..head.count {
            entries.push(known.read_entry(&mut reader)?);
        }
        reader.check("dictionary of packs", known.used == packs)?;
        reader.end()?;
        Ok(Self { level, entries })
    }

    /// Its id.
    pub fn id(&self) -> Digest {
        ItemKind::Locator.id_of(&self.encode())
    }
}

/// The packs of a locator that is written.
#[derive(Default)]
struct Dictionary {
    packs: Vec<PackRef>,
    slots: HashMap<PackRef, u16>,
}

impl Dictionary {
    fn write_spot(&mut self, spot: &Spot, writer: &mut Writer) {
        let slot = spot.pack.map_or(0, |pack| {
            *self.slots.entry(pack).or_insert_with(|| {
                self.packs.push(pack);
                self.packs.len() as u16
            })
        });
        writer.u8(spot.codec.byte()).u16(slot).u32(spot.offset).u24(spot.stored);
    }
}

/// The packs of a locator that is read, and how many of them were used so far.
struct Known {
    packs: Vec<PackRef>,
    used: usize,
}

impl Known {
    fn read_entry(&mut self, reader: &mut Reader<'_>) -> Result<Located, FormatError> {
        match reader.u8()? {
            NOTHING => Ok(Located::Nothing),
            CHILD => Ok(Located::Child { node: self.read_node(reader)?, locator: self.read_node(reader)? }),
            codec => Ok(Located::Chunk(self.read_spot(codec, reader)?)),
        }
    }

    fn read_node(&mut self, reader: &mut Reader<'_>) -> Result<NodeSpot, FormatError> {
        let codec = reader.u8()?;
        Ok(NodeSpot { spot: self.read_spot(codec, reader)?, raw: reader.u24()? })
    }

    fn read_spot(&mut self, codec: u8, reader: &mut Reader<'_>) -> Result<Spot, FormatError> {
        let codec = Codec::from_byte(codec).ok_or(reader.bad("codec"))?;
        let slot = usize::from(reader.u16()?);
        reader.check("number of a pack", slot <= self.used + 1)?;
        self.used = self.used.max(slot);
        let pack = match slot.checked_sub(1) {
            None => None,
            Some(at) => Some(*self.packs.get(at).ok_or(reader.bad("number of a pack"))?),
        };
        Ok(Spot { pack, offset: reader.u32()?, stored: reader.u24()?, codec })
    }
}
