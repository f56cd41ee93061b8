//! A remote that our builders made is restored by a reader that shares no code with them.
//!
//! `GIT_ML_TEST_PYTHON` names a Python that has the packages blake3 and zstandard; `tests/run` makes one.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use git_ml::base::{Digest, RandomId};
use git_ml::objects::pack::Trailer;
use git_ml::objects::pack_builder::PackError;
use git_ml::objects::pointer::PointerKind;
use git_ml::objects::{
    Berth, ChunkReader, Encoder, EntryKind, FinishedPack, Home, ItemKind, ManifestBuilder, ManifestNode,
    Moves, PackBuilder, PackFooter, PackRef, PackSeries, RemoteConfig, RootPacks, RootRecord, SessionId,
    ToLocate, TreeEntry, TreeNode, TreeSummary, build_pack_set, build_tree, layout,
};

/// What a path of a user's data is.
enum Thing {
    File { bytes: Vec<u8>, executable: bool },
    Link(&'static str),
    Folder(BTreeMap<String, Thing>),
}

/// Everything that a tree or file is made of, by id.
#[derive(Default)]
struct Items(HashMap<Digest, Vec<u8>>);

impl Items {
    fn keep(&mut self, id: Digest, bytes: Vec<u8>) -> Result<(), git_ml::objects::tree::TreeError> {
        self.0.insert(id, bytes);
        Ok(())
    }

    /// Cuts a content; gives its manifest.
    fn add_content(&mut self, bytes: &[u8]) -> Option<Digest> {
        let (mut chunks, mut builder) = (ChunkReader::new(bytes), ManifestBuilder::new());
        while let Some(chunk) = chunks.next().unwrap() {
            self.0.insert(Digest::of(chunk), chunk.to_vec());
            builder.push(Digest::of(chunk), chunk.len() as u32, &mut |id, node| self.keep(id, node)).unwrap();
        }
        builder.finish(&mut |id, node| self.keep(id, node)).unwrap()
    }

    fn add_folder(&mut self, folder: &BTreeMap<String, Thing>) -> TreeSummary {
        let entry = |(name, thing): (&String, &Thing)| match thing {
            Thing::File { bytes, executable } => {
                let manifest = self.add_content(bytes);
                let (id, size) = (Digest::of(bytes), bytes.len() as u64);
                TreeEntry::file(name.clone().into(), *executable, id, size, manifest)
            }
            Thing::Link(target) => {
                self.add_content(target.as_bytes());
                TreeEntry::link(name.clone().into(), target.as_bytes())
            }
            Thing::Folder(inner) => TreeEntry::directory(name.clone().into(), self.add_folder(inner)),
        };
        let entries = folder.iter().map(entry).collect();
        build_tree(entries, &mut |id, node| self.keep(id, node)).unwrap()
    }
}

/// Puts nodes and their locators, those below first; chunks where they are met, or before.
struct Packer<'a> {
    items: &'a Items,
    series: PackSeries<'a, PackError>,
    chunks: HashMap<Digest, Berth>,
}

impl Packer<'_> {
    fn chunk(&mut self, id: &Digest) -> Berth {
        if let Some(berth) = self.chunks.get(id) {
            return *berth;
        }
        let berth = self.series.put(*id, ItemKind::Chunk, &self.items.0[id]).unwrap();
        self.chunks.insert(*id, berth);
        berth
    }

    fn manifest(&mut self, id: &Digest) -> (Berth, Berth) {
        let bytes = &self.items.0[id];
        let node = ManifestNode::decode(bytes).unwrap();
        let level = node.level();
        let parts: Vec<_> = match &node {
            ManifestNode::Leaf(chunks) => {
                chunks.iter().map(|chunk| ToLocate::Chunk(self.chunk(&chunk.id))).collect()
            }
            ManifestNode::Inner { children, .. } => {
                children.iter().map(|child| self.manifest(&child.id)).map(child).collect()
            }
        };
        self.series.put_with_locator(*id, ItemKind::Manifest, bytes, level, &parts).unwrap()
    }

    fn tree(&mut self, id: &Digest) -> (Berth, Berth) {
        let bytes = &self.items.0[id];
        let node = TreeNode::decode(bytes).unwrap();
        let mut parts = Vec::new();
        for entry in node.entries() {
            parts.push(match (entry.kind, &entry.manifest) {
                (EntryKind::Directory | EntryKind::Split, _) => child(self.tree(&entry.id)),
                (_, Some(manifest)) => child(self.manifest(manifest)),
                _ if entry.size == 0 => ToLocate::Nothing,
                _ => ToLocate::Chunk(self.chunk(&entry.id)),
            });
        }
        self.series.put_with_locator(*id, ItemKind::Tree, bytes, node.level(), &parts).unwrap()
    }
}

