//! The packs of a remote, and hooks into them: what a writer asks before it sends a chunk.
//!
//! An index object lies at `index/<epoch>-<id>`, is written once, and holds what one push added, or (consolidated) what
//! the objects that it supersedes held. Writers alone read it. A hook is a hint: the whole id must be found in a footer
//! that hashes to the pack's name before a chunk is left out.
//!
//! | bytes | field |
//! | ---: | --- |
//! | 8 | magic `gitmlidx` |
//! | 2 | version, 1 |
//! | 2 | must-understand flags, 0 |
//! | 8 | epoch: the highest that the writer had seen |
//! | 16 | random bytes: make the name unique |
//! | 4 | count of superseded index objects, at most 65,536 |
//! | 40 each | epoch (8) and id (32) of one; sorted |
//! | 4 | count of packs, at most 2²⁴ |
//! | 40 each | name of a pack ([`crate::objects::pack`], 39) and its contents (1): 0 chunks, 1 nodes, 2 both; sorted by id |
//! | 4 | count of hooks |
//! | 12 each | first 8 bytes of an item's id, number of its pack in the list before (3), 0; sorted, each once |
//! | 2 … | extensions ([`crate::objects::root`]) |
//! | 32 | hash of all before it, the id in the name: `derive_key`, context `git-ml 1 index` |
//!
//! Hooks are made for each chunk whose id's last byte is 0 in its low 6 bits, for the first item of each pack, and for
//! the first chunk of each content over 1 MiB. Numbers of packs count from 0. An object has at most 16 MiB.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Digest, RandomId};
use crate::objects::item::{ItemKind, context};
use crate::objects::pack::{PackFooter, PackRef};
use crate::objects::session::{MAX_EPOCH, RecordName};
use crate::objects::wire::{Extension, FormatError, Reader, Writer, unseal};

/// No index object is longer, in bytes.
pub const MAX_INDEX: usize = 16 << 20;
/// One chunk in so many has a hook.
pub const HOOK_RATE: u8 = 64;
/// A content longer than this has a hook to its first chunk, in bytes.
pub const HOOKED_CONTENT: u64 = 1 << 20;

const FORMAT: &str = "index";
const MAGIC: &[u8; 8] = b"gitmlidx";
const VERSION: u16 = 1;
const MAX_SUPERSEDED: u64 = 1 << 16;
const MAX_PACKS: u64 = 1 << 24;
const HOOK: usize = 12;
/// Where a writer begins a further object: half of what a reader takes.
const FULL: usize = MAX_INDEX / 2;

/// What a pack holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PackContents {
    /// Chunks only.
    Chunks = 0,
    /// Nodes only.
    Nodes = 1,
    /// Both.
    Both = 2,
}

impl PackContents {
    /// What the pack with this footer holds.
    pub fn of(footer: &PackFooter) -> Self {
        let chunks = footer.entries.iter().filter(|entry| entry.kind == ItemKind::Chunk).count();
        match chunks {
            0 => Self::Nodes,
            all if all == footer.entries.len() => Self::Chunks,
            _ => Self::Both,
        }
    }
}

/// Whether a chunk with this id has a hook wherever it lies.
pub const fn is_sampled(id: &Digest) -> bool {
    id.as_bytes()[31].is_multiple_of(HOOK_RATE)
}

/// The first 8 bytes of an id; the order of these numbers is that of ids.
const fn prefix(id: &Digest) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *id.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// An index object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    epoch: u64,
    nonce: RandomId,
    supersedes: Vec<RecordName>,
    packs: Vec<(PackRef, PackContents)>,
    /// Prefix of an id, number of a pack; sorted.
    hooks: Vec<(u64, u32)>,
    extensions: Vec<Extension>,
}

impl Index {
    /// The highest epoch that its writer had seen.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The index objects that it stands for.
    pub fn supersedes(&self) -> &[RecordName] {
        &self.supersedes
    }

