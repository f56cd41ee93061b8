//! `git mldata drop`, and `mldata.keepLocal=false`: only what a remote holds whole goes, and it is never taken for deleted.

use std::fs;

use super::mldata_gc::{files, noise};
use crate::support::{Place, Sandbox};

/// Two versions of a file and a directory of three, on a remote.
fn pushed() -> (Sandbox, Place) {
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("repo");
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote").ok();
    for seed in [1, 2] {
        place.write("big.bin", noise(seed, 300_000));
        for name in ["a", "b", "c/d"] {
            place.write(&format!("img/{name}.bin"), noise(name.len() as u64, 20_000));
        }
        place.run(&format!("git mldata add -q big.bin img && git commit -qm {seed}")).ok();
    }
    place.run("git mldata push -q").ok();
    (sandbox, place)
}

fn stored(place: &Place) -> u64 {
    let store = place.path().join(".git/ml");
    let packs = [files(&store.join("packs")), files(&store.join("open"))].concat();
    packs.iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

#[test]
fn what_a_remote_holds_goes_and_comes_back() {
    let (_sandbox, place) = pushed();
    place.write("new.bin", noise(9, 100_000));
    place.run("git mldata add -q new.bin && git commit -qm new").ok();
    let before = stored(&place);
    place
        .run("git mldata drop -n")
        .fails(1)
        .shows("big.bin")
        .shows("would drop 3 versions: ")
        .tells("error: 'new.bin' (")
        .tells("stays: 'main': it has no record of it\nhint: git mldata push --all");
    assert_eq!(stored(&place), before);
    place.run("git mldata drop big.bin img").ok().shows("dropped 3 versions: ").shows("on main");
    assert!(stored(&place) < 130_000, "{}", stored(&place));
    place.run("git mldata drop").fails(1).prints("nothing to drop\n");
    place.run("git mldata status").ok().shows("big.bin  here");
    place.run("git mldata fsck").ok().shows("something is not here but on a remote");
    place.run("rm big.bin img/a.bin new.bin && git mldata checkout new.bin").ok();
    place.run("git mldata pull -q").ok();
    assert!(place.read("big.bin") == noise(2, 300_000) && place.read("img/a.bin") == noise(1, 20_000));
    place.run("git mldata fetch --at HEAD~2 big.bin && git mldata cat HEAD~2:big.bin > ../out").ok();
}

#[test]
fn an_age_leaves_current_versions_and_paths_that_are_unknown_are_errors() {
    let (_sandbox, place) = pushed();
    place.run("git mldata drop --older-than 30d").ok().shows("dropped 1 version: 3");
    place.run("rm big.bin && git mldata checkout big.bin").ok();
    place.run("git mldata cat HEAD~1:big.bin").fails(128).tells("hint: git mldata fetch");
    place.run("git mldata drop nothing.bin").fails(128).tells("'nothing.bin' is not tracked");
    place.run("git mldata drop --older-than 3").fails(129).tells("write it as 12h, 30d or 8w");
    place.run("git mldata drop --older-than 1000w").ok().prints("nothing to drop\n");
}

#[test]
fn a_dropped_work_tree_is_absent_and_never_deleted() {
    let (_sandbox, place) = pushed();
    place.write("img/b.bin", "edited");
    place
        .run("git mldata drop --worktree img")
        .fails(1)
        .tells("'img' (")
        .tells("stays: it is modified in the work tree");
    assert!(place.has("img/a.bin") && place.text("img/b.bin") == "edited");
    place.write("img/b.bin", noise(1, 20_000));
    place.run("git mldata drop --worktree img big.bin --json").ok().shows("\"files\":4");
    assert!(!place.has("img") && !place.has("big.bin"));
    for forgotten in [false, true] {
        if forgotten {
            fs::remove_file(place.path().join(".git/ml/state")).unwrap();
        }
        place
            .run("git mldata status")
            .ok()
            .shows("big.bin  not here")
            .shows("img      not here")
            .lacks("modified");
        place.run("git status --short").ok().prints("");
        // Something new beside what is not here; the store has not got the rest either.
        let name = format!("img/new{}.bin", u8::from(forgotten));
        place.write(&name, "new");
        if forgotten {
            place.run("git mldata add img").fails(128).tells("nothing tells whether they were deleted");
        } else {
            place.run("git mldata add img").ok().shows("img  4 files");
        }
        place.run(&format!("git mldata add {name}")).ok();
        place
            .run("git mldata ls -r img")
            .ok()
            .shows("img/a.bin")
            .shows("img/b.bin")
            .shows("img/c/d.bin")
            .shows(&name);
        place.run("git commit -qam more && git mldata push -q && git mldata pull -q").ok();
        place.run("git mldata drop -q --worktree img big.bin").ok();
        assert!(!place.has("img") && !place.has("big.bin"));
    }
    place.run("git mldata pull -q").ok();
    assert!(place.read("img/c/d.bin") == noise(3, 20_000) && place.text("img/new1.bin") == "new");
}

#[test]
fn a_remote_that_lost_something_or_is_away_holds_nothing() {
    let (sandbox, place) = pushed();
    let before = stored(&place);
    let bucket = sandbox.path().join("bucket");
    let packs = files(&bucket.join("packs"));
    let largest = packs.iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let bytes = fs::read(largest).unwrap();
    fs::write(largest, &bytes[1..]).unwrap();
    place
        .run("git mldata drop big.bin")
        .fails(1)
        .tells("a pack that it needs is not there")
        .prints("nothing to drop\n");
    fs::write(largest, &bytes).unwrap();
    fs::rename(bucket.join("roots"), bucket.join("roots-away")).unwrap();
    place.run("git mldata drop --worktree").fails(1).tells("it has no record of it");
    fs::rename(bucket.join("roots-away"), bucket.join("roots")).unwrap();
    fs::rename(&bucket, sandbox.path().join("away")).unwrap();
    place.run("git mldata drop").fails(1).tells("'main' cannot be asked");
    fs::rename(sandbox.path().join("away"), &bucket).unwrap();
    assert_eq!(stored(&place), before);
    assert!(place.has("big.bin") && place.has("img/a.bin"));
    place
        .run("git mldata remote remove main -q && git mldata drop")
        .fails(1)
        .tells("stays: there is no remote");
    assert_eq!(stored(&place), before);
}

#[test]
fn what_another_version_needs_stays() {
    let (_sandbox, place) = pushed();
    // Shares most of its chunks with the version that is on the remote.
    place.write("big.bin", [noise(2, 300_000), noise(7, 1000)].concat());
    place.run("git mldata add -q big.bin && git commit -qm third").ok();
    place.run("git mldata drop").fails(1).tells("error: 'big.bin' (");
    let data = place.read("big.bin");
    place.run("rm big.bin && git mldata checkout big.bin").ok();
    assert!(place.read("big.bin") == data);
}

#[test]
fn without_local_copies_a_push_leaves_the_work_tree_and_the_remote() {
    let (sandbox, place) = pushed();
    place.run("git config mldata.keepLocal false").ok();
    place.run("git mldata push").ok().tells("dropped 3 versions: ");
    assert!(stored(&place) < 20_000, "{}", stored(&place));
    // The push of Git does the same.
    place
        .run("git init -q --bare ../origin.git && git remote add origin ../origin.git && git mldata init -q")
        .ok();
    place.write("big.bin", noise(4, 300_000));
    place
        .run("git mldata add -q big.bin && git add . && git commit -qm fourth && git push -q -u origin main")
        .ok();
    assert!(stored(&place) < 30_000, "{}", stored(&place));
    place.run("git mldata status").ok().shows("big.bin  here").shows("if this disk dies, nothing is lost");
    place.run("git clone -q ../origin.git ../clone").ok();
    let clone = sandbox.folder("clone");
    clone.run("git mldata pull -q").ok();
    assert!(clone.read("big.bin") == noise(4, 300_000));
}