fn child((node, locator): (Berth, Berth)) -> ToLocate {
    ToLocate::Child { node, locator }
}

/// A folder remote.
struct Remote {
    folder: PathBuf,
    repository: RandomId,
    session: SessionId,
}

impl Remote {
    fn create(folder: &Path) -> Self {
        let remote = Self {
            folder: folder.to_owned(),
            repository: RandomId::generate(),
            session: SessionId::begin(0),
        };
        remote.put(layout::CONFIG, RemoteConfig::fresh().to_text().unwrap().as_bytes());
        remote
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn put_pack(&self, pack: &FinishedPack<Vec<u8>>) {
        self.put(&layout::pack_name(&pack.pack.id), &pack.out);
    }

    /// Stores a root as a small push does, all in one pack, or with chunks, nodes and pack set apart.
    fn publish(&self, items: &Items, top: &RootRecord, apart: bool) {
        let mut delivered = Vec::new();
        let mut deliver = |pack: FinishedPack<Vec<u8>>| {
            self.put_pack(&pack);
            delivered.push(pack.pack);
            Ok(Vec::new())
        };
        let mut series = PackSeries::new(self.session, 1, &mut deliver);
        let mut chunks = HashMap::new();
        if apart {
            for (id, bytes) in items.0.iter().filter(|(id, bytes)| Digest::of(bytes) == **id) {
                chunks.insert(*id, put_as_floats(&mut series, *id, bytes));
            }
            let finished = series.finish().unwrap();
            chunks.values_mut().for_each(|berth| *berth = finished.place(berth).unwrap().into());
            series = PackSeries::new(self.session, 1, &mut deliver);
        }
        let mut packer = Packer { items, series, chunks };
        let is_empty = top.kind == PointerKind::File && top.bytes == 0;
        let (berth, locator) = match (top.kind, &top.manifest) {
            (PointerKind::Tree, _) => packer.tree(&top.root).into_some(),
            (PointerKind::File, Some(manifest)) => packer.manifest(manifest).into_some(),
            _ if is_empty => (None, None),
            _ => (Some(packer.chunk(&top.root)), None),
        };
        let finished = packer.series.finish().unwrap();
        let place = |berth: Option<Berth>| berth.and_then(|berth| finished.place(&berth));
        let (top_place, locator) = (place(berth), place(locator));
        let mut packs: Vec<PackRef> = delivered.clone();
        packs.sort_unstable();
        let record = RootRecord { top: top_place, locator, packs: RootPacks::Inline(packs), ..top.clone() };
        let record = if apart { self.with_pack_set(record) } else { record };
        self.put(&layout::root_name(&self.repository, &top.root, &self.session), &record.encode().unwrap());
    }

    /// The record with its packs in a set of many, in a pack of its own.
    fn with_pack_set(&self, record: RootRecord) -> RootRecord {
        let RootPacks::Inline(mut packs) = record.packs else { panic!("inline") };
        let absent = |n: u64| PackRef { id: Digest::of(&n.to_le_bytes()), size: 1000, footer_len: 110 };
        packs.extend((0..3000).map(absent));
        let mut meta_packs = Vec::new();
        let mut deliver = |pack: FinishedPack<Vec<u8>>| {
            self.put_pack(&pack);
            meta_packs.push(pack.pack);
            Ok::<_, PackError>(Vec::new())
        };
        let mut series = PackSeries::new(self.session, 1, &mut deliver);
        let set = build_pack_set(packs, &HashMap::new(), &mut series).unwrap().unwrap();
        let place = series.finish().unwrap().place(&set.top).unwrap();
        let packs = RootPacks::Set { id: set.id, packs: set.packs as u32, place };
        RootRecord { packs, meta_packs, ..record }
    }

    fn record(
        &self,
        kind: PointerKind,
        root: Digest,
        manifest: Option<Digest>,
        bytes: u64,
        files: u64,
    ) -> RootRecord {
        RootRecord {
            repository: self.repository,
            home: Home::of(self.repository, "https://example.org/penguins"),
            session: self.session,
            kind,
            root,
            manifest,
            bytes,
            files,
            bases: Vec::new(),
            commits: vec!["5d1c3b7e9f00112233445566778899aabbccddee".into()],
            top: None,
            top_copy: None,
            locator: None,
            locator_copy: None,
            packs: RootPacks::Inline(Vec::new()),
            meta_packs: Vec::new(),
            profiles: None,
            extensions: Vec::new(),
        }
    }

    /// Copies all items of every pack into another, tells where, and deletes the packs.
    fn fold(&self) {
        for folder in fs::read_dir(self.folder.join("packs")).unwrap().map(|entry| entry.unwrap().path()) {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>() {
                let bytes = fs::read(&path).unwrap();
                let footer_len = Trailer::decode(bytes.last_chunk().unwrap()).unwrap().footer_len as usize;
                let footer = &bytes[bytes.len() - 16 - footer_len..bytes.len() - 16];
                let footer = PackFooter::decode(footer).unwrap();
                let mut folded = PackBuilder::in_memory(self.session);
                for (entry, place) in footer.places(footer.pack_ref()) {
                    let stored = &bytes[place.offset as usize..][..place.stored as usize];
                    folded.push(entry.id, entry.kind, entry.codec, stored, entry.raw).unwrap();
                }
                fs::remove_file(&path).unwrap();
                let folded = folded.finish().unwrap();
                self.put_pack(&folded);
                let moves = Moves { pack: footer.id(), targets: vec![folded.pack], extensions: Vec::new() };
                self.put(&layout::moves_name(&moves.pack), &moves.encode().unwrap());
            }
        }
    }

    fn restore(&self, root: &Digest, out: &Path) -> Result<(), String> {
        let python = python().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second_reader.py");
        let mut command = Command::new(python);
        command.arg(script).arg(&self.folder).arg(self.repository.to_string()).arg(root.to_string()).arg(out);
        let output = command.output().unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
    }
}

/// The Python that `tests/run` makes. Without it there is nothing to test, unless `tests/run` has promised one.
fn python() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tests-python/bin/python");
    let python = std::env::var_os("GIT_ML_TEST_PYTHON").map(PathBuf::from).or(made.exists().then_some(made));
    let is_promised = std::env::var_os("GIT_ML_TEST_REQUIRE").is_some();
    assert!(python.is_some() || !is_promised, "GIT_ML_TEST_REQUIRE is set, and there is no Python");
    if python.is_none() {
        println!("the second reader needs tests/run");
    }
    python
}

