//! What a second version costs, counted in objects, bytes and requests.

use std::sync::{Arc, Mutex};

use git_ml::base::{Digest, Progress};
use git_ml::data::transfer::{needed_for_push, push_needed};
use git_ml::git::RefUpdate;
use git_ml::objects::{ChunkReader, Index, Pointer, layout};
use git_ml::storage::remote::{Passage, Remote};

use crate::team::{Clone, Team, noise};

fn sent(team: &Team, before: &std::collections::BTreeMap<String, u64>) -> u64 {
    team.objects("packs").iter().filter(|(name, _)| !before.contains_key(*name)).map(|(_, size)| size).sum()
}

/// Pushes what the pointers name now, with the versions before as bases; returns the calls.
fn push_calls(one: &Clone, remote: &Remote, url: &str) -> Vec<String> {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&calls);
    let watch = Arc::new(move |step: &str, name: &str| {
        noted.lock().unwrap().push(format!("{step} {}", name.split('/').next().unwrap()));
        Passage::Through
    });
    let mut wishes = one.wishes();
    for wish in &mut wishes {
        let texts = one.git(&["log", "--format=%H", "--", &format!("{}.mld", wish.path)]);
        let older = texts.lines().skip(1).map(|commit| format!("{commit}:{}.mld", wish.path));
        let pointer = |name: String| Pointer::parse(one.git(&["show", &name]).as_bytes()).unwrap();
        wish.bases = older.map(|name| pointer(name).id).collect();
    }
    one.push_wishes(&remote.clone().watched(watch), url, &wishes).unwrap();
    std::mem::take(&mut calls.lock().unwrap())
}

#[test]
fn a_change_in_a_large_file_sends_its_chunks_and_few_nodes() {
    let (team, one) = Team::new();
    let mut bytes = noise(1, 12 << 20);
    one.write("large.bin", &bytes);
    one.add_version("large.bin");
    one.push();
    let before = team.objects("packs");
    bytes[6 << 20] ^= 1;
    one.write("large.bin", &bytes);
    one.add_version("large.bin");
    let pushed = one.push();
    assert_eq!(pushed.sent.len(), 1);
    let sent = sent(&team, &before);
    assert!(sent < 250_000, "{sent} bytes for one changed byte");
    assert_eq!(crate::whole::check_all(&team.remote()), 2);
    let two = team.clone("two");
    two.pull(&[]);
    assert!(two.read("large.bin") == bytes);
}

#[test]
fn a_change_deep_in_a_tree_sends_the_nodes_above_it() {
    let (team, one) = Team::new();
    for number in 0..2000 {
        one.write(&format!("data/{}/{}/{number}", number % 10, number % 100), noise(number, 500));
    }
    one.add_version("data");
    one.push();
    let before = team.objects("packs");
    one.write("data/7/77/77", b"changed");
    one.add_version("data");
    one.push();
    let sent = sent(&team, &before);
    assert!(sent < 20_000, "{sent} bytes for one small file");
    crate::whole::check_all(&team.remote());
    let two = team.clone("two");
    two.pull(&[]);
    assert_eq!(two.contents("data"), one.contents("data"));
}

#[test]
fn what_a_hook_pushes_is_held_against_the_version_before() {
    let (team, one) = Team::new();
    for number in 0..2000 {
        one.write(&format!("data/{}/{number}", number % 10), noise(number, 100));
    }
    one.add_version("data");
    one.push();
    let before = team.objects("packs");
    for text in ["changed", "changed again"] {
        one.write("data/7/77", text);
        one.add_version("data");
    }
    let (new, old) = (one.git(&["rev-parse", "HEAD"]), one.git(&["rev-parse", "HEAD~2"]));
    let update = format!("refs/heads/main {} refs/heads/main {}\n", new.trim(), old.trim());
    let updates = RefUpdate::parse_lines(&update);
    let needed = needed_for_push(&one.workspace(), &updates).unwrap();
    assert_eq!(needed.new.len(), 2);
    let pushed = push_needed(&one.workspace(), &needed, &Progress::hidden()).unwrap();
    assert_eq!(pushed.done.sent.len(), 2);
    let sent = sent(&team, &before);
    assert!(sent < 40_000, "{sent} bytes for one small file, twice");
    assert_eq!(crate::whole::check_all(&team.remote()), 3);
}

