//! What a second version costs, counted in objects, bytes and requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use git_ml::base::Digest;
use git_ml::objects::{ChunkReader, Index, layout};
use git_ml::storage::remote::{Passage, Remote};

use crate::team::{Clone, Team, noise};

/// A remote, and the number of its calls.
pub fn counted(remote: Remote) -> (Remote, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let watch = Arc::new(move |_: &str, _: &str| {
        count.fetch_add(1, Ordering::Relaxed);
        Passage::Through
    });
    (remote.watched(watch), calls)
}

fn sent(team: &Team, before: &std::collections::BTreeMap<String, u64>) -> u64 {
    team.objects("packs").iter().filter(|(name, _)| !before.contains_key(*name)).map(|(_, size)| size).sum()
}

fn push_counted(team: &Team, one: &Clone) -> usize {
    let (remote, calls) = counted(team.remote());
    one.push_to(&remote, &team.bucket().display().to_string()).unwrap();
    calls.load(Ordering::Relaxed)
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

#[test]
fn requests_are_few() {
    let (team, one) = Team::new();
    one.write("data/a", noise(1, 100_000));
    one.write("data/b", noise(2, 1000));
    one.add_version("data");
    one.push();
    assert_eq!(push_counted(&team, &one), 2, "nothing to do");
    one.write("data/b", noise(3, 1000));
    one.add_version("data");
    let calls = push_counted(&team, &one);
    assert!(calls <= 12, "{calls} calls for a small push");
    assert_eq!(push_counted(&team, &one), 2, "nothing to do");
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
