//! A directory as a tree of nodes.
//!
//! Each directory is a tree of its own: leaves with its entries, sorted by name (as bytes), and above them nodes of
//! `split` entries where one node would grow too large. The id of a directory is the id of its top node; an empty
//! directory is one leaf without entries. The head of a node and the rule of cutting are in [`crate::objects::node`];
//! ids are `derive_key` with the context `git-ml 1 tree`. Each entry, `n` being the length of its name:
//!
//! | offset | bytes | entry |
//! | ---: | ---: | --- |
//! | 0 | 1 | n, 1 to 255 |
//! | 1 | n | name; for a split the last name of the leaves below it |
//! | n + 1 | 1 | kind: 1 file, 2 directory, 3 link, 4 split |
//! | n + 2 | 1 | flags: 1 executable (files only), 2 has a manifest (files only) |
//! | n + 3 | 8 | size in bytes: of the content; of all contents below |
//! | n + 11 | 32 | id: of the content (for a link, of its target); of the top node; of the node |
//! | n + 43 | 8 | directories and splits only: count of files and links below |
//! | | 32 | if flag 2: id of the manifest's top node |
//!
//! Names are strictly increasing, also from node to node; leaves have no split, higher nodes nothing else. An entry of
//! level `l` (0 in leaves) is a cut where byte `l` of the BLAKE3 of its name is 0; a node has at most 1,024 entries. So
//! the cuts are a function of the names alone: contents never move one. A file has a manifest exactly if its content has
//! more than one chunk: never up to 65,536 bytes, always above 98,304. A link's target has 1 to 4,096 bytes and is one
//! chunk. Sums are not trusted: who walks compares each node with the entry that named it ([`TreeNode::check_child`]).

use crate::base::{Advice, Digest, PathError, check_name};
use crate::objects::chunker::{MAX_CHUNK, SMALL_CONTENT};
use crate::objects::item::{EMPTY_CONTENT, ItemKind};
use crate::objects::node::{self, MAX_LEVEL};
use crate::objects::wire::{FormatError, Reader, Writer};

/// No node has more entries.
pub const MAX_TREE_ENTRIES: usize = 1024;
/// No link's target is longer, in bytes.
pub const MAX_LINK: u64 = 4096;

const FORMAT: &str = "tree node";
/// Length and one byte of name, kind, flags, size, id.
const SMALLEST_ENTRY: usize = 1 + 1 + 1 + 1 + 8 + 32;
const EXECUTABLE: u8 = 1;
const HAS_MANIFEST: u8 = 2;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EntryKind {
    /// A file.
    File = 1,
    /// A directory.
    Directory = 2,
    /// A symbolic link; its content is the target.
    Link = 3,
    /// A further node of the same directory.
    Split = 4,
}

/// One entry of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TreeEntry {
    /// Its name; for a split the last name below it.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Whether a file is executable.
    pub executable: bool,
    /// Bytes of the content, or of all contents below.
    pub size: u64,
    /// Count of files and links: 1 for these themselves, else of all below.
    pub files: u64,
    /// Id of the content, the directory's top node, or the node.
    pub id: Digest,
    /// The manifest's top node, for a content of more than one chunk.
    pub manifest: Option<Digest>,
}

impl TreeEntry {
    /// An entry for a file.
    pub fn file(name: Vec<u8>, executable: bool, id: Digest, size: u64, manifest: Option<Digest>) -> Self {
        Self { name, kind: EntryKind::File, executable, size, files: 1, id, manifest }
    }

    /// An entry for a symbolic link to `target`.
    pub fn link(name: Vec<u8>, target: &[u8]) -> Self {
        let (id, size) = (Digest::of(target), target.len() as u64);
        Self { name, kind: EntryKind::Link, executable: false, size, files: 1, id, manifest: None }
    }

    /// An entry for a directory.
    pub const fn directory(name: Vec<u8>, directory: TreeSummary) -> Self {
        Self::node(name, EntryKind::Directory, directory)
    }

