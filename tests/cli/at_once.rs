//! Several commands at once: nothing that one of them did is lost, nothing is damaged, and nobody waits for long.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::mldata_gc::noise;
use crate::support::{Place, Sandbox};

/// What nobody waits longer for, on a machine that is busy with other tests.
const LONG: Duration = Duration::from_secs(20);

/// Runs all lines at once, each in its place; all end well. Gives how long the last of them took.
fn at_once(lines: &[(&Place, String)]) -> Duration {
    let begun = Instant::now();
    thread::scope(|scope| {
        for (place, line) in lines {
            scope.spawn(move || drop(place.run(line).ok()));
        }
    });
    let took = begun.elapsed();
    assert!(took < LONG, "{took:?}");
    took
}

/// The index has exactly what the work tree has; the data itself is ignored, and no commit would be without some of it.
fn is_all_staged(place: &Place) {
    place.run("git diff --exit-code --stat").ok().prints("");
    place.run("git ls-files --others --exclude-standard").ok().prints("");
    place.run("git mldata fsck && git mldata status").ok();
}

/// A fresh worktree of what is committed gets every byte.
fn comes_out_whole(place: &Place, folder: &str) {
    place.run("git mldata checkout").ok();
    place.run(&format!("git commit -qm all; git worktree add -q ../fresh-{folder}")).ok();
    let fresh = Sandbox::at(place).folder(&format!("fresh-{folder}"));
    fresh.run("git mldata checkout").ok();
    fresh.run(&format!("diff -r -x .git '{}' .", place.path().display())).ok();
    place.run(&format!("git worktree remove --force ../fresh-{folder}")).ok();
}

#[test]
fn adds_of_different_paths_both_count() {
    let place = Sandbox::in_memory().data_repository("repo");
    let mut longest = Duration::ZERO;
    for round in 0..8_u64 {
        let names = [0, 1, 2, 3].map(|number| match number % 2 {
            0 => format!("x{round}-{number}.bin"),
            _ => format!("deep/x{round}-{number}.bin"),
        });
        for (number, name) in names.iter().enumerate() {
            // Half of it is common to all.
            place.write(name, [noise(round, 90_000), noise(number as u64 + 100 * round, 90_000)].concat());
        }
        let lines: Vec<_> = names.iter().map(|name| (&place, format!("git mldata add {name}"))).collect();
        longest = longest.max(at_once(&lines));
        let (top, deep) = (place.text(".gitignore"), place.text("deep/.gitignore"));
        let exclude = place.text(".git/info/exclude");
        for name in &names {
            assert!(place.has(&format!("{name}.mld")), "{name}");
            let here = name.strip_prefix("deep/").map_or(&top, |_| &deep);
            let line = format!("\n/{}\n", name.rsplit('/').next().expect("a name"));
            assert!(
                here.contains(&line) && exclude.contains(&format!("\n/{name}\n")),
                "{name}: {here}{exclude}"
            );
        }
        is_all_staged(&place);
        let status = place.run("git mldata status --json").ok().json();
        let known = status[0]["paths"].as_array().expect("paths").len();
        assert_eq!(known as u64, 4 * (round + 1));
    }
    comes_out_whole(&place, "paths");
    println!("four adds at once: {longest:?} at most");
}

/// Both make a version from the one that the pointer names: the second makes his from that of the first.
#[test]
fn adds_of_parts_of_one_directory_all_count() {
    let place = Sandbox::in_memory().data_repository("repo");
    place.write("img/first.bin", "first");
    place.run("git mldata add img && git commit -qm first").ok();
    let mut count = 1;
    for round in 0..6_u64 {
        let names = [0, 1, 2].map(|number| format!("img/{number}/{round}.bin"));
        names.iter().for_each(|name| place.write(name, noise(round, 50_000)));
        let lines: Vec<_> = names.iter().map(|name| (&place, format!("git mldata add {name}"))).collect();
        at_once(&lines);
        count += 3;
        let listed = place.run("git mldata ls -r img").ok();
        assert_eq!(listed.stdout().matches(".bin").count(), count, "round {round}: {}", listed.stdout());
        place.run("git mldata status --json").ok().shows("\"state\":\"same\"");
        // One removed beside one added.
        place.write("img/again.bin", noise(round, 10));
        let gone = format!("git mldata rm --force img/0/{round}.bin");
        at_once(&[(&place, "git mldata add img/again.bin".into()), (&place, gone)]);
        count += usize::from(round == 0);
        count -= 1;
        let listed = place.run("git mldata ls -r img").ok();
        assert_eq!(listed.stdout().matches(".bin").count(), count, "round {round}: {}", listed.stdout());
    }
    is_all_staged(&place);
    comes_out_whole(&place, "parts");
}

#[test]
fn adds_of_the_same_directory_agree() {
    let place = Sandbox::in_memory().data_repository("repo");
    for round in 0..6_u64 {
        for number in 0..20 {
            place.write(&format!("img/{number}.bin"), noise(round * (number % 3), 20_000));
        }
        at_once(&[(&place, "git mldata add img".into()), (&place, "git mldata add img".into())]);
        is_all_staged(&place);
        place.run("git mldata add img").ok().shows("unchanged").lacks("stored");
        place.run(&format!("git commit -qm {round}")).ok();
    }
    comes_out_whole(&place, "same");
}

