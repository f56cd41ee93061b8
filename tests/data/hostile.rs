//! Remotes, stores and repositories that lie.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use git_ml::base::{Digest, Progress};
use git_ml::data::checkout::{CheckoutOptions, Modified, Outcome, checkout};
use git_ml::data::transfer::{Fetched, TransferError};
use git_ml::objects::item::ItemKind;
use git_ml::objects::{
    Certificate, GcRecord, Located, LocatorNode, Place, Pointer, RootRecord, TreeEntry, build_tree, layout,
};
use git_ml::storage::remote::Remote;

use crate::team::{Clone, KEEP, REFUSE, Team, noise};
use crate::whole;

/// Puts a tree of these entries into the store of a clone, and a pointer to it.
fn plant(clone: &Clone, name: &str, entries: Vec<TreeEntry>, contents: &[&[u8]]) {
    let workspace = clone.workspace();
    let writer = workspace.store().writer();
    for content in contents {
        writer.put(Digest::of(content), ItemKind::Chunk, content).unwrap();
    }
    let mut put = |id, node: Vec<u8>| {
        writer.put(id, ItemKind::Tree, &node).map(|_| ()).map_err(|error| panic!("{error}"))
    };
    let tree = build_tree::<git_ml::objects::tree::TreeError>(entries, &mut put).unwrap();
    writer.sync().unwrap();
    clone.write(&format!("{name}.mld"), Pointer::tree(tree.id, tree.size).to_text());
}

fn checked_out(clone: &Clone) -> bool {
    let done = clone.checkout_with(&[], KEEP);
    done.is_ok_and(|done| done.iter().all(|done| matches!(done.outcome, Outcome::Done { .. })))
}

#[test]
fn names_that_lead_out_make_no_tree_and_raw_nodes_with_them_are_refused() {
    let (_team, one) = Team::new();
    for name in ["..", ".git", "a/b", "", ".GIT", "git~1"] {
        let entry = TreeEntry::file(name.into(), false, Digest::of(b"x"), 1, None);
        let built = build_tree::<git_ml::objects::tree::TreeError>(vec![entry], &mut |_, _| Ok(()));
        assert!(built.is_err(), "{name}");
    }
    // A node of another hand: a good one whose name is replaced.
    let entry = TreeEntry::file(b"xy".to_vec(), false, Digest::of(b"evil"), 4, None);
    let mut node = Vec::new();
    let mut keep = |_, bytes| {
        node = bytes;
        Ok(())
    };
    build_tree::<git_ml::objects::tree::TreeError>(vec![entry], &mut keep).unwrap();
    let at = node.windows(2).position(|pair| pair == b"xy").unwrap();
    node[at..at + 2].copy_from_slice(b"..");
    let id = ItemKind::Tree.id_of(&node);
    let workspace = one.workspace();
    let writer = workspace.store().writer();
    writer.put(Digest::of(b"evil"), ItemKind::Chunk, b"evil").unwrap();
    writer.put(id, ItemKind::Tree, &node).unwrap();
    writer.sync().unwrap();
    one.write("data.mld", Pointer::tree(id, 4).to_text());
    assert!(!checked_out(&one));
    assert!(!one.exists("data"));
}

#[test]
fn files_that_steer_git_and_links_that_lead_out_are_refused() {
    for name in [".gitattributes", ".gitignore", ".GitModules"] {
        let (_team, one) = Team::new();
        let entry = TreeEntry::file(name.into(), false, Digest::of(b"* filter=x"), 10, None);
        plant(&one, "data", vec![entry], &[b"* filter=x"]);
        assert!(!checked_out(&one) && !one.exists("data"), "{name}");
    }
    for target in ["/etc/passwd", "../../outside", "a/../../x"] {
        let (_team, one) = Team::new();
        plant(&one, "data", vec![TreeEntry::link(b"link".to_vec(), target.as_bytes())], &[target.as_bytes()]);
        assert!(!checked_out(&one) && !one.exists("data/link"), "{target}");
        let options = CheckoutOptions { modified: Modified::Refuse, outside_links: true };
        checkout(&one.workspace(), &[], options, &Progress::hidden()).unwrap();
        assert_eq!(fs::read_link(one.top.join("data/link")).unwrap(), PathBuf::from(target));
    }
}