    const fn node(name: Vec<u8>, kind: EntryKind, node: TreeSummary) -> Self {
        let TreeSummary { id, size, files } = node;
        Self { name, kind, executable: false, size, files, id, manifest: None }
    }

    const fn has_files(&self) -> bool {
        matches!(self.kind, EntryKind::Directory | EntryKind::Split)
    }

    /// Whether the fields fit each other in a node of this level. The name is checked apart.
    fn is_sound(&self, level: u8) -> bool {
        let is_empty = self.size == 0;
        let one_chunk = self.size <= MAX_CHUNK as u64;
        let fields = match self.kind {
            EntryKind::File => {
                let chunks =
                    if self.manifest.is_some() { self.size > SMALL_CONTENT as u64 } else { one_chunk };
                chunks && self.files == 1 && is_empty == (self.id == EMPTY_CONTENT)
            }
            EntryKind::Link => self.files == 1 && !is_empty && self.size <= MAX_LINK,
            EntryKind::Directory | EntryKind::Split => true,
        };
        let is_file = self.kind == EntryKind::File;
        let flags = is_file || (!self.executable && self.manifest.is_none());
        fields && flags && (self.kind == EntryKind::Split) == (level > 0)
    }

    fn write(&self, writer: &mut Writer) {
        let manifest = if self.manifest.is_some() { HAS_MANIFEST } else { 0 };
        writer.u8(self.name.len() as u8).bytes(&self.name).u8(self.kind as u8);
        writer.u8(u8::from(self.executable) | manifest).u64(self.size).digest(&self.id);
        if self.has_files() {
            writer.u64(self.files);
        }
        if let Some(manifest) = &self.manifest {
            writer.digest(manifest);
        }
    }

    fn read(reader: &mut Reader<'_>, level: u8) -> Result<Self, FormatError> {
        let length = reader.u8()?;
        let name = reader.bytes(length.into())?.to_vec();
        reader.check("name", check_name(&name).is_ok())?;
        let kind = match reader.u8()? {
            1 => EntryKind::File,
            2 => EntryKind::Directory,
            3 => EntryKind::Link,
            4 => EntryKind::Split,
            _ => return Err(reader.bad("kind of entry")),
        };
        let flags = reader.u8()?;
        reader.check("flags of an entry", flags & !(EXECUTABLE | HAS_MANIFEST) == 0)?;
        let (size, id) = (reader.u64()?, reader.digest()?);
        let mut entry =
            Self { name, kind, executable: flags & EXECUTABLE != 0, size, files: 1, id, manifest: None };
        if entry.has_files() {
            entry.files = reader.u64()?;
        }
        if flags & HAS_MANIFEST != 0 {
            entry.manifest = Some(reader.digest()?);
        }
        reader.check("entry", entry.is_sound(level))?;
        Ok(entry)
    }
}

/// A directory (or a node of one), as an entry above it names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeSummary {
    /// Id of the node.
    pub id: Digest,
    /// Bytes of all contents below.
    pub size: u64,
    /// Count of files and links below.
    pub files: u64,
}

/// A node: sound and canonical, since only [`TreeNode::decode`] and [`build_tree`] make one. The default is an empty
/// directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeNode {
    level: u8,
    entries: Vec<TreeEntry>,
}

impl TreeNode {
    /// A leaf of these entries, which are sound and in order.
    pub(super) const fn leaf(entries: Vec<TreeEntry>) -> Self {
        Self { level: 0, entries }
    }

    /// 0 for a leaf.
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// The entries, by name.
    pub fn entries(&self) -> &[TreeEntry] {
        &self.entries
    }

    /// The entries, by name.
    pub fn into_entries(self) -> Vec<TreeEntry> {
        self.entries
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = node::begin(ItemKind::Tree, self.level, self.entries.len());
        self.entries.iter().for_each(|entry| entry.write(&mut writer));
        writer.finish()
    }

