//! The items that a version needs, with the path that each is for.

use std::collections::HashSet;

use crate::base::Digest;
use crate::data::content::joined;
use crate::data::root::RootName;
use crate::objects::item::ItemKind;
use crate::objects::manifest::{ChildEntry, ManifestNode};
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeNode};
use crate::storage::store::Store;

/// Something that a version needs.
pub enum Need<'a> {
    /// An item, and the path below the version that it is for.
    Item(Digest, &'a [u8]),
    /// A content of several chunks: its id, manifest and size in bytes.
    Content(Digest, Digest, u64),
}

/// Tells everything that `root` needs, as far as its nodes are here. `seen` holds the nodes that were followed before, which
/// are not followed again.
pub fn visit(store: &Store, root: &RootName, seen: &mut HashSet<Digest>, tell: &mut dyn FnMut(Need<'_>)) {
    let mut open = Vec::new();
    match (root.kind, root.manifest) {
        (PointerKind::Tree, _) => open.push((root.id, ItemKind::Tree, Vec::new())),
        (PointerKind::File, manifest) => content(root.id, manifest, root.size, Vec::new(), &mut open, tell),
    }
    while let Some((id, kind, path)) = open.pop() {
        tell(Need::Item(id, &path));
        if !seen.insert(id) {
            continue;
        }
        // Most of a partial copy is not here: that is asked without a look at the disk.
        if !store.contains(&id) {
            continue;
        }
        let node = store.read(&id).unwrap_or_default();
        if kind == ItemKind::Tree {
            for entry in TreeNode::decode(&node).map(TreeNode::into_entries).unwrap_or_default() {
                match entry.kind {
                    EntryKind::Split => open.push((entry.id, ItemKind::Tree, path.clone())),
                    EntryKind::Directory => {
                        open.push((entry.id, ItemKind::Tree, joined(&path, &entry.name)));
                    }
                    EntryKind::File | EntryKind::Link => {
                        let path = joined(&path, &entry.name);
                        content(entry.id, entry.manifest, entry.size, path, &mut open, tell);
                    }
                }
            }
            continue;
        }
        match ManifestNode::decode(&node) {
            Ok(ManifestNode::Leaf(chunks)) => {
                chunks.iter().for_each(|chunk| tell(Need::Item(chunk.id, &path)));
            }
            Ok(ManifestNode::Inner { children, .. }) => {
                let child = |child: &ChildEntry| (child.id, ItemKind::Manifest, path.clone());
                open.extend(children.iter().map(child));
            }
            Err(_) => {}
        }
    }
}

fn content(
    id: Digest,
    manifest: Option<Digest>,
    size: u64,
    path: Vec<u8>,
    open: &mut Vec<(Digest, ItemKind, Vec<u8>)>,
    tell: &mut dyn FnMut(Need<'_>),
) {
    match manifest {
        Some(manifest) => {
            tell(Need::Content(id, manifest, size));
            open.push((manifest, ItemKind::Manifest, path));
        }
        None if size > 0 => tell(Need::Item(id, &path)),
        None => {}
    }
}
