//! Several remotes: `git mldata push --all-remotes`, mirrors, `git mldata remote copy`, and pulling from whichever has it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Place, Sandbox};

/// Bytes that do not compress, the same each time.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// A repository with the remotes `main` and `second`, a file in two versions and a folder, nothing pushed.
fn repository(sandbox: &Sandbox, name: &str) -> Place {
    let place = sandbox.data_repository(name);
    place.run("git mldata remote add main ../main && git mldata remote add second ../second").ok();
    place.run("git commit -qm remotes").ok();
    for version in 1..3 {
        let common = noise(9, 900_000);
        place.write("a.bin", [common.as_slice(), &noise(version, 100_000)].concat());
        place.write("img/1.jpg", noise(3, 40_000));
        place.write("img/dogs/2.jpg", noise(10 + version, 30_000));
        place.run(&format!("git mldata add -q a.bin img && git commit -qm {version}")).ok();
    }
    place
}

/// All packs of a remote.
fn packs(remote: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(remote.join("packs")).into_iter().flatten();
    let packs = folders.flat_map(|folder| fs::read_dir(folder.expect("a folder").path()).expect("packs"));
    packs.map(|pack| pack.expect("a pack").path()).collect()
}

fn same_bytes(place: &Place, clone: &Place) {
    for file in ["a.bin", "img/1.jpg", "img/dogs/2.jpg"] {
        assert!(clone.read(file) == place.read(file), "{file} came back with other bytes");
    }
}

#[test]
fn a_push_goes_to_every_remote_that_can_be_written() {
    let sandbox = Sandbox::new();
    let place = repository(&sandbox, "repo");
    place.run("git mldata remote add mirror ../mirror -o access=read").ok();
    let mirror = "'mirror' can only be read: nothing is sent there\n";
    let pushed = place.run("git mldata push --all-remotes").ok().says(mirror);
    let pushed = pushed.shows("sent 4 versions to 'main'").shows("sent 4 versions to 'second'");
    drop(pushed.lacks("to 'mirror'"));
    place.run("git mldata push --all-remotes -q").ok().prints("").says("");
    let told = place.run("git mldata push --all-remotes --json -n").ok().json();
    assert_eq!(told.len(), 2, "an object for each remote");
    assert_eq!((&told[0]["remote"], &told[1]["remote"]), (&"main".into(), &"second".into()));
    assert!(packs(&sandbox.path().join("mirror")).is_empty());

    place
        .run("git mldata push mirror")
        .fails(128)
        .tells("error: nothing can be pushed to 'mirror': it can only be read\nhint: git mldata push main\n");
    place
        .run("git mldata remote add odd ../odd -o access=none")
        .fails(129)
        .tells("neither 'read' nor 'write'");
    // What fails at one does not stop the others.
    place.write("a.bin", "new");
    place.run("git mldata add -q a.bin && git commit -qm new && rm -rf ../main && touch ../main").ok();
    place
        .run("git mldata push --all-remotes")
        .fails(128)
        .tells("error: cannot open '../main'")
        .shows("sent 1 version to 'second'");
}

#[test]
fn a_pull_takes_from_the_next_remote_what_the_first_lacks_or_holds_damaged() {
    let sandbox = Sandbox::new();
    let place = repository(&sandbox, "repo");
    place.run("git mldata push -q main").ok();
    place.write("img/dogs/2.jpg", noise(77, 50_000));
    place.run("git mldata add -q img && git commit -qm newest && git mldata push -q second").ok();
    sandbox
        .folder(".")
        .run("git clone -q repo lacks && git clone -q repo damaged && git clone -q repo gone")
        .ok();

    let lacks = sandbox.folder("lacks");
    lacks
        .run("git mldata pull --no-setup")
        .ok()
        .tells("warning: 'img' (")
        .tells(") is not on 'main'; 'img' was brought from 'second'\n");
    same_bytes(&place, &lacks);

    // Every data byte of the first remote is damaged, its records are not.
    place.run("git mldata push -q main").ok();
    for pack in packs(&sandbox.path().join("main")) {
        let mut bytes = fs::read(&pack).expect("a pack");
        let end = bytes.len() * 9 / 10;
        bytes[64..end].iter_mut().for_each(|byte| *byte ^= 0x55);
        fs::write(&pack, bytes).expect("a pack");
    }
    let damaged = sandbox.folder("damaged");
    damaged.run("git mldata fetch main").fails(128).tells("error: ").tells("damaged");
    damaged
        .run("git mldata pull --no-setup")
        .ok()
        .tells("warning: ")
        .tells("damaged or missing in the pack ")
        .tells("'a.bin' was brought from 'second'\n")
        .tells("'img' was brought from 'second'\n");
    same_bytes(&place, &damaged);

    sandbox.folder(".").run("rm -rf main && touch main").ok();
    let gone = sandbox.folder("gone");
    let told = gone.run("git mldata fetch --json").ok().tells("cannot open '../main'").json();
    assert_eq!(told[0]["fell_back"][0]["from"], "second");
    gone.run("git mldata checkout").ok();
    same_bytes(&place, &gone);
}