    /// Reads a node. That the bytes have the id by which they were asked for is the caller's to check.
    ///
    /// # Errors
    ///
    /// [`FormatError`] for bytes that [`TreeNode::encode`] does not make.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let head = node::open(FORMAT, ItemKind::Tree, bytes, MAX_TREE_ENTRIES, SMALLEST_ENTRY)?;
        let (mut reader, level) = (head.reader, head.level);
        reader.check("count of entries", level == 0 || head.count > 0)?;
        let mut entries: Vec<TreeEntry> = Vec::with_capacity(head.count);
        for _ in 0..head.count {
            let entry = TreeEntry::read(&mut reader, level)?;
            reader.check("order of names", entries.last().is_none_or(|last| last.name < entry.name))?;
            entries.push(entry);
        }
        let node = Self { level, entries };
        reader.check("sum of sizes", node.sums().is_some())?;
        reader.end()?;
        Ok(node)
    }

    /// Its id and sums.
    pub fn summary(&self) -> TreeSummary {
        let (size, files) = self.sums().unwrap_or_default();
        TreeSummary { id: self.id(), size, files }
    }

    /// Its id.
    pub fn id(&self) -> Digest {
        ItemKind::Tree.id_of(&self.encode())
    }

    fn sums(&self) -> Option<(u64, u64)> {
        self.entries.iter().try_fold((0_u64, 0_u64), |(size, files), entry| {
            Some((size.checked_add(entry.size)?, files.checked_add(entry.files)?))
        })
    }

    /// The entry of this name; in a node above the leaves, the split below which it would be.
    pub fn find(&self, name: &[u8]) -> Option<&TreeEntry> {
        let at = self.entries.partition_point(|entry| entry.name.as_slice() < name);
        self.entries.get(at).filter(|entry| self.level > 0 || entry.name == name)
    }

    /// Checks that this node can be the top of a directory of these sums. The id is the caller's to check.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where it cannot.
    pub fn check_top(&self, size: u64, files: u64) -> Result<(), FormatError> {
        let bad = |field| Err(FormatError::Field { format: FORMAT, field });
        if self.level > 0 && self.entries.len() < 2 {
            return bad("top");
        }
        if self.sums() == Some((size, files)) { Ok(()) } else { bad("sum of what lies below") }
    }

    /// Checks that `child` can be the node that entry `at` of this node names: level, order of names, sums. The id is
    /// the caller's to check.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where it cannot.
    pub fn check_child(&self, at: usize, child: &Self) -> Result<(), FormatError> {
        let bad = |field| Err(FormatError::Field { format: FORMAT, field });
        let Some(entry) = self.entries.get(at) else { return bad("entry") };
        match entry.kind {
            EntryKind::Directory => return child.check_top(entry.size, entry.files),
            EntryKind::File | EntryKind::Link => return bad("kind of entry"),
            EntryKind::Split => {}
        }
        let previous = at.checked_sub(1).map(|before| &self.entries[before].name);
        let first_fits =
            child.entries.first().is_some_and(|first| previous.is_none_or(|name| *name < first.name));
        let last_fits = child.entries.last().is_some_and(|last| last.name == entry.name);
        if child.level + 1 != self.level || !first_fits || !last_fits {
            return bad("split");
        }
        if child.sums() == Some((entry.size, entry.files)) { Ok(()) } else { bad("sum of what lies below") }
    }
}

/// Why entries make no directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A name that no file system should be asked to write.
    #[error("a name cannot be kept: {0}")]
    Name(#[from] PathError),
    /// A name that is there twice.
    #[error("'{}' is there twice", name.escape_ascii())]
    Twice {
        /// The name.
        name: Vec<u8>,
    },
    /// Kind, size, flags, id or manifest do not fit each other.
    #[error("the entry '{}' contradicts itself", name.escape_ascii())]
    Entry {
        /// The name.
        name: Vec<u8>,
    },
    /// The sizes add up to more than 2⁶⁴ bytes or files.
    #[error("the directory is larger than can be told")]
    TooLarge,
}

