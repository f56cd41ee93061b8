//! Files that cannot be read, are no data, or do not hold still: each is named, all of them are, and nothing is half added.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::{Place, Sandbox, Seen};

/// What an `add` that is refused must leave as it was: pointers, ignore lines, the index, the record.
fn traces(place: &Place) -> Vec<String> {
    let mut traces = vec![place.run("git status --porcelain --untracked-files=all").ok().stdout().to_owned()];
    for name in ["d.mld", ".gitignore", ".git/info/exclude", ".git/ml/state"] {
        let bytes = fs::read(place.path().join(name)).ok();
        traces.push(format!("{name} {bytes:?}"));
    }
    traces
}

/// The command of the first hint, without what is told about it.
fn hinted(seen: &Seen) -> String {
    let hint = seen.stderr().lines().find_map(|line| line.strip_prefix("hint: ")).expect("a hint");
    hint.split("      ").next().expect("a command").to_owned()
}

#[test]
fn all_that_may_not_be_read_is_named_and_nothing_is_added() {
    let place = Sandbox::of_a_user().data_repository("repo");
    for name in ["d/fine.bin", "d/one.bin", "d/two.bin", "d/sub/deep.bin", "d/closed/x.bin"] {
        place.write(name, name);
    }
    place.run("git mldata add d && git commit -qm first").ok();
    place.write("d/fine.bin", "a second version");
    for name in ["d/one.bin", "d/two.bin", "d/sub/deep.bin", "e.bin", "f.bin"] {
        place.write(name, "new");
    }
    place.run("chmod 000 d/one.bin d/two.bin d/sub/deep.bin d/closed e.bin").ok();
    let before = traces(&place);
    let seen = place
        .run("git mldata add f.bin d e.bin")
        .fails(128)
        .prints("")
        .tells("error: 5 paths cannot be taken as data:\n")
        .tells("hint: ls -ld ");
    for name in ["d/one.bin", "d/two.bin", "d/sub/deep.bin", "d/closed", "e.bin"] {
        let line = format!("cannot read '[ROOT]/repo/{name}': Permission denied");
        assert!(seen.stderr().contains(&line), "{name}: {}", seen.stderr());
    }
    assert!(!seen.stderr().contains("fine.bin") && !seen.stderr().contains("f.bin"), "{}", seen.stderr());
    assert_eq!(traces(&place), before);
    place.run(&hinted(&seen).replace("[ROOT]/repo/", "")).ok();
    place.run("git mldata add e.bin").fails(128).tells("error: cannot read '[ROOT]/repo/e.bin'");
    place.run("chmod -R u+rwX d e.bin && git mldata add f.bin d e.bin && git mldata fsck").ok();
    place.run("rm -r d e.bin f.bin && git mldata checkout").ok();
    assert_eq!(place.text("d/fine.bin"), "a second version");
    assert_eq!(place.text("d/closed/x.bin"), "d/closed/x.bin");
    assert_eq!(place.text("e.bin"), "new");
}

#[test]
fn a_folder_that_may_not_be_written_to() {
    let place = Sandbox::of_a_user().data_repository("repo");
    place.write("d/a.bin", "a");
    place.run("chmod 555 d").ok();
    place.run("git mldata add d/a.bin").fails(128).tells("error: ").tells("hint: ");
    assert!(!place.has("d/a.bin.mld") && !place.has("d/.gitignore"));
    place.run("chmod 755 d && git mldata add d/a.bin && git mldata fsck").ok();
    place.run("chmod 555 .git/ml/users").ok();
    place.write("d/b.bin", "b");
    place.run("git mldata add d/b.bin").fails(128).tells("error: ").tells("hint: ");
    assert!(!place.has("d/b.bin.mld"));
    place.run("chmod 755 .git/ml/users && git mldata add d/b.bin && git mldata fsck").ok();
}