#[test]
fn pointers_that_lie_about_size_or_manifest_bring_nothing() {
    let (team, one) = Team::new();
    one.write("data.bin", noise(1, 500_000));
    one.write("other.bin", noise(2, 500_000));
    one.write("small.bin", b"small");
    one.add(&["data.bin", "other.bin", "small.bin"]);
    one.commit("data");
    one.push();
    let (honest, other) = (one.pointer("data.bin"), one.pointer("other.bin"));
    let small = one.pointer("small.bin");
    let lies = [
        Pointer::file(honest.id, honest.size - 1, honest.manifest),
        Pointer::file(honest.id, honest.size + 1, honest.manifest),
        Pointer::file(honest.id, u64::MAX / 2, honest.manifest),
        Pointer::file(honest.id, honest.size, other.manifest),
        Pointer::file(other.id, honest.size, honest.manifest),
        Pointer::file(small.id, 4, None),
        Pointer::tree(honest.manifest.unwrap(), honest.size),
        Pointer::tree(honest.id, honest.size),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let two = team.clone(&format!("two-{number}"));
        for other in ["other.bin.mld", "small.bin.mld"] {
            two.remove(other);
        }
        two.write("data.bin.mld", lie.to_text());
        let _ = two.try_fetch(&[]);
        assert!(!checked_out(&two), "lie {number}");
        assert!(!two.exists("data.bin"), "lie {number}");
        // Nor is such a lie pushed as if it were whole.
        let _ = two.push_to(&team.remote(), &team.bucket().display().to_string());
        let remote = team.remote();
        for object in remote.list(layout::ROOTS).unwrap() {
            let record = whole::record(&remote, &object.name);
            assert!([honest.id, other.id, small.id].contains(&record.root), "lie {number}");
            assert!(record.root != honest.id || record.manifest == honest.manifest, "lie {number}");
        }
    }
}

fn pushed() -> (Team, Clone) {
    let (team, one) = Team::new();
    one.write("data/a", noise(1, 300_000));
    one.write("data/sub/b", noise(2, 1000));
    one.write("data/sub/c", noise(3, 100_000));
    one.add_version("data");
    one.push();
    (team, one)
}

/// Changes an object of a folder remote.
fn tamper(team: &Team, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let file = team.bucket().join(name);
    fs::write(&file, change(fs::read(&file).unwrap())).unwrap();
}

fn no_harm(two: &Clone, one: &Clone, fetched: Result<Fetched, TransferError>, what: &str) {
    let complete = fetched.is_ok_and(|fetched| fetched.missing.is_empty());
    let came = checked_out(two);
    assert!(!complete || came, "{what}: told to be fetched, and is not there");
    if came {
        assert_eq!(two.contents("data"), one.contents("data"), "{what}");
    } else {
        assert!(!two.exists("data"), "{what}: half of it is here");
    }
}

#[test]
fn flipped_truncated_and_missing_packs_bring_nothing_false() {
    let (team, one) = pushed();
    let names: Vec<_> = team.objects("packs").into_keys().collect();
    let mut number = 0;
    for name in names {
        let whole = fs::read(team.bucket().join(&name)).unwrap();
        let steps = (0..whole.len()).step_by(whole.len() / 12 + 1).chain(whole.len() - 40..whole.len());
        for at in steps.collect::<Vec<_>>() {
            number += 1;
            let two = team.clone(&format!("flipped-{number}"));
            tamper(&team, &name, |mut bytes| {
                bytes[at] ^= 0x10;
                bytes
            });
            no_harm(&two, &one, two.try_fetch(&[]), &format!("byte {at}"));
            fs::write(team.bucket().join(&name), &whole).unwrap();
            // What is whole again comes, whatever was stored before.
            if number % 5 == 0 {
                two.pull(&[]);
                assert_eq!(two.contents("data"), one.contents("data"));
            }
        }
        for length in [0, 10, whole.len() / 2, whole.len() - 1] {
            number += 1;
            let two = team.clone(&format!("cut-{number}"));
            tamper(&team, &name, |bytes| bytes[..length].to_vec());
            no_harm(&two, &one, two.try_fetch(&[]), &format!("cut at {length}"));
            fs::write(team.bucket().join(&name), &whole).unwrap();
        }
        fs::remove_file(team.bucket().join(&name)).unwrap();
        let two = team.clone(&format!("missing-{number}"));
        let fetched = two.try_fetch(&[]);
        assert!(fetched.is_err(), "{fetched:?}");
        no_harm(&two, &one, fetched, "missing");
        fs::write(team.bucket().join(&name), &whole).unwrap();
    }
}

