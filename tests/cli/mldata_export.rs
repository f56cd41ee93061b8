//! `git mldata export`.

use crate::support::{Place, Sandbox};

fn tracked() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.write("data/img/cats/1.jpg", "old cat");
    place.write("data/img/run.sh", "#!/bin/sh\n");
    place.run("chmod +x data/img/run.sh && mkdir data/img/none && ln -s cats/1.jpg data/img/link").ok();
    place.write("data/big.bin", vec![7; 3_000_000]);
    place.run("git mldata add data/img data/big.bin && git commit -qm old").ok();
    place.write("data/img/cats/1.jpg", "new cat");
    place.run("git mldata add data/img && git commit -qm new").ok();
    place
}

#[test]
fn a_directory_is_written_as_it_was() {
    let place = tracked();
    place
        .run("git mldata export --rev HEAD~1 data/img ../out")
        .ok()
        .prints("data/img to '../out': 4 files, 27 B\n");
    place
        .run("cat ../out/cats/1.jpg && test -x ../out/run.sh && test -d ../out/none && readlink ../out/link")
        .ok()
        .prints("old catcats/1.jpg\n");
    place.run("ls -A ../out | sort | tr '\\n' ' '").ok().prints("cats link none run.sh ");
    // Nothing is overwritten, and of a folder that is there nothing goes.
    place.run("git mldata export data/img ../out/cats").ok();
    place.run("cat ../out/cats/img/cats/1.jpg").ok().prints("new cat");
    place.run("git mldata export data/img ../out/cats").fails(128).tells("is there already").tells("--force");
    place.run("touch ../out/cats/img/mine && git mldata export --force data/img ../out/cats").ok();
    place.run("ls ../out/cats/img/mine").ok();
}

#[test]
fn files_and_parts_are_written() {
    let place = tracked();
    place.run("git mldata export data/big.bin ../big && cmp ../big data/big.bin").ok();
    place.run("git mldata export data/big.bin ../big").fails(128).tells("is there already");
    place.run("echo x > ../big && git mldata export -f data/big.bin ../big && cmp ../big data/big.bin").ok();
    place
        .run("git mldata export --rev HEAD~1 data/img/cats/1.jpg ../cat.jpg && cat ../cat.jpg")
        .ok()
        .shows("old cat");
    place
        .run("git mldata export data/img/cats data/big.bin ../both && ls ../both")
        .ok()
        .shows("big.bin\ncats\n");
    place.run("git mldata export data/img/cats data/big.bin ../big").fails(129).tells("is no folder");
    let told = place.run("git mldata export --json data/big.bin ../again").ok().json();
    assert_eq!(told[0][0]["bytes"], 3_000_000);
}

#[test]
fn what_is_not_there_is_an_error_and_nothing_is_written() {
    let place = tracked();
    place.run("git mldata export data/none ../out").fails(128).tells("there is no data at 'data/none'");
    place.run("git mldata export --rev nowhere data/img ../out").fails(128).tells("nowhere");
    place.run("git mldata export data/img").fails(129);
    place.run("rm -r .git/ml").ok();
    place
        .run("git mldata export --rev HEAD~1 data/big.bin ../out")
        .fails(128)
        .tells("git mldata fetch --at 'HEAD~1' data/big.bin");
    assert!(!place.path().join("../out").exists());
}

#[test]
fn links_that_lead_out_are_refused_whole() {
    let place = Sandbox::new().data_repository("repo");
    place.run("mkdir -p data/img && ln -s ../../../secret data/img/link && git mldata add data/img").ok();
    place.run("git mldata export data/img ../out").fails(128).tells("leads to '../../../secret'");
    assert!(!place.path().join("../out").exists());
}
