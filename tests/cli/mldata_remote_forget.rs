//! `git mldata remote forget`, over a folder and a Git server.

use crate::support::{Place, Sandbox};

/// A clone of a server, with a remote; a version on `main`, and one on the branch `idea`, both pushed.
fn two_branches() -> (Sandbox, Place) {
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("repo");
    place
        .run("git clone -q --bare . ../server.git && git remote add origin $(dirname $PWD)/server.git && git fetch -q")
        .ok();
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote").ok();
    place.write("data/a.bin", "one");
    place.run("git mldata add -q data/a.bin && git commit -qm one && git mldata push -q").ok();
    place.run("git switch -qc idea").ok();
    place.write("data/a.bin", "an idea");
    place.run("git mldata add -q data/a.bin && git commit -qm idea && git mldata push -q").ok();
    place.run("git push -q origin main idea && git switch -q main && git mldata checkout -q").ok();
    (sandbox, place)
}

fn at(command: &str, days: u64) -> String {
    format!("{command} --now $(($(date +%s) + {days} * 86400))")
}

#[test]
fn only_what_no_ref_anywhere_names_is_forgotten() {
    let (sandbox, place) = two_branches();
    let forget = |days| at("git mldata remote forget main --yes", days);
    place.run(&forget(40)).ok().prints("nothing to forget on 'main' (2 records)\n");
    place.run("git push -q origin :idea").ok();
    // The branch is still here, and in the reflog.
    place.run(&forget(40)).ok().prints("nothing to forget on 'main' (2 records)\n");
    place.run("git clone -q $(dirname $PWD)/server.git ../clone && cd ../clone && git mldata pull -q").ok();
    place.run("cd ../clone && git mldata remote trust main").ok();
    let clone = sandbox.folder("clone");
    clone
        .run(&forget(20))
        .ok()
        .prints("nothing to forget on 'main' (2 records)\n1 record that nothing names are young, and stay\n");
    clone.run(&at("git mldata remote forget main", 40)).ok().shows("would forget 1 of 2 records on 'main'");
    clone.run("git mldata remote forget main --older-than 3d").fails(129).tells("younger than 8 days");
    clone.run(&forget(40)).ok().shows("7 B").shows("forgot 1 of 2 records on 'main'\n");
    clone.run("git for-each-ref refs/mldata").ok().prints("");
    // Its packs go, those of the other stay.
    let gc = |days| at("git mldata gc --remote main --yes", days);
    clone.run(&gc(41)).ok().shows("'main' keeps 1 pushed version");
    clone.run(&gc(50)).ok();
    clone.run(&gc(52)).ok();
    clone.run(&gc(60)).ok();
    clone.run("test $(find ../bucket/packs -type f | wc -l) = 1").ok();
    clone.run("rm -r .git/ml data/a.bin && git mldata pull -q && cat data/a.bin").ok().prints("one");
    // Whoever still has it sends it again.
    place.run("git switch -q idea && git mldata push").ok().shows("sent 1 version to 'main'");
}

#[test]
fn who_does_not_see_all_may_not_forget() {
    let (sandbox, place) = two_branches();
    let forget = "git mldata remote forget main --yes";
    place.run("git clone -q --depth 1 file://$PWD/../server.git ../shallow").ok();
    sandbox.folder("shallow").run(forget).fails(128).tells("error: this clone is shallow: ").tells("hint: ");
    place.run("git clone -q --single-branch ../server.git ../single").ok();
    sandbox.folder("single").run(forget).fails(128).tells("error: this clone is single-branch: ");
    place.run("git remote remove origin").ok();
    place.run(forget).fails(128).tells("error: there is no Git remote");
    // Another home forgets nothing of this one.
    place.run("git clone -q --bare ../server.git ../fork.git && git clone -q ../fork.git ../other").ok();
    let other = sandbox.folder("other");
    other.run("git push -q origin :idea && git mldata remote trust main").ok();
    other
        .run(&at(forget, 40))
        .ok()
        .prints("nothing to forget on 'main' (0 records)\n2 records of other Git remotes stay\n");
}
