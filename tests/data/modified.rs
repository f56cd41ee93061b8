//! Modified is never lost.

use std::fs;
use std::os::unix::fs::symlink;

use git_ml::base::Progress;
use git_ml::data::checkout::{CheckedOut, Outcome, restore};
use git_ml::data::remove::{RemoveOptions, remove};
use git_ml::data::rename::rename;
use git_ml::data::{PathState, kept};

use crate::team::{Clone, KEEP, REFUSE, Team, noise, path};

/// A clone with two versions of a directory and a file, the first of them checked out and the second in the pointers.
fn between_versions() -> (Team, Clone) {
    let (team, one) = Team::new();
    one.write("data/a", b"a1");
    one.write("data/b", b"b1");
    one.write("data/sub/c", b"c1");
    one.write("file.csv", b"id\n1\n");
    one.add(&["data", "file.csv"]);
    one.commit("first");
    let first = (one.read("data.mld"), one.read("file.csv.mld"));
    one.write("data/a", b"a2");
    one.remove("data/sub");
    one.write("data/sub", b"a file now");
    one.write("data/d/e", b"e2");
    one.write("file.csv", b"id\n2\n");
    one.add(&["data", "file.csv"]);
    one.commit("second");
    let second = (one.read("data.mld"), one.read("file.csv.mld"));
    one.write("data.mld", first.0);
    one.write("file.csv.mld", first.1);
    one.checkout(&[]);
    assert_eq!(one.read("data/a"), b"a1");
    assert_eq!(one.read("data/sub/c"), b"c1");
    one.write("data.mld", second.0);
    one.write("file.csv.mld", second.1);
    (team, one)
}

fn refused(clone: &Clone, files: &[&str]) {
    let before = clone.contents("");
    let done = clone.checkout_with(&["data"], REFUSE).unwrap();
    let [CheckedOut { outcome: Outcome::Modified { files: told, .. }, .. }] = done.as_slice() else {
        panic!("{done:?}")
    };
    assert_eq!(told, files);
    let after = clone.contents("");
    for (name, thing) in before.iter().filter(|(name, _)| name.starts_with(b"/data")) {
        assert_eq!(after.get(name), Some(thing));
    }
}

/// Checks out by force; gives what was kept back, at its place.
fn kept_and_restored(clone: &Clone) {
    let done = clone.checkout_with(&["data"], KEEP).unwrap();
    let [CheckedOut { outcome: Outcome::Done { kept: Some(kept), .. }, .. }] = done.as_slice() else {
        panic!("{done:?}")
    };
    assert_eq!(clone.read("data/a"), b"a2");
    assert_eq!(clone.read("data/sub"), b"a file now");
    assert_eq!(clone.read("data/d/e"), b"e2");
    let found = kept::list(&clone.top.join(".git")).unwrap();
    assert_eq!(found.as_slice(), std::slice::from_ref(kept));
    restore(&clone.workspace(), &kept.id.to_string(), &Progress::hidden()).unwrap();
}

#[test]
fn edited_files_are_told_and_kept_and_come_back() {
    let (_team, one) = between_versions();
    one.write("data/a", b"mine");
    refused(&one, &["data/a"]);
    kept_and_restored(&one);
    assert_eq!(one.read("data/a"), b"mine");
    assert!(matches!(one.status().paths[0].worktree, PathState::Modified { .. }));
}

#[test]
fn foreign_files_in_the_way_are_told_and_kept_and_come_back() {
    let (_team, one) = between_versions();
    one.write("data/d", b"a file where a folder is wanted");
    one.write("data/sub/mine", b"a file in a folder where a file is wanted");
    one.write("data/else", b"in nobody's way");
    refused(&one, &["data/d", "data/sub/mine"]);
    let done = one.checkout_with(&["data"], KEEP).unwrap();
    let [CheckedOut { outcome: Outcome::Done { kept: Some(kept), .. }, .. }] = done.as_slice() else {
        panic!("{done:?}")
    };
    assert_eq!(kept.size, 72);
    assert_eq!(one.read("data/else"), b"in nobody's way");
    assert_eq!(one.read("data/d/e"), b"e2");
    assert_eq!(kept::list(&one.top.join(".git")).unwrap().len(), 1);
}

#[test]
fn a_deleted_folder_and_a_link_in_its_place_lead_nowhere() {
    let (team, one) = between_versions();
    let outside = team.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("c"), b"precious").unwrap();
    one.remove("data/sub");
    symlink(&outside, one.top.join("data/sub")).unwrap();
    refused(&one, &["data/sub"]);
    one.checkout_with(&["data"], KEEP).unwrap();
    assert_eq!(fs::read(outside.join("c")).unwrap(), b"precious");
    assert_eq!(one.read("data/sub"), b"a file now");
}

