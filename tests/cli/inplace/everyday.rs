//! What people do with Git all day, with files that are tracked in place. Each ends with the right bytes and a clean status.
//! Scenarios of Git LFS's t-checkout, t-stash, t-worktree, t-submodule, t-sparse-checkout and t-post-*.

use super::{assert_clean, assert_version, noise, tracked};
use crate::support::Sandbox;

#[test]
fn switch_checkout_restore_reset() {
    let place = tracked();
    for (line, version) in [
        ("git switch -q v1", 1),
        ("git checkout -q main", 2),
        ("git reset -q --hard v1", 1),
        ("git reset -q --hard v2", 2),
        ("git checkout -q v1 -- . && git commit -qm 'as v1'", 1),
        ("git restore --source v2 --staged --worktree . && git commit -qm 'as v2'", 2),
        ("rm *.bin && git checkout -q -- .", 2),
        ("rm *.bin && git restore .", 2),
    ] {
        place.run(line).ok();
        assert_version(&place, version);
    }
}

#[test]
fn stash_and_pop() {
    let place = tracked();
    place.write("large.bin", noise(7, 120_000));
    place.write("small.bin", "edited");
    place.run("git stash -q").ok();
    assert_version(&place, 2);
    place.run("git stash pop -q").ok();
    assert_eq!(place.text("small.bin"), "edited");
    assert!(place.read("large.bin") == noise(7, 120_000));
    place.run("git status --short").ok().prints(" M large.bin\n M small.bin\n");
    place.run("git stash -q && git stash drop -q && git gc -q --prune=now && git mldata gc").ok();
    assert_version(&place, 2);
}

