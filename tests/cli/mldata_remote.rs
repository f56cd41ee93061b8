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