/// Replaces the only root record.
fn rewrite_root(remote: &Remote, change: impl FnOnce(&mut RootRecord)) {
    let name = remote.list(layout::ROOTS).unwrap().remove(0).name;
    let mut record = whole::record(remote, &name);
    change(&mut record);
    remote.put(&name, record.encode().unwrap()).unwrap();
}

#[test]
fn wrong_places_and_locators_are_mended_by_the_tables_of_packs_or_told() {
    type Change = Box<dyn Fn(&mut RootRecord)>;
    let moved = |place: Option<Place>| place.map(|place| Place { offset: place.offset - 1, ..place });
    let emptied = |copy: &Option<Vec<u8>>| {
        let mut locator = LocatorNode::decode(copy.as_ref().unwrap()).unwrap();
        locator.entries.pop();
        Some(locator.encode())
    };
    let nothing = |copy: &Option<Vec<u8>>| {
        let mut locator = LocatorNode::decode(copy.as_ref().unwrap()).unwrap();
        locator.entries.iter_mut().for_each(|entry| *entry = Located::Nothing);
        Some(locator.encode())
    };
    let changes: Vec<(&str, Change)> = vec![
        ("top", Box::new(move |record| record.top = moved(record.top))),
        (
            "locator",
            Box::new(move |record| {
                record.locator = moved(record.locator);
                record.locator_copy = None;
            }),
        ),
        ("a short locator", Box::new(move |record| record.locator_copy = emptied(&record.locator_copy))),
        ("an empty locator", Box::new(move |record| record.locator_copy = nothing(&record.locator_copy))),
        ("another copy of the top", Box::new(|record| record.top_copy = Some(b"nonsense".to_vec()))),
    ];
    for (what, change) in changes {
        let (team, one) = pushed();
        rewrite_root(&team.remote(), |record| change(record));
        let two = team.clone("two");
        let fetched = two.try_fetch(&[]);
        no_harm(&two, &one, fetched, what);
        assert!(two.exists("data"), "{what}: all of it is in the packs");
    }
}

#[test]
fn a_damaged_root_record_counts_as_absent_and_a_push_mends_it() {
    for change in [
        (|_: Vec<u8>| Vec::new()) as fn(Vec<u8>) -> Vec<u8>,
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |mut bytes| {
            bytes[100] ^= 1;
            bytes
        },
    ] {
        let (team, one) = pushed();
        let name = team.objects("roots").into_keys().next().unwrap();
        tamper(&team, &name, change);
        let two = team.clone("two");
        assert!(two.try_fetch(&[]).is_err());
        // Another clone that has the data but did not write that record.
        let three = team.clone("three");
        for name in ["a", "sub/b", "sub/c"] {
            three.write(&format!("data/{name}"), one.read(&format!("data/{name}")));
        }
        three.add_all("data");
        three.push();
        two.pull(&[]);
        assert_eq!(two.contents("data"), one.contents("data"));
    }
}

#[test]
fn a_deleted_root_record_is_written_again() {
    let (team, one) = pushed();
    for name in team.objects("roots").into_keys() {
        fs::remove_file(team.bucket().join(name)).unwrap();
    }
    let before = team.objects("packs");
    assert_eq!(one.push().sent.len(), 1);
    let sent: u64 =
        team.objects("packs").iter().filter(|pack| !before.contains_key(pack.0)).map(|p| p.1).sum();
    assert!(sent < 10_000, "{sent} bytes, though the packs are there");
    whole::check_all(&team.remote());
    let two = team.clone("two");
    two.pull(&[]);
    assert_eq!(two.contents("data"), one.contents("data"));
}

#[test]
fn a_remote_that_was_wiped_and_made_anew_is_believed_nothing() {
    for keep_config in [false, true] {
        let (team, one) = pushed();
        // Other data, which shares chunks with what was there.
        let config = fs::read(team.bucket().join("config")).unwrap();
        fs::remove_dir_all(team.bucket()).unwrap();
        fs::create_dir(team.bucket()).unwrap();
        if keep_config {
            fs::write(team.bucket().join("config"), config).unwrap();
        }
        one.write("data/sub/b", b"second");
        one.add_version("data");
        one.push();
        whole::check_all(&team.remote());
        let two = team.clone("two");
        two.pull(&[]);
        assert_eq!(two.contents("data"), one.contents("data"));
    }
}

