//! Trees and manifests out of the store.
//!
//! Whoever wrote the pointer may be a stranger. Every node is verified against its id by the store; here the sums that
//! an entry declares are held against what its node really has, before anything is done with it, so that ten levels of
//! a thousand equal children end as an error and not as a full disk.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::base::{Advice, Digest};
use crate::objects::FormatError;
use crate::objects::manifest::{ChunkEntry, ChunkWalk};
use crate::objects::tree::{EntryKind, TreeEntry, TreeError, TreeNode, build_tree};
use crate::storage::store::{Store, StoreError};

/// The deepest nesting of folders that is followed.
pub(super) const DEEPEST: usize = 256;

/// Why a tree or manifest cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The store lacks a node, or it is damaged.
    #[error("cannot read node {}", id.short())]
    Store {
        /// The node.
        id: Digest,
        /// The store's answer.
        #[source]
        source: StoreError,
    },
    /// A node is none, or does not hold what the one that names it declares.
    #[error("the version is not sound")]
    Format(#[from] FormatError),
    /// Folders nested too deeply.
    #[error("folders are nested more than {DEEPEST} deep")]
    TooDeep,
}

impl WalkError {
    /// Whether the only fault is that the store lacks something.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Store { source: StoreError::Missing { .. }, .. })
    }
}

impl Advice for WalkError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Store { source, .. } => source.hints(),
            Self::Format(error) => error.hints(),
            Self::TooDeep => vec!["the version was not written by git-ml; nothing was changed".into()],
        }
    }
}

/// Where the nodes of trees are.
pub(super) trait NodeSource {
    /// The node `id`.
    fn node(&self, id: Digest) -> Result<TreeNode, WalkError>;
}

impl NodeSource for Store {
    fn node(&self, id: Digest) -> Result<TreeNode, WalkError> {
        let bytes = self.read(&id).map_err(|source| WalkError::Store { id, source })?;
        Ok(TreeNode::decode(&bytes)?)
    }
}

/// The entries of the directory whose top node is `id`, split nodes resolved, by name.
///
/// # Errors
///
/// [`WalkError`]; nodes that do not hold what their parents declare are errors.
pub fn directory(store: &Store, id: Digest) -> Result<Vec<TreeEntry>, WalkError> {
    let top = store.node(id)?;
    directory_of(store, top)
}

pub(super) fn directory_of(nodes: &dyn NodeSource, top: TreeNode) -> Result<Vec<TreeEntry>, WalkError> {
    let mut entries = Vec::new();
    let mut open = vec![top];
    while let Some(node) = open.pop() {
        if node.level() == 0 {
            entries.extend(node.into_entries());
            continue;
        }
        for (at, entry) in node.entries().iter().enumerate().rev() {
            let child = nodes.node(entry.id)?;
            node.check_child(at, &child)?;
            open.push(child);
        }
    }
    Ok(entries)
}

/// Files, links and empty directories below the tree `id`, by path. Directories that `enter` refuses (by their path) are
/// leaves themselves: their nodes need not be in the store.
///
/// # Errors
///
/// [`WalkError`].
pub fn flatten_where(
    store: &Store,
    id: Digest,
    enter: &dyn Fn(&[u8]) -> bool,
) -> Result<BTreeMap<Vec<u8>, TreeEntry>, WalkError> {
    let mut leaves = BTreeMap::new();
    walk_leaves(store, id, enter, &mut |path, leaf| drop(leaves.insert(path.to_owned(), leaf.clone())))?;
    Ok(leaves)
}

/// Shows `visit` the leaves below the tree `id` in order of their paths; those are as in [`flatten_where`].
///
/// # Errors
///
/// [`WalkError`].
pub fn walk_leaves(
    store: &Store,
    id: Digest,
    enter: &dyn Fn(&[u8]) -> bool,
    visit: &mut dyn FnMut(&[u8], &TreeEntry),
) -> Result<(), WalkError> {
    // Each directory that is open, what is left of it, and how long its path is.
    let mut open = vec![(in_order_of_paths(directory(store, id)?, b"", enter), 0)];
    let mut path = Vec::new();
    while let Some((children, length)) = open.last_mut() {
        path.truncate(*length);
        let Some(Child { entry, is_open }) = children.pop() else {
            open.pop();
            continue;
        };
        append(&mut path, &entry.name);
        if !is_open {
            visit(&path, &entry);
            continue;
        }
        if open.len() > DEEPEST {
            return Err(WalkError::TooDeep);
        }
        let top = store.node(entry.id)?;
        top.check_top(entry.size, entry.files)?;
        open.push((in_order_of_paths(directory_of(store, top)?, &path, enter), path.len()));
    }
    Ok(())
}