#[test]
fn another_clone_sends_only_what_is_new() {
    let (team, one) = Team::new();
    one.write("data/large", noise(1, 3 << 20));
    one.write("data/small", b"1");
    one.add_version("data");
    one.push();
    let two = team.clone("two");
    two.pull(&[]);
    let before = team.objects("packs");
    two.write("data/small", b"2");
    // The same bytes under another path, which no base of that path knows.
    two.write("copy.bin", noise(1, 3 << 20));
    two.add(&["data", "copy.bin"]);
    two.commit("second");
    two.push();
    let sent = sent(&team, &before);
    assert!(sent < 30_000, "{sent} bytes");
    crate::whole::check_all(&team.remote());
    one.git(&["pull", "--quiet"]);
    one.pull(&[]);
    assert_eq!(one.read("data/small"), b"2");
    assert!(one.read("copy.bin") == noise(1, 3 << 20));
}

fn nothing_to_do(one: &Clone, remote: &Remote, name: &str) {
    // Objects in memory have no times, so their records are never young.
    if name == "folder" {
        assert_eq!(push_calls(one, remote, name), ["list gc", "list roots"]);
    }
}

#[test]
fn requests_are_few() {
    // A bucket tells all roots of the repository in one answer; in a folder those of the version and of its base are two.
    for (name, listings) in [("folder", 2), ("bucket", 1)] {
        let (team, one) = Team::new();
        let remote = if name == "folder" { team.remote() } else { Remote::memory().unwrap() };
        one.write("data/a", noise(1, 100_000));
        one.write("data/b", noise(2, 1000));
        one.add_version("data");
        push_calls(&one, &remote, name);
        nothing_to_do(&one, &remote, name);
        one.write("data/b", noise(3, 1000));
        one.add_version("data");
        assert_eq!(push_calls(&one, &remote, name).len(), 8 + listings, "{name}: a small push");
        nothing_to_do(&one, &remote, name);
        for number in 0..3 {
            one.write("data/c", noise(100 + number, 3 << 20));
            one.add_version("data");
            let calls = push_calls(&one, &remote, name).len();
            assert_eq!(calls, 9 + listings, "{name}: the index is listed, what this clone put there is kept");
        }
        crate::whole::check_all(&remote);
    }
}

#[test]
fn a_push_of_many_versions_asks_for_all_at_once() {
    let (_team, one) = Team::new();
    let remote = Remote::memory().unwrap();
    for number in 0..6 {
        one.write(&format!("data-{number}"), noise(number, 1000));
        one.add_version(&format!("data-{number}"));
    }
    push_calls(&one, &remote, "bucket");
    let calls = push_calls(&one, &remote, "bucket");
    assert_eq!(calls.iter().filter(|call| *call == "list roots").count(), 1, "{calls:?}");
}

#[test]
fn a_large_push_gets_each_index_object_of_others_once() {
    let (team, one) = Team::new();
    one.write("data/a", noise(1, 1000));
    one.add_version("data");
    one.push();
    let two = team.clone("two");
    two.pull(&[]);
    let (remote, url) = (team.remote(), team.bucket().display().to_string());
    two.write("data/b", noise(2, 1000));
    two.add_version("data");
    assert_eq!(push_calls(&two, &remote, &url).len(), 10, "the index of one is not asked for");
    two.write("data/b", noise(3, 2 << 20));
    two.add_version("data");
    assert_eq!(
        push_calls(&two, &remote, &url).len(),
        12,
        "the index is listed, and what one put there is got"
    );
    two.write("data/b", noise(4, 2 << 20));
    two.add_version("data");
    assert_eq!(push_calls(&two, &remote, &url).len(), 11, "it is kept");
    crate::whole::check_all(&remote);
}

#[test]
fn the_index_leads_to_the_first_chunk_of_every_large_file() {
    let (team, one) = Team::new();
    let (large, small) = (noise(7, 3 << 20), noise(8, 900_000));
    one.write("data/large.bin", &large);
    one.write("data/small.bin", &small);
    one.add_version("data");
    one.push();
    let remote = team.remote();
    let listed = remote.list(layout::INDEX).unwrap();
    let index = Index::decode(&remote.get(&listed[0].name).unwrap()).unwrap();
    let mut chunks = ChunkReader::new(large.as_slice());
    let first = Digest::of(chunks.next().unwrap().unwrap());
    assert!(index.may_hold(&first).next().is_some(), "a copy of the file is found by its beginning");

    // Another repository's clone, which knows nothing, need not send the file again.
    let (other, two) = Team::new();
    two.write("copy.bin", &large);
    two.add_version("copy.bin");
    let before = team.objects("packs");
    two.push_to(&remote, &team.bucket().display().to_string()).unwrap();
    assert!(sent(&team, &before) < 100_000, "the whole file went again");
    drop(other);
}
