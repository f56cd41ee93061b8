//! The hooks that watch: data is in step with its pointers, whatever Git did.

use crate::support::{Place, Sandbox};

/// `main` has `a.bin` as `one`, then as `two two`; `side` comes off the first and has `three`.
fn repository() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata hooks install").ok();
    version(&place, "one");
    place.run("git tag one").ok();
    place.run("git switch -qc side").ok();
    version(&place, "three");
    place.run("git switch -q main").ok();
    version(&place, "two two");
    place
}

/// Adds and commits `a.bin` with this content.
fn version(place: &Place, content: &str) {
    place.write("a.bin", content);
    place.run(&format!("git mldata add a.bin && git commit -qm '{content}'")).ok();
}

/// A commit of code only.
fn code(place: &Place, name: &str) {
    place.write(name, name);
    place.run(&format!("git add {name} && git commit -qm {name}")).ok();
}

#[test]
fn a_switch_brings_the_data_along_and_says_so_once() {
    let place = repository();
    place.run("git switch -q side").ok().prints("").says("git-mldata: a.bin now at dbec0e68 (5 B)\n");
    assert_eq!(place.text("a.bin"), "three");
    place.run("git switch -q main").ok().says("git-mldata: a.bin now at c3b82283 (7 B)\n");
    place.run("git checkout -q --detach one").ok();
    assert_eq!(place.text("a.bin"), "one");
    place.run("git checkout -q side -- a.bin.mld").ok();
    assert_eq!(place.text("a.bin"), "three");
    place.run("git restore --source main --staged --worktree a.bin.mld").ok();
    assert_eq!(place.text("a.bin"), "two two");
    place.run("git mldata status").ok().shows("a.bin  here");
}

#[test]
fn reset_moves_the_data_and_leaves_what_was_edited() {
    let place = repository();
    place.run("git reset -q --hard one").ok().tells("a.bin now at");
    assert_eq!(place.text("a.bin"), "one");
    place.run("git reset -q --keep main@{1}").ok();
    assert_eq!(place.text("a.bin"), "two two");
    place.write("a.bin", "edited");
    place
        .run("git reset -q --hard one")
        .ok()
        .tells("git-mldata: kept your modified a.bin (edited from c3b82283; the pointer wants d33fb48a)\n")
        .tells("hint: keep it: git mldata add a.bin\nhint: drop it: git mldata checkout --force a.bin ");
    assert_eq!(place.text("a.bin"), "edited");
    place.run("git reset -q --hard").ok().says("");
    place.run("git mldata checkout --force").ok();
    assert_eq!(place.text("a.bin"), "one");
}

#[test]
fn a_stash_takes_added_data_away_and_brings_it_back() {
    let place = repository();
    place.write("a.bin", "staged");
    place.run("git mldata add a.bin && git stash -q").ok();
    assert_eq!(place.text("a.bin"), "two two");
    place.run("git stash pop -q").ok();
    assert_eq!(place.text("a.bin"), "staged");
    place.run("git stash -q && git stash apply -q --index").ok();
    assert_eq!(place.text("a.bin"), "staged");
    place.run("git reset -q --hard").ok();
    // What was not added is not stashed: it stays.
    place.write("a.bin", "edited");
    place.run("touch new && git add new && git stash -q && git stash pop -q").ok();
    assert_eq!(place.text("a.bin"), "edited");
}

#[test]
fn a_stash_of_all_files_comes_back() {
    let place = repository();
    place.write("b.bin", "new");
    place.write("a.bin", "staged");
    place.run("git mldata add a.bin b.bin && git stash -qa").ok();
    assert!(!place.has("b.bin"));
    place.run("git stash pop -q").ok();
    assert_eq!((place.text("a.bin"), place.text("b.bin")), ("staged".into(), "new".into()));
}

#[test]
fn merges_bring_the_other_side() {
    let place = repository();
    place.run("git switch -q -c early one").ok();
    place.run("git merge -q --ff-only main").ok();
    assert_eq!(place.text("a.bin"), "two two");
    place.run("git reset -q --hard one").ok();
    code(&place, "code.py");
    place.run("git merge -q --no-edit main").ok();
    assert_eq!(place.text("a.bin"), "two two");
    place.run("git reset -q --hard HEAD~1 && git merge -q --squash main").ok();
    assert_eq!(place.text("a.bin"), "two two");
}

#[test]
fn a_conflict_leaves_the_data_until_it_is_solved() {
    let place = repository();
    place
        .run("git merge side")
        .fails(1)
        .tells("git-mldata: a.bin stays as it is until the conflict in its pointer is solved\n")
        .tells("hint: git mldata resolve --ours a.bin      or --theirs\n");
    assert_eq!(place.text("a.bin"), "two two");
    place.run("git checkout -q --theirs a.bin.mld && git add a.bin.mld && git commit -q --no-edit").ok();
    assert_eq!(place.text("a.bin"), "three");
    place.run("git reset -q --hard HEAD~1").ok();
    place.run("git merge side").fails(1);
    place.run("git merge --abort").ok();
    assert_eq!(place.text("a.bin"), "two two");
}