#[test]
fn a_copy_has_every_version_and_goes_on_where_it_stopped() {
    let sandbox = Sandbox::new();
    let place = repository(&sandbox, "repo");
    place.run("git mldata push -q main").ok();
    let fresh = |name: &str| {
        sandbox.folder(".").run(&format!("git clone -q repo {name}")).ok();
        sandbox.folder(name)
    };
    let clone = fresh("clone");
    let (copy, dry) = ("git mldata remote copy main second", "git mldata remote copy main second -n");
    clone.run(dry).ok().shows("would copy 4 versions from 'main' to 'second', at most 1.");
    clone.run(copy).fails(128).tells("hint: git mldata remote trust second");
    clone.run("git mldata remote trust second").ok();
    clone
        .run(copy)
        .ok()
        .says("")
        .shows("copied 4 versions from 'main' to 'second': 1.")
        .shows(" MB in 1 pack, ");
    clone.run(copy).ok().prints("everything of 'main' is on 'second' (4 versions)\n");
    assert!(!clone.has("a.bin") && !clone.has("img"), "the work tree is not touched");
    let stored = clone.run("du -sk .git/ml | cut -f1").ok().stdout().trim().parse::<u64>().expect("a number");
    assert!(stored < 200, "only nodes come here, not {stored} KB");

    // Everything is there: the first remote is not needed any more, and the other one is whole.
    sandbox.folder(".").run("mv main away").ok();
    let other = fresh("other");
    other.run("git mldata fetch second && git mldata checkout").ok();
    same_bytes(&place, &other);
    other.run("git switch -q --detach HEAD~1 && git mldata fetch second && git mldata checkout").ok();
    assert!(other.read("a.bin")[..900_000] == noise(9, 900_000));
    place.run("git mldata fsck --remote second --read-data").ok();
    sandbox.folder(".").run("mv away main").ok();

    // A new version: only what is new goes.
    place.write("a.bin", [noise(9, 900_000), noise(50, 60_000)].concat());
    place.run("git mldata add -q a.bin && git commit -qm more && git mldata push -q main").ok();
    let told = clone.run("git mldata remote copy main second --json").ok().json();
    assert_eq!(told[0]["known"], 4);
    let bytes = told[0]["bytes"].as_u64().expect("bytes");
    assert!(bytes < 300_000, "{bytes} bytes for 60,000 new ones");
    // What was read once is not read again, so a copy costs what changed: neither side could give it any more.
    clone.run("for root in $(find ../main/roots ../second/roots -type f); do echo torn > $root; done").ok();
    let told = clone.run("git mldata remote copy main second --json").ok().json();
    assert_eq!((&told[0]["bytes"], &told[0]["packs"]), (&0.into(), &0.into()));
    assert!(told[0]["known"].as_u64() >= Some(5), "{told:?}");
}

#[test]
fn a_copy_of_a_damaged_remote_names_what_is_damaged_and_copies_the_rest() {
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("repo");
    place.run("git mldata remote add main ../main && git mldata remote add second ../second").ok();
    for name in ["good", "bad"] {
        place.write(&format!("{name}.bin"), noise(name.len() as u64, 200_000));
        place
            .run(&format!("git mldata add -q {name}.bin && git commit -qm {name} && git mldata push -q main"))
            .ok();
        if name == "good" {
            place.run("cp -r ../main ../before").ok();
        }
    }
    let before: Vec<_> = packs(&sandbox.path().join("before"))
        .iter()
        .map(|pack| pack.file_name().map(ToOwned::to_owned))
        .collect();
    let after = packs(&sandbox.path().join("main"));
    let new: Vec<_> =
        after.iter().filter(|pack| !before.contains(&pack.file_name().map(ToOwned::to_owned))).collect();
    assert_eq!(new.len(), 1);
    let mut bytes = fs::read(new[0]).expect("a pack");
    bytes[5_000] ^= 1;
    fs::write(new[0], bytes).expect("a pack");
    place.run("rm -rf .git/ml/packs .git/ml/open").ok();
    place
        .run("git mldata remote copy main second")
        .fails(128)
        .shows("copied 1 version from 'main' to 'second': ")
        .tells("error: 'bad.bin' (")
        .tells(") is damaged on 'main' and was not copied: ")
        .tells("hint: git mldata fsck --remote main --repair");
}