impl Advice for TreeError {}

/// Builds a directory: gives each node to `sink`, with its id, those below before those above.
///
/// The result depends on the set of `entries` alone, not on their order.
///
/// # Errors
///
/// [`TreeError`] for bad or equal names and for entries that contradict themselves; what the sink says.
pub fn build_tree<E: From<TreeError>>(
    mut entries: Vec<TreeEntry>,
    sink: &mut dyn FnMut(Digest, Vec<u8>) -> Result<(), E>,
) -> Result<TreeSummary, E> {
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    check_entries(&entries)?;
    let leaves = build_level(entries, 0, sink)?;
    build_above(leaves, 1, sink)
}

/// Builds what lies above the nodes that `entries` name, from `level` on.
pub(super) fn build_above<E: From<TreeError>>(
    mut entries: Vec<TreeEntry>,
    mut level: u8,
    sink: &mut dyn FnMut(Digest, Vec<u8>) -> Result<(), E>,
) -> Result<TreeSummary, E> {
    loop {
        if let [top] = entries.as_slice() {
            return Ok(TreeSummary { id: top.id, size: top.size, files: top.files });
        }
        if level > MAX_LEVEL {
            return Err(TreeError::TooLarge.into());
        }
        entries = build_level(entries, level, sink)?;
        level += 1;
    }
}

/// Cuts the entries of a level into nodes; gives the entries that name them. No entries make one node.
fn build_level<E: From<TreeError>>(
    entries: Vec<TreeEntry>,
    level: u8,
    sink: &mut dyn FnMut(Digest, Vec<u8>) -> Result<(), E>,
) -> Result<Vec<TreeEntry>, E> {
    let mut nodes = Vec::new();
    let mut rest = entries.into_iter().peekable();
    loop {
        nodes.push(store_node(TreeNode { level, entries: first_run(&mut rest, level) }, sink)?);
        if rest.peek().is_none() {
            return Ok(nodes);
        }
    }
}

pub(super) fn check_entries(entries: &[TreeEntry]) -> Result<(), TreeError> {
    for entry in entries {
        check_name(&entry.name)?;
        if !entry.is_sound(0) {
            return Err(TreeError::Entry { name: entry.name.clone() });
        }
    }
    match entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(TreeError::Twice { name: pair[0].name.clone() }),
        None => Ok(()),
    }
}

/// Takes the entries of the next node of this level.
fn first_run(rest: &mut impl Iterator<Item = TreeEntry>, level: u8) -> Vec<TreeEntry> {
    let mut run = Vec::new();
    for entry in rest {
        let cut = is_cut(&entry.name, level);
        run.push(entry);
        if node::is_full(run.len(), MAX_TREE_ENTRIES, cut) {
            break;
        }
    }
    run
}

/// Whether a node of this level may end after the entry of this name.
pub(super) fn is_cut(name: &[u8], level: u8) -> bool {
    Digest::of(name).as_bytes()[usize::from(level)] == 0
}

/// Gives the node to `sink`, and the entry that names it.
pub(super) fn store_node<E: From<TreeError>>(
    node: TreeNode,
    sink: &mut dyn FnMut(Digest, Vec<u8>) -> Result<(), E>,
) -> Result<TreeEntry, E> {
    let (size, files) = node.sums().ok_or(TreeError::TooLarge)?;
    let bytes = node.encode();
    let id = ItemKind::Tree.id_of(&bytes);
    sink(id, bytes)?;
    let last_name = node.entries.into_iter().next_back().map(|last| last.name).unwrap_or_default();
    Ok(TreeEntry::node(last_name, EntryKind::Split, TreeSummary { id, size, files }))
}
