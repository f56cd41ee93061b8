//! `git mldata gc`: nothing that anybody needs goes, and what nobody needs does.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::support::{Place, Sandbox};

/// Bytes that do not compress.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..length).map(step).collect()
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Bytes of all packs.
fn stored(store: &Path) -> u64 {
    let packs = [files(&store.join("packs")), files(&store.join("open"))].concat();
    packs.iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

/// Two weeks and a day from now.
fn later() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    format!("git mldata gc --now {}", now + 15 * 86_400)
}

fn commit(place: &Place, seed: u64) -> Vec<u8> {
    let data = noise(seed, 200_000);
    place.write("d.bin", &data);
    place.run(&format!("git mldata add d.bin && git commit -qm {seed}")).ok();
    data
}

#[test]
fn what_nobody_needs_goes_after_two_weeks_and_the_rest_of_its_pack_stays() {
    let place = Sandbox::new().data_repository("repo");
    let kept = commit(&place, 1);
    place.write("junk.bin", noise(2, 3_000_000));
    place.run("git mldata add --no-stage junk.bin && git mldata rm --no-stage --force junk.bin").ok();
    let store = place.path().join(".git/ml");
    let before = stored(&store);
    place.run("git mldata gc").ok().shows("nothing to free");
    place.run(&format!("{} --dry-run", later())).ok().shows("would free 3.");
    assert_eq!(stored(&store), before, "nothing but told");
    let told = place.run(&format!("{} --json", later())).ok().json();
    assert!(told[0]["freed"].as_u64().unwrap() > 2_900_000, "{told:?}");
    assert!(stored(&store) < 300_000, "{}", stored(&store));
    fs::remove_file(place.path().join("d.bin")).unwrap();
    place.run("git mldata checkout d.bin").ok();
    assert_eq!(place.read("d.bin"), kept);
    place.run(&later()).ok().shows("nothing to free");
    place.run("git mldata gc --older-than 0s").ok().shows("nothing to free");
}

#[test]
fn whatever_git_keeps_a_version_by_it_stays() {
    let place = Sandbox::new().data_repository("repo");
    let mut kept = Vec::new();
    let named = |place: &Place, revision: &str| {
        place.run(&format!("git rev-parse {revision}")).ok().stdout().trim().to_owned()
    };
    kept.push(commit(&place, 1));
    let first = named(&place, "HEAD");
    place.run("git switch -qc side").ok();
    kept.push(commit(&place, 2));
    let side = named(&place, "HEAD");
    place.run("git switch -q main && git tag -a v1 -m v1 side && git branch -qD side").ok();
    // By reflogs alone.
    kept.push(commit(&place, 3));
    let reset = named(&place, "HEAD");
    place.run("git reset -q --hard HEAD~").ok();
    // By the stash alone.
    place.write("d.bin", noise(4, 200_000));
    place.run("git mldata add d.bin && git stash -q").ok();
    kept.push(noise(4, 200_000));
    let stash = named(&place, "stash");
    // By another worktree: one pointer in its index, one only in its folder.
    place.run("git worktree add -q ../linked").ok();
    let linked = Sandbox::at(&place).folder("linked");
    linked.write("staged.bin", noise(5, 100_000));
    linked.write("loose.bin", noise(6, 100_000));
    linked.run("git mldata add staged.bin && git mldata add --no-stage loose.bin").ok();
    // Before the first look, an index that only a partial commit sees.
    place.run(&format!("{} --json", later())).ok();
    for (revision, data) in [first, side, reset, stash].iter().zip(&kept) {
        place.run(&format!("git mldata cat {revision}:d.bin > ../out")).ok();
        assert!(fs::read(place.path().join("../out")).unwrap() == *data, "{revision}");
    }
    for (name, seed) in [("staged.bin", 5), ("loose.bin", 6)] {
        fs::remove_file(linked.path().join(name)).unwrap();
        linked.run(&format!("git mldata checkout {name}")).ok();
        assert!(linked.read(name) == noise(seed, 100_000), "{name}");
    }
    // The folder of the other worktree is gone: what its index names stays all the same.
    fs::rename(linked.path(), place.path().join("../away")).unwrap();
    place.run(&later()).ok();
    fs::rename(place.path().join("../away"), linked.path()).unwrap();
    fs::remove_file(linked.path().join("staged.bin")).unwrap();
    linked.run("git mldata checkout staged.bin").ok();
    // And when the reflogs are gone, so is what only they named.
    place.run("git reflog expire --expire=now --all && git stash clear && rm -f .git/ORIG_HEAD").ok();
    place.run("rm d.bin && git mldata checkout d.bin").ok();
    place.run(&later()).ok().shows("freed");
    place.run("git mldata cat v1:d.bin").ok();
}

#[test]
fn a_merge_a_rebase_and_copies_taken_by_force_keep_what_they_need() {
    let place = Sandbox::new().data_repository("repo");
    commit(&place, 1);
    place.run("git switch -qc side").ok();
    let side = commit(&place, 2);
    place.run("git switch -q main").ok();
    commit(&place, 3);
    place.run("git merge side").fails(1);
    place.run("git branch -qD side; rm -r .git/logs").ok();
    place.run(&later()).ok();
    place.run("git checkout -q --theirs d.bin.mld && rm d.bin && git mldata checkout d.bin").ok();
    assert!(place.read("d.bin") == side);
    place.write("d.bin", noise(4, 200_000));
    place.run("git mldata checkout --force d.bin").ok();
    place.run("git mldata gc --older-than 0s").ok();
    let notes = files(&place.path().join(".git/ml/kept"));
    let note: serde_json::Value = serde_json::from_slice(&fs::read(&notes[0]).unwrap()).unwrap();
    place.run(&format!("git mldata checkout --from {}", note["id"].as_str().unwrap())).ok();
    assert!(place.read("d.bin") == noise(4, 200_000));
}

