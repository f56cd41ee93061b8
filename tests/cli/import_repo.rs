//! `git mldata import repo`, `get`, and `update` of what came so.

use crate::support::{Place, Sandbox};

/// A repository with data on a remote, pushed to `lender.git`; its own work tree and store are away.
fn lender(sandbox: &Sandbox) -> Place {
    sandbox.folder("lender.git").run("git init -q --bare . && git config uploadpack.allowFilter true").ok();
    let place = sandbox.data_repository("lender");
    place.run("git remote add origin ../lender.git").ok();
    let store = sandbox.path().join("store");
    place.run(&format!("git mldata remote add main {}", store.display())).ok();
    place.write("img/cats/1.jpg", "old cat");
    place.write("img/dogs/1.jpg", "dog");
    place.write("big.bin", vec![7; 400_000]);
    place.run("git mldata add img big.bin && git commit -qam old && git tag v1").ok();
    place.run("git mldata push -q && git push -q origin main v1").ok();
    place
}

fn next_version(place: &Place) {
    place.write("img/cats/1.jpg", "new cat");
    place.write("img/cats/2.jpg", "second cat");
    place.run("rm -r img/dogs && git mldata add img && git commit -qam new").ok();
    place.run("git mldata push -q && git push -q origin main").ok();
}

#[test]
fn data_of_another_repository_is_got_without_a_clone() {
    let sandbox = Sandbox::new();
    let lender = lender(&sandbox);
    next_version(&lender);
    lender.run("rm -rf ../lender").ok();
    let place = sandbox.folder("plain");
    place
        .run("git mldata get ../lender.git img --rev v1")
        .ok()
        .prints("'./img' from '../lender.git': 2 files, 10 B\n");
    place.run("cat img/cats/1.jpg img/dogs/1.jpg").ok().prints("old catdog");
    place.run("git mldata get ../lender.git img").fails(128).tells("is there already");
    place.run("git mldata get ../lender.git img/cats -o cats && ls cats").ok().shows("1.jpg\n2.jpg\n");
    place.run("git mldata get ../lender.git big.bin -o out.bin && wc -c < out.bin").ok().shows("400000\n");
    place.run("git mldata get ../lender.git big.bin -o out.bin -f --json").ok().shows("\"bytes\":400000");
    place.run("git mldata get ../lender.git none").fails(128).tells("has no data of git-ml at 'none'");
    place.run("git mldata get ../lender.git img --rev nowhere -o new").fails(128).tells("nowhere");
    place.run("git mldata get ../no-such-repository img -o new").fails(128);
    place.run("git mldata get ../lender.git ../img").fails(128).tells("'.' or '..'");
    // Nothing is left behind.
    place.run("ls -A ../tmp").ok().prints("");
}

#[test]
fn data_of_another_repository_is_tracked_and_followed() {
    let sandbox = Sandbox::new();
    let lender = lender(&sandbox);
    let place = sandbox.data_repository("here");
    place.run("git mldata import repo -n ../lender.git img -o data/img").ok().shows("2 files");
    assert!(!place.has("data"));
    place.run("git mldata import repo ../lender.git img -o data/img").ok().shows("2 files");
    place.run("git mldata import repo ../lender.git big.bin --rev v1").ok();
    let pointer = place.text("data/img.mld");
    assert!(
        pointer.contains("[source]\ncommit = ") && pointer.contains("repo = \"../lender.git\"\n"),
        "{pointer}"
    );
    assert!(place.text("big.bin.mld").contains("rev = \"v1\""));
    let same = |text: &str| text.lines().find(|line| line.starts_with("blake3")).map(str::to_owned);
    assert_eq!(same(&pointer), same(&lender.text("img.mld")), "the same bytes, the same version");
    place.run("git commit -qm data && git mldata update data/img big.bin").ok().shows("unchanged");
    next_version(&lender);
    place.run("git mldata update -n data/img").ok().shows("there is something new");
    place.run("echo mine > data/img/mine && git mldata update data/img").fails(128).tells("was edited here");
    place.run("rm data/img/mine && git mldata update data/img").ok().shows("now ");
    place
        .run("cat data/img/cats/1.jpg data/img/cats/2.jpg && ls data/img")
        .ok()
        .prints("new catsecond catcats\n");
    place.run("git mldata update big.bin").ok().shows("unchanged");
    place.run("git mldata update").fails(128).tells("came from a folder of a machine");
    place.run("git mldata status").ok().lacks("modified");
}

#[test]
fn a_repository_on_this_machine_lends_from_its_own_store() {
    let sandbox = Sandbox::new();
    let other = sandbox.data_repository("other");
    other.write("x.csv", "id\n1\n");
    other.run("git mldata add x.csv && git commit -qm data").ok();
    let place = sandbox.data_repository("here");
    place.run("git mldata import repo ../other x.csv -o y.csv").ok();
    assert_eq!(place.text("y.csv"), "id\n1\n");
    place.run("git mldata import repo ../other x.csv -o y.csv").fails(128).tells("is there already");
    // What is tracked in place there has its pointer under its own name.
    other.run("git mldata init -q && git mldata track '*.bin' && seq 9 > n.bin && git add . && git commit -qm more").ok();
    place.run("git mldata get ../other n.bin -o ../n.bin && seq 9 | cmp - ../n.bin").ok();
    // Where nobody has it, that is said.
    other.run("rm -r .git/ml").ok();
    place.run("git mldata get ../other x.csv").fails(128).tells("error: ");
    assert!(!place.has("x.csv"));
}

#[test]
fn an_address_in_a_pointer_runs_nothing() {
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("here");
    place.write("x.csv", "id\n1\n");
    place.run("git mldata add x.csv").ok();
    let evil = "\n[source]\nrepo = \"ext::sh -c touch% /tmp/git-ml-evil\"\npath = \"x\"\n";
    place.write("x.csv.mld", place.text("x.csv.mld") + evil);
    place.run("git add -f x.csv.mld && git mldata update x.csv").fails(128);
    assert!(!std::path::Path::new("/tmp/git-ml-evil").exists());
    let evil = place
        .text("x.csv.mld")
        .replace("ext::sh -c touch% /tmp/git-ml-evil", "--upload-pack=touch /tmp/git-ml-evil");
    place.write("x.csv.mld", evil);
    place.run("git mldata update x.csv").fails(128);
    assert!(!std::path::Path::new("/tmp/git-ml-evil").exists());
}
