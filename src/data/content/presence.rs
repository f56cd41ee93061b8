//! How much of a version the store holds.

use std::collections::HashSet;

use serde::Serialize;

use crate::base::Digest;
use crate::data::root::RootName;
use crate::objects::item::ItemKind;
use crate::objects::manifest::ManifestNode;
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeNode};
use crate::storage::store::Store;

/// How much of a version the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Everything.
    Whole,
    /// Something, but not everything.
    Part,
    /// Not even its top.
    None,
}

/// How much of the version `root` the store holds. Damaged nodes count as missing.
pub fn presence(store: &Store, root: &RootName) -> Presence {
    let top = root.manifest.unwrap_or(root.id);
    let whole = match root.kind {
        PointerKind::File => holds_content(store, root.id, root.manifest),
        PointerKind::Tree => holds_tree(store, root.id),
    };
    match (whole, store.contains(&top)) {
        (true, _) => Presence::Whole,
        (false, true) => Presence::Part,
        (false, false) => Presence::None,
    }
}

/// Whether the store holds something of the contents of `root`: nodes of trees alone are nothing. Ends at the first find.
pub fn holds_some_content(store: &Store, root: &RootName) -> bool {
    let is_here = |id: Digest, manifest: Option<Digest>| store.contains(&manifest.unwrap_or(id));
    if root.kind == PointerKind::File {
        return is_here(root.id, root.manifest);
    }
    let mut seen = HashSet::new();
    let mut open = vec![root.id];
    while let Some(id) = open.pop() {
        if !store.contains(&id) || !seen.insert(id) {
            continue;
        }
        let node = store.read(&id).ok().and_then(|bytes| TreeNode::decode(&bytes).ok());
        for entry in node.map(TreeNode::into_entries).unwrap_or_default() {
            match entry.kind {
                EntryKind::Directory | EntryKind::Split => open.push(entry.id),
                EntryKind::File | EntryKind::Link if is_here(entry.id, entry.manifest) => return true,
                EntryKind::File | EntryKind::Link => {}
            }
        }
    }
    false
}

/// Whether the store holds every chunk of a content.
pub fn holds_content(store: &Store, id: Digest, manifest: Option<Digest>) -> bool {
    let Some(manifest) = manifest else {
        return store.contains(&id) || id == Digest::of(b"");
    };
    let mut open = vec![manifest];
    while let Some(id) = open.pop() {
        let node = store.read(&id).ok().and_then(|bytes| ManifestNode::decode(&bytes).ok());
        match node {
            None => return false,
            Some(ManifestNode::Leaf(chunks)) => {
                if !chunks.iter().all(|chunk| store.contains(&chunk.id)) {
                    return false;
                }
            }
            Some(ManifestNode::Inner { children, .. }) => open.extend(children.iter().map(|child| child.id)),
        }
    }
    true
}

fn holds_tree(store: &Store, id: Digest) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Some(node) = store.read(&id).ok().and_then(|bytes| TreeNode::decode(&bytes).ok()) else {
            return false;
        };
        for entry in node.entries() {
            match entry.kind {
                EntryKind::Directory | EntryKind::Split => open.push(entry.id),
                EntryKind::File | EntryKind::Link => {
                    if !holds_content(store, entry.id, entry.manifest) {
                        return false;
                    }
                }
            }
        }
    }
    true
}

/// Whether the store holds everything below a node of a tree or manifest, itself included.
pub fn holds(store: &Store, id: Digest, kind: ItemKind) -> bool {
    match kind {
        ItemKind::Tree => holds_tree(store, id),
        _ => store.contains(&id) && holds_content(store, id, Some(id)),
    }
}
