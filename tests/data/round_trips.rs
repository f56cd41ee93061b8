//! What goes in comes out: add, push, fresh clone, fetch, checkout.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::team::{Team, make_executable, noise, rows};
use crate::whole;

#[test]
fn files_of_every_size_come_back_byte_for_byte() {
    let (team, one) = Team::new();
    let mut names = Vec::new();
    for size in [0, 1, 65_536, 65_537, 98_304, 98_305, 1 << 20, 20 << 20] {
        for (kind, bytes) in [("noise", noise(size as u64, size)), ("rows", rows(size))] {
            let name = format!("data/{kind}-{size}.bin");
            one.write(&name, bytes);
            names.push(name);
        }
    }
    let named: Vec<_> = names.iter().map(String::as_str).collect();
    one.add(&named);
    one.commit("data");
    one.push();
    let two = team.clone("two");
    two.pull(&[]);
    for name in &named {
        assert!(two.read(name) == one.read(name), "{name}");
    }
    assert!(two.status().loss.paths.is_empty());
    assert!(whole::check_all(&team.remote()) >= 15);
}

/// A directory with everything that a directory may hold.
fn fill(top: &Path, name: &str) -> PathBuf {
    let folder = top.join(name);
    fs::create_dir_all(folder.join("nested/deeper/deepest")).unwrap();
    fs::create_dir_all(folder.join("empty/inside-empty")).unwrap();
    fs::write(folder.join("nested/deeper/deepest/file"), b"deep").unwrap();
    fs::write(folder.join("nested/empty-file"), b"").unwrap();
    fs::write(folder.join("large"), noise(5, 300_000)).unwrap();
    fs::write(folder.join("nested/run.sh"), b"#!/bin/sh\n").unwrap();
    make_executable(&folder.join("nested/run.sh"));
    symlink("../large", folder.join("nested/link")).unwrap();
    symlink("not-there", folder.join("broken")).unwrap();
    use std::os::unix::ffi::OsStrExt;
    fs::write(folder.join(std::ffi::OsStr::from_bytes(b"caf\xe9 \xff")), b"not UTF-8").unwrap();
    // The order of bytes is not the order of paths.
    for name in ["a", "a-b/x", "a.b", "ab"] {
        let path = folder.join("order").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    fs::create_dir(folder.join("order/a0")).unwrap();
    fs::write(folder.join("order/a0/x"), b"x").unwrap();
    folder
}

#[test]
fn a_directory_comes_back_with_all_that_it_held() {
    let (team, one) = Team::new();
    fill(&one.top, "data");
    one.add_version("data");
    one.push();
    let two = team.clone("two");
    two.pull(&["data"]);
    assert_eq!(two.contents("data"), one.contents("data"));
    assert_eq!(whole::check_all(&team.remote()), 1);
    two.add(&["data"]);
    assert_eq!(two.git(&["status", "--porcelain"]), "");
}

#[test]
fn five_thousand_files_in_one_directory_come_back() {
    let (team, one) = Team::new();
    for number in 0..5000 {
        one.write(&format!("many/{number:05}.txt"), format!("file {number}"));
    }
    one.add_version("many");
    one.push();
    assert!(team.objects("packs").len() <= 2);
    let two = team.clone("two");
    two.pull(&[]);
    assert_eq!(two.contents("many"), one.contents("many"));
}

#[test]
fn another_reader_restores_what_a_push_wrote() {
    let Some(python) = python() else { return };
    let (team, one) = Team::new();
    fill(&one.top, "tree");
    one.write("large.bin", noise(9, 6 << 20));
    one.write("table.csv", rows(2 << 20));
    let versions = one.add(&["tree", "large.bin", "table.csv"]).added;
    one.commit("data");
    one.push();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second_reader.py");
    for version in versions {
        let out = team.path(&format!("out-{}", version.version.short()));
        let mut command = Command::new(&python);
        command.arg(&script).arg(team.bucket()).arg(one.repository().to_string());
        let output = command.arg(version.version.to_string()).arg(&out).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let restored = crate::team::Clone { top: out.clone() };
        let name = version.path.as_str();
        if out.is_dir() {
            assert_eq!(restored.contents(""), one.contents(name));
        } else {
            assert!(fs::read(&out).unwrap() == one.read(name), "{name}");
        }
    }
}

/// The Python that `tests/run` makes.
fn python() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tests-python/bin/python");
    let python = std::env::var_os("GIT_ML_TEST_PYTHON").map(PathBuf::from).or(made.exists().then_some(made));
    let is_promised = std::env::var_os("GIT_ML_TEST_REQUIRE").is_some();
    assert!(python.is_some() || !is_promised, "GIT_ML_TEST_REQUIRE is set, and there is no Python");
    if python.is_none() {
        println!("skipped: the second reader needs tests/run");
    }
    python
}

#[test]
fn what_is_not_on_the_default_remote_is_fetched_from_another() {
    let (team, one) = Team::new();
    let url = team.path("second").display().to_string();
    let options = std::collections::BTreeMap::new();
    git_ml::data::remotes::add(&one.workspace(), "second", &url, options, false, true).unwrap();
    one.write("data", noise(1, 100_000));
    one.add_version("data");
    let (commits, progress) = (git_ml::data::versions::Commits::Head, git_ml::base::Progress::hidden());
    git_ml::data::transfer::push_versions(
        &one.workspace(),
        Some("second"),
        &commits,
        &[],
        Default::default(),
        &progress,
    )
    .unwrap();
    one.git(&["push", "--quiet"]);
    let two = team.clone("two");
    two.pull(&[]);
    assert!(two.read("data") == one.read("data"));
}
