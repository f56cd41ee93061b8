//! The chunks of a content in order, as a tree of nodes.
//!
//! A content of more than one chunk has a manifest: leaves that list its chunks, and above them nodes that list nodes,
//! so that one changed row rewrites a path of nodes and not the list. The manifest's id is that of its top node. The head
//! of a node and the rule of cutting are in [`crate::objects::node`]; ids are `derive_key` with the context
//! `git-ml 1 manifest`.
//!
//! | offset | bytes | entry of a leaf (level 0), 35 bytes |
//! | ---: | ---: | --- |
//! | 0 | 32 | id of the chunk |
//! | 32 | 3 | its length in bytes, 1 to 98,304 |
//!
//! | offset | bytes | entry of a higher node, 48 bytes |
//! | ---: | ---: | --- |
//! | 0 | 32 | id of the node below |
//! | 32 | 8 | bytes of all chunks below it |
//! | 40 | 8 | count of all chunks below it |
//!
//! An entry is a cut where the low 7 bits of the first byte of its id are 0; a node has 1 to 512 entries. Every chunk
//! but the last of the content has at least 32,768 bytes. Sums are not trusted: who walks compares each node with the
//! entry that named it, and the top with the size in the pointer or tree ([`ChunkWalk`] does).

use std::vec;

use crate::base::Digest;
use crate::objects::chunker::{MAX_CHUNK, MIN_CHUNK};
use crate::objects::item::ItemKind;
use crate::objects::node;
use crate::objects::wire::{FormatError, Reader};

/// No node has more entries.
pub const MAX_MANIFEST_ENTRIES: usize = 512;

const FORMAT: &str = "manifest node";
const LEAF_ENTRY: usize = 35;

/// A chunk in a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChunkEntry {
    /// Its id.
    pub id: Digest,
    /// Its length in bytes.
    pub len: u32,
}

/// A node in a higher node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChildEntry {
    /// Its id.
    pub id: Digest,
    /// Bytes of all chunks below it.
    pub bytes: u64,
    /// Count of all chunks below it.
    pub chunks: u64,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestNode {
    /// Chunks, in the order of the content.
    Leaf(Vec<ChunkEntry>),
    /// Nodes, in the order of the content.
    Inner {
        /// At least 1.
        level: u8,
        /// The nodes below, all of level `level - 1`.
        children: Vec<ChildEntry>,
    },
}

impl ManifestNode {
    /// 0 for a leaf.
    pub const fn level(&self) -> u8 {
        match self {
            Self::Leaf(_) => 0,
            Self::Inner { level, .. } => *level,
        }
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Leaf(chunks) => {
                let mut writer = node::begin(ItemKind::Manifest, 0, chunks.len());
                for chunk in chunks {
                    writer.digest(&chunk.id).u24(chunk.len);
                }
                writer.finish()
            }
            Self::Inner { level, children } => {
                let mut writer = node::begin(ItemKind::Manifest, *level, children.len());
                for child in children {
                    writer.digest(&child.id).u64(child.bytes).u64(child.chunks);
                }
                writer.finish()
            }
        }
    }

    /// Reads a node. That the bytes have the id by which they were asked for is the caller's to check.
    ///
    /// # Errors
    ///
    /// [`FormatError`] for bytes that no manifest has.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let head = node::open(FORMAT, ItemKind::Manifest, bytes, MAX_MANIFEST_ENTRIES, LEAF_ENTRY)?;
        let (mut reader, level, count) = (head.reader, head.level, head.count);
        reader.check("count of entries", count > 0)?;
        let node = if level == 0 {
            Self::Leaf(read_chunks(&mut reader, count)?)
        } else {
            Self::Inner { level, children: read_children(&mut reader, count)? }
        };
        reader.check("sum of sizes", node.sums().is_some())?;
        reader.end()?;
        Ok(node)
    }

    /// Its id.
    pub fn id(&self) -> Digest {
        ItemKind::Manifest.id_of(&self.encode())
    }

    /// Bytes and count of all chunks below, if the sums can be told.
    fn sums(&self) -> Option<(u64, u64)> {
        match self {
            Self::Leaf(chunks) => {
                Some((chunks.iter().map(|chunk| u64::from(chunk.len)).sum(), chunks.len() as u64))
            }
            Self::Inner { children, .. } => {
                children.iter().try_fold((0_u64, 0_u64), |(bytes, chunks), child| {
                    Some((bytes.checked_add(child.bytes)?, chunks.checked_add(child.chunks)?))
                })
            }
        }
    }

    /// Checks that this node can be the top of the manifest of a content of `size` bytes. The id is the caller's to
    /// check.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where it cannot.
    pub fn check_top(&self, size: u64) -> Result<(), FormatError> {
        let entries = match self {
            Self::Leaf(chunks) => chunks.len(),
            Self::Inner { children, .. } => children.len(),
        };
        if entries > 1 && self.sums().is_some_and(|(bytes, _)| bytes == size) {
            return Ok(());
        }
        Err(FormatError::Field { format: FORMAT, field: "sum of what lies below" })
    }

    /// Checks that this node can be what `entry`, in a node of level `above`, names. The id is the caller's to check.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where it cannot.
    pub fn check_below(&self, above: u8, entry: &ChildEntry) -> Result<(), FormatError> {
        let level_fits = self.level() + 1 == above;
        if level_fits && self.sums() == Some((entry.bytes, entry.chunks)) {
            return Ok(());
        }
        Err(FormatError::Field { format: FORMAT, field: "sum of what lies below" })
    }
}

