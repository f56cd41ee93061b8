//! Manifests: what is pushed is what is walked, and an edit rewrites little.

use std::collections::HashMap;

use git_ml::base::Digest;
use git_ml::objects::manifest::ChunkEntry;
use git_ml::objects::{ChunkWalk, FormatError, ManifestBuilder, ManifestNode};
use proptest::prelude::*;

type Nodes = HashMap<Digest, Vec<u8>>;

fn build(chunks: &[ChunkEntry]) -> (Option<Digest>, Nodes) {
    let mut nodes = Nodes::new();
    let mut sink = |id, bytes| {
        nodes.insert(id, bytes);
        Ok::<(), FormatError>(())
    };
    let mut builder = ManifestBuilder::new();
    for chunk in chunks {
        builder.push(chunk.id, chunk.len, &mut sink).unwrap();
    }
    let top = builder.finish(&mut sink).unwrap();
    (top, nodes)
}

fn walk(nodes: &Nodes, top: Digest, size: u64) -> Result<Vec<ChunkEntry>, FormatError> {
    let mut walk = ChunkWalk::new(top, size);
    let mut chunks = Vec::new();
    while let Some(chunk) = walk.next(&mut |id| Ok::<_, FormatError>(nodes[id].clone()))? {
        chunks.push(chunk);
    }
    Ok(chunks)
}

fn chunks(count: u32, seed: u32) -> Vec<ChunkEntry> {
    let id = |i: u32| Digest::of(&[i.to_le_bytes(), seed.to_le_bytes()].concat());
    (0..count).map(|i| ChunkEntry { id: id(i), len: 65_536 - i % 1000 }).collect()
}

fn size(chunks: &[ChunkEntry]) -> u64 {
    chunks.iter().map(|chunk| u64::from(chunk.len)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_manifest_walks_as_it_was_pushed(count in 0_u32..30_000, seed in any::<u32>()) {
        let chunks = chunks(count, seed);
        let (top, nodes) = build(&chunks);
        prop_assert_eq!(top.is_some(), count > 1);
        if let Some(top) = top {
            prop_assert_eq!(walk(&nodes, top, size(&chunks)).unwrap(), chunks.clone());
            prop_assert!(walk(&nodes, top, size(&chunks) + 1).is_err());
        }
        for (id, bytes) in &nodes {
            let node = ManifestNode::decode(bytes).unwrap();
            prop_assert_eq!((node.id(), &node.encode()), (*id, bytes));
        }
    }
}

#[test]
fn one_changed_row_in_ten_gigabytes_rewrites_a_path_of_nodes() {
    let mut chunks = chunks(160_000, 1);
    let (_, before) = build(&chunks);
    chunks[77_777].id = Digest::of(b"another row");
    let (_, after) = build(&chunks);
    let rewritten: Vec<_> = after.iter().filter(|(id, _)| !before.contains_key(*id)).collect();
    let bytes: usize = rewritten.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(rewritten.len() <= 6 && bytes < 60_000, "{} nodes of {bytes} bytes", rewritten.len());
}

#[test]
fn a_node_that_repeats_itself_is_found_by_its_sums() {
    let chunks = chunks(2, 1);
    let leaf = ManifestNode::Leaf(chunks.clone());
    let (id, bytes) = (leaf.id(), size(&chunks));
    let child = git_ml::objects::manifest::ChildEntry { id, bytes, chunks: 2 };
    let liar = git_ml::objects::manifest::ChildEntry { bytes: bytes + 1, ..child };
    let bomb = ManifestNode::Inner { level: 1, children: vec![child, liar] };
    let nodes = Nodes::from([(id, leaf.encode()), (bomb.id(), bomb.encode())]);
    assert!(walk(&nodes, bomb.id(), 2 * bytes + 1).is_err());
    let too_deep = ManifestNode::Inner { level: 2, children: vec![child, child] };
    let nodes = Nodes::from([(id, leaf.encode()), (too_deep.id(), too_deep.encode())]);
    assert!(walk(&nodes, too_deep.id(), 2 * bytes).is_err());
}