#[test]
fn packs_that_vanished_are_not_relied_on() {
    let (team, one) = pushed();
    // Somebody removed the packs and the root, not the index.
    for name in team.objects("packs").into_keys().chain(team.objects("roots").into_keys()) {
        fs::remove_file(team.bucket().join(name)).unwrap();
    }
    one.write("copy.bin", noise(1, 300_000));
    one.add_version("copy.bin");
    one.push();
    whole::check_all(&team.remote());
}

#[test]
fn a_remote_of_an_unknown_version_is_never_written() {
    for already_met in [false, true] {
        let (team, one) = Team::new();
        one.write("data", noise(1, 1000));
        one.add_version("data");
        if already_met {
            one.push();
            one.write("data", noise(2, 1000));
            one.add_version("data");
        } else {
            let (other, stranger) = pushed();
            drop(stranger);
            fs::copy(other.bucket().join("config"), team.bucket().join("config")).unwrap();
        }
        let config = fs::read_to_string(team.bucket().join("config")).unwrap();
        let later = config.replace("format = 1", "format = 9").replace("protocol = 1", "protocol = 9");
        assert_ne!(later, config);
        for text in [later.as_str(), "", "not a config"] {
            fs::write(team.bucket().join("config"), text).unwrap();
            let before = team.objects("");
            let pushed = one.try_push();
            assert!(pushed.is_err(), "{already_met} {text:?}: {pushed:?}");
            assert_eq!(team.objects(""), before);
        }
    }
}

#[test]
fn names_of_remotes_stay_in_their_folder() {
    let (team, one) = Team::new();
    let outside = team.path("outside");
    fs::create_dir_all(outside.join("index")).unwrap();
    fs::write(outside.join("index/precious"), b"precious").unwrap();
    let text = String::from_utf8(one.read("ml.toml")).unwrap();
    for name in [outside.display().to_string(), "../../../../outside".to_owned()] {
        let url = team.bucket().display().to_string();
        let hostile = format!(
            "{}\n[remote.\"{name}\"]\nurl = \"{url}\"\n",
            text.replace("default-remote = \"main\"", &format!("default-remote = \"{name}\""))
        );
        one.write("ml.toml", hostile);
        one.write("data", noise(1, 100));
        let _ = one.try_add(&["data"]);
        let _ = one.try_push();
        let found: BTreeMap<_, _> = one_level(&outside);
        assert_eq!(found.into_keys().collect::<Vec<_>>(), ["index"], "{name}");
        assert!(outside.join("index/precious").exists());
    }
}

fn one_level(folder: &std::path::Path) -> BTreeMap<String, ()> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| (entry.unwrap().file_name().into_string().unwrap(), ())).collect()
}

#[test]
fn a_damaged_gc_record_stops_a_push_before_it_names_anything() {
    let (team, one) = pushed();
    let record = GcRecord {
        epoch: 1,
        nonce: git_ml::base::RandomId::generate(),
        config: Digest::ZERO,
        floor: 0,
        certificate: Certificate::None,
        condemned: std::collections::BTreeSet::new(),
        forgotten: std::collections::BTreeSet::new(),
        extensions: Vec::new(),
    };
    let (name, bytes) = record.encode().unwrap();
    team.remote().put(&layout::gc_name(&name), bytes[..bytes.len() / 2].to_vec()).unwrap();
    one.write("data/a", b"new");
    one.add_version("data");
    let before = team.objects("");
    assert!(one.try_push().is_err());
    assert_eq!(team.objects(""), before);
    assert!(one.checkout_with(&[], REFUSE).is_ok());
}

#[test]
fn a_damaged_store_is_told_and_does_not_spread() {
    let (_other, one) = pushed();
    let (team, two) = Team::new();
    for name in ["a", "sub/b", "sub/c"] {
        two.write(&format!("data/{name}"), one.read(&format!("data/{name}")));
    }
    two.add_version("data");
    for folder in ["open", "packs"] {
        let folder = two.top.join(".git/ml").join(folder);
        damage(&folder);
    }
    assert!(two.try_push().is_err());
    assert_eq!(team.objects("roots").len(), 0);
    two.remove("data");
    assert!(!checked_out(&two));
}

/// Flips a byte in the middle of every large file.
fn damage(folder: &std::path::Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        if entry.path().is_dir() {
            damage(&entry.path());
        } else if entry.metadata().unwrap().len() > 100_000 {
            let mut bytes = fs::read(entry.path()).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(entry.path(), bytes).unwrap();
        }
    }
}
