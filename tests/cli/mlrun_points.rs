//! Runs that log more than Git is made for, and what they read and made, in another clone.

use crate::support::{Place, Sandbox};

/// A clone with a Git remote and a data remote.
fn start() -> (Sandbox, Place) {
    let sandbox = Sandbox::new();
    let ada = sandbox.data_repository("ada");
    ada.run("git mldata remote add main ../bucket -q && git commit -qm remote").ok();
    ada.run("git init -q --bare ../origin.git && git remote add origin ../origin.git").ok();
    ada.run("git push -q --no-verify origin main").ok();
    (sandbox, ada)
}

fn bob(sandbox: &Sandbox, ada: &Place) -> Place {
    ada.run("git clone -q ../origin.git ../bob").ok();
    let bob = sandbox.folder("bob");
    bob.run("git mlrun sync").ok();
    bob
}

/// Logs 3 times 50,000 points.
const LONG: &str = "git mlrun exec --name long -- sh -c 'for n in 1 2 3; do git mlrun log metric --step $n \
                    $(seq -f loss=%.0f ${n}00000 ${n}49999); done'";

#[test]
fn a_million_bytes_of_points_go_by_the_data_remote_and_come_back() {
    let (sandbox, ada) = start();
    ada.run(LONG).ok();
    let points = ada.run("git mlrun show --metric loss long").ok();
    assert_eq!(points.stdout().lines().count(), 150_000);
    ada.run("git mlrun show long").ok().shows("150,000 points").shows("in the store, not in Git");
    ada.run("git mlrun show --metric los long")
        .fails(128)
        .tells("has no metric 'los'\nhint: git mlrun show ");
    let sizes = ada.run("git cat-file --batch-all-objects --batch-check='%(objectsize)'").ok();
    let largest = sizes.stdout().lines().map(|size| size.parse::<u64>().unwrap()).max().unwrap();
    assert!(largest < 100_000, "an object of {largest} bytes in Git");

    ada.run("git mldata push -n").ok().shows("metrics of run ").shows("would send 1 version");
    ada.run("git mldata push").ok().shows("metrics of run ").shows("sent 1 version to 'main'");
    ada.run("git mldata push").ok().prints("everything is on 'main' (1 version)\n");
    ada.run("git mlrun sync").ok().says("");

    let bob = bob(&sandbox, &ada);
    bob.run("git mlrun ls").ok().shows("long");
    let missing =
        "1 of 1 content with points of metrics are not in the store\nhint: git mldata fetch --metrics ";
    bob.run("git mlrun show long").ok().shows("150,000 points").tells(missing);
    bob.run("git mlrun show --metric loss long").fails(128).tells("hint: git mldata fetch --metrics ");
    bob.run("git mldata fetch --metrics long").ok().shows("fetched 1 version from 'main'");
    bob.run("git mlrun show long").ok().says("");
    let same = bob.run("git mlrun show --metric loss long").ok();
    assert!(same.stdout() == points.stdout(), "every point is there");
    bob.run("git mldata push").ok().prints("everything is on 'main' (0 versions)\n");
}

#[test]
fn points_are_on_a_data_remote_before_the_log_that_names_them_is_shared() {
    for share in ["git mlrun sync", "git push -q origin main"] {
        let (sandbox, ada) = start();
        ada.run("git mldata hooks install -q").ok();
        ada.run(LONG).ok();
        ada.write("note", "1");
        ada.run("git add note && git commit -qm note").ok();
        ada.run(share).ok().tells("points of metrics: sent 1 version to 'main'");
        ada.run("git mlrun sync").ok().says("");
        let bob = bob(&sandbox, &ada);
        bob.run("git mldata fetch --metrics long").ok().shows("fetched 1 version");
    }
    let (_sandbox, ada) = start();
    ada.run(LONG).ok();
    ada.run("rm -r ../bucket && echo x > ../bucket").ok();
    let warning = "warning: points of metrics lie only here: ";
    ada.run("git mlrun sync")
        .ok()
        .tells(warning)
        .tells("hint: git mldata push      tries again")
        .shows("runs sent");
}