/// Both or neither.
trait IntoSome {
    fn into_some(self) -> (Option<Berth>, Option<Berth>);
}

impl IntoSome for (Berth, Berth) {
    fn into_some(self) -> (Option<Berth>, Option<Berth>) {
        (Some(self.0), Some(self.1))
    }
}

fn put_as_floats(series: &mut PackSeries<'_, PackError>, id: Digest, bytes: &[u8]) -> Berth {
    let mut stored = Vec::new();
    let codec = Encoder::default().encode(bytes, &mut stored);
    let raw = bytes.len() as u32;
    let item =
        git_ml::objects::FooterEntry { id, stored: stored.len() as u32, raw, codec, kind: ItemKind::Chunk };
    series.put_stored(&item, &stored).unwrap()
}

fn file(bytes: impl Into<Vec<u8>>) -> Thing {
    Thing::File { bytes: bytes.into(), executable: false }
}

/// A folder with all that there is: splits, manifests of two levels, links, empty files and folders.
fn penguins() -> BTreeMap<String, Thing> {
    let rows: String = (0..250_000_u64).map(|i| format!("{i},adelie,{}\n", i * 7919 % 1009)).collect();
    let floats: Vec<u8> = (0..60_000_u16).flat_map(|i| f32::from(i).sqrt().to_le_bytes()).collect();
    let images = (0..1500).map(|i| (format!("img{i:04}.txt"), file(format!("picture {i}")))).collect();
    let nested = BTreeMap::from([
        ("empty".into(), Thing::Folder(BTreeMap::new())),
        ("nothing".into(), file("")),
        ("größe \u{1f427}".into(), file("a name in UTF-8")),
        ("run.sh".into(), Thing::File { bytes: b"#!/bin/sh\n".to_vec(), executable: true }),
        ("latest".into(), Thing::Link("../table.csv")),
    ]);
    BTreeMap::from([
        ("table.csv".into(), file(rows)),
        ("weights.bin".into(), file(floats)),
        ("images".into(), Thing::Folder(images)),
        ("nested".into(), Thing::Folder(nested)),
    ])
}