#[test]
fn clones_that_share_a_store_are_asked_and_one_that_cannot_be_stops_it() {
    let sandbox = Sandbox::new();
    let shared = sandbox.path().join("store").display().to_string();
    let ada = sandbox.data_repository("ada").with("GIT_MLDATA_STORE", &shared);
    let bob = sandbox.data_repository("bob").with("GIT_MLDATA_STORE", &shared);
    commit(&ada, 1);
    let data = commit(&bob, 2);
    ada.run(&later()).ok().shows("nothing to free");
    fs::rename(bob.path(), sandbox.path().join("moved")).unwrap();
    ada.run("git mldata gc --older-than 0s")
        .fails(128)
        .tells("/bob/.git' uses this store")
        .tells("hint: if that clone");
    fs::rename(sandbox.path().join("moved"), bob.path()).unwrap();
    ada.run("git mldata gc --older-than 0s").ok();
    fs::remove_file(bob.path().join("d.bin")).unwrap();
    bob.run("git mldata checkout d.bin").ok();
    assert!(bob.read("d.bin") == data);
    // Gone for good, and not heard of for two weeks.
    fs::remove_dir_all(bob.path()).unwrap();
    ada.run(&later()).ok().shows("freed");
}

#[test]
fn a_damaged_node_stops_it_and_who_works_is_named() {
    let place = Sandbox::new().data_repository("repo");
    for number in 0..20 {
        place.write(&format!("img/{number}.bin"), noise(number, 2000));
    }
    place.run("git mldata add img && git commit -qm img").ok();
    let store = place.path().join(".git/ml");
    let entry = store.join("users/user_00000000000000000000000000000001_7_-_other_-_far.example");
    fs::write(&entry, "").unwrap();
    place.write("junk.bin", noise(99, 3_000_000));
    place.run("git mldata add --no-stage junk.bin && git mldata rm --no-stage --force junk.bin").ok();
    place.run(&later()).fails(128).tells("in use by process 7 on far.example").tells("hint: run it again");
    fs::remove_file(&entry).unwrap();
    let pack =
        files(&store.join("open")).into_iter().find(|path| path.extension().is_some_and(|e| e == "pack"));
    let pack = pack.unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    // Twenty contents lie before the node that names them.
    let node = 64 + 20 * 2000;
    bytes[node + 50..node + 100].fill(7);
    fs::write(&pack, bytes).unwrap();
    place.run(&later()).fails(128).tells("nothing was removed").tells("hint: git mldata fsck --repair");
}

#[test]
fn adds_beside_collections_and_each_other_lose_nothing() {
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("repo");
    place.write("seed.bin", noise(1000, 50_000));
    place.run("git mldata add seed.bin && git commit -qm seed && git worktree add -q ../linked").ok();
    let linked = sandbox.folder("linked");
    thread::scope(|scope| {
        for (number, place) in [&place, &linked].into_iter().enumerate() {
            scope.spawn(move || {
                for round in 0..6_u64 {
                    let name = format!("x{number}-{round}.bin");
                    // Half of it is what the other one adds, too.
                    let data =
                        [noise(round, 40_000), noise(100 * (number as u64 + 1) + round, 40_000)].concat();
                    place.write(&name, &data);
                    place.run(&format!("git mldata add --no-stage {name}")).ok();
                    let junk = format!("junk{number}.bin");
                    place.write(&junk, noise(5000 + round, 200_000));
                    place
                        .run(&format!(
                            "git mldata add --no-stage {junk} && git mldata rm --no-stage --force {junk}"
                        ))
                        .ok();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..8 {
                let ran = place.run("git mldata gc --older-than 0s");
                assert!([0, 128].contains(&ran.code), "{ran}");
                assert!(ran.code == 0 || ran.stderr.contains("in use by process"), "{ran}");
            }
        });
    });
    place.run("git mldata gc --older-than 0s").ok();
    for (number, place) in [&place, &linked].into_iter().enumerate() {
        for round in 0..6_u64 {
            let name = format!("x{number}-{round}.bin");
            let data = place.read(&name);
            fs::remove_file(place.path().join(&name)).unwrap();
            place.run(&format!("git mldata checkout {name}")).ok();
            assert!(place.read(&name) == data, "{name}");
        }
    }
}

#[test]
fn a_collection_that_is_killed_loses_nothing() {
    let place = Sandbox::new().data_repository("repo");
    let mut kept = Vec::new();
    for round in 0..12_u64 {
        kept.push(commit(&place, round));
        place.write("junk.bin", noise(5000 + round, 400_000));
        place.run("git mldata add --no-stage junk.bin && git mldata rm --no-stage --force junk.bin").ok();
        let mut gc = place.program("git-mldata").args(["gc", "--older-than", "0s"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(3 * round));
        gc.kill().unwrap();
        gc.wait().unwrap();
    }
    place.run("git mldata gc --older-than 0s").ok();
    for (back, data) in kept.iter().rev().enumerate() {
        place.run(&format!("git mldata cat HEAD~{back}:d.bin > ../out")).ok();
        assert!(fs::read(place.path().join("../out")).unwrap() == *data, "HEAD~{back}");
    }
    // Of a pack, less than a quarter may stay that is for nothing: copying the rest would cost more than it frees.
    let left = stored(&place.path().join(".git/ml"));
    assert!(left < 12 * 205_000 * 4 / 3, "the junk is gone: {left} bytes are left");
    place.run("git mldata gc --older-than 0s").ok().shows("nothing to free");
}
