//! Tracked in place: real Git calls the filter, and the hooks put contents where pointers lie.

mod everyday;
mod filter;
mod follow;
mod guard;
mod transfer;

use crate::support::{Place, Sandbox};

/// Larger files are left to the hooks in these tests, in bytes.
pub const LIMIT: usize = 50_000;

/// Bytes that do not repeat.
pub fn noise(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// A repository that tracks `*.bin` in place and has a data remote, with a small and a large file, two commits of each, and the branch `old` on the
/// first.
pub fn tracked() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata init && git mldata track '*.bin'").ok();
    place.run("git mldata remote add main \"$PWD/../remote\"").ok();
    place.run(&format!("git config mldata.smudgeLimit {LIMIT}")).ok();
    place.write("code.py", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    for version in 1..=2 {
        place.write("small.bin", format!("small {version}"));
        place.write("large.bin", noise(version, 2 * LIMIT));
        place.run(&format!("git add . && git commit -qm v{version} && git branch v{version}")).ok();
    }
    assert_clean(&place);
    place
}

/// Both files are of this version, and Git sees no change without asking the filter.
#[track_caller]
pub fn assert_version(place: &Place, version: u8) {
    assert_eq!(place.text("small.bin"), format!("small {version}"));
    assert!(place.read("large.bin") == noise(version, 2 * LIMIT), "large.bin is not of version {version}");
    assert_clean(place);
}

#[track_caller]
pub fn assert_clean(place: &Place) {
    place.run("git status --porcelain --untracked-files=no").ok().prints("");
}

/// How often Git asks the filter to clean or smudge while `line` runs.
#[track_caller]
pub fn asked(place: &Place, line: &str) -> (usize, usize) {
    let trace = place.path().join("../trace");
    let _none = std::fs::remove_file(&trace);
    place.with("GIT_TRACE_PACKET", &trace.display().to_string()).run(line).ok();
    let said = std::fs::read_to_string(&trace).unwrap_or_default();
    (said.matches("> command=clean").count(), said.matches("> command=smudge").count())
}
