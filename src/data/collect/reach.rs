//! Which items versions consist of, as far as the store has their nodes.

use std::collections::HashSet;

use super::error::CollectError;
use crate::base::Digest;
use crate::data::root::RootName;
use crate::objects::item::ItemKind;
use crate::objects::manifest::ManifestNode;
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeEntry, TreeNode};
use crate::storage::store::{Store, StoreError};

/// The items that some versions need. One id costs 32 bytes and its share of the table.
#[derive(Debug, Default)]
pub struct Reach {
    ids: HashSet<Digest>,
    /// Nodes of them that the store did not have when they were to be followed.
    absent: Vec<(Digest, ItemKind)>,
    /// Whether only nodes of trees count.
    nodes_alone: bool,
}

impl Reach {
    /// One in which only the nodes of trees are counted.
    pub fn of_nodes() -> Self {
        Self { nodes_alone: true, ..Self::default() }
    }

    /// Whether the item is needed.
    pub fn has(&self, id: &Digest) -> bool {
        self.ids.contains(id)
    }

    /// How many items are needed.
    pub fn len(&self) -> u64 {
        self.ids.len() as u64
    }

    /// Adds a single item.
    pub fn add_item(&mut self, id: Digest) {
        self.ids.insert(id);
    }

    /// Adds all that the version consists of. What lies below a node that is not here cannot be told, and then is not here
    /// for the sake of this version either; a node that nobody can have written names nothing.
    ///
    /// # Errors
    ///
    /// [`CollectError::Damaged`] for a node that is here and cannot be read.
    pub fn add(&mut self, store: &Store, root: &RootName) -> Result<(), CollectError> {
        let top = match (root.kind, root.manifest) {
            (PointerKind::Tree, _) => (root.id, ItemKind::Tree),
            (PointerKind::File, _) if self.nodes_alone => return Ok(()),
            (PointerKind::File, Some(manifest)) => (manifest, ItemKind::Manifest),
            (PointerKind::File, None) => {
                self.ids.insert(root.id);
                return Ok(());
            }
        };
        if self.ids.insert(top.0) { self.follow(store, vec![top]) } else { Ok(()) }
    }

    /// Adds what lies below nodes that were not here, as far as they are here by now.
    ///
    /// # Errors
    ///
    /// As [`Reach::add`].
    pub fn add_arrived(&mut self, store: &Store) -> Result<(), CollectError> {
        let absent = std::mem::take(&mut self.absent);
        self.follow(store, absent)
    }

    fn follow(&mut self, store: &Store, mut open: Vec<(Digest, ItemKind)>) -> Result<(), CollectError> {
        while let Some((id, kind)) = open.pop() {
            // Most of a partial copy is not here: that is asked without a look at the disk.
            let node = if store.contains(&id) { store.read(&id) } else { Err(StoreError::Missing { id }) };
            match node {
                Ok(node) => self.add_parts(kind, &node, &mut open),
                Err(StoreError::Missing { .. }) => self.absent.push((id, kind)),
                Err(source) => return Err(CollectError::Damaged { id, source }),
            }
        }
        Ok(())
    }

    fn add_parts(&mut self, kind: ItemKind, node: &[u8], open: &mut Vec<(Digest, ItemKind)>) {
        if kind == ItemKind::Tree {
            let entries = TreeNode::decode(node).map(TreeNode::into_entries).unwrap_or_default();
            let is_below = |entry: &TreeEntry| matches!(entry.kind, EntryKind::Directory | EntryKind::Split);
            for entry in entries.into_iter().filter(|entry| !self.nodes_alone || is_below(entry)) {
                let (id, below) = match (entry.kind, entry.manifest) {
                    (EntryKind::Directory | EntryKind::Split, _) => (entry.id, Some(ItemKind::Tree)),
                    (_, Some(manifest)) => (manifest, Some(ItemKind::Manifest)),
                    (_, None) => (entry.id, None),
                };
                if self.ids.insert(id) {
                    open.extend(below.map(|kind| (id, kind)));
                }
            }
            return;
        }
        match ManifestNode::decode(node) {
            Ok(ManifestNode::Leaf(chunks)) => self.ids.extend(chunks.iter().map(|chunk| chunk.id)),
            Ok(ManifestNode::Inner { children, .. }) => {
                let new = children.iter().filter(|child| self.ids.insert(child.id));
                open.extend(new.map(|child| (child.id, ItemKind::Manifest)));
            }
            Err(_) => {}
        }
    }
}
