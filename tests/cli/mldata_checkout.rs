//! `git mldata checkout`.

use crate::support::{Place, Sandbox};

fn two_versions() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.write("a.bin", "one");
    place.run("git mldata add a.bin && git commit -qm one").ok();
    place.write("a.bin", "two two");
    place.run("git mldata add a.bin && git commit -qm two").ok();
    place
}

#[test]
fn data_follows_the_pointer() {
    let place = two_versions();
    place
        .run("git checkout -q HEAD~1 -- a.bin.mld && git mldata checkout")
        .ok()
        .prints("")
        .says("wrote 1 file, 3 B\n");
    assert_eq!(place.text("a.bin"), "one");
    place.run("git mldata checkout").ok().says("");
    place.run("rm a.bin && git mldata checkout a.bin").ok().says("wrote 1 file, 3 B\n");
}

#[test]
fn an_edited_file_is_never_lost() {
    let place = two_versions();
    place.write("a.bin", "edited");
    place.run("git checkout -q HEAD~1 -- a.bin.mld").ok();
    place
        .run("git mldata checkout a.bin")
        .fails(128)
        .tells("error: 'a.bin' is modified (from ")
        .tells("it was left as it is\nhint: git mldata add a.bin ")
        .tells("hint: git mldata checkout --force a.bin ");
    assert_eq!(place.text("a.bin"), "edited");
    let told = place
        .run("git mldata checkout --force a.bin")
        .ok()
        .tells("kept a copy of your modified 'a.bin' for 14 days\n");
    assert_eq!(place.text("a.bin"), "one");
    let back = told.stderr().lines().find_map(|line| line.strip_prefix("hint: ")).expect("a hint").to_owned();
    let back = back.split("      ").next().expect("a command");
    place.run(back).ok();
    assert_eq!(place.text("a.bin"), "edited");
    place.run("git mldata checkout --from 123456").fails(128).tells("error: no copy '123456' is kept");
}

/// Neither an edited file nor one that was never added goes without a word, and both are named.
#[test]
fn what_would_be_lost_in_a_directory_is_named_and_stays() {
    let place = Sandbox::new().data_repository("repo");
    place.write("data/a", "one");
    place.write("data/folder/b", "one");
    place.run("git mldata add data && git commit -qm one").ok();
    place.run("rm -r data/folder && echo now a file > data/folder && echo two > data/a").ok();
    place.run("git mldata add data && git commit -qm two").ok();
    place.write("data/a", "edited");
    place.run("rm data/folder && mkdir data/folder").ok();
    place.write("data/folder/mine", "never added");
    place.run("git checkout -q HEAD~1 -- data.mld").ok();
    place.run("git checkout -q HEAD -- data.mld").ok();
    place
        .run("git mldata checkout")
        .fails(128)
        .tells("error: 'data' is modified (from ")
        .tells("cause: 2 files would be lost: 'data/a', 'data/folder/mine'\n");
    assert_eq!(
        (place.text("data/a"), place.text("data/folder/mine")),
        ("edited".into(), "never added".into())
    );
    place.run("git mldata checkout --force").ok();
    assert_eq!(place.text("data/folder"), "now a file\n");
    place.write("data/untracked", "mine");
    place.run("git checkout -q HEAD~1 && git mldata checkout").ok();
    assert_eq!((place.text("data/folder/b"), place.text("data/untracked")), ("one".into(), "mine".into()));
    assert_eq!(place.text("data/a"), "one");
}

#[test]
fn missing_content_is_named_and_nothing_is_written() {
    let place = two_versions();
    place.run("rm -rf .git/ml a.bin").ok();
    place
        .run("git mldata checkout")
        .fails(128)
        .tells("error: the content of 'a.bin' is not in the store")
        .tells("nothing was written\nhint: git mldata pull a.bin\n");
    assert!(!place.has("a.bin"));
}

/// What a hint says to type can be typed, whatever the name.
#[test]
fn hints_quote_names_for_the_shell() {
    let place = Sandbox::new().data_repository("repo");
    place.write("it's my data.bin", "one");
    place.run("git mldata add -q *.bin && git commit -qm one").ok();
    place.write("it's my data.bin", "edited");
    let told = place.run("git mldata rm *.bin").fails(128);
    let hint = told.stderr().lines().find_map(|line| line.strip_prefix("hint: ")).expect("a hint");
    let command = hint.split("      ").next().expect("a command");
    place.run(command).ok();
}