#[test]
fn picks_and_reverts_are_followed() {
    let place = repository();
    place.run("git switch -q -c early one").ok();
    place.run("git cherry-pick main").ok();
    assert_eq!(place.text("a.bin"), "two two");
    place.run("git revert --no-edit HEAD").ok();
    assert_eq!(place.text("a.bin"), "one");
    place.run("git cherry-pick side").ok();
    assert_eq!(place.text("a.bin"), "three");
}

#[test]
fn patches_are_followed() {
    let place = repository();
    version(&place, "four");
    place.run("git format-patch -q -o patches one..main && git reset -q --hard one").ok();
    place.run("git am -q patches/*").ok();
    assert_eq!(place.text("a.bin"), "four");
    place.run("git reset -q --hard one && git am -q -3 patches/*").ok();
    assert_eq!(place.text("a.bin"), "four");
}

#[test]
fn a_rebase_is_followed_at_its_end() {
    let place = repository();
    place.run("git switch -q -c topic one").ok();
    code(&place, "code.py");
    code(&place, "more.py");
    place.run("git rebase main").ok().tells("a.bin now at c3b82283");
    assert_eq!(place.text("a.bin"), "two two");
    place.run("git reset -q --hard one").ok();
    place.run("git rebase main").ok();
    assert_eq!(place.text("a.bin"), "two two", "fast-forward only");
    place.run("git reset -q --hard one && git rebase -q --apply main").ok();
    assert_eq!(place.text("a.bin"), "two two", "by patches");
    place.run("git switch -q --detach one").ok();
    code(&place, "code.py");
    code(&place, "more.py");
    place.run("git rebase -q --apply main").ok();
    assert_eq!(place.text("a.bin"), "two two", "by patches, with commits");
}

#[test]
fn a_stopped_rebase_waits_and_an_aborted_one_changes_nothing() {
    let place = repository();
    code(&place, "last.py");
    place.run("git rebase side").fails(1);
    assert_eq!(place.text("a.bin"), "two two", "while steps are left");
    place.run("git rebase --abort").ok();
    assert_eq!(place.text("a.bin"), "two two");
    place.run("git rebase side").fails(1);
    place.run("git checkout -q --ours a.bin.mld && git add a.bin.mld && git rebase --skip").ok();
    assert_eq!(place.text("a.bin"), "three", "after the last step");
}

#[test]
fn a_rebase_that_stops_to_edit_is_followed_at_its_end() {
    let place = repository();
    code(&place, "last.py");
    let editor = place.with("GIT_SEQUENCE_EDITOR", "sed -i '1s/pick/edit/'");
    editor.run("git rebase -q -i --onto one one").ok();
    place.run("git commit -q --amend -m edited && git rebase --continue").ok();
    assert_eq!(place.text("a.bin"), "two two");
    // The first commit is left out, so that the data goes back.
    let editor = place.with("GIT_SEQUENCE_EDITOR", "sed -i '1s/pick/drop/'");
    editor.run("git rebase -q -i one").ok();
    assert_eq!(place.text("a.bin"), "one");
}

#[test]
fn bisect_has_the_data_of_each_commit() {
    let place = repository();
    for content in ["v3", "v4", "v5"] {
        version(&place, content);
    }
    let seen = place.run("git bisect start main one && git bisect run sh -c '! grep v a.bin'").ok();
    let seen = seen.shows("v3").stdout().contains("is the first bad commit");
    assert!(seen);
    place.run("git bisect reset").ok();
    assert_eq!(place.text("a.bin"), "v5");
}

#[test]
fn a_branch_without_the_path_takes_it_away_and_back_it_comes() {
    let place = repository();
    place.run("git switch -q --orphan other && git commit -q --allow-empty -m other").ok();
    assert!(!place.has("a.bin"));
    place.run("git switch -q main").ok().says("git-mldata: a.bin now at c3b82283 (7 B)\n");
    assert_eq!(place.text("a.bin"), "two two");
    place.write("a.bin", "edited");
    place
        .run("git switch -q other")
        .ok()
        .tells("git-mldata: kept your modified a.bin (edited from c3b82283; its pointer is gone)\n");
    assert_eq!(place.text("a.bin"), "edited");
    place.run("git switch -q main").ok().says("");
    assert_eq!(place.text("a.bin"), "edited");
}

#[test]
fn what_was_removed_by_hand_stays_away() {
    let place = repository();
    place.run("rm a.bin && git switch -q side").ok().says("");
    assert!(!place.has("a.bin"));
    place.run("git switch -q --orphan other && git commit -q --allow-empty -m other").ok();
    place.run("git switch -q main").ok().says("");
    assert!(!place.has("a.bin"));
}