#[test]
fn repositories_that_share_a_remote_share_its_bytes_and_are_copied_together() {
    let sandbox = Sandbox::new();
    let one = repository(&sandbox, "one");
    one.run("git mldata push -q main").ok();
    let two = sandbox.repository("two");
    two.write("ml.toml", "version = 1\nrepository = \"ffffffffffffffffffffffffffffffff\"\n");
    two.run("git add ml.toml && git commit -qm begin && git mldata remote add main ../main").ok();
    for file in ["a.bin", "img/1.jpg", "img/dogs/2.jpg"] {
        two.write(&format!("copied/{file}"), one.read(file));
    }
    two.run("git mldata add -q copied && git commit -qm copied").ok();
    let sent = two.run("git mldata push --json").ok().json()[0]["bytes"].as_u64().expect("bytes");
    assert!(sent < 200_000, "{sent} bytes sent for a megabyte that is there");

    // Each copies what is its own, or all.
    one.run("git mldata remote copy main second").ok().shows("copied 4 versions");
    one.run("git mldata remote copy main second --all")
        .ok()
        .shows("copied 1 version from 'main' to 'second'");
    sandbox.folder(".").run("rm -rf main && git clone -q two there").ok();
    let there = sandbox.folder("there");
    there.run("git config mldata.main.url ../second && git mldata pull -q --no-setup").ok();
    for file in ["a.bin", "img/1.jpg", "img/dogs/2.jpg"] {
        assert!(there.read(&format!("copied/{file}")) == one.read(file), "{file}");
    }
}

/// Spoils some bytes in the middle of every pack of the remote.
fn spoil(remote: &Path) {
    for pack in packs(remote) {
        let mut bytes = fs::read(&pack).expect("a pack");
        let middle = bytes.len() / 2;
        bytes[64..middle].iter_mut().for_each(|byte| *byte ^= 0x55);
        fs::write(&pack, bytes).expect("a pack");
    }
}

#[test]
fn a_push_that_doubts_what_others_sent_reads_samples_of_it() {
    let sandbox = Sandbox::new();
    let one = repository(&sandbox, "one");
    one.run("git mldata push -q main && git clone -q . ../two && git clone -q . ../three").ok();
    let next = |name: &str| {
        let place = sandbox.folder(name);
        place.run("git mldata remote trust main && git mldata pull -q --no-setup").ok();
        place.write("img/3.jpg", noise(name.len() as u64, 10_000));
        place.run("git mldata add -q img && git commit -qm three").ok();
        place
    };
    let (two, three) = (next("two"), next("three"));
    // What is whole is relied on, whoever sent it.
    let sent = two.run("git mldata push --verify --json").ok().says("").json();
    assert!(
        sent[0]["bytes"].as_u64() < Some(20_000) && sent[0]["distrusted"].as_array().map(Vec::len) == Some(0)
    );

    // Whoever sent it himself need not doubt it; whoever did not, finds it, and sends what it should hold.
    spoil(&sandbox.path().join("main"));
    one.write("img/4.jpg", noise(44, 10_000));
    one.run("git mldata add -q img && git commit -qm four").ok();
    let sent = one.run("git mldata push --verify=100% --json").ok().says("").json();
    assert!(sent[0]["bytes"].as_u64() < Some(20_000), "{sent:?}");
    // (Older versions are not here, so nobody can send them from here.)
    three
        .run("git mldata push --verify=100%")
        .fails(128)
        .tells("warning: the pack ")
        .tells(
            " on 'main' is damaged, or never was what its sender said: what was reused of it was sent anew\n",
        )
        .tells("hint: git mldata fsck --remote main --read-data ");
    three.run("git mldata push --verify=0%").fails(129).tells("write it as 10%");
    sandbox.folder(".").run("git clone -q three again").ok();
    let again = sandbox.folder("again");
    again.run("git mldata pull -q --no-setup img").ok();
    assert!(
        again.read("img/3.jpg") == three.read("img/3.jpg")
            && again.read("img/1.jpg") == three.read("img/1.jpg")
    );
}

#[test]
fn what_one_repository_forgot_is_kept_as_far_as_another_relies_on_it() {
    let sandbox = Sandbox::new();
    let one = repository(&sandbox, "one");
    one.run("git mldata push -q main").ok();
    let two = sandbox.repository("two");
    two.write("ml.toml", "version = 1\nrepository = \"ffffffffffffffffffffffffffffffff\"\n");
    two.run("git add ml.toml && git commit -qm begin && git mldata remote add main ../main").ok();
    // (Less than a MiB is not worth asking for.)
    two.write("b.bin", [one.read("a.bin"), noise(60, 100_000)].concat());
    two.run("git mldata add -q b.bin && git commit -qm b").ok();
    let sent = two.run("git mldata push --json").ok().json()[0]["bytes"].as_u64().expect("bytes");
    assert!(sent < 250_000, "{sent} bytes sent for a megabyte that is there");

    // All that the first one pushed is forgotten, and the second one cleans.
    two.run("rm -r ../main/roots/000102030405060708090a0b0c0d0e0f ../main/claims").ok();
    for hours in [30, 60, 90] {
        two.run(&format!("git mldata gc --remote main --yes --now $(($(date +%s) + {hours} * 3600))")).ok();
    }
    two.run("git mldata fsck --remote main --read-data").ok();
    sandbox.folder(".").run("git clone -q two there").ok();
    let there = sandbox.folder("there");
    there.run("git mldata pull -q --no-setup").ok();
    assert!(there.read("b.bin") == two.read("b.bin"));
}
