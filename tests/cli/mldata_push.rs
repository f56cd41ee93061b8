//! `git mldata push`, `fetch` and `pull`, over a folder.

use crate::support::{Place, Sandbox};

/// A repository with a remote, and three versions of a file of which two are in older commits.
fn three_versions() -> (Sandbox, Place) {
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("repo");
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote").ok();
    for version in ["one", "two", "three"] {
        place.write("data/a.bin", version);
        place.write("img/1.jpg", "cat");
        place.write("img/dogs/2.jpg", "dog");
        place.run(&format!("git mldata add -q data/a.bin img && git commit -qm {version}")).ok();
    }
    (sandbox, place)
}

#[test]
fn every_version_of_history_is_sent_and_nothing_twice() {
    let (_sandbox, place) = three_versions();
    place
        .run("git mldata status")
        .ok()
        .shows("NOT ON A REMOTE")
        .shows("if this disk dies, 17 B that are on no remote are lost (2 paths)");
    place.run("git mldata push -n").ok().says("").shows("would send 4 versions to 'main'");
    place.run("ls ../bucket").ok().lacks("roots");
    place
        .run("git mldata push")
        .ok()
        .says("")
        .shows("sent 4 versions to 'main': ")
        .shows("data/a.bin  ")
        .shows("img         ");
    place.run("git mldata push").ok().prints("everything is on 'main' (4 versions)\n");
    place.run("git mldata push --all --json").ok().shows("\"known\":4");
    place.run("git mldata status").ok().shows("on main").shows("if this disk dies, nothing is lost\n");
    place.run("git mldata push -q").ok().prints("").says("");
}

#[test]
fn a_fresh_clone_pulls_every_byte() {
    let (sandbox, place) = three_versions();
    place.run("git mldata push -q && git clone -q . ../clone").ok();
    let clone = sandbox.folder("clone");
    clone
        .run("git mldata status")
        .ok()
        .shows("not here  not stored  no remote asked yet")
        .shows("if this disk dies, nothing is lost");
    clone
        .run("git mldata pull")
        .ok()
        .prints("")
        .tells("set up this clone: hooks, runs of others (git mldata init --undo takes it back)\n")
        .tells("fetched 2 versions from 'main': ")
        .tells("wrote 3 files, 11 B\n");
    for file in ["data/a.bin", "img/1.jpg", "img/dogs/2.jpg"] {
        assert_eq!(clone.read(file), place.read(file), "{file}");
    }
    clone.run("git status --short && git mldata pull").ok().prints("").says("");
    clone.run("git checkout -q HEAD~1 && git mldata pull data/a.bin").ok();
    assert_eq!(clone.text("data/a.bin"), "two");
}

#[test]
fn a_part_of_a_directory_is_brought_alone() {
    let (sandbox, place) = three_versions();
    place.run("git mldata push -q && git clone -q . ../clone").ok();
    let clone = sandbox.folder("clone").with("CI", "true");
    clone
        .run("git mldata pull img/dogs")
        .ok()
        .tells("fetched 1 version from 'main': ")
        .tells("\nwrote 1 file, 3 B\n");
    assert!(clone.has("img/dogs/2.jpg") && !clone.has("img/1.jpg") && !clone.has("data/a.bin"));
    clone.run("git mldata status img").ok().shows("1 of 2 files here");
    clone.run("git mldata add img").ok();
    clone.run("git status --short").ok().prints("");
}

#[test]
fn fetch_touches_the_store_alone() {
    let (sandbox, place) = three_versions();
    place.run("git mldata push -q && git clone -q . ../clone").ok();
    let clone = sandbox.folder("clone");
    clone.run("git mldata fetch main data/a.bin").ok().says("").shows("fetched 1 version from 'main': ");
    assert!(!clone.has("data/a.bin"));
    clone.run("git mldata fetch").ok().shows("fetched 1 version");
    clone.run("git mldata fetch").ok().prints("nothing new from 'main' (2 versions here)\n");
    clone.run("git mldata checkout").ok().says("wrote 3 files, 11 B\n");
}

#[test]
fn what_nobody_sent_is_named_and_the_rest_is_brought() {
    let (sandbox, place) = three_versions();
    place.run("git mldata push -q").ok();
    place.write("data/a.bin", "four");
    place.run("git mldata add -q data/a.bin && git commit -qm four && git clone -q . ../clone").ok();
    let clone = sandbox.folder("clone");
    clone
        .run("git mldata pull")
        .fails(128)
        .tells("error: 'data/a.bin' (")
        .tells(" is not on 'main'\nhint: whoever made this version: git mldata push\n");
    assert!(clone.has("img/1.jpg") && !clone.has("data/a.bin"));
    place
        .run("rm -rf .git/ml && git mldata push")
        .fails(128)
        .tells("error: 'data/a.bin' (")
        .tells("cannot be sent: neither this store nor 'main' has it");
}

#[test]
fn remotes_that_are_not_there_are_named() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata push").fails(128).tells(
        "error: no data remote is named, and none is the default\nhint: git mldata remote add NAME URL\n",
    );
    place.run("git mldata push nowhere").fails(128).tells("error: there is no data remote 'nowhere'\n");
    place.run("git mldata fetch nowhere").fails(128).tells("error: 'nowhere' is not tracked by git mldata\n");
    let bare = Sandbox::new().repository("bare");
    bare.run("git mldata pull")
        .fails(128)
        .tells("error: this repository keeps no data yet: there is no ml.toml\nhint: git mldata init\n");
}
