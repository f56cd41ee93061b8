//! Absent is not deleted.

use git_ml::base::Progress;
use git_ml::data::PathState;
use git_ml::data::add::AddError;
use git_ml::data::checkout::Outcome;
use git_ml::data::guard::check_staged;
use git_ml::data::remove::{RemoveOptions, remove};

use crate::team::{Clone, REFUSE, Team, noise, path};

const REMOVE: RemoveOptions = RemoveOptions { cached: false, force: false, dry_run: false, stage: true };

/// A directory of three folders, pushed; and a fresh clone that has one of them.
fn partial() -> (Team, Clone, Clone) {
    let (team, one) = Team::new();
    for folder in ["cats", "dogs", "birds"] {
        for number in 0..3 {
            one.write(&format!("images/{folder}/{number}"), noise(number, 2000 + folder.len()));
        }
    }
    one.write("images/README", b"about");
    one.add_version("images");
    one.push();
    let two = team.clone("two");
    two.pull(&["images/cats"]);
    assert!(two.exists("images/cats/0") && !two.exists("images/dogs"));
    (team, one, two)
}

/// Forgets what the worktree holds, and the note of the last checkout, which would tell as much.
fn forget(clone: &Clone) {
    for file in ["state", "switch"] {
        std::fs::remove_file(clone.top.join(".git/ml").join(file)).unwrap_or_default();
    }
}

/// Pushes from `two`, and gives what `one` then has.
fn brought_back(one: &Clone, two: &Clone) {
    two.push();
    one.git(&["pull", "--quiet"]);
    one.pull(&[]);
}

#[test]
fn what_was_never_fetched_survives_an_edit_of_the_rest() {
    let (team, one, two) = partial();
    two.write("images/cats/0", b"edited");
    two.remove("images/cats/1");
    two.write("images/cats/new", b"new");
    let added = two.add(&["images"]);
    assert!(added.added[0].absent >= 7, "{added:?}");
    two.commit("edit");
    brought_back(&one, &two);
    assert_eq!(one.read("images/cats/0"), b"edited");
    assert!(!one.exists("images/cats/1") && one.exists("images/cats/new"));
    assert!(one.exists("images/dogs/2") && one.exists("images/birds/0") && one.exists("images/README"));
    crate::whole::check_all(&team.remote());
    let three = team.clone("three");
    three.pull(&[]);
    assert_eq!(three.contents("images"), one.contents("images"));
}

#[test]
fn without_a_record_nothing_is_dropped() {
    let (_team, _one, two) = partial();
    forget(&two);
    two.fetch(&[]);
    let before = two.read("images.mld");
    let error = two.try_add(&["images"]).unwrap_err();
    assert!(matches!(error, AddError::Compose(_)), "{error}");
    assert_eq!(two.read("images.mld"), before);
    two.checkout(&[]);
    two.add(&["images"]);
    assert_eq!(two.read("images.mld"), before);
}

#[test]
fn an_empty_folder_does_not_drop_what_was_never_in_it() {
    let (_team, one, two) = partial();
    std::fs::create_dir(two.top.join("images/dogs")).unwrap();
    two.write("images/cats/new", b"new");
    assert_eq!(two.add(&["images"]).added[0].absent, 7);
    two.commit("new");
    brought_back(&one, &two);
    assert!(one.exists("images/dogs/0") && one.exists("images/birds/2") && one.exists("images/cats/new"));
    // Without a record it is no proof either, and who says that all is here is believed.
    forget(&two);
    let error = two.try_add(&["images"]).unwrap_err();
    assert!(matches!(error, AddError::Compose(_)), "{error}");
    two.add_all("images");
    two.commit("all");
    brought_back(&one, &two);
    assert!(!one.exists("images/dogs/0") && one.exists("images/cats/new"));
}

