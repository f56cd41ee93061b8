//! Golden bytes: what version 1 wrote is read for ever, and written the same.
//!
//! The files in `fixtures/formats` are never made anew: a format that changes gets a new version and further files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use git_ml::base::{Digest, RandomId};
use git_ml::objects::index::PackContents;
use git_ml::objects::item::context;
use git_ml::objects::locator::{NodeSpot, Spot};
use git_ml::objects::manifest::{ChildEntry, ChunkEntry};
use git_ml::objects::pack::Trailer;
use git_ml::objects::pack_set::{PackSetNode, SetChild};
use git_ml::objects::pointer::PointerKind;
use git_ml::objects::tree::TreeError;
use git_ml::objects::{
    BaseRoot, Certificate, Codec, Extension, GcRecord, Home, Index, ItemKind, Located, LocatorNode,
    ManifestNode, Moves, PackBuilder, PackFooter, PackHeader, PackRef, Place, Pointer, RecordName,
    RemoteConfig, RootName, RootPacks, RootRecord, SessionId, Shape, TreeEntry, TreeNode, build_tree, codec,
};

fn golden(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn id(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn session() -> SessionId {
    SessionId { epoch: 7, random: RandomId::from_bytes([0x5e; 16]) }
}

fn pack(name: &str) -> PackRef {
    PackRef { id: id(name), size: 1_000_000, footer_len: 68 + 42 * 1000 }
}

fn place(name: &str) -> Place {
    Place { pack: pack(name), offset: 4096, stored: 700, raw: 1234, codec: Codec::Zstd }
}

fn penguins() -> Vec<TreeEntry> {
    let mut entries = vec![
        TreeEntry::file(b"adelie.csv".to_vec(), false, id("adelie"), 6, None),
        TreeEntry::file(b"empty".to_vec(), false, id(""), 0, None),
        TreeEntry::file("größe".into(), false, id("gentoo"), 300_000, Some(id("a manifest"))),
        TreeEntry::file(b"train.sh".to_vec(), true, id("chinstrap"), 9, None),
        TreeEntry::link(b"latest".to_vec(), b"adelie.csv"),
    ];
    let empty = build_tree::<TreeError>(Vec::new(), &mut |_, _| Ok(())).unwrap();
    entries.push(TreeEntry::directory(b"nothing".to_vec(), empty));
    entries
}

/// Nodes of a directory, those below first.
fn nodes(entries: Vec<TreeEntry>) -> Vec<(Digest, Vec<u8>)> {
    let mut nodes = Vec::new();
    build_tree::<TreeError>(entries, &mut |id, bytes| {
        nodes.push((id, bytes));
        Ok(())
    })
    .unwrap();
    nodes
}

/// Holds the bytes, and the id of a node, against the golden ones.
fn check(name: &str, bytes: &[u8]) {
    assert!(golden(name) == bytes, "{name} is written otherwise");
}

#[test]
fn pointers() {
    let mut table =
        Pointer::file(id("gentoo"), 300_000, Some(id("a manifest"))).with_shape(Some(Shape::Table {
            format: "csv".into(),
            rows: 344,
            columns: vec!["id int64 nulls=0".into(), "\"odd\"\\name\n utf8 nulls=12".into()],
        }));
    table.unknown = "future = [1, 2]\n[later]\nx = true\n".parse().unwrap();
    let tree = Pointer::tree(id("a tree"), 300_015).with_shape(Some(Shape::Tree {
        files: 5,
        bytes: 300_015,
        extensions: vec!["csv files=1 bytes=6".into()],
        folders: Vec::new(),
    }));
    for (name, pointer) in [
        ("pointer-1-file.mld", table),
        ("pointer-1-small.mld", Pointer::file(id("x"), 1, None)),
        ("pointer-1-tree.mld", tree),
    ] {
        check(name, pointer.to_text().as_bytes());
        assert_eq!(Pointer::parse(&golden(name)), Ok(pointer), "{name}");
    }
}

#[test]
fn trees() {
    let leaf = nodes(penguins()).pop().unwrap();
    check("tree-1-leaf", &leaf.1);
    assert_eq!(leaf.0.to_string(), "b274c35b6337fdeedcf194d887138f4fe53eab12a06afa89b4dedaebf63e51c3");
    let file = |i| TreeEntry::file(format!("{i:04}").into(), false, id("adelie"), 6, None);
    let large = nodes((0..2000).map(file).collect());
    check("tree-1-split", &large.last().unwrap().1);
    let split = TreeNode::decode(&golden("tree-1-split")).unwrap();
    assert_eq!((split.level(), split.entries().len()), (1, large.len() - 1));
    assert_eq!(
        nodes(Vec::new())[0].0.to_string(),
        "045cac04b3201819a97c0452a9d428d56feba257ba1206b112fa35c041bff34d"
    );
}

#[test]
fn manifests() {
    let chunk = |i: u32| ChunkEntry { id: id(&i.to_string()), len: 65_536 + i };
    let leaf = ManifestNode::Leaf((0..5).map(chunk).collect());
    check("manifest-1-leaf", &leaf.encode());
    assert_eq!(ManifestNode::decode(&golden("manifest-1-leaf")), Ok(leaf.clone()));
    assert_eq!(leaf.id().to_string(), "cbec6903cba0ba22a3e64eb83115feaa93c0ed0d898ed9f70dbfb913c11682a7");
    let child = |i: u64| ChildEntry { id: id(&i.to_string()), bytes: 40_000 * (i + 1), chunks: i + 1 };
    let inner = ManifestNode::Inner { level: 1, children: (0..3).map(child).collect() };
    check("manifest-1-inner", &inner.encode());
    assert_eq!(ManifestNode::decode(&golden("manifest-1-inner")), Ok(inner));
}

#[test]
fn locators() {
    let spot = |pack| Spot { pack, offset: 64, stored: 700, codec: Codec::Planes4 };
    let node = |pack| NodeSpot { spot: spot(pack), raw: 1234 };
    let entries = vec![
        Located::Chunk(spot(None)),
        Located::Nothing,
        Located::Child { node: node(Some(pack("second"))), locator: node(None) },
        Located::Chunk(spot(Some(pack("first")))),
        Located::Chunk(spot(Some(pack("second")))),
    ];
    let locator = LocatorNode { level: 0, entries };
    check("locator-1", &locator.encode());
    assert_eq!(LocatorNode::decode(&golden("locator-1")), Ok(locator.clone()));
    assert_eq!(locator.id().to_string(), "f54437e3a25e117b5b3498c45fe97527ddcf3ab81e62dc1f6c82ca207d740828");
}

#[test]
fn pack_sets() {
    let mut packs = vec![pack("first"), pack("second"), pack("third")];
    packs.sort();
    let leaf = PackSetNode::Leaf(packs.clone());
    check("pack-set-1-leaf", &leaf.encode());
    assert_eq!(PackSetNode::decode(&golden("pack-set-1-leaf")), Ok(leaf));
    let own = NodeSpot { spot: Spot { pack: None, offset: 64, stored: 700, codec: Codec::Zstd }, raw: 1234 };
    let children = vec![
        SetChild { id: id("a leaf"), last: packs[0].id, packs: 1, node: own },
        SetChild { id: id("another"), last: packs[2].id, packs: 2, node: place("first").into() },
    ];
    let inner = PackSetNode::Inner { level: 1, children };
    check("pack-set-1-inner", &inner.encode());
    assert_eq!(PackSetNode::decode(&golden("pack-set-1-inner")), Ok(inner));
}

#[test]
fn packs() {
    let bytes = golden("pack-1");
    let header = PackHeader::decode(&bytes[..64]).unwrap();
    assert_eq!(header.nonce, [0x40; 24]);
    let footer_len = Trailer::decode(bytes.last_chunk().unwrap()).unwrap().footer_len as usize;
    let footer = PackFooter::decode(&bytes[bytes.len() - 16 - footer_len..bytes.len() - 16]).unwrap();
    let pack = footer.pack_ref();
    assert_eq!(pack.id.to_string(), "9d06e00a08071bcb4aa5eb737a7b11a7dd75e2b5af3957e3d4dbf749edba9aa4");
    // Written again with the stored forms that it holds, since another zstd may compress otherwise.
    let mut builder = PackBuilder::with_header(&header, session(), Vec::new()).unwrap();
    let mut kinds = Vec::new();
    for (entry, place) in footer.places(pack) {
        let stored = &bytes[place.offset as usize..][..place.stored as usize];
        let raw = codec::decode(place.codec, stored, place.raw).unwrap();
        assert_eq!(entry.kind.id_of(&raw), entry.id);
        kinds.push((entry.kind, entry.codec, raw.len()));
        builder.push(entry.id, entry.kind, entry.codec, stored, entry.raw).unwrap();
    }
    let expected = [
        (ItemKind::Chunk, Codec::Raw, 6),
        (ItemKind::Chunk, Codec::Zstd, 4000),
        (ItemKind::Chunk, Codec::Planes2, 4001),
        (ItemKind::Chunk, Codec::Planes4, 4003),
        (ItemKind::Tree, Codec::Raw, 18),
    ];
    assert_eq!(kinds, expected);
    assert!(builder.finish().unwrap().out == bytes, "pack-1 is written otherwise");
}

fn root() -> RootRecord {
    let repository = RandomId::from_bytes([0x11; 16]);
    RootRecord {
        repository,
        home: Home::of(repository, "https://example.org/penguins"),
        session: session(),
        kind: PointerKind::Tree,
        root: id("a tree"),
        manifest: None,
        bytes: 300_015,
        files: 5,
        bases: vec![BaseRoot { root: id("an older tree"), session: SessionId { epoch: 3, ..session() } }],
        commits: vec!["5d1c3b7e9f00112233445566778899aabbccddee".into(), "ab".repeat(32)],
        top: Some(place("first")),
        top_copy: Some(b"a copy of the top node".to_vec()),
        locator: Some(place("second")),
        locator_copy: Some(b"a copy of the locator".to_vec()),
        packs: RootPacks::Set { id: id("a set"), packs: 3, place: place("first") },
        meta_packs: vec![pack("first")],
        profiles: Some(place("second")),
        extensions: vec![Extension { tag: 9, bytes: b"later".to_vec() }],
    }
}

fn small_root() -> RootRecord {
    let mut packs = vec![pack("first"), pack("second")];
    packs.sort();
    RootRecord {
        kind: PointerKind::File,
        root: id("gentoo"),
        manifest: Some(id("a manifest")),
        files: 1,
        top_copy: None,
        locator_copy: None,
        packs: RootPacks::Inline(packs),
        meta_packs: Vec::new(),
        profiles: None,
        ..root()
    }
}

#[test]
fn roots_and_claims() {
    check("root-1-tree", &root().encode().unwrap());
    check("root-1-file", &small_root().encode().unwrap());
    check("claim-1", &root().encode_claim().unwrap());
    assert_eq!(RootRecord::decode(&golden("root-1-tree")), Ok(root()));
    assert_eq!(RootRecord::decode(&golden("root-1-file")), Ok(small_root()));
    assert_eq!(RootRecord::decode_claim(&golden("claim-1")), Ok(root()));
}

#[test]
fn indexes() {
    let index = Index::decode(&golden("index-1")).unwrap();
    check("index-1", &index.encode().unwrap().1);
    let mut packs = [(pack("first"), PackContents::Chunks), (pack("second"), PackContents::Both)];
    packs.sort();
    assert_eq!(index.packs(), packs);
    assert_eq!((index.epoch(), index.supersedes().len()), (7, 1));
    assert_eq!(index.may_hold(&id("adelie")).collect::<Vec<_>>(), [pack("first")]);
    assert_eq!(index.may_hold(&id("gentoo")).collect::<Vec<_>>(), [pack("second")]);
}

fn gc_record(certificate: Certificate) -> GcRecord {
    let repository = RandomId::from_bytes([0x11; 16]);
    let forgotten = RootName { repository, root: id("an older tree"), session: session() };
    GcRecord {
        epoch: 8,
        nonce: RandomId::from_bytes([0x22; 16]),
        config: id("a configuration"),
        floor: 7,
        certificate,
        condemned: BTreeSet::from([id("first"), id("second")]),
        forgotten: BTreeSet::from([forgotten]),
        extensions: Vec::new(),
    }
}

#[test]
fn gc_records_and_moves() {
    let repository = RandomId::from_bytes([0x11; 16]);
    let certified = RootName { repository, root: id("a tree"), session: session() };
    let here = gc_record(Certificate::Here(BTreeSet::from([certified])));
    let elsewhere = gc_record(Certificate::In(RecordName { epoch: 5, id: id("a record") }));
    for (name, record) in [("gc-1-certificate", here), ("gc-1", elsewhere)] {
        check(name, &record.encode().unwrap().1);
        assert_eq!(GcRecord::decode(&golden(name)), Ok(record));
    }
    let moves = Moves { pack: id("first"), targets: vec![pack("second")], extensions: Vec::new() };
    check("moves-1", &moves.encode().unwrap());
    assert_eq!(Moves::decode(&golden("moves-1")), Ok(moves));
}

#[test]
fn configurations() {
    let config = RemoteConfig { remote_id: RandomId::from_bytes([0x33; 16]), ..RemoteConfig::fresh() };
    check("config-1.toml", config.to_text().unwrap().as_bytes());
    assert_eq!(RemoteConfig::parse(&golden("config-1.toml")), Ok(config));
    assert_eq!(
        RemoteConfig::id_of(&golden("config-1.toml")).to_string(),
        "2c2b9270d8d50f60ddd58b23f50b6725a02a807443cb8c8eb108d5d6f443b329"
    );
}

#[test]
fn contexts_never_change() {
    let contexts = [
        context::TREE,
        context::MANIFEST,
        context::LOCATOR,
        context::PACK_SET,
        context::PROFILE,
        context::ROOT,
        context::CLAIM,
        context::INDEX,
        context::GC,
        context::MOVES,
        context::CONFIG,
        context::HOME,
    ];
    let names = [
        "tree", "manifest", "locator", "pack set", "profile", "root", "claim", "index", "gc", "moves",
        "config", "home",
    ];
    assert_eq!(contexts.map(str::to_owned), names.map(|name| format!("git-ml 1 {name}")));
}