fn read_chunks(reader: &mut Reader<'_>, count: usize) -> Result<Vec<ChunkEntry>, FormatError> {
    let mut chunks = Vec::with_capacity(count);
    for at in 1..=count {
        let chunk = ChunkEntry { id: reader.digest()?, len: reader.u24()? };
        let least = if at == count { 1 } else { MIN_CHUNK };
        let length = chunk.len as usize;
        reader.check("length of a chunk", (least..=MAX_CHUNK).contains(&length))?;
        chunks.push(chunk);
    }
    Ok(chunks)
}

fn read_children(reader: &mut Reader<'_>, count: usize) -> Result<Vec<ChildEntry>, FormatError> {
    let mut children = Vec::with_capacity(count);
    for _ in 0..count {
        let child = ChildEntry { id: reader.digest()?, bytes: reader.u64()?, chunks: reader.u64()? };
        let most = child.chunks.saturating_mul(MAX_CHUNK as u64);
        let sound = child.chunks > 0 && child.bytes >= child.chunks && child.bytes <= most;
        reader.check("sum of what lies below", sound)?;
        children.push(child);
    }
    Ok(children)
}

/// Builds a manifest from chunks as they come; holds one node a level.
#[derive(Debug, Default)]
pub struct ManifestBuilder {
    leaf: Vec<ChunkEntry>,
    /// Nodes of level 0, 1, … that are in no higher node yet.
    waiting: Vec<Vec<ChildEntry>>,
    chunks: u64,
    bytes: u64,
}

impl ManifestBuilder {
    /// A builder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of all chunks so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next chunk of the content: as [`crate::objects::ChunkReader`] cuts it. Nodes that become full go to
    /// `sink`, with their ids.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn push<E>(
        &mut self,
        id: Digest,
        len: u32,
        sink: &mut dyn FnMut(Digest, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.chunks += 1;
        self.bytes += u64::from(len);
        self.leaf.push(ChunkEntry { id, len });
        if node::is_full(self.leaf.len(), MAX_MANIFEST_ENTRIES, is_cut(&id)) {
            self.close_leaf(sink)?;
        }
        Ok(())
    }

