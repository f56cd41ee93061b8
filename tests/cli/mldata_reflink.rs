//! Large files kept as clones, on a file system that shares blocks.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::mldata_gc::{files, noise};
use crate::support::{Place, Sandbox};

const MB: usize = 1 << 20;

/// A disk with btrfs, in memory; it is unmounted when dropped.
struct SharingDisk(TempDir);

impl SharingDisk {
    /// `None`, with a message, where this machine cannot have one.
    fn mount() -> Option<Self> {
        let memory = Path::new("/dev/shm");
        let folder = tempfile::tempdir_in(if memory.is_dir() { memory } else { Path::new("/tmp") }).unwrap();
        let line = "truncate -s 400M disk && mkfs.btrfs -q disk && mkdir top && mount -o loop disk top";
        let done = Command::new("sh").args(["-c", line]).current_dir(folder.path()).output();
        let done = done.is_ok_and(|output| output.status.success());
        if !done {
            println!("skipped: only root may mount a disk with btrfs, and mkfs.btrfs must be there");
        }
        done.then(|| Self(folder))
    }

    fn sandbox(&self) -> Sandbox {
        Sandbox::below(&self.0.path().join("top"))
    }

    /// Bytes that are used on it.
    fn used(&self) -> u64 {
        let line = "sync -f top && df --output=used -B1 top | tail -1";
        let told = Command::new("sh").args(["-c", line]).current_dir(self.0.path()).output().unwrap();
        String::from_utf8(told.stdout).unwrap().trim().parse().unwrap()
    }
}

impl Drop for SharingDisk {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0.path().join("top")).status().unwrap();
    }
}

/// A table of about so many bytes, which compresses well.
fn table(seed: u64, bytes: usize) -> Vec<u8> {
    let row = |number: u64| {
        format!("{number},{seed},word{},{}\n", number % 97, number.wrapping_mul(2_654_435_761) % 10_007)
    };
    (0..)
        .map(row)
        .scan(0, |length, row| {
            *length += row.len();
            (*length < bytes).then_some(row)
        })
        .collect::<String>()
        .into_bytes()
}

fn clones(place: &Place) -> usize {
    let clones = files(&place.path().join(".git/ml/shared"));
    let (data, tables): (Vec<_>, Vec<_>) =
        clones.iter().partition(|path| path.extension().is_some_and(|ending| ending == "clone"));
    assert_eq!(data.len(), tables.len(), "{clones:?}");
    data.len()
}

