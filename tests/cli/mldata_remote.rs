//! `git mldata remote`.

use crate::support::Sandbox;

#[test]
fn a_folder_is_added_listed_and_removed() {
    let place = Sandbox::new().data_repository("repo");
    place
        .run("git mldata remote add main ../bucket")
        .ok()
        .says("")
        .shows("remote 'main' (default): ../bucket, reachable as ")
        .shows(", empty\nwritten to ml.toml and staged\n");
    place.run("git diff --cached --name-only").ok().prints("ml.toml\n");
    place.run("git mldata remote list").ok().prints("main  ../bucket  (default)\n");
    assert_eq!(place.run("git mldata remote list --json").ok().json()[0]["url"], "../bucket");
    place
        .run("git mldata remote remove main")
        .ok()
        .prints("remote 'main' forgotten; what lies at ../bucket is untouched\n");
    place.run("git mldata remote list").ok().prints("").says("hint: git mldata remote add NAME URL\n");
}

#[test]
fn what_cannot_be_a_remote_is_refused() {
    let place = Sandbox::new().data_repository("repo");
    place
        .run("git mldata remote add origin ../bucket")
        .fails(129)
        .tells("error: 'origin' cannot be the name of a data remote\nhint: ");
    place.run("git mldata remote add main ftp://example.com/x").fails(129).tells("ftp").tells("hint: ");
    place
        .run("git mldata remote add main s3://bucket -o speed=fast")
        .fails(129)
        .tells("speed")
        .tells("endpoint");
    place
        .run("git mldata remote add main s3://key:hunter2@bucket")
        .fails(129)
        .tells("error: the address of a remote holds a user name or a password\n")
        .lacks("hunter2");
    place
        .run("git mldata remote remove nowhere")
        .fails(128)
        .tells("error: there is no data remote 'nowhere'\n");
    place.run("git mldata remote list").ok().prints("");
}

#[test]
fn the_first_push_to_what_only_the_clone_names_is_confirmed_once() {
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("repo");
    place.run("git init -q --bare ../origin.git && git remote add origin ../origin.git").ok();
    place.run("git mldata init -q && git mldata remote add main ../bucket").ok();
    place.write("x.bin", "one");
    place.run("git mldata add -q x.bin && git commit -qm one && git push -q origin main").ok();

    // Who clones it reads without being asked, and sends nothing before he was.
    sandbox.folder(".").run("git clone -q origin.git clone").ok();
    let clone = sandbox.folder("clone");
    clone.run("git mldata pull").ok();
    assert_eq!(clone.text("x.bin"), "one");
    clone.write("x.bin", "two");
    clone.run("git mldata add -q x.bin && git commit -qm two").ok();
    let refusal = "'main' is named by 'ml.toml' alone, and nothing was sent there from this clone yet: ../bucket\n\
                   hint: git mldata remote trust main      if that is where your data should go\n\
                   hint: export GIT_MLDATA_TRUST=../bucket      says the same in CI\n";
    clone.run("git mldata push").fails(128).tells(&format!("error: {refusal}"));
    clone.run("git mldata push --dry-run").ok().shows("would send 1 version to 'main'");
    clone.write("y.bin", "why");
    clone.run("git mldata add --to main y.bin").fails(128).tells(&format!("cause: {refusal}"));
    clone.run("git push -q origin main").fails(1).tells(&format!("cause: {refusal}"));
    clone.run("test $(git rev-parse main) != $(git ls-remote origin main | cut -f1)").ok();
    let job = clone.with("GIT_MLDATA_TRUST", "s3://elsewhere; ../bucket");
    job.run("git push -q origin main").ok().tells("sent 1 version to 'main'");

    // Once is enough, until the address changes.
    clone.write("x.bin", "three");
    clone.run("git mldata add -q x.bin && git commit -qm three && git push -q origin main").fails(1);
    clone
        .run("git mldata remote trust main")
        .ok()
        .prints("remote 'main' trusted: data, and what opens it, may be sent to ../bucket\n");
    clone.run("git push -q origin main").ok().tells("sent 1 version to 'main'");
    clone.run("sed -i s,../bucket,../thief, ml.toml && git mldata push").fails(128).tells(": ../thief\n");
    assert!(!sandbox.path().join("thief").exists(), "nothing was asked");
}