#[test]
fn pipes_sockets_and_devices_are_refused_by_name_and_wait_for_nobody() {
    let place = Sandbox::new().data_repository("repo");
    place.write("d/fine.bin", "x");
    place.write("d/deep/fine.bin", "x");
    place.run("mkfifo d/pipe d/deep/pipe").ok();
    let _bound = UnixListener::bind(place.path().join("d/socket")).expect("a socket");
    let mut special = vec![("d/pipe", "named pipe"), ("d/deep/pipe", "named pipe"), ("d/socket", "socket")];
    // /dev/zero: who reads it never ends.
    let made = Command::new("mknod").args(["d/device", "c", "1", "5"]).current_dir(place.path()).output();
    if made.is_ok_and(|made| made.status.success()) {
        special.push(("d/device", "device"));
    } else {
        println!("only root may make a device");
    }
    let before = traces(&place);
    let seen = place
        .run("timeout 60 git mldata add d")
        .fails(128)
        .prints("")
        .tells(&format!("error: {} paths cannot be taken as data:\n", special.len()))
        .tells("hint: ");
    for (name, what) in &special {
        let line = format!("'[ROOT]/repo/{name}' is a {what}, which cannot be versioned");
        assert!(seen.stderr().contains(&line), "{}", seen.stderr());
        let alone = format!("error: {line}");
        place.run(&format!("timeout 60 git mldata add {name}")).fails(128).prints("").tells(&alone);
    }
    assert_eq!(traces(&place), before);
    place.run(&hinted(&seen).replace("[ROOT]/repo/", "").replace("ELSEWHERE", "..")).ok();
    for (name, _) in &special {
        fs::remove_file(place.path().join(name)).ok();
    }
    place.run("git mldata add d").ok().shows("d  2 files");
    // They are told where they come later, too.
    place.run("git commit -qm data && mkfifo d/late").ok();
    place.run("timeout 60 git mldata status").fails(128).tells("d/late' is a named pipe");
}

#[test]
fn pipes_in_the_place_of_our_own_files_are_waited_for_by_nobody() {
    for name in ["x.bin.mld", ".gitignore", ".git/info/exclude", "ml.toml"] {
        let place = Sandbox::new().data_repository("repo");
        place.write("x.bin", "x");
        place.run(&format!("rm -f {name} && mkfifo {name}")).ok();
        let ran = place.run("timeout 60 git mldata add x.bin");
        // The last one need not be read.
        assert!(ran.code == 128 || (ran.code == 0 && name == "ml.toml"), "{name}: {ran}");
        if ran.code == 128 {
            assert!(ran.stderr.contains("is no regular file"), "{name}: {ran}");
            assert!(
                !fs::metadata(place.path().join("x.bin.mld")).is_ok_and(|found| found.is_file()),
                "{name}"
            );
        }
    }
}

#[test]
fn other_repositories_and_pointers_are_refused_and_the_hints_lead_out() {
    let place = Sandbox::new().data_repository("repo");
    place.write("odd/fine.bin", "x");
    place.write("odd/deep/x.csv.mld", "x");
    place.write("odd/inner/y.bin", "y");
    place.run("mkfifo odd/pipe && git init -q odd/inner").ok();
    let before = traces(&place);
    place
        .run("git mldata add odd")
        .fails(128)
        .tells("error: 3 paths cannot be taken as data:\n")
        .tells("odd/pipe' is a named pipe")
        .tells("odd/deep/x.csv.mld' is a pointer inside the directory")
        .tells("odd/inner' is a Git repository inside the directory");
    assert_eq!(traces(&place), before);
    let seen = place.run("git mldata add odd/inner").fails(128).tells("odd/inner' is a Git repository");
    let inside = hinted(&seen).replace("[ROOT]/repo/", "").replace("PATH...", "y.bin");
    place.run("cd odd/inner && git mldata init --no-hooks").ok();
    place.run(&inside).ok();
    assert!(place.has("odd/inner/y.bin.mld"));
    let seen = place.run("git mldata add odd/inner/y.bin").fails(128).tells("is in another repository");
    assert_eq!(hinted(&seen), "go there first: cd odd/inner");

    // A submodule is another repository as well, and no file of Git's.
    place.run("git init -q ../library && cd ../library && git commit -q --allow-empty -m library").ok();
    place.run("git submodule --quiet add ../library sub && git commit -qm sub").ok();
    place.run("git mldata add sub").fails(128).tells("sub' is a Git repository inside the directory");
}

#[test]
fn what_is_tracked_on_its_own_inside_a_directory_is_named_and_the_hint_leads_out() {
    let place = Sandbox::new().data_repository("repo");
    for name in ["data/a.csv", "data/sub/b b.csv", "data/c.csv"] {
        place.write(name, "id\n1\n");
    }
    place.run("git mldata add data/a.csv 'data/sub/b b.csv' && git commit -qm data").ok();
    let seen = place
        .run("git mldata add data")
        .fails(128)
        .prints("")
        .tells(
            "error: inside 'data' something is tracked on its own; nothing was added:\nerror:   data/a.csv\n",
        )
        .tells("\nerror:   data/sub/b b.csv\n");
    assert!(!place.has("data.mld"));
    place.run(&hinted(&seen)).ok();
    place.run("git mldata ls -r data").ok().shows("data/a.csv").shows("data/sub/b b.csv").shows("data/c.csv");
    assert!(!place.has("data/a.csv.mld"));
    place.run("git mldata status && git mldata fsck").ok();
}

