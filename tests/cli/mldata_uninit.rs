//! `git mldata uninit`.

use crate::support::{Place, Sandbox};

fn set_up() -> Place {
    let place = Sandbox::new().repository("repo");
    place.write(".gitignore", "*.o\n");
    place
        .run("git add . && git commit -qm plain && git config user.name Ada && cp .git/config ../config")
        .ok();
    place.run("cp -r .git/hooks ../hooks && git mldata init -q && git mldata remote add main ../store").ok();
    place.write("img/cats/1.jpg", "cat");
    place.write("x.csv", "id\n1\n");
    place.run("git mldata add img x.csv && git commit -qm data").ok();
    place
}

#[test]
fn a_plain_repository_is_left_and_every_byte() {
    let place = set_up();
    place.write("x.csv", "id\n1\nedited\n");
    let before = place.run("git status --short").ok().stdout().to_owned();
    place.run("git mldata uninit -n").ok().shows("2 paths of data").shows("would go: img.mld x.csv.mld");
    place.run("git status --short").ok().prints(&before);
    place
        .run("git mldata uninit")
        .ok()
        .shows("gone, and staged: img.mld x.csv.mld ml.toml")
        .tells("git commit");
    place.run("git commit -qm plain && git ls-files").ok().prints(".gitignore\n");
    assert_eq!(place.text(".gitignore"), "*.o\n");
    assert_eq!(
        (place.text("x.csv").as_str(), place.text("img/cats/1.jpg").as_str()),
        ("id\n1\nedited\n", "cat")
    );
    place.run("git status --short").ok().prints("?? img/\n?? x.csv\n");
    place.run("diff ../config .git/config && diff -r ../hooks .git/hooks").ok().prints("");
    assert!(!place.text(".git/info/exclude").contains("git-mldata"));
    // The store stays: what was can be had again.
    place.run("git mldata cat HEAD~1:x.csv").ok().prints("id\n1\n");
    place.run("git mldata uninit").ok().shows("0 paths of data");
}

#[test]
fn what_is_not_here_is_named_first() {
    let place = set_up();
    place.run("rm -r img").ok();
    place.run("git mldata uninit").fails(1).tells("'img' is not here").tells("git mldata pull img");
    assert!(place.has("img.mld") && place.has("ml.toml") && place.has(".git/hooks/pre-commit"));
    place.run("git mldata checkout img && rm img/cats/1.jpg && echo x > img/y && git mldata uninit -n").ok();
}

#[test]
fn the_store_goes_only_when_all_of_it_is_elsewhere() {
    let place = set_up();
    place.write("x.csv", "id\n1\n2\n");
    place.run("git mldata add x.csv && git commit -qm more").ok();
    place
        .run("git mldata uninit --drop-store")
        .fails(1)
        .tells("that is in the store alone")
        .tells("git mldata push");
    assert!(place.has(".git/ml") && place.has("x.csv.mld"));
    place.run("git mldata push -q").ok();
    place.run("git mldata uninit --drop-store --json").ok().shows("\"store\":\"");
    assert!(!place.has(".git/ml/packs") && place.text("x.csv") == "id\n1\n2\n");
}

#[test]
fn what_is_tracked_in_place_stays_as_data() {
    let place = set_up();
    place.run("git mldata track '*.bin'").ok();
    place.write("big.bin", vec![7; 200_000]);
    place.run("git add . && git commit -qm big").ok();
    place.run("git cat-file -p HEAD:big.bin").ok().shows("# git-mldata pointer");
    place.run("git show HEAD:big.bin --no-textconv > /dev/null; GIT_MLDATA_SKIP_SMUDGE=1 git clone -q . ../clone").ok();
    place.run("git mldata uninit").ok().shows("big.bin");
    place.run("git commit -qm plain && git ls-files").ok().prints(".gitignore\n");
    assert!(place.read("big.bin") == vec![7; 200_000], "the data is there");
    place.run("git config --get-regexp 'filter.mldata.*'").fails(1);
    // Where only the pointer lies, nothing is taken away.
    let clone = Sandbox::at(&place).folder("clone");
    clone.run("git mldata uninit").fails(1).tells("'big.bin' is not here");
}
