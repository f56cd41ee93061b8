//! What a push has to send, found before the first byte is: the chunks and nodes of some roots that the remote lacks.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::base::{Digest, RepoPath};
use crate::data::root::RootName;
use crate::objects::index::HOOKED_CONTENT;
use crate::objects::pointer::PointerKind;
use crate::objects::{Index, ItemKind, ManifestNode, PackRef, Place};
use crate::storage::store::{Store, StoreError};

use super::TransferError;
use super::known::{Known, NodeIds, Part, parts_of};
use super::origin::Source;

/// A root that is to be pushed.
#[derive(Debug, Clone)]
pub struct RootToSend {
    /// Its path, for messages.
    pub path: RepoPath,
    /// What it is.
    pub root: RootName,
}

/// The top node of a root; `None` where it has none (one chunk, or empty).
pub(super) fn top_node(root: &RootName) -> Option<(Digest, ItemKind)> {
    match root.kind {
        PointerKind::Tree => Some((root.id, ItemKind::Tree)),
        PointerKind::File => root.manifest.map(|manifest| (manifest, ItemKind::Manifest)),
    }
}

/// The ids of all nodes of these roots that the store has or names, and the paths of their directories and large files.
pub fn nodes_of(store: &Store, roots: &[RootToSend]) -> (NodeIds, HashSet<Vec<u8>>) {
    let (mut ids, mut paths) = (HashSet::new(), HashSet::from([Vec::new()]));
    for root in roots {
        let mut open: Vec<_> =
            top_node(&root.root).map(|(id, kind)| (id, kind, Vec::new())).into_iter().collect();
        while let Some((id, kind, path)) = open.pop() {
            if !ids.insert(id) {
                continue;
            }
            let node = store.read(&id).unwrap_or_default();
            for part in parts_of(kind, &node, &path) {
                if let Part::Node(id, kind, path) = part {
                    paths.insert(path.clone());
                    open.push((id, kind, path));
                }
            }
        }
    }
    (ids, paths)
}

/// What is to be sent, found before the first byte is.
pub struct Plan {
    /// New chunks, in the order of the contents.
    pub(super) chunks: Vec<NewChunk>,
    /// New nodes, those below first.
    pub(super) nodes: Vec<(Digest, ItemKind)>,
    /// Stored bytes of the chunks.
    pub bytes: u64,
    /// Where chunks lie that the remote has.
    pub(super) places: HashMap<Digest, Place>,
    /// Where nodes and their locators lie that it has.
    pub(super) reused_nodes: HashMap<Digest, (Place, Place)>,
    /// Packs of it that are relied on.
    pub(super) reused: BTreeSet<PackRef>,
    /// First chunks of large contents: the index leads to them, so that a moved file is found again.
    pub(super) hooked: Vec<Digest>,
}

/// A chunk that is to be sent.
pub(super) struct NewChunk {
    /// Its id.
    pub(super) id: Digest,
    /// Whether it is the last one that is to be sent of a file.
    pub(super) ends_file: bool,
}

/// Finds what the remote lacks of `roots`.
///
/// # Errors
///
/// [`TransferError::MissingHere`] for what neither side has.
pub(super) fn plan(
    source: Source<'_>,
    known: &Known<'_>,
    roots: &[RootToSend],
) -> Result<Plan, TransferError> {
    let mut planning = Planning { source, known, seen: HashSet::new(), plan: Plan::empty() };
    for root in roots {
        match top_node(&root.root) {
            Some((id, kind @ ItemKind::Manifest)) => {
                planning.file(|planning| planning.visit(root, id, kind, true, 0))?
            }
            Some((id, kind)) => planning.visit(root, id, kind, true, 0)?,
            None if root.root.size > 0 => planning.file(|planning| planning.chunk(root, root.root.id))?,
            None => {}
        }
    }
    Ok(planning.plan)
}

impl Plan {
    fn empty() -> Self {
        Self {
            chunks: Vec::new(),
            nodes: Vec::new(),
            bytes: 0,
            places: HashMap::new(),
            reused_nodes: HashMap::new(),
            reused: BTreeSet::new(),
            hooked: Vec::new(),
        }
    }

    /// How many files it takes bytes of.
    pub fn files(&self) -> u64 {
        self.chunks.iter().filter(|chunk| chunk.ends_file).count() as u64
    }