#[test]
fn nothing_is_written_through_a_link_above_the_path() {
    let (team, one) = Team::new();
    one.write("deep/data/a", b"a");
    one.add_version("deep/data");
    let outside = team.path("outside");
    fs::create_dir_all(outside.join("data")).unwrap();
    fs::write(outside.join("data/a"), b"precious").unwrap();
    fs::write(outside.join("data.mld"), one.read("deep/data.mld")).unwrap();
    one.remove("deep");
    symlink(&outside, one.top.join("deep")).unwrap();
    let _ = one.checkout_with(&[], KEEP);
    let _ = one.try_add(&["deep/data"]);
    let options = RemoveOptions { cached: false, force: true, dry_run: false, stage: true };
    let _ = remove(&one.workspace(), &[path("deep/data")], options, &Progress::hidden());
    assert_eq!(fs::read(outside.join("data/a")).unwrap(), b"precious");
    assert!(outside.join("data.mld").exists());
}

#[test]
fn an_edit_right_after_an_add_is_seen_even_after_other_adds() {
    for round in 0..10_u8 {
        let (_team, one) = Team::new();
        one.write("other", b"other");
        one.write("data", [round, 1]);
        one.add(&["data"]);
        one.write("data", [round, 2]);
        one.add(&["other"]);
        std::thread::sleep(std::time::Duration::from_millis(30));
        one.add(&["other"]);
        let state = one.status().paths.iter().find(|at| at.path == path("data")).unwrap().worktree;
        assert!(matches!(state, PathState::Modified { .. }), "{state:?}");
    }
}

#[test]
fn an_edit_right_after_a_checkout_is_seen() {
    let (_team, one) = between_versions();
    for _ in 0..10 {
        one.checkout(&["file.csv"]);
        one.write("file.csv", b"id\n3\n");
        let state = one.status().paths.iter().find(|at| at.path == path("file.csv")).unwrap().worktree;
        assert!(matches!(state, PathState::Modified { .. }), "{state:?}");
        one.checkout_with(&["file.csv"], KEEP).unwrap();
    }
}

#[test]
fn the_only_copy_is_not_overwritten_when_the_store_lost_it() {
    let (_team, one) = between_versions();
    // The store loses all that it had, but what the second version needs.
    let second = one.root("data");
    let (_others, other) = Team::new();
    other.write("data/a", b"a2");
    other.write("data/b", b"b1");
    other.write("data/sub", b"a file now");
    other.write("data/d/e", b"e2");
    other.add(&["data"]);
    assert_eq!(other.root("data").id, second.id);
    for part in ["open", "packs"] {
        let _ = fs::remove_dir_all(one.top.join(".git/ml").join(part));
        let from = other.top.join(".git/ml").join(part);
        if from.exists() {
            fs::rename(from, one.top.join(".git/ml").join(part)).unwrap();
        }
    }
    refused(&one, &["data/a", "data/sub/c"]);
    let options = RemoveOptions { cached: false, force: false, dry_run: false, stage: true };
    one.git(&["checkout", "--quiet", "HEAD~1", "--", "data.mld"]);
    assert!(remove(&one.workspace(), &[path("data")], options, &Progress::hidden()).is_err());
    assert_eq!(one.read("data/a"), b"a1");
    assert!(one.exists("data.mld"));
}

#[test]
fn rm_refuses_modified_data_and_mv_moves_everything() {
    let (_team, one) = between_versions();
    one.checkout(&[]);
    one.write("data/a", b"mine");
    let options = RemoveOptions { cached: false, force: false, dry_run: false, stage: true };
    assert!(remove(&one.workspace(), &[path("data")], options, &Progress::hidden()).is_err());
    assert_eq!(one.read("data/a"), b"mine");
    let before = one.contents("data");
    rename(&one.workspace(), &path("data"), &path("moved/there"), true).unwrap();
    assert_eq!(one.contents("moved/there"), before);
    assert!(one.exists("moved/there.mld") && !one.exists("data.mld") && !one.exists("data"));
    one.write("taken", b"mine");
    assert!(rename(&one.workspace(), &path("moved/there"), &path("taken"), true).is_err());
    assert_eq!(one.read("taken"), b"mine");
    assert_eq!(one.contents("moved/there"), before);
    let cached = RemoveOptions { cached: true, ..options };
    remove(&one.workspace(), &[path("moved/there")], cached, &Progress::hidden()).unwrap();
    assert_eq!(one.contents("moved/there"), before);
}

#[test]
fn equal_copies_from_two_places_are_both_kept() {
    let (_team, one) = Team::new();
    for name in ["x.bin", "y.bin"] {
        one.write(name, noise(1, 10));
        one.add_version(name);
        one.write(name, b"the same edit");
    }
    one.checkout_with(&[], KEEP).unwrap();
    let mut paths: Vec<_> =
        kept::list(&one.top.join(".git")).unwrap().into_iter().map(|kept| kept.path).collect();
    paths.sort();
    assert_eq!(paths, ["x.bin", "y.bin"]);
}
