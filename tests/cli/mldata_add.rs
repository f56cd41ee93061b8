//! `git mldata add`.

use crate::support::Sandbox;

#[test]
fn a_file_gets_a_pointer_and_an_ignore_line_which_are_staged() {
    let place = Sandbox::new().data_repository("repo");
    place.write("data/train.csv", "id,mass\n1,3750\n2,3800\n");
    place
        .run("git mldata add data/train.csv")
        .ok()
        .says("")
        .shows("data/train.csv  1 file  22 B  ")
        .shows("  new\n")
        .shows("\nstaged: data/train.csv.mld data/.gitignore\n");
    place.run("git status --short").ok().prints("A  data/.gitignore\nA  data/train.csv.mld\n");
    assert_eq!(place.text("data/train.csv"), "id,mass\n1,3750\n2,3800\n", "the data itself is as it was");
    let pointer = place.text("data/train.csv.mld");
    assert!(pointer.contains("rows = 2") && pointer.contains("\"mass int64 nulls=0\""), "{pointer}");
    place.run("git mldata add data/train.csv").ok().shows("unchanged");
}

#[test]
fn a_directory_is_one_pointer_and_a_part_of_it_can_be_added() {
    let place = Sandbox::new().data_repository("repo");
    place.write("img/cats/1.jpg", "cat");
    place.write("img/dogs/1.jpg", "dog");
    place.run("git mldata add img").ok().shows("img  2 files  6 B");
    place.write("img/cats/2.jpg", "cats");
    place.write("img/dogs/2.jpg", "dogs");
    place.run("cd img && git mldata add cats/2.jpg").ok().shows("img  3 files  10 B");
    place.run("git mldata ls -r img").ok().lacks("dogs/2.jpg").shows("img/cats/2.jpg");
}

#[test]
fn json_tells_the_same() {
    let place = Sandbox::new().data_repository("repo");
    place.write("a.bin", "abc");
    let added = place.run("git mldata add --json a.bin").ok().json();
    assert_eq!(added[0]["added"][0]["path"], "a.bin");
    assert_eq!(added[0]["added"][0]["bytes"], 3);
    place.run("git mldata add --no-stage -q a.bin").ok().prints("").says("");
}

#[test]
fn what_history_tracks_is_tracked_in_place_unless_asked_otherwise() {
    let place = Sandbox::new().data_repository("repo");
    place.write("labels.csv", "a\n1\n");
    place.write("[odd] name.csv", "raw");
    place.run("git add . && git commit -qm labels").ok();
    place
        .run("git mldata add labels.csv '[odd] name.csv'")
        .ok()
        .shows("staged: labels.csv [odd] name.csv .gitattributes")
        .tells("'labels.csv' is tracked in place: Git keeps its pointer under its own name");
    place.run("git mldata track").ok().prints("/labels.csv\n/\\[odd] name.csv\n");
    place.run("git cat-file -p :labels.csv && git commit -qm pointers").ok().shows("size = 4");
    place.write("labels.csv", "a\n2\n");
    place.run("git mldata add labels.csv").ok().shows("was ");
    place.run("git status --short").ok().prints("M  labels.csv\n");
    place.run("git reset -q --hard && git rm -q --cached labels.csv && git commit -qm out").ok();
    place.run("git mldata untrack /labels.csv && git mldata add --sidecar labels.csv").ok();
    place.run("git mldata rm --cached labels.csv && git mldata add labels.csv").ok();
    place.run("git diff --cached --name-only").ok().shows("labels.csv\n").lacks("labels.csv.mld");
}

#[test]
fn a_folder_that_git_tracks_is_refused_with_the_way_out() {
    let place = Sandbox::new().data_repository("repo");
    place.write("data/labels.csv", "a\n1\n");
    place.run("git add data && git commit -qm labels").ok();
    place
        .run("git mldata add data")
        .fails(128)
        .prints("")
        .tells("error: 'data' is tracked by Git; nothing was added\nhint: git rm --cached");
    place.run("git rm -qr --cached data && git commit -qm out").ok();
    place.run("git mldata add data").fails(128).tells("hint: git mldata add --sidecar data");
    place.run("git mldata add --sidecar data").ok();
}

/// What was added and could not be staged whole is staged by the next try.
#[test]
fn an_ignore_line_that_was_not_staged_is_staged_later() {
    let place = Sandbox::new().data_repository("repo");
    place.write("a.bin", "a");
    place.run("git mldata add --no-stage a.bin").ok();
    place.run("git status --short").ok().prints("?? .gitignore\n?? a.bin.mld\n");
    place.run("git mldata add a.bin").ok().shows("staged: a.bin.mld .gitignore");
    place.run("git status --short").ok().prints("A  .gitignore\nA  a.bin.mld\n");
    place.run("git mldata add a.bin").ok().shows("staged: a.bin.mld\n");
}

#[test]
fn bad_paths_are_named() {
    let place = Sandbox::new().data_repository("repo");
    place
        .run("git mldata add nowhere.csv")
        .fails(128)
        .tells("error: 'nowhere.csv' does not exist; nothing was added");
    place
        .run("git mldata add ../outside")
        .fails(128)
        .tells("error: '../outside' is outside the work tree at '[ROOT]/repo'");
    place.run("git mldata add .").fails(128).tells("is the top of the work tree");
    place.run("git mldata add").fails(129).tells("usage: git mldata add");
}

#[test]
fn outside_a_repository_the_error_says_so() {
    let place = Sandbox::new().folder("nowhere");
    place.write("a.bin", "abc");
    place
        .run("git mldata add a.bin")
        .fails(128)
        .prints("")
        .tells("error: not a git repository (or any of the parent directories): '[ROOT]/nowhere'\n")
        .tells("hint: run 'git init', or go to the folder of your project\n");
}

#[test]
fn advice_can_be_switched_off() {
    let place = Sandbox::new().data_repository("repo");
    let wrong = "mldata add nowhere.csv";
    place.run(&format!("git {wrong}")).fails(128).tells("hint:");
    place.with("GIT_ADVICE", "0").run(&format!("git {wrong}")).fails(128).lacks("hint:");
    place.run(&format!("git -c advice.mldata=false {wrong}")).fails(128).lacks("hint:");
}

/// What is unchanged is not asked for again, and still nobody is told that the store has what it lost.
#[test]
fn what_the_store_lost_is_added_again_although_nothing_changed() {
    let place = Sandbox::new().data_repository("repo");
    place.write("img/cats/1.jpg", "cat");
    place.write("img/dogs/1.jpg", "dog");
    place.run("git mldata add img && git commit -qm data").ok();
    let before = place.text("img.mld");
    place.run("git mldata add img").ok().shows("unchanged").lacks("stored");
    place.run("git mldata status").ok().shows("  stored  ");
    place.run("rm -r .git/ml/packs .git/ml/open; git mldata status").ok().shows("not stored");
    place.run("git mldata add img").ok().shows("unchanged").shows("stored ");
    place.run("git mldata status").ok().shows("  stored  ");
    assert_eq!(place.text("img.mld"), before);
    place.run("rm -r img && git mldata checkout").ok();
    assert_eq!(place.text("img/cats/1.jpg"), "cat");
}
