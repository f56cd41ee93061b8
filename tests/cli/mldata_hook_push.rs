//! pre-push: data is on its remote before refs name it.

use crate::support::{Place, Sandbox};

/// A repository with hooks, a Git remote `origin`, a data remote `main`, and `a.bin` in two versions, nothing pushed.
fn repository() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata init && git mldata remote add main ../bucket && git commit -qm 'set up'").ok();
    place.run("git init -q --bare ../origin.git && git remote add origin ../origin.git").ok();
    for content in ["one", "two two"] {
        version(&place, content);
    }
    place
}

fn version(place: &Place, content: &str) {
    place.write("a.bin", content);
    place.write("img/1.jpg", content);
    place.run(&format!("git mldata add a.bin img && git commit -qm '{content}'")).ok();
}

/// The refs of the Git remote that are no logs of runs.
fn refs(place: &Place) -> String {
    place.run("git ls-remote --heads --tags origin | cut -f2").ok().stdout().to_owned()
}

#[test]
fn a_fresh_clone_of_what_was_pushed_pulls_every_byte() {
    let place = repository();
    place.run("git push -q origin main").ok().tells("git-mldata: sent 4 versions to 'main': ");
    place.run("git clone -q ../origin.git ../clone").ok();
    place
        .run("cd ../clone && git mldata init && git mldata pull && cat a.bin img/1.jpg")
        .ok()
        .shows("two twotwo two");
    place
        .run("cd ../clone && git switch -q --detach HEAD~1 && git mldata pull && cat a.bin")
        .ok()
        .shows("one");
    // What comes back from there brings nothing new.
    place.run("cd ../clone && git switch -q main && git commit -q --allow-empty -m x").ok();
    place.run("mv ../bucket ../gone && cd ../clone && git push -q origin main").ok().says("");
}

#[test]
fn where_the_remote_cannot_be_reached_no_ref_moves() {
    let place = repository();
    place.write("../in-the-way", "a file");
    place.run("rm -rf ../bucket && mv ../in-the-way ../bucket").ok();
    place
        .run("git push -q origin main")
        .fails(1)
        .tells("error: the data of this push could not be sent, so it was stopped: a.bin, img\ncause: ")
        .tells("hint: git push --no-verify      pushes without the data: others get pointers to nothing\n");
    assert_eq!(refs(&place), "");
    place.run("git push -q --no-verify origin main").ok().says("");
    assert_eq!(refs(&place), "refs/heads/main\n");
    // A later push makes up for it as soon as it can, and is not stopped before.
    place
        .run("git commit -q --allow-empty -m later && git push -q origin main")
        .ok()
        .tells("warning: data that an earlier push left behind could not be sent: a.bin, img\n");
    place.run("rm ../bucket && git commit -q --allow-empty -m last").ok();
    place.run("git push -q origin main").ok().tells("git-mldata: sent 2 versions to 'main': ");
    place.run("git commit -q --allow-empty -m more && git push -q origin main").ok().says("");
}

#[test]
fn data_that_is_nowhere_stops_the_push() {
    let place = repository();
    place.run("rm -rf .git/ml/packs .git/ml/open").ok();
    place
        .run("git push -q origin main")
        .fails(1)
        .tells("cannot be sent: neither this store nor 'main' has it\n")
        .tells("hint: git push --no-verify ");
    assert_eq!(refs(&place), "");
}

#[test]
fn branches_tags_and_deletions() {
    let place = repository();
    place.run("git switch -qc side HEAD~1").ok();
    version(&place, "three");
    place.run("git tag -a v1 -m v1 && git tag blob HEAD:a.bin.mld && git switch -q main").ok();
    place.run("git push -q origin v1 blob").ok().tells("git-mldata: sent 4 versions to 'main': ");
    place.run("git push -q origin main side").ok().tells("git-mldata: sent 2 versions to 'main': ");
    place.run("mv ../bucket ../gone").ok();
    place
        .run("git push -q origin --delete side && git push -q origin :v1 && git push -q origin main")
        .ok()
        .says("");
    place.run("git push -q origin main:refs/heads/copy HEAD~1:refs/heads/older").ok().says("");
    assert_eq!(refs(&place), "refs/heads/copy\nrefs/heads/main\nrefs/heads/older\nrefs/tags/blob\n");
}

#[test]
fn without_a_data_remote_data_cannot_be_pushed_but_code_can() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata init && git commit -qm 'set up'").ok();
    place.run("git init -q --bare ../origin.git && git remote add origin ../origin.git").ok();
    place.run("git push -q origin main").ok().says("");
    version(&place, "one");
    place.run("git push -q origin main").fails(1).tells(
        "cause: no data remote is named, and none is the default\nhint: git mldata remote add NAME URL\n",
    );
}

#[test]
fn records_of_runs_go_with_the_refs_and_a_refusal_only_warns() {
    let place = repository();
    place.run("git config push.followTags true && git tag -a v1 -m v1").ok();
    place.run("git mlrun exec --name x -- true").ok();
    place.run("git push -q origin main:main --no-follow-tags").ok();
    place.run("git ls-remote origin").ok().shows("refs/mlrun/w/").lacks("refs/tags");
    place.write("../origin.git/hooks/update", "#!/bin/sh\ncase $1 in refs/mlrun/*) echo no; exit 1;; esac\n");
    place.run("chmod +x ../origin.git/hooks/update && git mlrun exec --name y -- true").ok();
    place.run("git commit -q --allow-empty -m x").ok();
    place.run("git push -q origin main").ok().tells("warning: the records of runs were not shared: ");
    place.run("git fetch -q && git diff --quiet main origin/main").ok();
}