#[test]
fn data_that_old_commits_track_in_git_comes_back() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata hooks install").ok();
    place.write("a.bin", "raw");
    place.run("git add a.bin && git commit -qm raw && git branch old && git rm -q --cached a.bin").ok();
    place.write("a.bin", "tracked");
    place.run("git mldata add --sidecar a.bin && git commit -qm tracked").ok();
    place.run("git switch -q old").ok();
    assert_eq!(place.text("a.bin"), "raw");
    place.run("git switch -q main").ok();
    assert_eq!(place.text("a.bin"), "tracked");
}

#[test]
fn a_linked_worktree_has_data_of_its_own() {
    let place = repository();
    place.run("git worktree add -q ../linked side").ok();
    let linked = place.run("cat ../linked/a.bin").ok();
    assert_eq!((linked.stdout(), place.text("a.bin").as_str()), ("three", "two two"));
    place.run("cd ../linked && git checkout -q one").ok().tells("a.bin now at d33fb48a");
    place.run("cat ../linked/a.bin").ok().prints("one");
    assert_eq!(place.text("a.bin"), "two two");
    place.run("cd ../linked && echo x >a.bin && git commit --allow-empty -qm x").fails(1);
    place.run("git commit --allow-empty -qm x").ok();
}

#[test]
fn directories_are_followed_file_by_file_and_a_part_stays_a_part() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata hooks install").ok();
    for (file, text) in [("img/a/1", "1"), ("img/a/2", "2"), ("img/b/3", "3")] {
        place.write(file, text);
    }
    place.run("git mldata add img && git commit -qm one && git tag one").ok();
    place.run("rm img/a/2").ok();
    place.write("img/b/3", "three");
    place.write("img/b/4", "four");
    place.run("git mldata add img && git commit -qm two").ok();
    place.run("git switch -q --detach one").ok().tells("git-mldata: img now at ");
    assert!(place.has("img/a/2") && !place.has("img/b/4") && place.text("img/b/3") == "3");
    place.write("img/b/mine", "not added");
    place.run("git switch -q main").ok();
    assert!(place.has("img/b/mine") && place.has("img/b/4") && !place.has("img/a/2"));
    place.run("rm img/b/mine && rm -r .git/ml/state img && git mldata checkout img/b").ok();
    place.run("git switch -q --detach one").ok();
    assert!(place.text("img/b/3") == "3" && !place.has("img/a"));
}

#[test]
fn what_is_not_here_is_said_in_one_line_with_the_command() {
    let place = repository();
    place.write("b.bin", "b");
    place.run("git mldata remote add main ../bucket && git mldata add b.bin && git commit -qm b").ok();
    place.run("git switch -q side && git checkout -q main -- ml.toml && git commit -qm remote").ok();
    place.run("git switch -q main").ok();
    place.run("git mldata push --all && git clone -q . ../clone").ok();
    place.run("cd ../clone && git mldata init && git mldata pull a.bin && git status").ok();
    place
        .run("cd ../clone && git switch -q side")
        .ok()
        .says("git-mldata: a.bin is not here (5 B): git mldata pull a.bin\n");
    place.run("cd ../clone && cat a.bin").ok().prints("two two");
    place
        .run("cd ../clone && git switch -q main")
        .ok()
        .says("git-mldata: b.bin is not here (1 B): git mldata pull b.bin\n");
    place.run("cd ../clone && git switch -q side && git mldata pull a.bin && cat a.bin").ok().shows("three");
}

#[test]
fn the_only_copy_is_never_replaced() {
    let place = repository();
    place.run("mv .git/ml/packs .git/ml/open ../ ; git mldata checkout; true").ok();
    let store = place.run("cp -r ../packs ../open .git/ml/ ; git cat-file -p side:a.bin.mld").ok();
    drop(store);
    place.run("git switch -q side").ok();
    assert_eq!(place.text("a.bin"), "three");
    place.run("rm -rf .git/ml/packs .git/ml/open").ok();
    place.run("git switch -q --orphan other").ok().tells("git-mldata: kept a.bin, the only copy of dbec0e68");
    assert_eq!(place.text("a.bin"), "three");
}

#[test]
fn whatever_happens_git_goes_on() {
    let place = repository();
    place.run("git switch -q side && chmod a-w . && git mldata hook post-checkout 0 0 1; chmod u+w .").ok();
    place.write(".git/ml/state", "damaged");
    place.run("git switch -q main").ok();
    place.write("c.bin.mld", "version = 99\n");
    place.run("git add c.bin.mld && git commit -qnm broken && git switch -q side").ok();
    place.run("git switch -q main").ok().tells("warning: the pointer 'c.bin.mld' cannot be used: ");
    place.run("cd .git && git-mldata hook post-checkout 0 0 1 && cd / && git-mldata hook post-merge 0").ok();
}