#[test]
fn an_add_and_a_checkout_of_another_path_do_not_meet() {
    let place = Sandbox::in_memory().data_repository("repo");
    for number in 0..30 {
        place.write(&format!("img/{number}.bin"), noise(number, 30_000));
    }
    place.run("git mldata add img && git commit -qm first").ok();
    let first = place.text("img.mld");
    place.run("echo more >> img/7.bin && rm img/8.bin && git mldata add img && git commit -qm second").ok();
    let second = place.text("img.mld");
    for round in 0..6_u64 {
        let pointer = if round % 2 == 0 { &first } else { &second };
        place.write("img.mld", pointer);
        place.run("git add img.mld").ok();
        let name = format!("new{round}.bin");
        place.write(&name, noise(500 + round, 400_000));
        let add = format!("git mldata add {name}");
        at_once(&[(&place, add), (&place, "git mldata checkout img".into())]);
        assert_eq!(place.has("img/8.bin"), round % 2 == 0);
        is_all_staged(&place);
        // Neither dropped what the other noted.
        place.run("git mldata add img").ok().shows("unchanged").lacks("stored");
        place.run(&format!("git mldata add {name}")).ok().shows("unchanged").lacks("stored");
    }
    comes_out_whole(&place, "checkout");
}

#[test]
fn worktrees_that_share_a_store_and_a_collector_lose_nothing() {
    let sandbox = Sandbox::in_memory();
    let main = sandbox.data_repository("repo");
    main.write("seed.bin", noise(1000, 50_000));
    main.run("git mldata add seed.bin && git commit -qm seed").ok();
    let mut places = vec![main.clone()];
    for name in ["one", "two"] {
        main.run(&format!("git worktree add -q ../{name}")).ok();
        places.push(sandbox.folder(name));
    }
    let done = AtomicBool::new(false);
    let (mut collected, mut longest) = (0, Duration::ZERO);
    thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut collected = 0;
            while !done.load(Ordering::Relaxed) {
                let ran = main.run("git mldata gc --older-than 0s");
                assert!(ran.code == 0 || ran.stderr.contains("in use by process"), "{ran}");
                collected += usize::from(ran.code == 0);
            }
            collected
        });
        for round in 0..8_u64 {
            for (number, place) in places.iter().enumerate() {
                let own = noise(100 * (number as u64 + 1) + round, 60_000);
                // The same in all of them, and what goes again at once.
                place.write(&format!("d/{round}.bin"), [noise(round, 60_000), own].concat());
                place.write("junk.bin", noise(7000 + 10 * round + number as u64, 300_000));
            }
            let junk = "git mldata add -q junk.bin && git mldata rm -q --force junk.bin";
            let line = format!("git mldata add d/{round}.bin && {junk}");
            let lines: Vec<_> = places.iter().map(|place| (place, line.clone())).collect();
            longest = longest.max(at_once(&lines));
        }
        done.store(true, Ordering::Relaxed);
        collected = collector.join().expect("a collector");
    });
    assert!(collected > 0, "it never came to anything");
    println!("three adds at once beside {collected} collections: {longest:?} at most");
    main.run("git mldata gc --older-than 0s").ok();
    let exclude = main.text(".git/info/exclude");
    for (number, place) in places.iter().enumerate() {
        is_all_staged(place);
        for round in 0..8_u64 {
            let name = format!("d/{round}.bin");
            assert!(exclude.contains(&format!("\n/{name}\n")), "{exclude}");
            let data = place.read(&name);
            fs::remove_file(place.path().join(&name)).expect("a file");
            place.run(&format!("git mldata checkout {name}")).ok();
            assert!(place.read(&name) == data, "{number}: {name}");
        }
        place.run(&format!("git switch -qc branch-{number}")).ok();
        comes_out_whole(place, &format!("worktree-{number}"));
    }
}

/// Each reads the team file, and writes it with a remote more.
#[test]
fn remotes_that_are_added_at_once_are_all_in_the_team_file() {
    let place = Sandbox::in_memory().data_repository("repo");
    for round in 0..4 {
        let names: Vec<_> = (0..4).map(|number| format!("r{round}-{number}")).collect();
        let line = |name: &String| (&place, format!("git mldata remote add {name} ../bucket-{name}"));
        at_once(&names.iter().map(line).collect::<Vec<_>>());
        let team = place.text("ml.toml");
        for name in &names {
            assert!(team.contains(&format!("[remote.{name}]")), "{name}: {team}");
        }
    }
    place.run("git diff --exit-code --stat").ok().prints("");
    let lines = [0, 1, 2, 3].map(|number| (&place, format!("git mldata remote remove r0-{number}")));
    at_once(&lines);
    assert!(!place.text("ml.toml").contains("[remote.r0-"));
}

/// The note of the last checkout stands for one that goes on as long as somebody holds it.
#[test]
fn a_checkout_beside_one_that_runs_says_so_and_calls_nothing_modified() {
    let place = Sandbox::in_memory().data_repository("repo");
    for version in ["one", "two"] {
        (0..9).for_each(|number| place.write(&format!("data/{number}"), format!("{version} {number}")));
        place.run(&format!("git mldata add data && git commit -qm {version}")).ok();
    }
    place.run("git checkout -q HEAD~ -- data.mld && git mldata checkout data").ok();
    place.run("git checkout -q HEAD -- data.mld").ok();
    // Half of it is written.
    place.write("data/3", "two 3");
    place
        .run("flock .git/ml/switch git mldata checkout data")
        .fails(128)
        .tells("error: another command is checking out 'data'; it was left to that\n")
        .tells("hint: git mldata checkout data      again when it has ended\n");
    place.run("flock .git/ml/switch git mldata checkout --force data").fails(128);
    place.run("git mldata checkout data").ok();
    assert_eq!(place.text("data/8"), "two 8");
}