    /// Its packs, sorted by id.
    pub fn packs(&self) -> &[(PackRef, PackContents)] {
        &self.packs
    }

    /// Packs that may hold the item with this id: their footers tell.
    pub fn may_hold(&self, id: &Digest) -> impl Iterator<Item = PackRef> {
        let wanted = prefix(id);
        let from = self.hooks.partition_point(|(prefix, _)| *prefix < wanted);
        let hits = self.hooks[from..].iter().take_while(move |(prefix, _)| *prefix == wanted);
        hits.filter_map(|(_, number)| self.packs.get(*number as usize).map(|(pack, _)| *pack))
    }

    /// Its bytes, and the name under which they belong.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where a field is over its limit.
    pub fn encode(&self) -> Result<(RecordName, Vec<u8>), FormatError> {
        let mut writer = Writer::head(MAGIC, VERSION);
        writer.u64(self.epoch).bytes(self.nonce.as_bytes()).u32(self.supersedes.len() as u32);
        self.supersedes.iter().for_each(|name| name.write(&mut writer));
        writer.u32(self.packs.len() as u32);
        for (pack, contents) in &self.packs {
            pack.write(&mut writer);
            writer.u8(*contents as u8);
        }
        writer.u32(self.hooks.len() as u32);
        for (prefix, number) in &self.hooks {
            writer.bytes(&prefix.to_be_bytes()).u24(*number).u8(0);
        }
        Extension::write_all(&self.extensions, &mut writer);
        let bytes = writer.seal(context::INDEX);
        // What cannot be read must not be written.
        Self::decode(&bytes)?;
        Ok((RecordName::of_sealed(self.epoch, &bytes), bytes))
    }

    /// Reads an index object. That its hash is the id in its name is the caller's to check.
    ///
    /// # Errors
    ///
    /// [`FormatError`] for bytes that are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        Reader::limited(FORMAT, bytes, MAX_INDEX)?.head(MAGIC, VERSION)?;
        let mut reader = unseal(FORMAT, context::INDEX, bytes, MAX_INDEX)?;
        reader.head(MAGIC, VERSION)?;
        let epoch = reader.u64()?;
        reader.limit("epoch", epoch, MAX_EPOCH)?;
        let nonce = RandomId::from_bytes(reader.array()?);
        let index = Self {
            epoch,
            nonce,
            supersedes: read_superseded(&mut reader)?,
            packs: read_indexed(&mut reader)?,
            hooks: read_hooks(&mut reader)?,
            extensions: Extension::read_all(&mut reader)?,
        };
        let known = index.packs.len() as u32;
        reader.check("number of a pack", index.hooks.iter().all(|(_, number)| *number < known))?;
        reader.end()?;
        Ok(index)
    }
}

fn read_superseded(reader: &mut Reader<'_>) -> Result<Vec<RecordName>, FormatError> {
    let count = reader.u32()?.into();
    let count = reader.fits("count of superseded objects", count, MAX_SUPERSEDED, 40)?;
    let mut names: Vec<RecordName> = Vec::with_capacity(count);
    for _ in 0..count {
        let name = RecordName::read(reader)?;
        reader.check("order of superseded objects", names.last().is_none_or(|last| *last < name))?;
        names.push(name);
    }
    Ok(names)
}

fn read_indexed(reader: &mut Reader<'_>) -> Result<Vec<(PackRef, PackContents)>, FormatError> {
    let count = reader.u32()?.into();
    let count = reader.fits("count of packs", count, MAX_PACKS, PackRef::BYTES + 1)?;
    let mut packs: Vec<(PackRef, _)> = Vec::with_capacity(count);
    for _ in 0..count {
        let pack = PackRef::read(reader)?;
        let contents = match reader.u8()? {
            0 => PackContents::Chunks,
            1 => PackContents::Nodes,
            2 => PackContents::Both,
            _ => return Err(reader.bad("contents of a pack")),
        };
        reader.check("order of packs", packs.last().is_none_or(|(last, _)| last.id < pack.id))?;
        packs.push((pack, contents));
    }
    Ok(packs)
}

