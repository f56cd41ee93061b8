//! `git mldata fsck`: damage is found, told by whom it hurts, and repaired from wherever the bytes are.

use std::fs;
use std::path::{Path, PathBuf};

use super::mldata_gc::{files, noise};
use crate::support::{Place, Sandbox};

/// A repository with a file and a directory, added and committed.
fn some_data() -> (Sandbox, Place) {
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("repo");
    place.write("big.bin", noise(1, 300_000));
    for number in 0..10 {
        place.write(&format!("img/{number}.bin"), noise(10 + number, 20_000));
    }
    place.run("git mldata add -q big.bin img && git commit -qm data").ok();
    (sandbox, place)
}

fn pack(place: &Place) -> PathBuf {
    let all =
        [files(&place.path().join(".git/ml/open")), files(&place.path().join(".git/ml/packs"))].concat();
    all.into_iter().find(|path| path.extension().is_none_or(|ending| ending == "pack")).unwrap()
}

fn spoil(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at..at + 10].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_whole_is_well_and_json_says_so() {
    let (_sandbox, place) = some_data();
    place.run("git mldata fsck").ok().says("").shows("all is well: 2 versions, ").shows("501 kB read");
    let told = place.run("git mldata fsck --json --all").ok().json();
    assert_eq!((&told[0]["clean"], &told[0]["versions"]), (&true.into(), &2.into()));
}

#[test]
fn a_damaged_pack_is_named_with_its_paths_and_repaired_from_the_work_tree() {
    let (_sandbox, place) = some_data();
    let pack = pack(&place);
    // One chunk of the file, and one of the images.
    spoil(&pack, 1000);
    spoil(&pack, 64 + 300_000 + 90_000);
    let name = pack.file_name().unwrap().to_str().unwrap();
    place
        .run("git mldata fsck")
        .fails(1)
        .shows(&format!("{name} (2 items damaged)"))
        .shows("  needed by big.bin\n")
        .shows("  needed by img/")
        .shows("nowhere: 1 item of big.bin at ")
        .tells("hint: git mldata fsck --repair");
    place.run("git mldata fsck --repair").ok().shows("repaired 2 items\nall is well: ").lacks("set aside");
    assert!(
        files(&place.path().join(".git/ml/damaged")).is_empty(),
        "it went when it was not needed any more"
    );
    place.run("git mldata fsck").ok();
    for file in ["big.bin", "img/4.bin"] {
        let data = place.read(file);
        fs::remove_file(place.path().join(file)).unwrap();
        place.run(&format!("git mldata checkout {file}")).ok();
        assert!(place.read(file) == data, "{file}");
    }
}

#[test]
fn a_remote_gives_back_what_the_work_tree_does_not_have() {
    let (_sandbox, place) = some_data();
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote && git mldata push -q").ok();
    let data = place.read("big.bin");
    fs::remove_file(place.path().join("big.bin")).unwrap();
    fs::remove_dir_all(place.path().join("img")).unwrap();
    let pack = pack(&place);
    spoil(&pack, 1000);
    spoil(&pack, 64 + 300_000 + 90_000);
    place.run("git mldata fsck").fails(1).shows("2 items damaged").lacks("nowhere");
    place.run("git mldata fsck --repair").ok().shows("repaired 2 items");
    place.run("git mldata checkout && git mldata fsck").ok();
    assert!(place.read("big.bin") == data);
}

#[test]
fn what_is_nowhere_is_told_and_its_pack_is_kept_aside() {
    let (_sandbox, place) = some_data();
    fs::remove_file(place.path().join("big.bin")).unwrap();
    spoil(&pack(&place), 1000);
    place
        .run("git mldata fsck --repair")
        .fails(1)
        .shows("nowhere: 1 item of big.bin at ")
        .shows("repaired 0 items\nset aside: ");
    assert!(!files(&place.path().join(".git/ml/damaged")).is_empty());
    // Everything else of the pack was saved.
    place.run("rm -r img && git mldata checkout img").ok();
    // The file turns up again.
    place.write("big.bin", noise(1, 300_000));
    place.run("git mldata fsck --repair").ok().shows("repaired 1 item");
}

#[test]
fn damaged_nodes_and_tables_and_whole_packs_that_are_gone_are_repaired() {
    let (_sandbox, place) = some_data();
    let nodes_from = 64 + 500_000;
    let length = fs::metadata(pack(&place)).unwrap().len() as usize;
    assert!(length > nodes_from + 200, "the nodes lie behind the contents");
    spoil(&pack(&place), length - 100);
    place.run("git mldata fsck").fails(1);
    place.run("git mldata fsck --repair").ok();
    for path in files(&place.path().join(".git/ml/open")) {
        fs::remove_file(path).unwrap();
    }
    place.run("git mldata fsck").fails(1).shows("nowhere: ").tells("hint: git mldata fetch");
    place.run("git mldata fsck --repair").ok();
    for path in files(&place.path().join(".git/ml/open")) {
        fs::write(path, "noise").unwrap();
    }
    place.run("git mldata fsck --repair").ok();
    place.run("rm -r img big.bin && git mldata checkout").ok();
    assert!(place.read("img/3.bin") == noise(13, 20_000));
}

#[test]
fn what_is_on_a_remote_only_is_no_error_and_older_versions_are_checked_when_asked() {
    let (sandbox, place) = some_data();
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote").ok();
    let old = noise(1, 300_000);
    place.write("big.bin", noise(2, 300_000));
    place.run("git mldata add -q big.bin && git commit -qm second && git mldata push -q && git clone -q . ../clone").ok();
    let clone = sandbox.folder("clone");
    clone.run("git mldata fsck").fails(1).shows("nowhere: ").tells("hint: git mldata fetch");
    clone.run("git mldata pull -q img/3.bin && git mldata fetch big.bin").ok();
    clone.run("git mldata fsck").ok().shows("; of 1 version something is not here but on a remote");
    spoil(&pack(&place), 1000);
    place.run("git mldata fsck").ok();
    place.run("git mldata fsck --all").fails(1).shows("needed by big.bin");
    place.run("git mldata fsck --all --repair").ok();
    place.run("git mldata cat HEAD~1:big.bin > ../out").ok();
    assert!(fs::read(sandbox.path().join("out")).unwrap() == old);
}

#[test]
fn a_pointer_that_lies_is_told() {
    let (_sandbox, place) = some_data();
    let pointer = place.text("big.bin.mld");
    let line = pointer.lines().find(|line| line.starts_with("blake3")).unwrap();
    place.write("big.bin.mld", pointer.replace(line, &format!("blake3 = \"{}\"", "ab".repeat(32))));
    place
        .run("git mldata fsck")
        .fails(1)
        .shows("wrong: the pointer of big.bin names what its chunks are not");
}
