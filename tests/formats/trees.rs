//! Trees depend on the set of their entries alone.

use std::collections::HashMap;

use git_ml::base::Digest;
use git_ml::objects::tree::TreeError;
use git_ml::objects::{EntryKind, TreeEntry, TreeNode, TreeSummary, build_tree};
use proptest::prelude::*;

type Nodes = HashMap<Digest, Vec<u8>>;

fn build(entries: Vec<TreeEntry>) -> Result<(TreeSummary, Nodes), TreeError> {
    let mut nodes = Nodes::new();
    let top = build_tree::<TreeError>(entries, &mut |id, bytes| {
        nodes.insert(id, bytes);
        Ok(())
    })?;
    Ok((top, nodes))
}

fn file(name: &str) -> TreeEntry {
    let content = name.repeat(3);
    TreeEntry::file(name.into(), false, Digest::of(content.as_bytes()), content.len() as u64, None)
}

/// The entries of a directory, in order, with every check on the way.
fn walk(nodes: &Nodes, top: TreeSummary) -> Vec<TreeEntry> {
    let node = TreeNode::decode(&nodes[&top.id]).unwrap();
    node.check_top(top.size, top.files).unwrap();
    let mut entries = Vec::new();
    walk_node(nodes, &node, &mut entries);
    entries
}

fn walk_node(nodes: &Nodes, node: &TreeNode, entries: &mut Vec<TreeEntry>) {
    for (at, entry) in node.entries().iter().enumerate() {
        if entry.kind == EntryKind::Split {
            let child = TreeNode::decode(&nodes[&entry.id]).unwrap();
            node.check_child(at, &child).unwrap();
            walk_node(nodes, &child, entries);
        } else {
            entries.push(entry.clone());
        }
    }
}

fn find<'a>(nodes: &'a Nodes, top: TreeSummary, name: &[u8]) -> Option<TreeEntry> {
    let mut bytes: &'a [u8] = &nodes[&top.id];
    loop {
        let node = TreeNode::decode(bytes).unwrap();
        let entry = node.find(name)?.clone();
        if entry.kind != EntryKind::Split {
            return Some(entry);
        }
        bytes = &nodes[&entry.id];
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_insertion_does_not_matter(
        names in prop::collection::btree_set("[a-z]{0,5}-", 0..3000),
        seed in any::<u64>(),
    ) {
        let sorted: Vec<_> = names.iter().map(|name| file(name)).collect();
        let mut shuffled = sorted.clone();
        shuffled.sort_by_key(|entry| Digest::of(&[&entry.name[..], &seed.to_le_bytes()].concat()));
        let (top, nodes) = build(sorted.clone()).unwrap();
        prop_assert_eq!(build(shuffled).unwrap(), (top, nodes.clone()));
        prop_assert_eq!(walk(&nodes, top), sorted.clone());
        for entry in sorted.iter().step_by(97) {
            prop_assert_eq!(find(&nodes, top, &entry.name), Some(entry.clone()));
        }
        prop_assert_eq!(find(&nodes, top, b"zzzzzzz-"), None);
        for (id, bytes) in &nodes {
            let node = TreeNode::decode(bytes).unwrap();
            prop_assert_eq!((node.id(), &node.encode()), (*id, bytes));
        }
    }
}

#[test]
fn a_changed_file_rewrites_one_path_of_nodes() {
    let mut entries: Vec<_> = (0..100_000).map(|i| file(&format!("img{i:06}.png"))).collect();
    let (_, before) = build(entries.clone()).unwrap();
    entries[77_777].id = Digest::of(b"another picture");
    let (top, after) = build(entries).unwrap();
    let rewritten = after.keys().filter(|id| !before.contains_key(*id)).count();
    let depth = TreeNode::decode(&after[&top.id]).unwrap().level() + 1;
    assert_eq!((rewritten, depth), (3, 3));
    assert!(after.values().all(|bytes| bytes.len() < 400_000));
}

#[test]
fn entries_that_cannot_be_kept_are_refused() {
    assert_eq!(build(vec![file("a"), file("b"), file("a")]), Err(TreeError::Twice { name: b"a".to_vec() }));
    assert!(matches!(build(vec![file("..")]), Err(TreeError::Name(_))));
    let mut huge = file("huge");
    huge.size = 100_000;
    assert_eq!(build(vec![huge.clone()]), Err(TreeError::Entry { name: b"huge".to_vec() }));
    huge.manifest = Some(Digest::of(b"m"));
    assert!(build(vec![huge.clone()]).is_ok());
    huge.size = u64::MAX;
    assert_eq!(build(vec![huge, file("one more")]), Err(TreeError::TooLarge));
}

#[test]
fn an_empty_directory_has_an_id_and_a_node() {
    let (top, nodes) = build(Vec::new()).unwrap();
    assert_eq!((top.size, top.files, nodes[&top.id].len()), (0, 0, 18));
    assert!(TreeNode::decode(&nodes[&top.id]).unwrap().entries().is_empty());
}

#[test]
fn names_of_one_letter_are_read_again() {
    for names in [&["a"][..], &["a", "b"], &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]] {
        let (top, nodes) = build(names.iter().map(|name| file(name)).collect()).unwrap();
        assert_eq!(walk(&nodes, top).len(), names.len());
    }
}
