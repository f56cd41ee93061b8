//! What all nodes have in common: their first 18 bytes, and how long runs of entries are cut into nodes.
//!
//! | offset | bytes | head of a node |
//! | ---: | ---: | --- |
//! | 0 | 8 | magic `gitmlnod` |
//! | 8 | 2 | version, 1 |
//! | 10 | 2 | must-understand flags, 0 |
//! | 12 | 1 | kind: the number of [`ItemKind`] |
//! | 13 | 1 | level: 0 for a leaf, 1 for a node of leaves, at most 16 |
//! | 14 | 4 | count of entries |
//! | 18 | | the entries, as their kind has them |
//!
//! A node has at most 1 MiB. Where a list has more entries than one node should hold, it is cut by content, so that a
//! change moves no cut but those beside it: a node ends after the first entry that is a cut and is at least the node's
//! 32nd ([`SHORTEST_RUN`]), or after as many entries as its kind allows. The nodes of a level, in order, are the entries
//! of the next, until a level has a single node: the top.

use crate::objects::item::{ItemKind, MAX_ITEM};
use crate::objects::wire::{FormatError, Reader, Writer};

/// No node is higher above its leaves.
pub const MAX_LEVEL: u8 = 16;
/// A node that is not the last of its level has at least so many entries.
pub const SHORTEST_RUN: usize = 32;

const MAGIC: &[u8; 8] = b"gitmlnod";
const VERSION: u16 = 1;

/// Begins the bytes of a node.
pub(super) fn begin(kind: ItemKind, level: u8, count: usize) -> Writer {
    let mut writer = Writer::head(MAGIC, VERSION);
    writer.u8(kind.byte()).u8(level).u32(count as u32);
    writer
}

/// The head of a node that is read.
pub(super) struct Head<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) level: u8,
    pub(super) count: usize,
}

/// Reads the head of a node whose entries take at least `smallest` bytes and are at most `most`.
pub(super) fn open<'a>(
    format: &'static str,
    kind: ItemKind,
    bytes: &'a [u8],
    most: usize,
    smallest: usize,
) -> Result<Head<'a>, FormatError> {
    let mut reader = Reader::limited(format, bytes, MAX_ITEM)?;
    reader.head(MAGIC, VERSION)?;
    let found = reader.u8()?;
    reader.check("kind", found == kind.byte())?;
    let level = reader.u8()?;
    reader.limit("level", level.into(), MAX_LEVEL.into())?;
    let count = u64::from(reader.u32()?);
    let count = reader.fits("count of entries", count, most as u64, smallest)?;
    Ok(Head { reader, level, count })
}

/// Whether a node of `entries` so far ends here; `cut` tells if its last entry is a cut.
pub(super) const fn is_full(entries: usize, most: usize, cut: bool) -> bool {
    entries >= most || (cut && entries >= SHORTEST_RUN)
}
