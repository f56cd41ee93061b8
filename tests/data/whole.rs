//! Whether what a remote names exists: from each root record down to each byte, without the reader of the crate.

use std::collections::HashMap;

use git_ml::base::Digest;
use git_ml::objects::pointer::PointerKind;
use git_ml::objects::{
    EntryKind, ItemKind, ManifestNode, PackFooter, PackRef, RootPacks, RootRecord, TreeNode, codec, layout,
};
use git_ml::storage::remote::Remote;

/// All items of the packs that a root names.
struct Items(HashMap<Digest, Vec<u8>>);

impl Items {
    fn of(remote: &Remote, packs: &[PackRef]) -> Self {
        let mut items = HashMap::new();
        for pack in packs {
            let bytes = remote.get(&layout::pack_name(&pack.id)).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(bytes.len() as u64, u64::from(pack.size));
            let at = pack.footer_offset() as usize;
            let footer = &bytes[at..at + pack.footer_len as usize];
            assert_eq!(Digest::of(footer), pack.id);
            for (entry, place) in PackFooter::decode(footer).unwrap().places(*pack) {
                let stored = &bytes[place.offset as usize..(place.offset + place.stored) as usize];
                let item = codec::decode(entry.codec, stored, entry.raw).unwrap();
                assert_eq!(entry.kind.id_of(&item), entry.id);
                items.insert(entry.id, item);
            }
        }
        Self(items)
    }

    fn get(&self, id: &Digest) -> &[u8] {
        self.0.get(id).unwrap_or_else(|| panic!("{id} is in no pack that the root names"))
    }

    fn check_content(&self, id: Digest, manifest: Option<Digest>, size: u64) {
        let mut bytes = Vec::new();
        match manifest {
            None if size == 0 => {}
            None => bytes.extend(self.get(&id)),
            Some(manifest) => self.append(&manifest, &mut bytes),
        }
        assert_eq!((Digest::of(&bytes), bytes.len() as u64), (id, size));
    }

    fn append(&self, manifest: &Digest, bytes: &mut Vec<u8>) {
        match ManifestNode::decode(self.get(manifest)).unwrap() {
            ManifestNode::Leaf(chunks) => chunks.iter().for_each(|chunk| bytes.extend(self.get(&chunk.id))),
            ManifestNode::Inner { children, .. } => {
                children.iter().for_each(|child| self.append(&child.id, bytes));
            }
        }
    }

    fn check_tree(&self, id: &Digest) {
        for entry in TreeNode::decode(self.get(id)).unwrap().entries() {
            match entry.kind {
                EntryKind::Directory | EntryKind::Split => self.check_tree(&entry.id),
                EntryKind::File | EntryKind::Link => {
                    self.check_content(entry.id, entry.manifest, entry.size);
                }
            }
        }
    }
}

/// The record of a root under this name.
pub fn record(remote: &Remote, name: &str) -> RootRecord {
    RootRecord::decode(&remote.get(name).unwrap()).unwrap()
}

/// Checks every root record of a remote; how many there are.
pub fn check_all(remote: &Remote) -> usize {
    let listed = remote.list(layout::ROOTS).unwrap();
    for object in &listed {
        let record = record(remote, &object.name);
        let name = layout::root_name(&record.repository, &record.root, &record.session);
        assert_eq!(name, object.name);
        let RootPacks::Inline(packs) = &record.packs else { panic!("a small root has its packs inline") };
        let items = Items::of(remote, packs);
        match record.kind {
            PointerKind::Tree => items.check_tree(&record.root),
            PointerKind::File => items.check_content(record.root, record.manifest, record.bytes),
        }
        for place in [record.top, record.locator].into_iter().flatten() {
            assert!(packs.contains(&place.pack));
        }
        assert!(record.bytes == 0 || record.top.is_some());
        assert!(items.0.len() < 1 << 20 && ItemKind::Chunk != ItemKind::Tree);
    }
    listed.len()
}
