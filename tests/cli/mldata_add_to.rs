//! `git mldata add --to`: data that this disk could not hold twice.

use std::fs;

use crate::mldata_gc::{files, noise};
use crate::support::{Place, Sandbox};

fn with_remote(sandbox: &Sandbox) -> Place {
    let place = sandbox.data_repository("repo");
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote").ok();
    place
}

/// Bytes of everything in the local store.
fn kept(place: &Place) -> u64 {
    let files = files(&place.path().join(".git/ml"));
    files.iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

#[test]
fn content_goes_to_the_remote_and_never_onto_this_disk() {
    let sandbox = Sandbox::new();
    let place = with_remote(&sandbox);
    for number in 0..3 {
        place.write(&format!("img/{number}.bin"), noise(number, 30 << 20));
    }
    place.write("img/small.txt", "small");
    place.write("table.csv", "a,b\n1,2\n");
    place
        .run("git mldata add --to main img table.csv")
        .ok()
        .shows("img        4 files")
        .shows("sent 94 MB to 'main'");
    assert!(kept(&place) < 2 << 20, "{} bytes are kept here", kept(&place));
    place.run("git commit -qm data && git mldata push").ok().prints("everything is on 'main' (2 versions)\n");
    place.run("git mldata status").ok().shows("if this disk dies, nothing is lost\n");

    place.run("git clone -q . ../clone").ok();
    let clone = sandbox.folder("clone");
    clone.run("git mldata pull -q").ok();
    for file in ["img/0.bin", "img/1.bin", "img/2.bin", "img/small.txt", "table.csv"] {
        assert!(clone.read(file) == place.read(file), "{file}");
    }

    // What a living version of a remote holds is not taken in again.
    place.run("git mldata add img").ok().shows("unchanged").lacks("stored");
    place.write("img/1.bin", noise(9, 1 << 20));
    place.run("git mldata add --to main img").ok().shows("sent 1.0 MB to 'main'");
    assert!(kept(&place) < 2 << 20, "{} bytes are kept here", kept(&place));
}

#[test]
fn a_remote_that_takes_nothing_gets_no_pointer() {
    let sandbox = Sandbox::new();
    let place = with_remote(&sandbox);
    place.write("a.bin", noise(1, 100_000));
    place.run("git mldata add --to other a.bin").fails(128).tells("there is no data remote 'other'");
    place.run("git mldata add -q a.bin && git commit -qm a && git mldata push -q").ok();
    place.run("mv ../bucket ../moved && mkdir ../bucket && touch ../bucket/packs && cp ../moved/config ../bucket/").ok();
    place.write("b.bin", noise(2, 100_000));
    place
        .run("git mldata add --to main b.bin")
        .fails(128)
        .prints("")
        .tells("error: nothing was added, for the remote does not have the data");
    assert!(!place.has("b.bin.mld"));
    place.run("rm -r ../bucket && mv ../moved ../bucket && git mldata add --to main b.bin").ok();
    place.run("git mldata fetch -q b.bin && git mldata cat b.bin > back").ok();
    assert!(place.read("back") == place.read("b.bin"));
}

#[test]
fn what_a_remote_lost_is_taken_in_again_from_the_work_tree() {
    let sandbox = Sandbox::new();
    let place = with_remote(&sandbox);
    place.write("img/a.bin", noise(1, 300_000));
    place.run("git mldata add -q --to main img && git commit -qm img").ok();
    place.run("rm -r ../bucket/roots ../bucket/packs && mkdir ../bucket/roots ../bucket/packs").ok();
    place
        .run("git mldata push")
        .fails(128)
        .tells("the remote has it not either")
        .tells("or add the data again");
    place.run("git mldata status").ok().shows("NOT ON A REMOTE");
    place.run("git mldata add img").ok().shows("unchanged").shows("stored 300 kB");
    place.run("git mldata push").ok().shows("sent 1 version to 'main'");
}