#[test]
fn add_patch_of_other_files_and_a_diff_read_no_content() {
    let place = tracked();
    place.write("code.py", "one\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    place.run("printf 'y\\nn\\n' | git add -p code.py").ok();
    place.run("git commit -qm 'half of it' && git diff --stat").ok().shows("code.py");
    place.run("git checkout -q code.py").ok();
    assert_version(&place, 2);
    place.write("small.bin", "edited");
    place.run("git diff small.bin").ok().shows("-size = 7").shows("+size = 6");
    place.run("git diff v1 v2 --stat").ok().shows("large.bin");
}

#[test]
fn merge_rebase_cherry_pick_revert_and_their_conflicts() {
    let place = tracked();
    place.run("git switch -q v1 && git switch -qc side").ok();
    place.write("code.py", "side\n2\n3\n4\n5\n6\n7\n8\n9\n");
    place.write("new.bin", noise(8, 150_000));
    place
        .run("git add . && git commit -qm side && echo more >more.txt && git add . && git commit -qm more")
        .ok();
    place.run("git switch -qc rebased && git rebase -q main").ok();
    assert_version(&place, 2);
    assert!(place.read("new.bin") == noise(8, 150_000));
    place.run("git rebase -q -f v1 && git rebase -q --apply main").ok();
    assert_clean(&place);
    place.run("git mldata checkout").ok();
    assert_version(&place, 2);
    place.run("git switch -q main && git cherry-pick side~1 side >/dev/null").ok();
    place.run("git mldata checkout").ok();
    assert_version(&place, 2);
    assert!(place.read("new.bin") == noise(8, 150_000));
    place.run("git revert --no-edit HEAD~1 >/dev/null && test ! -e new.bin && git reset -q --hard v2").ok();
    place.run("git merge -q --no-edit side").ok();
    assert_version(&place, 2);
    assert!(place.read("new.bin") == noise(8, 150_000));
    // Both sides changed it: ours stays, whole, and no marker is in any pointer.
    place.run("git switch -q v1 && git switch -qc other").ok();
    place.write("small.bin", "other");
    place.write("large.bin", noise(9, 130_000));
    place.run("git add . && git commit -qm other && git merge -q --no-edit main").fails(1);
    assert_eq!(place.text("small.bin"), "other");
    place.run("git checkout --theirs small.bin large.bin && git add . && git commit -qm merged").ok();
    place.run("git mldata checkout").ok();
    assert_version(&place, 2);
}

#[test]
fn bisect_follows_each_step() {
    let place = tracked();
    for version in 3..=8_u8 {
        place.write("small.bin", format!("small {version}"));
        place.write("large.bin", noise(version, 2 * super::LIMIT));
        place.run(&format!("git add . && git commit -qm v{version} && git branch v{version}")).ok();
    }
    place.run("git bisect start main v1 && git bisect run sh -c 'grep -q \"small [1-4]\" small.bin && test $(wc -c <large.bin) = 100000'").ok().shows("is the first bad commit");
    place.run("git bisect reset").ok();
    assert_version(&place, 8);
}

#[test]
fn archive_holds_what_is_small_and_pointers_of_what_is_large() {
    let place = tracked();
    place.run("git archive v1 small.bin | tar xO").ok().prints("small 1");
    place.run("git cat-file --filters v1:small.bin").ok().prints("small 1");
    place.run("git archive v1 large.bin | tar xO").ok().shows("# git-mldata pointer");
}

#[test]
fn worktrees_have_contents_of_their_own() {
    let place = tracked();
    place.run("git worktree add -q ../linked v1").ok();
    let linked = Sandbox::at(&place).folder("linked");
    assert_version(&linked, 1);
    assert_version(&place, 2);
    linked.run("git checkout -q v2 --detach && git mldata status").ok().shows("here");
    assert_version(&linked, 2);
}

#[test]
fn sparse_checkouts_bring_back_what_comes_into_the_cone() {
    let place = tracked();
    place.write("in/a.bin", noise(3, 110_000));
    place.write("out/b.bin", noise(4, 110_000));
    place.run("git add . && git commit -qm folders").ok();
    for index in ["--no-sparse-index", "--sparse-index"] {
        place.run(&format!("git sparse-checkout set --cone {index} in && test ! -e out")).ok();
        assert_clean(&place);
        place.run("git mldata status").ok();
        place.run("git switch -q v1 && git switch -q main && git mldata gc && git mldata fsck").ok();
        place.run("git sparse-checkout disable && git mldata checkout").ok();
        assert!(place.read("out/b.bin") == noise(4, 110_000));
        assert!(place.read("in/a.bin") == noise(3, 110_000));
        assert_clean(&place);
    }
}

#[test]
fn submodules_have_filters_of_their_own() {
    let place = tracked();
    place.run("git mldata push --all").ok();
    let outer = Sandbox::at(&place).repository("outer");
    outer.run("git submodule add -q ../repo part && git commit -qm part").ok();
    assert!(outer.text("part/small.bin").starts_with("# git-mldata pointer"));
    outer.run("cd part && git mldata pull && git status --short").ok().prints("");
    assert_eq!(outer.text("part/small.bin"), "small 2");
    outer.run("cd part && git checkout -q v1 && cd .. && git add part && git commit -qm old").ok();
    outer.run("git submodule update -q && git -c submodule.recurse=true checkout -q HEAD~1").ok();
    outer.run("cd part && git mldata checkout && git status --short").ok().prints("");
    assert!(outer.read("part/large.bin") == noise(2, 2 * super::LIMIT));
}

#[test]
fn what_git_does_itself_is_left_to_it() {
    let place = tracked();
    place
        .run("git mldata rm small.bin")
        .fails(128)
        .tells("hint: git mv small.bin NEW-PATH, or git rm small.bin");
    place.run("git mldata mv small.bin b.bin").fails(128).tells("tracked in place: it is Git's to move");
    place.run("git mv large.bin moved.bin && git rm -q small.bin && git commit -qm moved").ok();
    place.run("git mldata ls").ok().prints("100 kB  moved.bin\n");
    place.run("git switch -q v1 && git switch -q main && git mldata status").ok().shows("moved.bin  here");
    assert!(place.read("moved.bin") == noise(2, 2 * super::LIMIT));
    place.run("git mldata diff v2 HEAD").ok().shows("moved.bin");
    place.write("moved.bin", "edited");
    place.run("git mldata diff").ok().shows("moved.bin  100 kB -> 6 B");
    place.run("git mldata du && git mldata fsck").ok();
}