/// An entry of a directory, and whether it is a directory that is looked into.
struct Child {
    entry: TreeEntry,
    is_open: bool,
}

impl Child {
    /// What its path, or the path of all that lies below it, goes on with.
    fn path(&self) -> impl Iterator<Item = &u8> {
        self.entry.name.iter().chain(if self.is_open { &b"/"[..] } else { b"" })
    }
}

/// The entries of the directory at `path`, the last path first.
fn in_order_of_paths(entries: Vec<TreeEntry>, path: &[u8], enter: &dyn Fn(&[u8]) -> bool) -> Vec<Child> {
    let is_open = |entry: &TreeEntry| {
        let has_some = entry.kind == EntryKind::Directory && !is_empty_directory(entry);
        has_some && enter(&joined(path, &entry.name))
    };
    let mut children: Vec<_> =
        entries.into_iter().map(|entry| Child { is_open: is_open(&entry), entry }).collect();
    children.sort_by(|a, b| b.path().cmp(a.path()));
    children
}

/// Whether the entry names a directory without anything in it.
pub fn is_empty_directory(entry: &TreeEntry) -> bool {
    entry.kind == EntryKind::Directory && entry.id == empty_directory()
}

/// The id of a directory without anything in it.
pub fn empty_directory() -> Digest {
    static EMPTY: OnceLock<Digest> = OnceLock::new();
    *EMPTY.get_or_init(|| {
        let summary = build_tree::<TreeError>(Vec::new(), &mut |_, _| Ok(()));
        summary.map(|summary| summary.id).unwrap_or_default()
    })
}

/// A path with one more part.
pub fn joined(below: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = below.to_owned();
    append(&mut path, name);
    path
}

fn append(path: &mut Vec<u8>, name: &[u8]) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}

/// The entry at the path `below` the tree `id`, if there is one.
///
/// # Errors
///
/// [`WalkError`].
pub fn entry_at(store: &Store, id: Digest, below: &[u8]) -> Result<Option<TreeEntry>, WalkError> {
    let mut folder = id;
    let mut parts = below.split(|byte| *byte == b'/').peekable();
    while let Some(part) = parts.next() {
        let found = directory(store, folder)?.into_iter().find(|entry| entry.name == part);
        match found {
            Some(entry) if parts.peek().is_none() => return Ok(Some(entry)),
            Some(entry) if entry.kind == EntryKind::Directory => folder = entry.id,
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// The chunks of a content in order. An empty content has none.
///
/// # Errors
///
/// [`WalkError`]; chunks that do not add up to `size` are an error.
pub fn chunks(
    store: &Store,
    id: Digest,
    manifest: Option<Digest>,
    size: u64,
) -> Result<Vec<ChunkEntry>, WalkError> {
    let Some(manifest) = manifest else {
        let len = u32::try_from(size).unwrap_or(u32::MAX);
        return Ok(if len == 0 { Vec::new() } else { vec![ChunkEntry { id, len }] });
    };
    chunks_in_order(store, manifest, size).collect()
}

/// The chunks of the manifest of a content of `size` bytes, read as they are asked for; none come after an error.
pub(super) fn chunks_in_order(
    store: &Store,
    manifest: Digest,
    size: u64,
) -> impl Iterator<Item = Result<ChunkEntry, WalkError>> {
    let mut walk = Some(ChunkWalk::new(manifest, size));
    let mut read = |id: &Digest| store.read(id).map_err(|source| WalkError::Store { id: *id, source });
    std::iter::from_fn(move || {
        let next = walk.as_mut()?.next(&mut read).transpose();
        walk.take_if(|_| !matches!(next, Some(Ok(_))));
        next
    })
}