/// Bytes below a folder.
fn bytes_below(folder: &Path) -> u64 {
    files(folder).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

#[test]
fn a_large_file_takes_no_room_twice_and_comes_back_from_the_clone() {
    let Some(disk) = SharingDisk::mount() else { return };
    let place = disk.sandbox().data_repository("repo");
    let (model, small) = (noise(1, 24 * MB), noise(2, 15 * MB));
    place.write("model.bin", &model);
    let before = disk.used();
    place.run("git mldata add model.bin && git commit -qm one").ok().shows("kept 25 MB as clones");
    assert_eq!(clones(&place), 1);
    assert!(disk.used() < before + MB as u64, "{} more", disk.used() - before);
    place.run("git mldata du").ok().shows(", and 25 MB in 1 clone that share");
    place.run("git mldata fsck").ok().shows("all is well");
    place.run("rm model.bin && git mldata checkout && git mldata status").ok().shows("model.bin  here");
    assert!(place.read("model.bin") == model);
    assert!(disk.used() < before + MB as u64, "{} more", disk.used() - before);
    place.run("git mldata gc --older-than 0s").ok();
    assert_eq!(clones(&place), 1, "it costs nothing");
    // A second version stores what differs, and a smaller file is packed.
    let file = OpenOptions::new().write(true).open(place.path().join("model.bin")).unwrap();
    file.write_all_at(b"changed", 9 * MB as u64).unwrap();
    place.write("small.bin", &small);
    let told = place.run("git mldata add model.bin small.bin && git commit -qm two").ok();
    let told = told.lacks("as clones").shows("stored 1");
    assert_eq!(clones(&place), 1, "{}", told.stdout());
    let second = place.read("model.bin");
    for (version, content) in [("HEAD~1", &model), ("HEAD", &second), ("HEAD~1", &model)] {
        place
            .run(&format!("git checkout -q {version} -- model.bin.mld && git mldata checkout model.bin"))
            .ok();
        assert!(place.read("model.bin") == *content, "{version}");
    }
    // Nor is one kept where everything has moved.
    place.write("model.bin", [&b"inserted"[..], &model].concat());
    place.run("git mldata add model.bin").ok().lacks("as clones");
    assert_eq!(clones(&place), 1);
    place.run("git mldata fsck --all").ok();
}

#[test]
fn what_the_work_tree_has_no_more_is_packed_by_gc() {
    let Some(disk) = SharingDisk::mount() else { return };
    let sandbox = disk.sandbox();
    let place = sandbox.data_repository("repo");
    let (first, second) = (table(1, 20 * MB), table(2, 18 * MB));
    place.write("t.csv", &first);
    place.run("git mldata add t.csv && git commit -qm one").ok().shows("as clones");
    place.write("t.csv", &second);
    place.run("git mldata add t.csv && git commit -qm two").ok().shows("as clones");
    assert_eq!(clones(&place), 2);
    let store = place.path().join(".git/ml");
    // A kill leaves a clone, a pack, or both.
    for round in 0..6 {
        let mut gc = place.program("git-mldata").arg("gc").spawn().unwrap();
        thread::sleep(Duration::from_millis(20 + 60 * round));
        gc.kill().unwrap();
        gc.wait().unwrap();
        place.run("git mldata fsck --all").ok();
    }
    place.run("git mldata gc").ok();
    assert_eq!(clones(&place), 1);
    let packed = bytes_below(&store.join("packs")) + bytes_below(&store.join("open"));
    assert!(packed < 10 * MB as u64, "{packed}: compressed");
    place.run("git mldata fsck --all && git mldata cat HEAD~:t.csv > ../out").ok();
    assert!(fs::read(sandbox.path().join("out")).unwrap() == first);
    // A remote gets what compresses compressed, and gives it back.
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote && git mldata push -q").ok();
    let pushed = bytes_below(&sandbox.path().join("bucket"));
    assert!(pushed < 20 * MB as u64, "{pushed} of {}", first.len() + second.len());
    place.run("git mldata drop").ok();
    assert_eq!(clones(&place), 0);
    place.run("git clone -q . ../clone").ok();
    let clone = sandbox.folder("clone");
    clone.run("git mldata pull -q").ok();
    assert!(clone.read("t.csv") == second);
}

#[test]
fn clones_that_are_left_do_not_pile_up() {
    let Some(disk) = SharingDisk::mount() else { return };
    let place = disk.sandbox().data_repository("repo");
    // As long as a checkpoint, nearly all of it a hole, and longer than what is free: a clone takes no room.
    let write = |seed: u64| {
        place.write("model.bin", noise(seed, 300_000));
        let file = OpenOptions::new().write(true).open(place.path().join("model.bin")).unwrap();
        file.set_len((1 << 30) + MB as u64).unwrap();
    };
    write(1);
    place.run("git mldata add -q model.bin && git commit -qm one").ok();
    assert_eq!(clones(&place), 1);
    write(2);
    place.run("git mldata add -q model.bin && git commit -qm two").ok().says("");
    assert_eq!(
        clones(&place),
        0,
        "the first one is packed, and of the second one all but the beginning is known"
    );
    place.run("git mldata fsck --all").ok();
}

#[test]
fn damage_is_found_and_a_setting_keeps_copies_instead() {
    let Some(disk) = SharingDisk::mount() else { return };
    let place = disk.sandbox().data_repository("repo");
    let model = noise(1, 17 * MB);
    place.write("model.bin", &model);
    place.run("git config mldata.reflink false && git mldata add model.bin").ok().lacks("clones");
    assert_eq!(clones(&place), 0);
    place.run("rm -r .git/ml && git config --unset mldata.reflink").ok();
    place.run("git mldata add model.bin").ok().shows("as clones");
    let clone = files(&place.path().join(".git/ml/shared"))
        .into_iter()
        .find(|path| path.extension().unwrap() == "clone");
    let clone = OpenOptions::new().write(true).open(clone.unwrap()).unwrap();
    clone.write_all_at(b"spoilt", 5_000_000).unwrap();
    place.run("git mldata fsck").fails(1).shows("(1 item damaged)").shows("needed by model.bin");
    place.run("git mldata fsck --repair").ok().shows("repaired 1 item");
    place.run("rm model.bin && git mldata checkout && git mldata fsck").ok();
    assert!(place.read("model.bin") == model);
}

#[test]
fn a_kill_at_any_time_leaves_no_clone_or_a_whole_one() {
    let Some(disk) = SharingDisk::mount() else { return };
    let place = disk.sandbox().data_repository("repo");
    for round in 0..12 {
        let model = noise(round, 17 * MB);
        place.write("model.bin", &model);
        let mut add = place.program("git-mldata").args(["add", "-q", "model.bin"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(10 + 25 * round));
        add.kill().unwrap();
        add.wait().unwrap();
        assert!(place.read("model.bin") == model);
        place
            .run("git mldata add -q model.bin && rm model.bin && git mldata checkout && git mldata fsck")
            .ok();
        assert!(place.read("model.bin") == model);
        place.run("git mldata gc --older-than 0s").ok();
    }
    place.run("git mldata gc --older-than 0s").ok();
    assert_eq!(clones(&place), 1);
    // What a kill between its two names would leave.
    place.run("rm .git/ml/shared/*.table && git mldata add -q model.bin && git mldata fsck").ok();
    assert_eq!(clones(&place), 1);
    place
        .run("rm .git/ml/shared/*.table && git config mldata.reflink false && git mldata add -q model.bin")
        .ok();
    place.run("git mldata gc && git mldata fsck").ok();
    assert_eq!(clones(&place), 0);
}

#[test]
fn elsewhere_copies_are_kept_and_nothing_is_said() {
    let Some(disk) = SharingDisk::mount() else { return };
    let elsewhere = Sandbox::in_memory();
    let place = disk.sandbox().data_repository("repo");
    let store = elsewhere.path().join("store");
    let place = place.with("GIT_MLDATA_STORE", store.to_str().unwrap());
    let (one, two) = (noise(1, 17 * MB), noise(2, 17 * MB));
    place.write("d/one.bin", &one);
    place.write("d/two.bin", &two);
    place.run("git mldata add d").ok().lacks("clone").says("");
    assert!(!store.join("shared").exists());
    place.run("rm -r d && git mldata checkout && git mldata fsck").ok();
    assert!(place.read("d/one.bin") == one && place.read("d/two.bin") == two);
}
