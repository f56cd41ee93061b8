//! Which items versions consist of, as far as the store has their nodes.

use std::collections::HashSet;

use super::error::CollectError;
use crate::base::Digest;
use crate::data::root::RootName;
use crate::objects::item::ItemKind;
use crate::objects::manifest::ManifestNode;
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeNode};
use crate::storage::store::{Store, StoreError};

/// The items that some versions need. One id costs 32 bytes and its share of the table.
#[derive(Debug, Default)]
pub struct Reach {
    ids: HashSet<Digest>,
}

impl Reach {
    /// Whether the item is needed.
    pub fn has(&self, id: &Digest) -> bool {
        self.ids.contains(id)
    }

    /// How many items are needed.
    pub fn len(&self) -> u64 {
        self.ids.len() as u64
    }

    /// Whether the store has a content of it, or a part of one: nodes of trees alone are none.
    pub fn has_contents(&self, store: &Store) -> bool {
        let is_content = |id: &&Digest| {
            let found = store.contains(id).then(|| store.find(id).ok().flatten()).flatten();
            found.is_some_and(|found| found.kind != ItemKind::Tree)
        };
        self.ids.iter().find(is_content).is_some()
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
            (PointerKind::File, Some(manifest)) => (manifest, ItemKind::Manifest),
            (PointerKind::File, None) => {
                self.ids.insert(root.id);
                return Ok(());
            }
        };
        let mut open = vec![top];
        while let Some((id, kind)) = open.pop() {
            if !self.ids.insert(id) {
                continue;
            }
            let node = match store.read(&id) {
                Ok(node) => node,
                Err(StoreError::Missing { .. }) => continue,
                Err(source) => return Err(CollectError::Damaged { id, source }),
            };
            self.add_parts(kind, &node, &mut open);
        }
        Ok(())
    }

    fn add_parts(&mut self, kind: ItemKind, node: &[u8], open: &mut Vec<(Digest, ItemKind)>) {
        if kind == ItemKind::Tree {
            let entries = TreeNode::decode(node).map(TreeNode::into_entries).unwrap_or_default();
            for entry in entries {
                match (entry.kind, entry.manifest) {
                    (EntryKind::Directory | EntryKind::Split, _) => open.push((entry.id, ItemKind::Tree)),
                    (_, Some(manifest)) => open.push((manifest, ItemKind::Manifest)),
                    (_, None) => {
                        self.ids.insert(entry.id);
                    }
                }
            }
            return;
        }
        match ManifestNode::decode(node) {
            Ok(ManifestNode::Leaf(chunks)) => self.ids.extend(chunks.iter().map(|chunk| chunk.id)),
            Ok(ManifestNode::Inner { children, .. }) => {
                open.extend(children.iter().map(|child| (child.id, ItemKind::Manifest)));
            }
            Err(_) => {}
        }
    }
}