fn assert_same(folder: &BTreeMap<String, Thing>, at: &Path) {
    let mut names: Vec<_> =
        fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, folder.keys().cloned().collect::<Vec<_>>());
    for (name, thing) in folder {
        let path = at.join(name);
        match thing {
            Thing::Folder(inner) => assert_same(inner, &path),
            Thing::Link(target) => assert_eq!(fs::read_link(&path).unwrap(), Path::new(target)),
            Thing::File { bytes, executable } => {
                assert!(fs::read(&path).unwrap() == *bytes, "{name} differs");
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o100 != 0, *executable);
            }
        }
    }
}

#[test]
fn a_tree_is_restored_from_one_pack_and_from_many() {
    if python().is_none() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let (mut items, folder) = (Items::default(), penguins());
    let top = items.add_folder(&folder);
    for apart in [false, true] {
        let remote = Remote::create(&temporary.path().join(format!("remote-{apart}")));
        let record = remote.record(PointerKind::Tree, top.id, None, top.size, top.files);
        remote.publish(&items, &record, apart);
        let out = temporary.path().join(format!("out-{apart}"));
        remote.restore(&top.id, &out).unwrap();
        assert_same(&folder, &out);
        if !apart {
            remote.fold();
            let out = temporary.path().join("out-folded");
            remote.restore(&top.id, &out).unwrap();
            assert_same(&folder, &out);
        }
    }
}

/// What the golden remote holds: a bit of everything.
fn golden() -> BTreeMap<String, Thing> {
    let rows: String = (0..20_000).map(|i| format!("{},adelie\n", i % 100)).collect();
    let inner = BTreeMap::from([
        ("empty".into(), Thing::Folder(BTreeMap::new())),
        ("latest".into(), Thing::Link("../table.csv")),
        ("train.sh".into(), Thing::File { bytes: b"#!/bin/sh\n".to_vec(), executable: true }),
    ]);
    BTreeMap::from([
        ("nothing".into(), file("")),
        ("größe".into(), file("adelie")),
        ("inner".into(), Thing::Folder(inner)),
        ("table.csv".into(), file(rows)),
    ])
}

#[test]
fn what_version_1_pushed_is_restored_for_ever() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/remote-1");
    let repository = RandomId::from_bytes([0x11; 16]);
    let remote = Remote { folder, repository, session: SessionId::begin(0) };
    let out = temporary.path().join("out");
    let (mut items, golden) = (Items::default(), golden());
    remote.restore(&items.add_folder(&golden).id, &out).unwrap();
    assert_same(&golden, &out);
}

#[test]
fn a_file_is_restored_whether_of_no_one_or_many_chunks() {
    if python().is_none() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let remote = Remote::create(&temporary.path().join("remote"));
    for (number, length) in [0, 1, 70_000, 5_000_000].into_iter().enumerate() {
        let content: Vec<u8> =
            (0..length).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let (mut items, id) = (Items::default(), Digest::of(&content));
        let manifest = items.add_content(&content);
        let record = remote.record(PointerKind::File, id, manifest, content.len() as u64, 1);
        remote.publish(&items, &record, false);
        let out = temporary.path().join(number.to_string());
        remote.restore(&id, &out).unwrap();
        assert!(fs::read(out).unwrap() == content, "{length} bytes differ");
    }
}

#[test]
fn a_damaged_remote_restores_nothing_wrong() {
    if python().is_none() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let remote = Remote::create(&temporary.path().join("remote"));
    let content = vec![b'x'; 1000];
    let mut items = Items::default();
    items.add_content(&content);
    let id = Digest::of(&content);
    remote.publish(&items, &remote.record(PointerKind::File, id, None, 1000, 1), false);
    let folder = fs::read_dir(remote.folder.join("packs")).unwrap().next().unwrap().unwrap().path();
    let pack = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&pack).unwrap();
    bytes[70] ^= 1;
    fs::write(&pack, bytes).unwrap();
    let out = temporary.path().join("out");
    assert!(remote.restore(&id, &out).unwrap_err().contains("damaged"));
    assert!(!out.exists());
}
