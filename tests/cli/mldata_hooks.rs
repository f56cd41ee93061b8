//! `git mldata hooks`, and what the hooks do while Git works.

use crate::support::{Place, Sandbox};

/// A repository with hooks and two versions of a file and of a directory, on `main` and in the commit before.
fn two_versions() -> Place {
    let place = Sandbox::new().repository("repo");
    place.run("git mldata init -q && git commit -qm init").ok();
    for version in ["one", "two"] {
        place.write("a.bin", version);
        place.write("img/1.jpg", version);
        place
            .run(&format!("git mldata add -q a.bin img && git commit -qm {version} && git tag {version}"))
            .ok();
    }
    place
}

impl Place {
    /// The data is of this version.
    #[track_caller]
    fn is_at(&self, version: &str) {
        assert_eq!((self.text("a.bin").as_str(), self.text("img/1.jpg").as_str()), (version, version));
        self.run("git mldata status --porcelain").ok().lacks("\nS ").lacks("\nM ");
    }
}

#[test]
fn hooks_are_installed_beside_others_and_removed_without_trace() {
    let place = Sandbox::new().repository("repo");
    place.write(".git/hooks/pre-commit", "#!/bin/sh\necho mine\n");
    place.run("chmod +x .git/hooks/pre-commit && cp -r .git/hooks ../before").ok();
    place
        .run("git mldata hooks status")
        .ok()
        .shows("pre-commit          somebody else's; ours is not run")
        .tells("hint: git mldata hooks install\n");
    place
        .run("git mldata hooks install")
        .ok()
        .shows("hooks: installed, and yours is run first: pre-commit\n");
    place
        .run("git mldata hooks status")
        .ok()
        .says("")
        .shows("pre-commit          installed  runs another hook first\n");
    place.run("git commit -q --allow-empty -m empty").ok().tells("mine\n");
    place.run("git mldata hooks uninstall").ok().shows("hooks: removed, and yours is back: pre-commit\n");
    place.run("diff -r .git/hooks ../before").ok().prints("");
    assert_eq!(place.run("git mldata hooks status --json").ok().json()[0]["hooks"][0]["state"], "foreign");
}

#[test]
fn a_commit_without_the_changed_data_is_stopped() {
    let place = two_versions();
    place.write("a.bin", "edited");
    place
        .run("git commit -q --allow-empty -m forgotten")
        .fails(1)
        .tells("and not added: the commit would name the old data\nhint: git mldata add a.bin\n")
        .tells("hint: git commit --no-verify ");
    place.run("git mldata add -q a.bin && git commit -qam added").ok();
    place.run("rm -r img && git commit -q --allow-empty -m 'absent data is not changed data'").ok();
    place.write("note", "x");
    place.write("a.bin", "again");
    place.run("git add note && git commit -q -m partial note").fails(1);
}

#[test]
fn data_follows_switch_reset_and_restore() {
    let place = two_versions();
    place.run("git checkout -q one").ok().tells("git-mldata: a.bin now at ");
    place.is_at("one");
    place.run("git switch -q main").ok();
    place.is_at("two");
    place.run("git reset -q --hard one").ok();
    place.is_at("one");
    place.run("git reset -q --hard two && git checkout -q one -- a.bin.mld img.mld").ok();
    place.is_at("one");
    place.run("git restore --source two --staged --worktree a.bin.mld img.mld").ok();
    place.is_at("two");
}

#[test]
fn data_follows_stash_and_pop() {
    let place = two_versions();
    place.write("a.bin", "three");
    place.write("img/1.jpg", "three");
    place.run("git mldata add -q a.bin img && git stash -q").ok();
    place.is_at("two");
    place.run("git stash pop -q").ok();
    place.is_at("three");
}

#[test]
fn data_follows_cherry_pick_revert_and_am() {
    let place = two_versions();
    place.run("git format-patch -q -1 -o ../patches two && git checkout -q -b other one").ok();
    place.is_at("one");
    place.run("git cherry-pick two").ok();
    place.is_at("two");
    place.run("git revert --no-edit HEAD").ok();
    place.is_at("one");
    place.run("git am -q ../patches/*.patch").ok();
    place.is_at("two");
}

#[test]
fn data_follows_merges() {
    let place = two_versions();
    place.run("git checkout -q -b other one && git commit -q --allow-empty -m other && git merge -q --no-edit main").ok();
    place.is_at("two");
    place.run("git checkout -q -b behind one && git merge -q main").ok();
    place.is_at("two");
}

#[test]
fn data_follows_rebases_of_every_kind() {
    let place = two_versions();
    place.run("git checkout -q -b topic one").ok();
    place.write("note", "x");
    place.run("git add note && git commit -qm note && git rebase -q main").ok();
    place.is_at("two");
    place.run("git checkout -q -b forward one && git rebase -q main").ok();
    place.is_at("two");
    place.run("git checkout -q -b patches one").ok();
    place.write("note", "x");
    place.run("git add note && git commit -qm note && git rebase -q --apply main").ok();
    place.is_at("two");
    place.run("git checkout -q -b picks one").ok();
    place.write("a.bin", "three");
    place.write("img/1.jpg", "three");
    place.run("git mldata add -q a.bin img && git commit -qm three").ok();
    place.run("git rebase main").fails(1).shows("CONFLICT");
    assert!(!place.text("a.bin.mld").contains("<<<<<<<"), "no markers in a pointer");
    place.run("git rebase --abort").ok();
    place.is_at("three");
    place.run("git rebase main -q; git checkout -q --theirs -- a.bin.mld img.mld && git add a.bin.mld img.mld && git rebase --continue").ok();
    place.is_at("three");
    place.run("git log --format=%s -2").ok().prints("three\ntwo\n");
}

