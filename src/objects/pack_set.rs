//! A sorted set of packs as a tree of nodes.
//!
//! What a root needs, for gc and for pushes that build on it. Sets of two roots share the nodes of their equal parts. The
//! head of a node and the rule of cutting are in [`crate::objects::node`] (kind 4); ids are `derive_key` with the context
//! `git-ml 1 pack set`; a node has 1 to 1,024 entries.
//!
//! A leaf (level 0) lists names of packs ([`crate::objects::pack`], 39 bytes each), sorted by id, each once. A higher
//! node lists nodes:
//!
//! | offset | bytes | entry of a higher node, 124 bytes |
//! | ---: | ---: | --- |
//! | 0 | 32 | id of the node below |
//! | 32 | 32 | id of the last pack below it |
//! | 64 | 8 | count of packs below it |
//! | 72 | 52 | its place ([`crate::objects::pack`]); name, size and footer length of the pack are 0 where it is the pack that holds this node |
//!
//! An entry of level `l` is a cut where byte `31 - l` of the (last) pack's id is 0. Leaves are a function of the set
//! alone; higher nodes depend on where their children lie too.

use std::collections::{HashMap, VecDeque};

use crate::base::Digest;
use crate::objects::codec::Codec;
use crate::objects::item::ItemKind;
use crate::objects::locator::{NodeSpot, Spot};
use crate::objects::node;
use crate::objects::pack::{PackRef, Place};
use crate::objects::pack_builder::PackError;
use crate::objects::pack_series::{Berth, PackSeries};
use crate::objects::wire::{FormatError, Reader, Writer};

/// No node has more entries.
pub const MAX_SET_ENTRIES: usize = 1024;

const FORMAT: &str = "pack set node";

/// A node below a higher node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetChild {
    /// Its id.
    pub id: Digest,
    /// The last pack below it.
    pub last: Digest,
    /// Count of packs below it.
    pub packs: u64,
    /// Where it lies.
    pub node: NodeSpot,
}

impl SetChild {
    fn write(&self, writer: &mut Writer) {
        writer.digest(&self.id).digest(&self.last).u64(self.packs);
        match &self.node.spot.pack {
            Some(pack) => pack.write(writer),
            None => {
                writer.bytes(&[0; PackRef::BYTES]);
            }
        }
        let Spot { offset, stored, codec, .. } = self.node.spot;
        writer.u32(offset).u32(stored).u32(self.node.raw).u8(codec.byte());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let (id, last, packs) = (reader.digest()?, reader.digest()?, reader.u64()?);
        let name: [u8; PackRef::BYTES] = reader.array()?;
        let pack = match name.iter().all(|byte| *byte == 0) {
            true => None,
            false => Some(PackRef::read(&mut Reader::new(FORMAT, &name))?),
        };
        let (offset, stored, raw) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let codec = Codec::from_byte(reader.u8()?).ok_or(reader.bad("codec"))?;
        reader.check("sum of what lies below", packs > 0)?;
        Ok(Self { id, last, packs, node: NodeSpot { spot: Spot { pack, offset, stored, codec }, raw } })
    }
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackSetNode {
    /// Packs, sorted by id.
    Leaf(Vec<PackRef>),
    /// Nodes, sorted by what lies below them.
    Inner {
        /// At least 1.
        level: u8,
        /// The nodes below, all of level `level - 1`.
        children: Vec<SetChild>,
    },
}

impl PackSetNode {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Leaf(packs) => encode_leaf(packs),
            Self::Inner { level, children } => encode_inner(*level, children.iter().copied()),
        }
    }

    /// Reads a node. That the bytes have the id by which they were asked for is the caller's to check.
    ///
    /// # Errors
    ///
    /// [`FormatError`] for bytes that no pack set has.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let head = node::open(FORMAT, ItemKind::PackSet, bytes, MAX_SET_ENTRIES, PackRef::BYTES)?;
        let (mut reader, level) = (head.reader, head.level);
        reader.check("count of entries", head.count > 0)?;
        let node = if level == 0 {
            Self::Leaf(read_packs(&mut reader, head.count)?)
        } else {
            let mut children: Vec<SetChild> = Vec::with_capacity(head.count);
            for _ in 0..head.count {
                let child = SetChild::read(&mut reader)?;
                reader.check("order of packs", children.last().is_none_or(|last| last.last < child.last))?;
                children.push(child);
            }
            Self::Inner { level, children }
        };
        reader.check("sum of what lies below", node.packs().is_some())?;
        reader.end()?;
        Ok(node)
    }

    /// Count of the packs below, if it can be told.
    fn packs(&self) -> Option<u64> {
        match self {
            Self::Leaf(packs) => Some(packs.len() as u64),
            Self::Inner { children, .. } => {
                children.iter().try_fold(0_u64, |sum, child| sum.checked_add(child.packs))
            }
        }
    }

    /// Checks that this node can be the one that `child`, in a node of level `above`, names.
    fn check_below(&self, above: u8, child: &SetChild) -> Result<(), FormatError> {
        let (level, last) = match self {
            Self::Leaf(packs) => (0, packs.last().map(|pack| pack.id)),
            Self::Inner { level, children } => (*level, children.last().map(|child| child.last)),
        };
        if level + 1 == above && last == Some(child.last) && self.packs() == Some(child.packs) {
            return Ok(());
        }
        Err(FormatError::Field { format: FORMAT, field: "sum of what lies below" })
    }
}

