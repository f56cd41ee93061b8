//! What goes wrong in people's hands: each time a clear error with a hint, the right exit code, nothing lost and no
//! partial file.

use std::fs;
use std::process::Command;

use crate::support::{Place, Sandbox};

/// A repository with one committed version of a data file, and a folder remote that has nothing yet.
fn with_data(sandbox: &Sandbox) -> Place {
    let place = sandbox.data_repository("repo");
    place.run("git mldata remote add store ../store && git commit -qm remote").ok();
    place.write("data/x.csv", "id,v\n1,a\n");
    place.run("git mldata add data/x.csv && git commit -qm data").ok();
    place
}

/// No file of ours that is only half there.
fn has_no_leftovers(place: &Place) {
    let listed =
        Command::new("find").arg(place.path()).args(["-name", ".tmp*", "-not", "-path", "*/.git/*"]).output();
    let listed = String::from_utf8(listed.expect("find").stdout).expect("UTF-8");
    assert_eq!(listed, "", "left over");
}

#[test]
fn outside_of_a_repository() {
    let folder = Sandbox::new().folder("nowhere");
    for line in ["git mldata status", "git mldata add x", "git mlrun ls", "git mlmodel ls"] {
        folder.run(line).fails(128).prints("").tells("error: not a git repository").tells("hint: ");
    }
}

#[test]
fn a_remote_that_is_not_there() {
    let sandbox = Sandbox::new();
    let place = with_data(&sandbox);
    place
        .run("git mldata push nowhere")
        .fails(128)
        .tells("error: there is no data remote 'nowhere'")
        .tells("hint: there are: store");
    place.run("git mldata remote add origin ../x").fails(129).tells("cannot be the name of a data remote");
    place.run("git mldata remote add web gopher://x/y").fails(129).tells("error: ").tells("hint: ");
    place
        .run("git mldata remote add b s3://bucket/p --option colour=red")
        .fails(129)
        .tells("'colour' is not an option");
    let secret = "git mldata remote add b s3://bucket/p --option secret_access_key=hunter2";
    place.run(secret).fails(129).lacks("hunter2");
}

#[test]
fn an_endpoint_that_does_not_answer() {
    let sandbox = Sandbox::new();
    let place = with_data(&sandbox);
    let add = "git mldata remote add far s3://bucket/x --option endpoint=http://127.0.0.1:1 --option anonymous=true";
    place.run(add).fails(128).tells("error: ").tells("cannot be reached").tells("hint: ");
    let named = place.text("ml.toml");
    assert!(!named.contains("far"), "what cannot be reached is not written: {named}");
}

#[test]
fn content_that_is_nowhere() {
    let sandbox = Sandbox::new();
    let place = with_data(&sandbox);
    let clone = sandbox.folder(".");
    clone.run("git clone -q repo clone").ok();
    let clone = sandbox.folder("clone");
    clone.run("git mldata checkout").fails(128).tells("is not in the store").tells("hint: ");
    clone.run("git mldata cat data/x.csv").fails(128).prints("").tells("hint: git mldata fetch data/x.csv");
    clone.run("git mldata pull --no-setup").fails(128).tells("error: ").tells("hint: ");
    assert!(!clone.path().join("data/x.csv").exists());
    has_no_leftovers(&clone);
    place.run("git mldata push").ok();
    clone.run("git mldata pull --no-setup").ok();
    assert_eq!(clone.text("data/x.csv"), "id,v\n1,a\n");
}

#[test]
fn pointers_that_are_none() {
    let sandbox = Sandbox::new();
    let place = with_data(&sandbox);
    let good = place.text("data/x.csv.mld");
    let conflict = format!("<<<<<<< ours\n{good}=======\n{good}>>>>>>> theirs\n");
    let cases = [
        (conflict.as_str(), "conflict marker in line 1", "hint: take one side whole"),
        (&good.replace("version = 1", "version = 7"), "version 7", "hint: a newer git-ml wrote it"),
        ("nonsense", "cannot be used", "hint: "),
        (&good.replace("size = 9", "size = -1"), "'size'", "hint: "),
    ];
    for (text, message, hint) in cases {
        place.write("data/x.csv.mld", text);
        for line in ["git mldata status", "git mldata checkout", "git mldata add data/x.csv"] {
            let seen = place.run(line).fails(128).tells("data/x.csv.mld").tells(message);
            assert!(seen.stderr().contains(hint), "{line}: {}", seen.stderr());
        }
        assert_eq!(place.text("data/x.csv"), "id,v\n1,a\n", "the data is untouched");
        assert_eq!(place.text("data/x.csv.mld"), text, "and so is the file");
    }
}

#[test]
fn paths_that_lead_out() {
    let sandbox = Sandbox::new();
    let place = with_data(&sandbox);
    sandbox.folder(".").write("outside.csv", "a\n");
    place.run("git mldata add ../outside.csv").fails(128).tells("error: ").tells("outside.csv");
    place.run("git mldata add /etc/hostname").fails(128).tells("error: ");
    place.run("git mldata add .git/config").fails(128).tells("error: ");
    std::os::unix::fs::symlink(sandbox.path(), place.path().join("out")).expect("a link");
    place.run("git mldata add out/outside.csv").fails(128).tells("error: ").tells("link");
    place
        .run("git mldata add nothing-here")
        .fails(128)
        .tells("'nothing-here' does not exist")
        .tells("hint: ");
}

#[test]
fn a_full_disk_loses_nothing() {
    let sandbox = Sandbox::new();
    let mount = sandbox.path().join("small");
    fs::create_dir(&mount).expect("a folder");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&mount).status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("a full disk needs a tmpfs mount, which only root may make");
        return;
    }
    let place = sandbox.data_repository("small/repo");
    place.write("big.bin", vec![7_u8; 1 << 20]);
    place.run("head -c 6000000 /dev/urandom > big.bin").ok();
    place
        .run("git mldata add big.bin")
        .fails(128)
        .tells(" free on the disk of the store")
        .tells("nothing was added")
        .tells("hint: ");
    assert_eq!(fs::metadata(place.path().join("big.bin")).expect("the file").len(), 6_000_000);
    assert!(!place.path().join("big.bin.mld").exists());
    has_no_leftovers(&place);
    // What the hint says helps: it is the store's disk that counts.
    let store = sandbox.path().join("store").display().to_string();
    place.with("GIT_MLDATA_STORE", &store).run("git mldata add big.bin").ok();
    let unmounted = Command::new("umount").arg(&mount).status();
    assert!(unmounted.is_ok_and(|status| status.success()), "cannot unmount");
}

/// A checkout on macOS or Windows could hold one of them only. It is said when they come, not at each add.
#[test]
fn names_that_are_one_elsewhere_are_told_once() {
    let place = Sandbox::new().data_repository("repo");
    place.write("data/cats/A.png", "one");
    place.write("data/cats/a.png", "two");
    place.write("data/caf\u{e9}", "one");
    place.write("data/cafe\u{301}", "two");
    place
        .run("git mldata add data")
        .ok()
        .tells("warning: on macOS and Windows one name, of which a checkout can write one only: ")
        .tells("'data/cats/A.png' and 'data/cats/a.png'")
        .tells("hint: rename one of each, and add again\n");
    place.write("data/other", "three");
    assert!(!place.run("git mldata add data").ok().stderr().contains("warning"));
    place.write("data/Other", "four");
    let told = place.run("git mldata add --json data").ok().tells("'data/Other' and 'data/other'\n");
    assert!(told.stdout().contains(r#""colliding":[["data/Other","data/other"]]"#), "{}", told.stdout());
}
