//! What a remote has already, as far as a push needs it.
//!
//! Dedup works by difference against base roots first (the versions before, whose unchanged nodes keep their locators),
//! then by the tables of packs that were met, then by sampled hooks that lead to a pack's table. A chunk is left out only
//! if its full id stands in a table that hashes to the pack's name, or in a node of a base root, and no record condemns
//! the pack.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::base::Digest;
use crate::objects::pointer::PointerKind;
use crate::objects::{
    Index, ItemKind, Located, LocatorNode, ManifestNode, PackRef, Place, RootRecord, TreeNode,
};
use crate::storage::remote_reader::{ReadError, RemoteReader, Wanted};
use crate::storage::store::Store;

use super::tables::packs_of;
use super::{Knowledge, TransferError};

/// What of the roots to be pushed could be found in a base: the ids of their nodes.
pub type NodeIds = HashSet<Digest>;

/// Items of a remote that need not be sent.
pub struct Known<'a> {
    store: &'a Store,
    reader: &'a RemoteReader,
    knowledge: &'a Knowledge,
    condemned: &'a BTreeSet<Digest>,
    chunks: HashMap<Digest, Place>,
    nodes: HashMap<Digest, (Place, Place)>,
    /// Packs of the base roots: trusted records name them, so they are there.
    vouched: BTreeSet<PackRef>,
    asked: HashSet<Digest>,
}

impl<'a> Known<'a> {
    /// Nothing but the tables that were met before.
    ///
    /// # Errors
    ///
    /// When they cannot be listed.
    pub fn new(
        store: &'a Store,
        reader: &'a RemoteReader,
        knowledge: &'a Knowledge,
        condemned: &'a BTreeSet<Digest>,
    ) -> Self {
        let (chunks, nodes) = (HashMap::new(), HashMap::new());
        let (vouched, asked) = (BTreeSet::new(), HashSet::new());
        let mut known = Self { store, reader, knowledge, condemned, chunks, nodes, vouched, asked };
        for (pack, footer) in knowledge.packs().unwrap_or_default() {
            known.take_footer(pack, &footer);
        }
        known
    }

    fn take_footer(&mut self, pack: PackRef, footer: &crate::objects::PackFooter) {
        self.asked.insert(pack.id);
        if !self.condemned.contains(&pack.id) {
            let chunks = footer.places(pack).filter(|(entry, _)| entry.kind == ItemKind::Chunk);
            self.chunks.extend(chunks.map(|(entry, place)| (entry.id, place)));
        }
    }

