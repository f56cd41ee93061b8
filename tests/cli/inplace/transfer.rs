//! To remotes and back: contents go with the refs that name their pointers, and come while Git checks out.

use super::{assert_clean, assert_version, noise, tracked};
use crate::support::{Place, Sandbox};

/// The repository with a Git remote and a data remote, all pushed.
fn shared() -> Place {
    let place = tracked();
    Sandbox::at(&place).folder("bare").run("git init -q --bare").ok();
    place.run("git remote add origin ../bare").ok();
    place.run("git push -q origin main v1").ok().tells("git-mldata: sent ");
    place
}

fn clone(place: &Place, options: &str, name: &str) -> Place {
    let url = format!("file://{}/../bare", place.path().display());
    place.run(&format!("git clone -q {options} {url} ../{name}")).ok();
    Sandbox::at(place).folder(name)
}

#[test]
fn a_clone_has_pointers_until_it_pulls() {
    let place = shared();
    let clone = clone(&place, "", "clone");
    assert!(clone.text("large.bin").starts_with("# git-mldata pointer"));
    assert_clean(&clone);
    clone.run("git mldata ls").ok().shows("large.bin");
    clone.run("git mldata cat small.bin").fails(128).tells("hint: git mldata fetch");
    clone.run("git mldata pull").ok().tells("set up this clone");
    assert_version(&clone, 2);
    clone.run("git mldata status").ok().shows("if this disk dies, nothing is lost");
    clone.run("git mldata cat large.bin | cmp - large.bin").ok();
    // What is missing comes in one go, while Git checks out.
    clone.run("git switch -q v1").ok().says("");
    assert_version(&clone, 1);
}

#[test]
fn many_files_are_fetched_in_one_go() {
    let place = shared();
    for number in 0..60_u8 {
        place.write(&format!("many/{number}.bin"), noise(number, 3_000));
    }
    place.run("git add many && git commit -qm many && git push -q origin main").ok();
    let clone = clone(&place, "-b v1", "clone");
    clone.run("git mldata pull && git switch -q main").ok();
    for number in 0..60_u8 {
        assert!(clone.read(&format!("many/{number}.bin")) == noise(number, 3_000), "{number}");
    }
    assert_version(&clone, 2);
}

#[test]
fn without_the_remote_pointers_stay_and_git_goes_on() {
    let place = shared();
    let clone = clone(&place, "", "clone");
    clone.run("git mldata pull && mv ../remote ../elsewhere && touch ../remote").ok();
    clone
        .run("git switch -q v1")
        .ok()
        .tells("warning: 2 files could not be fetched and stay pointers")
        .tells("hint: git mldata pull");
    assert!(clone.text("small.bin").starts_with("# git-mldata pointer"));
    assert_clean(&clone);
    clone.run("rm ../remote && mv ../elsewhere ../remote && git mldata pull").ok();
    assert_version(&clone, 1);
}

#[test]
fn partial_and_shallow_clones() {
    let place = shared();
    for (number, options) in ["--depth 1", "--filter=blob:none", "--filter=tree:0"].iter().enumerate() {
        Sandbox::at(&place).folder("bare").run("git config uploadpack.allowFilter true").ok();
        let clone = clone(&place, options, &format!("clone{number}"));
        clone.run("git mldata pull && git mldata remote trust main").ok();
        assert_version(&clone, 2);
        clone.write("small.bin", format!("small {number} new"));
        clone
            .run("git switch -qc new && git add . && git commit -qm new && git push -q origin HEAD:new -f")
            .ok();
        clone.run("git mldata gc && git mldata fsck").ok();
        assert_clean(&clone);
    }
}

#[test]
fn gc_keeps_what_any_commit_names_in_place_and_frees_the_rest() {
    let place = tracked();
    place.write("large.bin", noise(42, 400_000));
    place.run("git add large.bin && git reset -q --hard && git reflog expire --expire=now --all").ok();
    place.run("find .git/ml -type f -exec touch -d '30 days ago' {} + && git mldata gc").ok();
    place.run("git mldata fsck && git switch -q v1").ok();
    assert_version(&place, 1);
    // A commit that only a pattern of its own time tells.
    place.run("git switch -q main && git mldata untrack '*.bin' && git add --renormalize . && git commit -qm raw").ok();
    place.run("find .git/ml -type f -exec touch -d '30 days ago' {} + && git mldata gc").ok();
    place.run("git switch -q v1").ok();
    assert_version(&place, 1);
}