    /// Leaves out what the remote has by the tables to which hooks lead.
    ///
    /// # Errors
    ///
    /// When a table cannot be fetched, or the store not be read.
    pub(super) fn leave_out(
        &mut self,
        source: Source<'_>,
        known: &mut Known<'_>,
        indexes: &[Index],
    ) -> Result<(), TransferError> {
        known.follow_hooks(indexes, self.chunks.iter().map(|chunk| &chunk.id))?;
        // Whether something of the file that goes on is to be sent.
        let mut is_open = false;
        for NewChunk { id, ends_file } in std::mem::take(&mut self.chunks) {
            match known.find_chunk(&id) {
                Some(place) => {
                    let stored = source.stored_bytes(&id)?.unwrap_or_default();
                    self.bytes = self.bytes.saturating_sub(stored);
                    self.reused.insert(place.pack);
                    self.places.insert(id, place);
                    if let Some(last) = self.chunks.last_mut().filter(|_| is_open && ends_file) {
                        last.ends_file = true;
                    }
                    is_open &= !ends_file;
                }
                None => {
                    self.chunks.push(NewChunk { id, ends_file });
                    is_open = !ends_file;
                }
            }
        }
        Ok(())
    }
}

struct Planning<'a, 'k> {
    source: Source<'a>,
    known: &'a Known<'k>,
    seen: HashSet<Digest>,
    plan: Plan,
}

impl Planning<'_, '_> {
    /// Visits a node: those below it come first. `is_top` says that it is the top of a directory or manifest.
    fn visit(
        &mut self,
        root: &RootToSend,
        id: Digest,
        kind: ItemKind,
        is_top: bool,
        depth: u32,
    ) -> Result<(), TransferError> {
        /// Folders of 256 levels, each split in at most 16.
        const DEEPEST: u32 = 4096;
        if depth > DEEPEST || !self.seen.insert(id) {
            return Ok(());
        }
        if let Some(places) = self.known.find_node(&id) {
            self.plan.reused_nodes.insert(id, places);
            // What lies below is somewhere in the packs of the base.
            self.plan.reused.extend(self.known.vouched());
            return Ok(());
        }
        let node = self.source.store.read(&id).map_err(|error| missing(root, id, error))?;
        if kind == ItemKind::Manifest && is_top {
            self.plan.hooked.extend(first_of_large(self.source.store, &node));
        }
        for part in parts_of(kind, &node, &[]) {
            match part {
                Part::Nothing => {}
                Part::Chunk(id, _) if kind == ItemKind::Tree => {
                    self.file(|planning| planning.chunk(root, id))?
                }
                Part::Chunk(id, _) => self.chunk(root, id)?,
                Part::Node(id, below, _) => {
                    let is_top = kind == ItemKind::Tree;
                    let visit = |planning: &mut Self| planning.visit(root, id, below, is_top, depth + 1);
                    if is_top && below == ItemKind::Manifest { self.file(visit)? } else { visit(self)? }
                }
            }
        }
        self.plan.nodes.push((id, kind));
        Ok(())
    }

    /// Plans one file; the last of its chunks that is to be sent is marked.
    fn file(
        &mut self,
        plan: impl FnOnce(&mut Self) -> Result<(), TransferError>,
    ) -> Result<(), TransferError> {
        let before = self.plan.chunks.len();
        plan(self)?;
        if let Some(last) = self.plan.chunks[before..].last_mut() {
            last.ends_file = true;
        }
        Ok(())
    }

    fn chunk(&mut self, root: &RootToSend, id: Digest) -> Result<(), TransferError> {
        if !self.seen.insert(id) {
            return Ok(());
        }
        if let Some(place) = self.known.find_chunk(&id) {
            self.plan.reused.insert(place.pack);
            self.plan.places.insert(id, place);
            return Ok(());
        }
        let stored = self.source.stored_bytes(&id)?;
        self.plan.bytes +=
            stored.ok_or_else(|| TransferError::MissingHere { path: root.path.clone(), id })?;
        self.plan.chunks.push(NewChunk { id, ends_file: false });
        Ok(())
    }
}

/// The first chunk of the content that this manifest is of, if that is large; `None` also where its nodes are not all here.
fn first_of_large(store: &Store, top: &[u8]) -> Option<Digest> {
    let mut node = ManifestNode::decode(top).ok()?;
    let bytes: u64 = match &node {
        ManifestNode::Leaf(chunks) => chunks.iter().map(|chunk| u64::from(chunk.len)).sum(),
        ManifestNode::Inner { children, .. } => children.iter().map(|child| child.bytes).sum(),
    };
    if bytes <= HOOKED_CONTENT {
        return None;
    }
    loop {
        node = match node {
            ManifestNode::Leaf(chunks) => return chunks.first().map(|chunk| chunk.id),
            ManifestNode::Inner { children, .. } => {
                ManifestNode::decode(&store.read(&children.first()?.id).ok()?).ok()?
            }
        };
    }
}

fn missing(root: &RootToSend, id: Digest, error: StoreError) -> TransferError {
    match error {
        StoreError::Missing { .. } => TransferError::MissingHere { path: root.path.clone(), id },
        error => error.into(),
    }
}