#[test]
fn gc_keeps_what_runs_name_in_every_clone_of_a_store() {
    let (sandbox, ada) = start();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let gc = format!("git mldata gc --now {}", now + 15 * 86_400);
    let store = sandbox.path().join("store");
    let shared = ada.with("GIT_MLDATA_STORE", store.to_str().unwrap());
    shared.run(LONG).ok();
    shared.write("in.bin", "tried");
    shared.run("git mlrun exec --name tried -i in.bin -- true").ok();
    shared.write("in.bin", "other");
    let points = shared.run("git mlrun show --metric loss long").ok();
    shared.run(&gc).ok();
    sandbox.folder("ada").run("git clone -q . ../eve").ok();
    let eve = sandbox.folder("eve").with("GIT_MLDATA_STORE", store.to_str().unwrap());
    eve.run("git mldata status").ok();
    eve.run(&gc).ok();
    assert!(shared.run("git mlrun show --metric loss long").ok().stdout() == points.stdout());
    shared.run("git mldata push").ok().shows("sent 2 versions").shows("in.bin").shows("metrics of run ");
}

#[test]
fn an_input_that_no_commit_names_can_be_had_elsewhere() {
    let (sandbox, ada) = start();
    ada.write("data.csv", "id\n1\n");
    ada.run(
        "git mldata add -q data.csv && git commit -qm data && git mldata push -q && git push -q origin main",
    )
    .ok();
    ada.write("data.csv", "id\n2\n");
    ada.run("git mlrun exec --name tried -i data.csv -o model.bin -- sh -c 'echo weights > model.bin'").ok();
    ada.write("data.csv", "id\n1\n");
    ada.run("git mldata push").ok().shows("data.csv").shows("sent 1 version to 'main'");
    ada.run("git mldata push --all").ok().shows("model.bin").shows("sent 1 version to 'main'");
    ada.run("git mlrun sync").ok();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let forget = format!("git mldata remote forget main --now {}", now + 60 * 86_400);
    ada.run(&forget).ok().shows("nothing to forget on 'main' (3 records)");
    let bob = bob(&sandbox, &ada);
    bob.run("git mldata fetch --run tried data.csv").ok().shows("fetched 1 version from 'main': 5 B");
    bob.run("git mldata fetch --run tried").ok().shows("fetched 1 version from 'main': 8 B");
    bob.run("git mldata fetch --run tried").ok().shows("nothing new from 'main' (2 versions here)");
}

#[test]
fn points_that_are_damaged_or_on_no_remote_are_told() {
    let (_sandbox, ada) = start();
    ada.run("git mldata status").ok().prints("on branch main; data remote 'main'\nno data is tracked yet\n");
    ada.run(LONG).ok();
    let lost = "MB that are on no remote are lost (1 path)\n";
    ada.run("git mldata status").ok().shows("no data is tracked yet\nif this disk dies, ").shows(lost);
    ada.run("git mldata fsck").ok().shows("all is well: 1 version, ");
    ada.run("cp -a .git/ml ../kept && rm -r .git/ml/open").ok();
    ada.run("git mldata fsck").fails(1).shows("nowhere: ").shows(" of metrics of run ");
    ada.run("rm -r .git/ml && mv ../kept .git/ml && git mldata push -q").ok();
    ada.run("git mldata status").ok().lacks("if this disk dies");
    ada.run("cp -a .git/ml/open ../open && rm -r .git/ml/open").ok();
    ada.run("git mldata fsck").ok().shows("; of 1 version something is not here but on a remote");
    // Damage, of which the remote has a whole copy.
    ada.run("mv ../open .git/ml/open && printf spoilt | dd of=$(ls .git/ml/open/*.pack) seek=2000 bs=1 conv=notrunc").ok();
    ada.run("git mldata fsck")
        .fails(1)
        .shows("  needed by metrics of run ")
        .tells("hint: git mldata fsck --repair");
    ada.run("git mldata fsck --repair").ok().shows("repaired 1 item");
    assert_eq!(ada.run("git mlrun show --metric loss long").ok().stdout().lines().count(), 150_000);
}