#[test]
fn whatever_is_done_without_a_record_keeps_what_is_not_here() {
    let (_team, one, two) = partial();
    let is_calm = || {
        forget(&two);
        let state = two.status().paths[0].worktree;
        assert!(matches!(state, PathState::Partial { .. }), "{state:?}");
        forget(&two);
        let staged = check_staged(&two.workspace(), &Progress::hidden()).unwrap();
        assert!(staged.is_fine(), "{staged:?}");
        forget(&two);
    };
    is_calm();
    two.write("images/dogs/9", b"nine");
    two.add(&["images/dogs/9"]);
    is_calm();
    remove(&two.workspace(), &[path("images/cats/1"), path("images/cats/0")], REMOVE, &Progress::hidden())
        .unwrap();
    is_calm();
    let before = two.read("images.mld");
    let error = two.try_add(&["images"]).unwrap_err();
    assert!(matches!(error, AddError::Compose(_)), "{error}");
    assert_eq!(two.read("images.mld"), before);
    two.commit("nine");
    brought_back(&one, &two);
    for kept in ["dogs/9", "dogs/0", "dogs/1", "dogs/2", "birds/0", "birds/1", "cats/2", "README"] {
        assert!(one.exists(&format!("images/{kept}")), "{kept}");
    }
    assert!(!one.exists("images/cats/1") && !one.exists("images/cats/0"));
}

#[test]
fn one_file_is_added_to_a_directory_that_is_not_here() {
    let (team, one, _two) = partial();
    let three = team.clone("three");
    three.fetch(&["images/dogs"]);
    three.write("images/dogs/9", b"nine");
    three.add(&["images/dogs/9"]);
    three.commit("nine");
    brought_back(&one, &three);
    assert_eq!(one.read("images/dogs/9"), b"nine");
    assert!(one.exists("images/dogs/0") && one.exists("images/cats/0"));
}

#[test]
fn files_are_removed_from_a_directory_one_by_one_and_together() {
    let (_team, one, two) = partial();
    two.fetch(&["images"]);
    let names = [path("images/cats/0"), path("images/cats/1"), path("images/dogs/1")];
    remove(&two.workspace(), &names, REMOVE, &Progress::hidden()).unwrap();
    two.commit("remove");
    assert!(!two.exists("images/cats/0") && !two.exists("images/cats/1"));
    let status = two.status();
    assert!(status.paths[0].worktree == PathState::Partial { here: 1, of: 7 }, "{status:?}");
    brought_back(&one, &two);
    assert!(!one.exists("images/cats/0") && !one.exists("images/cats/1") && !one.exists("images/dogs/1"));
    assert!(one.exists("images/cats/2") && one.exists("images/dogs/0") && one.exists("images/birds/0"));
}

#[test]
fn a_part_and_the_whole_that_look_alike_are_both_fetched() {
    let (team, one) = Team::new();
    for folder in ["x", "y"] {
        one.write(&format!("data/{folder}/a"), b"the same");
        one.write(&format!("data/{folder}/b/c"), noise(1, 100_000));
    }
    one.add_version("data");
    one.push();
    let two = team.clone("two");
    two.pull(&["data/x/a", "data/y"]);
    assert_eq!(two.contents("data/y"), one.contents("data/y"));
    assert!(!two.exists("data/x/b"));
}