/// A list of packs, sorted by id, each once.
pub(super) fn read_packs(reader: &mut Reader<'_>, count: usize) -> Result<Vec<PackRef>, FormatError> {
    let mut packs: Vec<PackRef> = Vec::with_capacity(count);
    for _ in 0..count {
        let pack = PackRef::read(reader)?;
        reader.check("order of packs", packs.last().is_none_or(|last| last.id < pack.id))?;
        packs.push(pack);
    }
    Ok(packs)
}

fn encode_leaf(packs: &[PackRef]) -> Vec<u8> {
    let mut writer = node::begin(ItemKind::PackSet, 0, packs.len());
    packs.iter().for_each(|pack| pack.write(&mut writer));
    writer.finish()
}

fn encode_inner(level: u8, children: impl ExactSizeIterator<Item = SetChild>) -> Vec<u8> {
    let mut writer = node::begin(ItemKind::PackSet, level, children.len());
    children.for_each(|child| child.write(&mut writer));
    writer.finish()
}

/// A set that was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltSet {
    /// Id of the top node.
    pub id: Digest,
    /// Count of packs.
    pub packs: u64,
    /// Where the top node was put.
    pub top: Berth,
}

/// Builds a set and puts its nodes into `series`; leaves whose ids are in `known` are not put again, but named where
/// they lie. `None` for an empty set.
///
/// # Errors
///
/// What the series says.
pub fn build_pack_set<E: From<PackError>>(
    mut packs: Vec<PackRef>,
    known: &HashMap<Digest, Place>,
    series: &mut PackSeries<'_, E>,
) -> Result<Option<BuiltSet>, E> {
    packs.sort_unstable();
    packs.dedup_by_key(|pack| pack.id);
    let mut nodes = Vec::new();
    for leaf in runs(&packs, |pack| pack.id.as_bytes()[31] == 0) {
        let bytes = encode_leaf(leaf);
        let id = ItemKind::PackSet.id_of(&bytes);
        let berth = match known.get(&id) {
            Some(place) => Berth::There(*place),
            None => series.put(id, ItemKind::PackSet, &bytes)?,
        };
        let last = leaf.last().map(|pack| pack.id).unwrap_or_default();
        nodes.push((id, last, leaf.len() as u64, berth));
    }
    let mut level = 0;
    while nodes.len() > 1 {
        level += 1;
        let mut above = Vec::new();
        for run in runs(&nodes, |(_, last, ..)| last.as_bytes()[31 - usize::from(level)] == 0) {
            let (id, berth) = series.put_linked(ItemKind::PackSet, |spot| {
                let children = run.iter().map(|&(id, last, packs, berth)| SetChild {
                    id,
                    last,
                    packs,
                    node: spot(&berth),
                });
                encode_inner(level, children)
            })?;
            let last = run.last().map(|(_, last, ..)| *last).unwrap_or_default();
            above.push((id, last, run.iter().map(|(_, _, packs, _)| packs).sum(), berth));
        }
        nodes = above;
    }
    Ok(nodes.first().map(|&(id, _, packs, top)| BuiltSet { id, packs, top }))
}

/// `items` in runs that end as nodes do.
fn runs<T>(items: &[T], is_cut: impl Fn(&T) -> bool) -> Vec<&[T]> {
    let (mut runs, mut from) = (Vec::new(), 0);
    for (at, item) in items.iter().enumerate() {
        if node::is_full(at + 1 - from, MAX_SET_ENTRIES, is_cut(item)) || at + 1 == items.len() {
            runs.push(&items[from..=at]);
            from = at + 1;
        }
    }
    runs
}

/// Walks the nodes of a set, level by level, checking levels and counts. Nodes can be left out: sets share them.
#[derive(Debug, Default)]
pub struct SetWalk {
    pending: VecDeque<(u8, SetChild, PackRef)>,
}

/// What one node of a set adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetStep {
    /// Packs of a leaf.
    Packs(Vec<PackRef>),
    /// A higher node: its children are waiting.
    Nodes,
}

impl SetWalk {
    /// The next node to read, with its place; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where no node can lie.
    pub fn next_node(&self) -> Result<Option<(Digest, Place)>, FormatError> {
        self.pending.front().map(|(_, child, own)| Ok((child.id, child.node.place(*own)?))).transpose()
    }

    /// Leaves the next node out.
    pub fn skip(&mut self) {
        self.pending.pop_front();
    }

    /// Takes the bytes of the next node, checked against its id, which were read at `place`.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where it does not fit the node above it.
    pub fn take(&mut self, place: &Place, bytes: &[u8]) -> Result<SetStep, FormatError> {
        let node = PackSetNode::decode(bytes)?;
        if let Some((above, child, _)) = self.pending.pop_front() {
            node.check_below(above, &child)?;
        }
        Ok(self.enter(place, node))
    }

    /// Begins with the top node of a set of so many packs: its bytes, checked against its id, were read at `place`.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where the count is another.
    pub fn begin(&mut self, packs: u64, place: &Place, bytes: &[u8]) -> Result<SetStep, FormatError> {
        let node = PackSetNode::decode(bytes)?;
        if node.packs() != Some(packs) {
            return Err(FormatError::Field { format: FORMAT, field: "sum of what lies below" });
        }
        Ok(self.enter(place, node))
    }

    fn enter(&mut self, place: &Place, node: PackSetNode) -> SetStep {
        match node {
            PackSetNode::Leaf(packs) => SetStep::Packs(packs),
            PackSetNode::Inner { level, children } => {
                self.pending.extend(children.into_iter().map(|child| (level, child, place.pack)));
                SetStep::Nodes
            }
        }
    }
}