#[test]
fn a_rebase_with_a_stop_brings_data_in_step_at_its_end() {
    let place = two_versions();
    place.write("note", "x");
    place.run("git add note && git commit -qm note").ok();
    place.run("GIT_SEQUENCE_EDITOR='sed -i s/pick/edit/' git rebase -q -i --force-rebase one").ok();
    place.run("git rebase --continue; git rebase --continue; git status -s").ok();
    place.is_at("two");
}

#[test]
fn a_new_worktree_gets_its_data_and_modified_data_is_kept() {
    let place = two_versions();
    place.run("git worktree add -q ../tree one").ok();
    place.run("cat ../tree/a.bin; cd ../tree && git mldata status").ok().shows("here");
    place.write("a.bin", "edited");
    place
        .run("git checkout -q one")
        .ok()
        .tells("git-mldata: kept your modified a.bin (edited from ")
        .tells("hint: drop it: git mldata checkout --force a.bin");
    assert_eq!(place.text("a.bin"), "edited");
    let told = place.run("git checkout -q main").ok();
    assert!(told.stderr().matches("kept your modified").count() <= 1, "said once: {}", told.stderr());
}

#[test]
fn data_whose_pointer_goes_goes_too() {
    let place = two_versions();
    place.run("git checkout -q one~1").ok().tells("git-mldata: a.bin removed, as its pointer was\n");
    assert!(!place.has("a.bin") && !place.has("img"));
    place.run("git checkout -q main").ok();
    place.is_at("two");
}

#[test]
fn a_push_sends_the_data_first_and_is_stopped_where_it_cannot() {
    let place = two_versions();
    place.run("git init -q --bare ../origin.git && git remote add origin ../origin.git").ok();
    place
        .run("git push -q origin main")
        .fails(1)
        .tells("error: the data of this push could not be sent, so it was stopped: a.bin, img\n")
        .tells("cause: no data remote is named, and none is the default\n")
        .tells("hint: git push --no-verify ");
    place.run("git ls-remote origin").ok().prints("");
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote").ok();
    place.run("git push -q origin main").ok().tells("git-mldata: sent 4 versions to 'main': ");
    place.run("git commit -q --allow-empty -m empty && git push -q origin main").ok().says("");
    place.run("git push -q origin main:other && git push -q origin --delete other").ok().says("");
}

#[test]
fn a_missing_program_is_explained_and_watching_hooks_stay_out_of_the_way() {
    let place = two_versions();
    let without = place.with("PATH", "/usr/bin:/bin");
    without.run("git checkout -q one").ok().tells("warning: ").tells("git-mldata is not installed");
    without.run("git commit -q --allow-empty -m empty").ok();
}

fn hook(place: &Place, name: &str, text: &str) {
    place.write(&format!(".git/hooks/{name}"), text);
    place.run(&format!("chmod +x .git/hooks/{name}")).ok();
}

#[test]
fn hooks_of_others_keep_working_in_any_language() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git init -q --bare ../origin.git && git remote add origin ../origin.git").ok();
    hook(
        &place,
        "pre-commit",
        "#!/bin/sh\nexec sh -c 'echo theirs >>.git/ran; ! grep -q forbidden code.py'\n",
    );
    hook(
        &place,
        "post-checkout",
        "#!/usr/bin/env python3\nimport sys\nopen('.git/ran', 'a').write('python ' + sys.argv[3] + '\\n')\n",
    );
    hook(
        &place,
        "pre-push",
        "#!/bin/sh\nwhile read -r name rest; do echo \"$name\" >>.git/ran; done\nexit 0\n",
    );
    place.run("git mldata hooks install").ok().shows("pre-commit post-checkout pre-push\n");
    place.write("code.py", "fine");
    place.write("a.bin", "one");
    place.run("git mldata add a.bin && git add code.py && git commit -qm x").ok();
    place.run("git switch -qc y && git mldata remote add main ../bucket && git push -q origin y").ok();
    assert_eq!(place.text(".git/ran"), "theirs\npython 1\nrefs/heads/y\n");
    place.write("code.py", "forbidden");
    place.run("git commit -qam x").fails(1).lacks("git-mldata");
    place.write("code.py", "fine again");
    place.write("a.bin", "edited");
    place.run("git commit -qam x").fails(1).tells("'a.bin' was modified");
    place.run("git mldata hooks uninstall && git commit -qam x").ok();
}

#[test]
fn a_folder_of_hooks_that_is_shared_is_asked_for() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git config core.hooksPath tools/hooks").ok();
    place
        .run("git mldata hooks install")
        .fails(128)
        .tells("error: Git looks for hooks in '[ROOT]/repo/tools/hooks' (core.hooksPath), which is not this ")
        .tells("hint: to install them there all the same: git mldata hooks install --shared\n");
    place
        .run("git mldata hooks status")
        .ok()
        .shows("tools/hooks' (core.hooksPath)\n")
        .tells("hint: git mldata hooks install --shared\n");
    place.run("git mldata hooks install --shared").ok();
    assert!(place.has("tools/hooks/pre-push"));
    place.run("git config core.hooksPath .husky/_ && git mldata hooks install").fails(128).tells("husky");
}