#[test]
fn one_file_added_to_stale_data_does_not_revert_the_rest() {
    let (_team, one, two) = partial();
    two.pull(&[]);
    one.write("images/dogs/0", b"second version");
    one.write("images/dogs/new", b"new");
    one.add_version("images");
    one.push();
    two.git(&["pull", "--quiet"]);
    // The data of `two` is still of the first version.
    two.fetch(&[]);
    two.write("images/cats/0", b"edited");
    two.add(&["images/cats/0"]);
    two.commit("one file");
    two.checkout(&[]);
    assert_eq!(two.read("images/dogs/0"), b"second version");
    assert_eq!(two.read("images/dogs/new"), b"new");
    assert_eq!(two.read("images/cats/0"), b"edited");
    two.add(&["images"]);
    assert_eq!(two.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_checkout_that_stopped_halfway_deletes_nothing_from_the_next_version() {
    let (_team, one, _two) = partial();
    let first = one.read("images.mld");
    one.remove("images/README");
    one.write("images/cats/0", b"second");
    one.add_version("images");
    let second = one.read("images.mld");
    one.write("images.mld", &first);
    one.checkout(&[]);
    // Now to the second version, where a folder of the user's keeps a file from being written.
    one.write("images.mld", &second);
    let cats = one.top.join("images/cats");
    crate::team::set_mode(&cats, 0o555);
    let stopped = one.checkout_with(&[], REFUSE);
    crate::team::set_mode(&cats, 0o755);
    if stopped.as_ref().is_ok_and(|done| matches!(done[0].outcome, Outcome::Done { .. })) {
        println!("skipped: this user may write everywhere");
        return;
    }
    one.write("images.mld", &first);
    one.add(&["images"]);
    assert_eq!(one.read("images.mld"), first);
}

/// `one` changes, adds and removes files, and `two` has the new pointer, and the old data.
fn stale() -> (Team, Clone, Clone) {
    let (team, one, two) = partial();
    two.pull(&[]);
    one.write("images/dogs/0", b"second version");
    one.write("images/dogs/new", b"new");
    one.remove("images/birds/0");
    one.add_version("images");
    one.push();
    two.git(&["pull", "--quiet"]);
    two.fetch(&[]);
    (team, one, two)
}

#[test]
fn a_directory_added_to_stale_data_is_united_with_its_pointer() {
    let (_team, one, two) = stale();
    let named = two.read("images.mld");
    let added = two.add(&["images"]);
    assert_eq!((added.added[0].behind, added.added[0].absent), (2, 1), "{added:?}");
    assert_eq!(two.read("images.mld"), named, "nothing was changed here");

    two.write("images/cats/0", b"edited");
    two.write("images/cats/mine", b"mine");
    two.remove("images/cats/1");
    two.add(&["images"]);
    // A second time nothing is left to do, and nothing is taken back.
    let united = two.read("images.mld");
    two.add(&["images"]);
    assert_eq!(two.read("images.mld"), united);
    assert!(matches!(two.status().paths[0].worktree, PathState::Stale { .. }));
    two.commit("unite");
    two.checkout(&[]);
    assert_eq!(two.read("images/dogs/0"), b"second version");
    assert_eq!(two.read("images/cats/0"), b"edited");
    assert!(two.exists("images/dogs/new") && two.exists("images/cats/mine"));
    assert!(!two.exists("images/birds/0") && !two.exists("images/cats/1"));
    two.add(&["images"]);
    assert_eq!(two.read("images.mld"), united);
    brought_back(&one, &two);
    assert_eq!(one.contents("images"), two.contents("images"));
}

#[test]
fn what_changed_on_both_sides_is_refused_by_name_until_it_is_named() {
    let (_team, _one, two) = stale();
    two.write("images/dogs/0", b"mine");
    two.write("images/birds/0", b"mine too");
    two.write("images/dogs/new", b"mine as well");
    let (named, record) = (two.read("images.mld"), two.read(".git/ml/state"));
    let error = two.try_add(&["images"]).unwrap_err().to_string();
    for name in ["images/dogs/0", "images/birds/0", "images/dogs/new"] {
        assert!(error.contains(name), "{error}");
    }
    assert_eq!((two.read("images.mld"), two.read(".git/ml/state")), (named, record), "nothing was done");
    two.add(&["images/dogs/0", "images/birds/0", "images/dogs/new"]);
    two.add(&["images"]);
    two.commit("mine");
    two.checkout(&[]);
    assert_eq!(two.read("images/dogs/0"), b"mine");
    assert_eq!(two.read("images/birds/0"), b"mine too");
    assert_eq!(two.read("images/dogs/new"), b"mine as well");
    assert_eq!(two.git(&["status", "--porcelain"]), "");
}