#[test]
fn the_hint_moves_out_of_git_what_git_tracks_and_touches_no_file() {
    let place = Sandbox::new().data_repository("repo");
    place.write("my labels.csv", "a\n1\n");
    place.write("set/a.bin", "a");
    place.write("set/deep/b.bin", "b");
    place.run("git add . && git commit -qm all").ok();
    // As it is in people's hands: edited since, and not all of it Git's.
    place.write("my labels.csv", "a\n2\n");
    place.write("set/new.bin", "new");
    let looks = || -> Vec<_> {
        let names = ["my labels.csv", "set/a.bin", "set/deep/b.bin", "set/new.bin"];
        let look = |name: &str| {
            let found = fs::metadata(place.path().join(name)).expect("a file");
            (place.read(name), found.ino(), found.mtime_nsec(), found.ctime_nsec(), found.mode())
        };
        names.map(look).into()
    };
    let before = looks();
    for path in ["'my labels.csv'", "set"] {
        let seen =
            place.run(&format!("git mldata add --sidecar {path}")).fails(128).tells("is tracked by Git");
        let command = hinted(&seen);
        assert!(command.starts_with("git rm --cached"), "{command}");
        place.run(&command).ok();
    }
    assert_eq!(looks(), before, "bytes, inodes and times");
    place
        .run("git commit -qm 'out of Git' && git ls-files")
        .ok()
        .prints(".gitignore\nml.toml\nmy labels.csv.mld\nset.mld\n");
    place.run("git status --porcelain --untracked-files=all").ok().prints("");
    place.run("rm -r set 'my labels.csv' && git mldata checkout && git mldata fsck").ok();
    assert_eq!(place.text("my labels.csv"), "a\n2\n");
    assert_eq!(place.text("set/new.bin"), "new");
}

/// Bytes of a file that is read in many batches, which takes longer than the clock of a file system needs for a tick.
const LARGE: usize = 48 << 20;

/// Does `work` while a thread writes to `file` all the time.
fn while_written<T>(place: &Place, file: &str, step: u64, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    let file = File::options().write(true).open(place.path().join(file)).expect("a file");
    let size = file.metadata().expect("a stat").len();
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0_u64.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                file.write_all_at(&round.to_le_bytes(), round * step % (size - 8)).expect("a write");
            }
        });
        let worked = work();
        done.store(true, Ordering::Relaxed);
        worked
    })
}

#[test]
fn a_file_that_is_written_all_the_time_is_named_and_nothing_is_added() {
    let place = Sandbox::new().data_repository("repo");
    place.write("log.bin", vec![7; LARGE]);
    place.write("d/calm.bin", "calm");
    place.write("other.bin", "other");
    let before = traces(&place);
    let ran = while_written(&place, "log.bin", 65_537, || place.run("git mldata add d log.bin other.bin"));
    ran.fails(128)
        .prints("")
        .tells("error: '[ROOT]/repo/log.bin' changed while it was read\n")
        .tells("hint: try again when the program that writes it has ended");
    assert_eq!(traces(&place), before);
    place.run("git mldata add d log.bin other.bin && git mldata fsck").ok();
    let bytes = place.read("log.bin");
    place.run("rm log.bin && git mldata checkout log.bin").ok();
    assert!(place.read("log.bin") == bytes);
}

#[test]
fn of_a_small_file_that_is_written_all_the_time_nothing_gets_a_wrong_id() {
    let place = Sandbox::new().data_repository("repo");
    for number in 0..40 {
        place.write(&format!("d/{number:02}.bin"), [number; 3000]);
    }
    for round in 0..4 {
        let ran = while_written(&place, "d/20.bin", 8, || place.run("git mldata add d"));
        // It may have been caught between two writes.
        if ran.code == 0 {
            drop(ran.ok());
        } else {
            drop(ran.fails(128).tells("d/20.bin' changed while it was read"));
        }
        place.run("git mldata fsck").ok();
        place.run("git mldata add d").ok();
        let (last, held) = (place.read("d/20.bin"), place.text("d.mld"));
        place.run("rm d/20.bin && git mldata checkout d").ok();
        assert!(place.read("d/20.bin") == last, "round {round}: the last write is what was added last");
        assert_eq!(place.text("d.mld"), held);
    }
}
