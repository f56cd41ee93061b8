//! Small packs are made few by themselves, beside readers, and whatever kills it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::mldata_gc::{files, noise};
use crate::support::{Place, Sandbox};

/// From so many small packs on, `add` makes them few.
const TOO_MANY: usize = 64;

/// Sealed and open packs of a store.
fn packs(store: &Path) -> Vec<PathBuf> {
    let is_pack = |path: &PathBuf| path.extension().is_none_or(|ending| ending == "pack");
    [files(&store.join("packs")), files(&store.join("open"))].concat().into_iter().filter(is_pack).collect()
}

fn content(number: u64) -> Vec<u8> {
    noise(number, 3000 + number as usize)
}

/// Adds `many/N.bin` for each number, by a command each, as if all of them ran at once: the packs of the others are in use,
/// so each begins one of its own.
pub fn scatter(place: &Place, numbers: std::ops::Range<u64>) {
    let open = place.path().join(".git/ml/open");
    let (mut seen, mut held) = (HashSet::new(), Vec::new());
    let mut hold_all = || {
        for table in
            files(&open).into_iter().filter(|path| path.extension().is_some_and(|end| end == "table"))
        {
            if seen.insert(table.clone()) {
                let table = File::open(table).unwrap();
                table.lock().unwrap();
                held.push(table);
            }
        }
    };
    for number in numbers {
        hold_all();
        place.write(&format!("many/{number}.bin"), content(number));
        place.run(&format!("git mldata add -q --no-stage many/{number}.bin")).ok();
    }
}

/// All of `many` is in the store, and whole.
fn all_is_there(place: &Place, count: u64) {
    for number in 0..count {
        fs::remove_file(place.path().join(format!("many/{number}.bin"))).unwrap();
    }
    place.run("git mldata checkout -q && git mldata fsck").ok();
    for number in 0..count {
        assert!(place.read(&format!("many/{number}.bin")) == content(number), "{number}");
    }
}

fn add_one_more(place: &Place, number: u64) {
    place.write(&format!("many/{number}.bin"), content(number));
    place.run(&format!("git mldata add -q --no-stage many/{number}.bin")).ok().says("");
}

#[test]
fn the_number_of_small_packs_stays_bounded_however_many_commands_add_at_once() {
    let place = Sandbox::in_memory().data_repository("repo");
    let store = place.path().join(".git/ml");
    let mut count = 0;
    for _ in 0..3 {
        scatter(&place, count..count + TOO_MANY as u64);
        assert!(packs(&store).len() >= TOO_MANY - 2, "{} packs", packs(&store).len());
        count += TOO_MANY as u64;
        add_one_more(&place, count);
        count += 1;
        assert!(packs(&store).len() <= 3, "{} packs: {:?}", packs(&store).len(), packs(&store));
    }
    all_is_there(&place, count);
    // Who works with the store is neither disturbed nor waited for.
    scatter(&place, count..count + TOO_MANY as u64);
    count += TOO_MANY as u64;
    let entry = store.join("users/user_00000000000000000000000000000001_7_-_other_-_far.example");
    fs::write(&entry, "").unwrap();
    add_one_more(&place, count);
    assert!(packs(&store).len() >= TOO_MANY, "{} packs", packs(&store).len());
    fs::remove_file(entry).unwrap();
    add_one_more(&place, count + 1);
    assert!(packs(&store).len() <= 3, "{} packs", packs(&store).len());
    all_is_there(&place, count + 2);
}

#[test]
fn who_reads_meanwhile_reads_on() {
    let place = Sandbox::in_memory().data_repository("repo");
    let store = place.path().join(".git/ml");
    let large = noise(1000, 3_000_000);
    place.write("large.bin", &large);
    place.run("git mldata add -q large.bin").ok();
    scatter(&place, 0..TOO_MANY as u64 + 2);
    assert!(packs(&store).len() >= TOO_MANY);
    // One that has read a part of a pack when that goes, and goes on then.
    let mut slow =
        place.program("git-mldata").args(["cat", "large.bin"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = slow.stdout.take().unwrap();
    let mut read = vec![0; 100_000];
    out.read_exact(&mut read).unwrap();
    let ended = AtomicBool::new(false);
    let looks = thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut looks = 0;
            while !ended.load(Ordering::Relaxed) {
                for number in [3, 31, 65] {
                    let line = format!("git mldata cat many/{number}.bin > ../out-{number}");
                    place.run(&line).ok();
                    let out = fs::read(place.path().join(format!("../out-{number}"))).unwrap();
                    assert!(out == content(number), "{number}");
                    looks += 1;
                }
            }
            looks
        });
        add_one_more(&place, TOO_MANY as u64 + 2);
        ended.store(true, Ordering::Relaxed);
        reading.join().unwrap()
    });
    assert!(looks > 0 && packs(&store).len() <= 3, "{looks} looks, {} packs", packs(&store).len());
    out.read_to_end(&mut read).unwrap();
    assert!(slow.wait().unwrap().success() && read == large);
    all_is_there(&place, TOO_MANY as u64 + 3);
}

#[test]
fn a_kill_at_any_time_loses_nothing_and_the_next_one_ends_it() {
    let sandbox = Sandbox::in_memory();
    let base = sandbox.data_repository("base");
    let count = TOO_MANY as u64 + 1;
    scatter(&base, 0..count);
    base.write(&format!("many/{count}.bin"), content(count));
    for round in 0..12 {
        sandbox.folder(".").run(&format!("cp -a base round-{round}")).ok();
        let place = sandbox.folder(&format!("round-{round}"));
        let line = ["add", "-q", "--no-stage", &format!("many/{count}.bin")];
        let mut add = place.program("git-mldata").args(line).spawn().unwrap();
        thread::sleep(Duration::from_millis(5 + 9 * round));
        add.kill().unwrap();
        add.wait().unwrap();
        place.run("git mldata fsck").ok();
        add_one_more(&place, count);
        assert!(packs(&place.path().join(".git/ml")).len() <= 4, "round {round}");
        all_is_there(&place, count + 1);
    }
}
