//! A full disk, and folders that may not be written.

use std::fs;
use std::path::Path;
use std::process::Command;

use git_ml::base::Advice;
use git_ml::data::add::AddError;
use git_ml::data::checkout::Outcome;

use crate::team::{Clone, REFUSE, Team, noise};

/// Puts a small file system over the work tree of a clone while it is alive.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    /// `None`, with a message, where this user may not mount.
    fn over(path: &'a Path, megabytes: u32) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(path).output();
        let done = mounted.is_ok_and(|output| output.status.success());
        if !done {
            println!("skipped: only root may mount a small disk");
        }
        done.then_some(Self(path))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(self.0).status().unwrap();
    }
}

/// Fills the disk at `path` up to so many free bytes.
fn fill(path: &Path, left: u64) -> std::path::PathBuf {
    let free = git_ml::storage::durable::free_space(path).unwrap();
    let ballast = path.join("ballast");
    fs::write(&ballast, vec![1; free.saturating_sub(left) as usize]).unwrap();
    ballast
}

#[test]
fn a_checkout_without_room_touches_nothing_and_goes_on_when_there_is_room() {
    let (team, one) = Team::new();
    for number in 0..30 {
        one.write(&format!("data/{number}"), noise(number, 1 << 20));
    }
    one.add_version("data");
    one.push();
    let small = team.path("small");
    let Some(_disk) = SmallDisk::over(&small, 120) else { return };
    crate::team::git_in(&small, &["clone", "--quiet", &team.path("server.git").display().to_string(), "two"]);
    let two = Clone { top: small.join("two") };
    two.fetch(&[]);
    let ballast = fill(&small, 20 << 20);
    let refused = two.checkout_with(&[], REFUSE);
    let error = refused.unwrap_err();
    assert!(!error.hints().is_empty(), "{error}");
    assert!(!two.exists("data"));
    fs::remove_file(&ballast).unwrap();
    two.checkout(&[]);
    assert_eq!(two.contents("data"), one.contents("data"));
}

#[test]
fn an_add_without_room_leaves_everything_as_it_was() {
    let (team, _one) = Team::new();
    let small = team.path("small");
    let Some(_disk) = SmallDisk::over(&small, 100) else { return };
    crate::team::git_in(&small, &["clone", "--quiet", &team.path("server.git").display().to_string(), "two"]);
    let two = Clone { top: small.join("two") };
    two.git(&["config", "user.name", "A U Thor"]);
    two.git(&["config", "user.email", "author@example.com"]);
    two.write("first", noise(9, 1 << 20));
    two.add_version("first");
    let bytes = noise(3, 20 << 20);
    two.write("data", &bytes);
    let ballast = fill(&small, 18 << 20);
    let error = two.try_add(&["data"]).unwrap_err();
    assert!(matches!(error, AddError::NoSpace { .. }), "{error}");
    // Room that vanishes while the add goes on: the size of many small files is not what they need.
    assert!(!two.exists("data.mld") && two.read("data") == bytes);
    assert_eq!(two.git(&["status", "--porcelain"]), "?? data");
    fs::remove_file(&ballast).unwrap();
    two.add_version("data");
    assert!(two.read("data") == bytes);
    let error = {
        let folder = small.join("two");
        two.write("more", noise(4, 1 << 20));
        let ballast = fill(&small, 0);
        let error = two.try_add(&["more"]);
        fs::remove_file(ballast).unwrap();
        assert!(folder.exists());
        error.unwrap_err()
    };
    assert!(!error.hints().is_empty() && !two.exists("more.mld"), "{error}");
    two.add_version("more");
    assert!(
        two.checkout_with(&[], REFUSE)
            .unwrap()
            .iter()
            .all(|done| matches!(done.outcome, Outcome::Done { .. }))
    );
}

#[test]
fn a_folder_that_may_not_be_written_is_named() {
    let (_team, one) = Team::new();
    one.write("deep/data/a", b"1");
    one.add_version("deep/data");
    let first = one.read("deep/data.mld");
    one.write("deep/data/a", b"2");
    one.add_version("deep/data");
    one.write("deep/data.mld", first);
    let folder = one.top.join("deep/data");
    crate::team::set_mode(&folder, 0o555);
    let outcome = one.checkout_with(&[], REFUSE);
    crate::team::set_mode(&folder, 0o755);
    match outcome {
        Ok(_) => println!("skipped: this user may write everywhere"),
        Err(error) => {
            assert!(error.to_string().contains("deep/data/a"), "{error}");
            assert_eq!(one.read("deep/data/a"), b"2");
            one.checkout(&[]);
        }
    }
    assert_eq!(one.read("deep/data/a"), b"1");
}
