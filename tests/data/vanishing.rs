//! Files that come, go and change while they are read or written.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use git_ml::base::{Advice, Digest, Progress, ProgressSink, Work};
use git_ml::data::add::{AddOptions, add};
use git_ml::data::checkout::{CheckedOut, Outcome, checkout};

use crate::team::{REFUSE, Team, noise, path};

/// Does something when the first bytes have passed.
struct AtFirstBytes(Box<dyn Fn() + Send + Sync>, AtomicBool);

impl AtFirstBytes {
    fn progress(act: impl Fn() + Send + Sync + 'static) -> Progress {
        Progress::shown_by(Arc::new(Self(Box::new(act), AtomicBool::new(false))))
    }
}

impl ProgressSink for AtFirstBytes {
    fn begin(&self, _work: &Work<'_>) {}

    fn advance_files(&self, _files: u64) {}
    fn advance(&self, _units: u64) {
        if !self.1.swap(true, Ordering::Relaxed) {
            (self.0)();
        }
    }
    fn end(&self) {}
}

/// Does something whenever bytes have passed.
struct AtAllBytes(Box<dyn Fn() + Send + Sync>);

impl ProgressSink for AtAllBytes {
    fn begin(&self, _work: &Work<'_>) {}

    fn advance_files(&self, _files: u64) {}
    fn advance(&self, _units: u64) {
        (self.0)();
    }
    fn end(&self) {}
}

/// Bytes of a file that is read in several batches.
const LARGE: usize = 20 << 20;
const ADD: AddOptions = AddOptions { all: false, sidecar: false, in_place: false, stage: true };

#[test]
fn a_file_that_changes_while_it_is_read_is_read_once_more() {
    let (_team, one) = Team::new();
    let file = one.write("data", vec![1; LARGE]);
    let progress = AtFirstBytes::progress(move || fs::write(&file, vec![2; LARGE]).unwrap());
    let summary = add(&one.workspace(), &[path("data")], ADD, &progress).unwrap();
    assert_eq!(summary.added[0].version, Digest::of(&vec![2; LARGE]));
}

#[test]
fn a_file_that_goes_on_changing_is_not_named() {
    let (_team, one) = Team::new();
    let file = one.write("data", vec![1; LARGE]);
    let progress = Progress::shown_by(Arc::new(AtAllBytes(Box::new(move || {
        let mut file = fs::OpenOptions::new().append(true).open(&file).unwrap();
        std::io::Write::write_all(&mut file, b"!").unwrap();
    }))));
    let error = add(&one.workspace(), &[path("data")], ADD, &progress).unwrap_err();
    assert!(error.to_string().contains("data' changed while it was read"), "{error}");
    assert!(!one.exists("data.mld"));
    let version = one.add_version("data");
    assert_eq!(version, Digest::of(&fs::read(one.top.join("data")).unwrap()));
}

#[test]
fn a_file_that_vanishes_is_not_taken_for_deleted() {
    let (_team, one) = Team::new();
    for number in 0..40 {
        one.write(&format!("data/{number:02}"), noise(number, 100_000));
    }
    one.add_version("data");
    let before = one.read("data.mld");
    for number in 0..40 {
        one.write(&format!("data/{number:02}"), noise(100 + number, 100_000));
    }
    let (from, to) = (one.top.join("data"), one.top.join("gone"));
    let progress = AtFirstBytes::progress(move || fs::rename(&from, &to).unwrap());
    let added = add(&one.workspace(), &[path("data")], ADD, &progress);
    assert!(added.is_err(), "{added:?}");
    assert_eq!(one.read("data.mld"), before);
}

/// Forty files, and what an `add` says while all of them are done something to.
fn added_while(act: impl Fn(&Path) + Send + Sync + 'static) -> String {
    let (_team, one) = Team::new();
    let names: Vec<_> = (0..40).map(|number| format!("data/{number:02}")).collect();
    names.iter().enumerate().for_each(|(number, name)| drop(one.write(name, noise(number as u64, 100_000))));
    one.add_version("data");
    let before = one.read("data.mld");
    names
        .iter()
        .enumerate()
        .for_each(|(number, name)| drop(one.write(name, noise(99 + number as u64, 100_000))));
    let files: Vec<_> = names.iter().map(|name| one.top.join(name)).collect();
    let progress = AtFirstBytes::progress(move || files.iter().for_each(|file| act(file)));
    let error = add(&one.workspace(), &[path("data")], ADD, &progress).unwrap_err();
    assert_eq!(one.read("data.mld"), before);
    assert!(error.hints().len() <= 2, "{:?}", error.hints());
    let told = error.to_string();
    let named = told.lines().filter(|line| line.contains("/data/")).count();
    assert!(named > 1 && told.starts_with(&format!("{named} files cannot be taken in:")), "{told}");
    told
}

#[test]
fn all_files_that_vanish_are_named() {
    let told = added_while(|file| fs::remove_file(file).unwrap());
    assert!(told.contains("': No such file"), "{told}");
}

#[test]
fn pipes_that_take_the_place_of_files_are_named_and_waited_for_by_nobody() {
    let told = added_while(|file| {
        fs::remove_file(file).unwrap();
        assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
    });
    assert!(told.contains("': not a regular file"), "{told}");
}

#[test]
fn what_is_edited_while_a_checkout_goes_on_is_not_overwritten() {
    let (_team, one) = Team::new();
    let files: Vec<_> = (0..60).map(|number| format!("data/{number:02}")).collect();
    for (number, name) in files.iter().enumerate() {
        one.write(name, noise(number as u64, 200_000));
    }
    one.add_version("data");
    let first = one.read("data.mld");
    for (number, name) in files.iter().enumerate() {
        one.write(name, noise(100 + number as u64, 200_000));
    }
    // A file that only the second version has, and one that only the first has.
    one.remove("data/59");
    one.write("data/new", noise(7, 10));
    one.add_version("data");
    one.write("data.mld", first);
    let top = one.top.clone();
    let progress = AtFirstBytes::progress(move || {
        for number in 0..59 {
            fs::write(top.join(format!("data/{number:02}")), format!("edited {number}")).unwrap();
        }
        fs::write(top.join("data/59"), "edited 59").unwrap();
        fs::write(top.join("data/new"), "edited new").unwrap();
    });
    let done = checkout(&one.workspace(), &[path("data")], REFUSE, &progress);
    let edited = |number: usize| one.read(&files[number]) == format!("edited {number}").as_bytes();
    let lost: Vec<_> = (0..60).filter(|number| !edited(*number)).collect();
    // Those that were written before the edit were overwritten by the edit, not the other way round.
    assert!(lost.is_empty(), "edits of {lost:?} are lost: {done:?}");
    assert_eq!(one.read("data/new"), b"edited new");
    // Whether the edit was met while files were compared or while they were replaced: it is told.
    let told = |done: &CheckedOut| matches!(done.outcome, Outcome::Modified { .. });
    assert!(done.as_ref().map_or(true, |done| done.iter().any(told)), "{done:?}");
}

#[test]
fn only_the_edit_that_came_in_between_stops_a_file() {
    let (_team, one) = Team::new();
    one.write("data/a", b"1");
    one.add_version("data");
    one.remove("data/a");
    one.checkout(&[]);
    assert_eq!(one.read("data/a"), b"1");
}
