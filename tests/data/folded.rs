//! Small packs that a collection has copied into others.

use std::time::{Duration, SystemTime};

use git_ml::base::Progress;
use git_ml::data::collect_remote::{Collected, collect_remote};

use crate::team::{Clone, Team, noise};

fn collects(clone: &Clone, hours: u64) -> Collected {
    let now = SystemTime::now() + Duration::from_secs(hours * 3600);
    collect_remote(&clone.workspace(), None, false, Some(now), &[], &Progress::hidden()).unwrap().done
}

#[test]
fn every_version_is_read_from_folded_packs_and_pushed_upon() {
    let (team, one) = Team::new();
    let mut versions = Vec::new();
    for number in 0..18 {
        one.write("data/large", noise(1, 300_000));
        one.write(&format!("data/sub/{number}"), noise(100 + number, 2_000));
        one.add_version("data");
        one.push();
        versions.push((one.git(&["rev-parse", "HEAD"]), one.contents("data")));
    }
    let before = team.objects("packs").len();
    assert!(before >= 18, "{before}");
    assert_eq!(collects(&one, 30).folded.packs as usize, before);
    collects(&one, 60);
    // Claims keep the old packs until their sessions are dead.
    collects(&one, 24 * 10);
    collects(&one, 24 * 12);
    let done = collects(&one, 24 * 14);
    let packs = team.objects("packs").len();
    assert!(packs <= 2, "{packs} packs are left: {done:?}");
    let two = team.clone("two");
    for (commit, contents) in &versions {
        two.git(&["checkout", "--quiet", commit]);
        two.pull(&[]);
        assert_eq!(two.contents("data"), *contents);
    }
    two.git(&["checkout", "--quiet", "main"]);
    two.write("data/new", b"new");
    two.add_version("data");
    two.push();
    let three = team.clone("three");
    three.pull(&[]);
    assert_eq!(three.contents("data"), two.contents("data"));
}