    /// Ends the content: the id of its manifest, `None` if it has at most one chunk.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn finish<E>(
        mut self,
        sink: &mut dyn FnMut(Digest, Vec<u8>) -> Result<(), E>,
    ) -> Result<Option<Digest>, E> {
        if self.chunks < 2 {
            return Ok(None);
        }
        if !self.leaf.is_empty() {
            self.close_leaf(sink)?;
        }
        let mut level = 0;
        while let Some(nodes) = self.waiting.get(level) {
            if let ([top], true) = (nodes.as_slice(), level + 1 == self.waiting.len()) {
                return Ok(Some(top.id));
            }
            if !nodes.is_empty() {
                self.close_level(level, sink)?;
            }
            level += 1;
        }
        Ok(None)
    }

    fn close_leaf<E>(&mut self, sink: &mut dyn FnMut(Digest, Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let child = emit(&ManifestNode::Leaf(std::mem::take(&mut self.leaf)), sink)?;
        self.wait(0, child, sink)
    }

    /// Puts all waiting nodes of `level` into one node above.
    fn close_level<E>(
        &mut self,
        level: usize,
        sink: &mut dyn FnMut(Digest, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let children = std::mem::take(&mut self.waiting[level]);
        let child = emit(&ManifestNode::Inner { level: level as u8 + 1, children }, sink)?;
        self.wait(level + 1, child, sink)
    }

    fn wait<E>(
        &mut self,
        level: usize,
        child: ChildEntry,
        sink: &mut dyn FnMut(Digest, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.waiting.len() == level {
            self.waiting.push(Vec::new());
        }
        self.waiting[level].push(child);
        if node::is_full(self.waiting[level].len(), MAX_MANIFEST_ENTRIES, is_cut(&child.id)) {
            self.close_level(level, sink)?;
        }
        Ok(())
    }
}

const fn is_cut(id: &Digest) -> bool {
    id.as_bytes()[0] & 0x7f == 0
}

fn emit<E>(
    node: &ManifestNode,
    sink: &mut dyn FnMut(Digest, Vec<u8>) -> Result<(), E>,
) -> Result<ChildEntry, E> {
    let encoded = node.encode();
    let id = ItemKind::Manifest.id_of(&encoded);
    sink(id, encoded)?;
    let (bytes, chunks) = node.sums().unwrap_or_default();
    Ok(ChildEntry { id, bytes, chunks })
}

/// Walks the chunks of a content in order, checking levels and sums; holds one node a level.
#[derive(Debug)]
pub struct ChunkWalk {
    top: Option<(Digest, u64)>,
    /// Nodes to read, the next one last, with the level of the node that named them.
    pending: Vec<(u8, ChildEntry)>,
    leaf: vec::IntoIter<ChunkEntry>,
}

impl ChunkWalk {
    /// Will walk the manifest with this id, of a content of `size` bytes.
    pub fn new(manifest: Digest, size: u64) -> Self {
        Self { top: Some((manifest, size)), pending: Vec::new(), leaf: Vec::new().into_iter() }
    }

    /// The next chunk, or `None` at the end. `read` gives the bytes of a node, checked against its id.
    ///
    /// # Errors
    ///
    /// What `read` says, and [`FormatError`] where nodes do not fit each other.
    pub fn next<E: From<FormatError>>(
        &mut self,
        read: &mut dyn FnMut(&Digest) -> Result<Vec<u8>, E>,
    ) -> Result<Option<ChunkEntry>, E> {
        loop {
            if let Some(chunk) = self.leaf.next() {
                return Ok(Some(chunk));
            }
            let node = if let Some((manifest, size)) = self.top.take() {
                let node = ManifestNode::decode(&read(&manifest)?)?;
                node.check_top(size)?;
                node
            } else if let Some((above, entry)) = self.pending.pop() {
                let node = ManifestNode::decode(&read(&entry.id)?)?;
                node.check_below(above, &entry)?;
                node
            } else {
                return Ok(None);
            };
            match node {
                ManifestNode::Leaf(chunks) => self.leaf = chunks.into_iter(),
                ManifestNode::Inner { level, children } => {
                    self.pending.extend(children.into_iter().rev().map(|child| (level, child)));
                }
            }
        }
    }
}
