//! Contents take the places of pointers after Git wrote those: clean, and without a second look.

use std::thread;
use std::time::Duration;

use super::{LIMIT, asked, assert_clean, assert_version, noise, tracked};

#[test]
fn a_large_file_is_written_by_the_hook_and_status_asks_for_nothing() {
    let place = tracked();
    place.run("git switch -q v1").ok().says("git-mldata: wrote 1 file that Git has as pointers, 100 kB\n");
    assert_version(&place, 1);
    // At once, in the same second, and a while later; the small file may be as young as the index.
    place.run("touch -d '1 minute ago' small.bin && git update-index small.bin").ok();
    assert_eq!(asked(&place, "git status"), (0, 0));
    assert_eq!(asked(&place, "git diff"), (0, 0));
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(asked(&place, "git status"), (0, 0));
    place.run("git switch -q main").ok();
    assert_version(&place, 2);
}

#[test]
fn an_index_of_every_version_is_told_and_nothing_else_of_it_changes() {
    for version in [2, 3, 4] {
        let place = tracked();
        place.run(&format!("git update-index --index-version {version} && git ls-files -s >../before")).ok();
        place.run("git -c core.untrackedCache=true status -s && git reset -q --hard v1").ok();
        place.run("git reset -q --hard v2 && git ls-files -s | cmp - ../before").ok();
        assert_version(&place, 2);
        place.run("git fsck --no-progress && git ls-files --debug >../debug").ok();
    }
    let split = tracked();
    split.run("git update-index --split-index && git switch -q v1").ok();
    assert_version(&split, 1);
}

#[test]
fn what_the_user_wrote_stays() {
    let place = tracked();
    place.write("large.bin", "edited");
    place.run("git switch -q v1").fails(1).tells("would be overwritten");
    assert_eq!(place.text("large.bin"), "edited");
    place.run("git mldata status").ok().shows("modified");
    place.run("git mldata checkout").ok();
    assert_eq!(place.text("large.bin"), "edited");
    place.run("git checkout -q -- large.bin").ok();
    assert_version(&place, 2);
    place.run("rm large.bin && git mldata checkout").ok();
    assert!(!place.has("large.bin"), "what was deleted is Git's to bring back");
}

#[test]
fn a_held_index_is_not_waited_for_and_the_next_command_does_it() {
    let place = tracked();
    place
        .run("git switch -q v1 && GIT_MLDATA_SKIP_SMUDGE=1 git switch -q main && touch .git/index.lock")
        .ok();
    place.run("git mldata hook post-checkout 0 0 1").ok();
    assert!(place.text("large.bin").starts_with("# git-mldata pointer"));
    place.run("git mldata checkout").fails(128).tells("index");
    place.run("rm .git/index.lock && git mldata checkout").ok();
    assert_version(&place, 2);
}

#[test]
fn content_whose_place_git_was_not_told_of_is_told() {
    let place = tracked();
    place.run("GIT_MLDATA_SKIP_SMUDGE=1 git checkout -q v1").ok();
    // As a kill between the two leaves it.
    place.write("large.bin", noise(1, 2 * LIMIT));
    place.run("git status --short large.bin").ok().prints(" M large.bin\n");
    place.run("git mldata checkout").ok();
    assert_version(&place, 1);
}

#[test]
fn what_is_missing_is_told_once_with_the_command() {
    let place = tracked();
    place.run("git mldata push --all").ok();
    place.run("mv .git/ml/open ../ && git config mldata.smudgeFetch false").ok();
    place.run("git switch -q v1").ok().tells("are not here").tells("git mldata pull");
    assert_clean(&place);
    place.run("git restore code.py").ok().says("");
    place.run("git mldata pull").ok();
    assert_version(&place, 1);
}

#[test]
fn the_executable_bit_and_links_beside_stay() {
    let place = tracked();
    place.run("chmod +x large.bin && ln -s large.bin link.bin && git add . && git commit -qm bits").ok();
    place.run("git switch -q v1 && git switch -q main && test -x large.bin && test -L link.bin").ok();
    place.run("cmp large.bin link.bin").ok();
    assert_clean(&place);
}