fn read_hooks(reader: &mut Reader<'_>) -> Result<Vec<(u64, u32)>, FormatError> {
    let count = reader.u32()?.into();
    let count = reader.fits("count of hooks", count, (MAX_INDEX / HOOK) as u64, HOOK)?;
    let mut hooks = Vec::with_capacity(count);
    for _ in 0..count {
        let hook = (u64::from_be_bytes(reader.array()?), reader.u24()?);
        reader.zeros("hook", 1)?;
        reader.check("order of hooks", hooks.last().is_none_or(|last| *last < hook))?;
        hooks.push(hook);
    }
    Ok(hooks)
}

/// Collects packs and hooks for an index object.
#[derive(Debug)]
pub struct IndexBuilder {
    epoch: u64,
    supersedes: BTreeSet<RecordName>,
    packs: BTreeMap<PackRef, PackContents>,
    hooks: BTreeSet<(u64, PackRef)>,
}

impl IndexBuilder {
    /// A builder for a writer that saw no epoch higher than this.
    pub const fn new(epoch: u64) -> Self {
        Self { epoch, supersedes: BTreeSet::new(), packs: BTreeMap::new(), hooks: BTreeSet::new() }
    }

    /// Adds a pack with its sampled hooks.
    pub fn add(&mut self, pack: PackRef, footer: &PackFooter) {
        self.packs.insert(pack, PackContents::of(footer));
        for (at, entry) in footer.entries.iter().enumerate() {
            if at == 0 || (entry.kind == ItemKind::Chunk && is_sampled(&entry.id)) {
                self.hooks.insert((prefix(&entry.id), pack));
            }
        }
    }

    /// Adds a hook to the first chunk of a content over 1 MiB, in a pack that is or will be added.
    pub fn add_hook(&mut self, chunk: &Digest, pack: PackRef) {
        self.hooks.insert((prefix(chunk), pack));
    }

    /// Takes over all of another index object, which the new one stands for.
    pub fn consolidate(&mut self, name: RecordName, index: &Index) {
        self.supersedes.insert(name);
        self.supersedes.extend(&index.supersedes);
        self.packs.extend(index.packs.iter().copied());
        let hooks = index.hooks.iter().filter_map(|(prefix, number)| {
            index.packs.get(*number as usize).map(|(pack, _)| (*prefix, *pack))
        });
        self.hooks.extend(hooks);
    }

    /// Keeps only these packs, and of the superseded objects only these.
    pub fn retain(
        &mut self,
        is_kept: impl Fn(&Digest) -> bool,
        is_still_there: impl Fn(&RecordName) -> bool,
    ) {
        self.packs.retain(|pack, _| is_kept(&pack.id));
        self.hooks.retain(|(_, pack)| is_kept(&pack.id));
        self.supersedes.retain(is_still_there);
    }

    /// Whether no pack is in it.
    pub fn has_no_pack(&self) -> bool {
        self.packs.is_empty()
    }

    /// Whether a further object should be begun.
    pub fn is_full(&self) -> bool {
        self.packs.len() * (PackRef::BYTES + 1) + self.hooks.len() * HOOK + self.supersedes.len() * 40 > FULL
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.packs.is_empty() && self.supersedes.is_empty()
    }

    /// The index object, with a fresh nonce.
    pub fn finish(self) -> Index {
        let numbers: BTreeMap<_, _> = self.packs.keys().zip(0_u32..).collect();
        let hooks = self.hooks.iter().filter_map(|(prefix, pack)| Some((*prefix, *numbers.get(pack)?)));
        Index {
            epoch: self.epoch,
            nonce: RandomId::generate(),
            supersedes: self.supersedes.into_iter().collect(),
            hooks: hooks.collect(),
            packs: self.packs.into_iter().collect(),
            extensions: Vec::new(),
        }
    }
}