    /// Learns from a base root: which of `wanted` nodes it has, and where the chunks of the nodes lie that differ. Goes
    /// down only along `paths` of the roots to be pushed. A base that needs a condemned pack teaches nothing.
    ///
    /// # Errors
    ///
    /// When the remote fails; what cannot be understood teaches nothing.
    pub fn learn_from_base(
        &mut self,
        base: &RootRecord,
        wanted: &NodeIds,
        paths: &HashSet<Vec<u8>>,
    ) -> Result<(), TransferError> {
        let Some(packs) = had(packs_of(self.reader, base))? else { return Ok(()) };
        if packs.iter().any(|pack| self.condemned.contains(&pack.id)) {
            return Ok(());
        }
        self.vouched.extend(packs);
        let kind = match (base.kind, base.manifest) {
            (PointerKind::Tree, _) => ItemKind::Tree,
            (PointerKind::File, Some(_)) => ItemKind::Manifest,
            (PointerKind::File, None) => {
                self.chunks.extend(base.top.map(|top| (base.root, top)));
                return Ok(());
            }
        };
        let id = base.manifest.unwrap_or(base.root);
        let (Some(top), Some(locator)) = (base.top, base.locator) else { return Ok(()) };
        let mut copy = base.locator_copy.as_ref().and_then(|copy| LocatorNode::decode(copy).ok());
        let mut open = vec![(id, kind, Vec::new(), top, locator)];
        while let Some((id, kind, path, place, locator_place)) = open.pop() {
            if wanted.contains(&id) {
                self.nodes.insert(id, (place, locator_place));
                continue;
            }
            let Some(node) = self.node(id, kind, place)? else { continue };
            // The record has a copy of the first locator, if that is short.
            let locator = copy.take().map_or_else(|| self.locator(locator_place), |copy| Ok(Some(copy)))?;
            let Some(locator) = locator else { continue };
            let parts = parts_of(kind, &node, &path);
            for (part, located) in parts.into_iter().zip(locator.entries) {
                match (part, located) {
                    (Part::Chunk(id, raw), Located::Chunk(spot)) => {
                        self.chunks.extend(spot.place(locator_place.pack, raw).map(|place| (id, place)));
                    }
                    (Part::Node(id, kind, path), Located::Child { node, locator }) => {
                        let own = locator_place.pack;
                        if (wanted.contains(&id) || paths.contains(&path))
                            && let (Ok(node), Ok(locator)) = (node.place(own), locator.place(own))
                        {
                            open.push((id, kind, path, node, locator));
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// A node, from the store or the remote; `None` where it cannot be had.
    fn node(&self, id: Digest, kind: ItemKind, place: Place) -> Result<Option<Vec<u8>>, TransferError> {
        if let Ok(node) = self.store.read(&id) {
            return Ok(Some(node));
        }
        Ok(had(self.reader.read_all(&[Wanted { id: Some(id), kind, place }]))?
            .map(|mut nodes| nodes.swap_remove(0)))
    }

    /// A locator, from the store (pushes leave theirs there) or the remote.
    fn locator(&self, place: Place) -> Result<Option<LocatorNode>, TransferError> {
        let footer = self.knowledge.footer(&place.pack.id);
        let entry = footer.as_ref().and_then(|footer| {
            footer
                .places(place.pack)
                .find(|(_, found)| found.offset == place.offset)
                .map(|(entry, _)| entry.id)
        });
        if let Some(bytes) = entry.and_then(|id| self.store.read(&id).ok()) {
            return Ok(LocatorNode::decode(&bytes).ok());
        }
        let wanted = Wanted { id: None, kind: ItemKind::Locator, place };
        let read = had(self.reader.read_all(&[wanted]))?;
        Ok(read.and_then(|read| LocatorNode::decode(read.first()?).ok()))
    }

    /// Where a node and its locator lie, if a base root has it.
    pub fn find_node(&self, id: &Digest) -> Option<(Place, Place)> {
        self.nodes.get(id).copied()
    }

    /// Where a chunk lies, as a base or a table says that was read so far.
    pub fn find_chunk(&self, id: &Digest) -> Option<Place> {
        self.chunks.get(id).copied()
    }

    /// Reads the tables to which the hooks of `indexes` lead from any of `chunks`.
    ///
    /// # Errors
    ///
    /// When a table cannot be fetched; one that is gone or damaged is passed over.
    pub fn follow_hooks<'c>(
        &mut self,
        indexes: &[Index],
        chunks: impl Iterator<Item = &'c Digest>,
    ) -> Result<(), TransferError> {
        for id in chunks {
            if self.chunks.contains_key(id) {
                continue;
            }
            for pack in indexes.iter().flat_map(|index| index.may_hold(id)) {
                if self.condemned.contains(&pack.id) || !self.asked.insert(pack.id) {
                    continue;
                }
                match self.reader.footer(&pack) {
                    Ok(footer) => {
                        self.knowledge.keep_footer(&footer)?;
                        self.take_footer(pack, &footer);
                    }
                    Err(ReadError::Remote(error)) => return Err(error.into()),
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }

    /// The packs of all base roots.
    pub fn vouched(&self) -> &BTreeSet<PackRef> {
        &self.vouched
    }
}

/// What was read; `None` where it is gone or damaged, and only the failure of the remote itself is an error.
fn had<T, E: Into<TransferError>>(read: Result<T, E>) -> Result<Option<T>, TransferError> {
    match read.map_err(Into::into) {
        Ok(read) => Ok(Some(read)),
        Err(TransferError::Read(error)) if !matches!(error, ReadError::Remote(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What one entry of a node names.
pub enum Part {
    /// An empty file.
    Nothing,
    /// A chunk and its length.
    Chunk(Digest, u32),
    /// A node: its id, its kind, the path of the file or directory that it belongs to.
    Node(Digest, ItemKind, Vec<u8>),
}

/// The parts of a node, in the order of its entries; none where it is not sound.
pub fn parts_of(kind: ItemKind, node: &[u8], path: &[u8]) -> Vec<Part> {
    match kind {
        ItemKind::Tree => {
            let node = TreeNode::decode(node).map(TreeNode::into_entries).unwrap_or_default();
            node.iter().map(|entry| part_of_entry(entry, path)).collect()
        }
        _ => match ManifestNode::decode(node) {
            Ok(ManifestNode::Leaf(chunks)) => {
                chunks.iter().map(|chunk| Part::Chunk(chunk.id, chunk.len)).collect()
            }
            Ok(ManifestNode::Inner { children, .. }) => {
                let child = |child: &crate::objects::manifest::ChildEntry| {
                    Part::Node(child.id, ItemKind::Manifest, path.to_owned())
                };
                children.iter().map(child).collect()
            }
            Err(_) => Vec::new(),
        },
    }
}

fn part_of_entry(entry: &crate::objects::TreeEntry, path: &[u8]) -> Part {
    use crate::objects::EntryKind;
    let below = || crate::data::content::joined(path, &entry.name);
    match (entry.kind, entry.manifest) {
        (EntryKind::Split, _) => Part::Node(entry.id, ItemKind::Tree, path.to_owned()),
        (EntryKind::Directory, _) => Part::Node(entry.id, ItemKind::Tree, below()),
        (_, Some(manifest)) => Part::Node(manifest, ItemKind::Manifest, below()),
        (_, None) if entry.size == 0 => Part::Nothing,
        (_, None) => Part::Chunk(entry.id, u32::try_from(entry.size).unwrap_or(u32::MAX)),
    }
}
