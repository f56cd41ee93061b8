//! A remote that has lost, cut or changed packs: found, told and healed.

use std::fs;
use std::time::{Duration, SystemTime};

use git_ml::base::Progress;
use git_ml::data::check_remote::{CheckOptions, Checked, Harm, check_remote};
use git_ml::data::collect_remote::collect_remote;

use crate::team::{Clone, Team, noise};

const LOOK: CheckOptions = CheckOptions { read_percent: None, repair: false };
const READ: CheckOptions = CheckOptions { read_percent: Some(100), repair: false };
const REPAIR: CheckOptions = CheckOptions { read_percent: Some(100), repair: true };

fn check(clone: &Clone, options: CheckOptions) -> Checked {
    check_remote(&clone.workspace(), "main", options, &Progress::hidden()).unwrap().done
}

/// Two pushed versions; the packs of the first push, and of the second, which has one small file of its own.
fn two_versions() -> (Team, Clone, Vec<String>, Vec<String>) {
    let (team, one) = Team::new();
    one.write("data/a", noise(1, 300_000));
    one.write("data/b", noise(2, 90_000));
    one.add_version("data");
    one.push();
    let first: Vec<_> = team.objects("packs").into_keys().collect();
    one.write("data/c", noise(3, 50_000));
    one.add_version("data");
    one.push();
    let second = team.objects("packs").into_keys().filter(|name| !first.contains(name)).collect();
    (team, one, first, second)
}

fn heals(team: &Team, one: &Clone, harm: Harm) {
    let found = check(one, READ);
    assert!(!found.is_whole());
    assert_eq!(found.damage.iter().map(|damage| damage.harm).collect::<Vec<_>>(), [harm]);
    let repaired = check(one, REPAIR);
    assert!(repaired.is_whole() && repaired.hurt.iter().all(|hurt| hurt.repaired), "{repaired:?}");
    let whole = check(one, READ);
    assert_eq!((whole.damage.clone(), whole.hurt.clone()), (Vec::new(), Vec::new()));
    assert!(whole.read_packs > 0 && whole.read_packs == whole.packs);
    let two = team.clone(&format!("after-{harm:?}"));
    two.pull(&[]);
    assert_eq!(two.contents("data"), one.contents("data"));
    let now = SystemTime::now() + Duration::from_secs(48 * 3600);
    collect_remote(&two.workspace(), None, false, Some(now), &[], &Progress::hidden()).unwrap();
    assert!(check(&two, READ).is_whole());
}

#[test]
fn a_lost_pack_hurts_the_versions_and_files_in_it_and_is_healed() {
    let (team, one, _, second) = two_versions();
    assert_eq!(check(&one, READ).damage, []);
    fs::remove_file(team.bucket().join(&second[0])).unwrap();
    let found = check(&one, LOOK);
    let [hurt] = &found.hurt[..] else { panic!("{found:?}") };
    assert_eq!((hurt.root, hurt.paths.clone()), (one.root("data").id, vec!["data".to_owned()]));
    assert_eq!(hurt.commits, [one.git(&["rev-parse", "HEAD"])]);
    assert!(hurt.files.contains(&"c".to_owned()), "{:?}", hurt.files);
    assert!(!hurt.files.iter().any(|file| file == "a" || file == "b"), "{:?}", hurt.files);
    assert_eq!(found.damage[0].needed_by, std::slice::from_ref(&hurt.object));
    heals(&team, &one, Harm::Missing);
}

#[test]
fn a_cut_pack_is_seen_in_the_listing() {
    let (team, one, first, _) = two_versions();
    let file = fs::File::options().write(true).open(team.bucket().join(&first[0])).unwrap();
    file.set_len(1000).unwrap();
    let found = check(&one, LOOK);
    assert_eq!((found.damage[0].harm, found.hurt.len()), (Harm::WrongSize, 2));
    heals(&team, &one, Harm::WrongSize);
}

#[test]
fn a_flipped_byte_is_seen_by_reading() {
    let (team, one, first, _) = two_versions();
    let path = team.bucket().join(&first[0]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[70_000] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(check(&one, LOOK).is_whole(), "sizes tell nothing");
    assert_eq!(check(&one, READ).hurt.len(), 2);
    // A clone without the data cannot heal it, and says so.
    let two = team.clone("two");
    let tried = check(&two, REPAIR);
    assert!(!tried.is_whole() && tried.hurt.iter().all(|hurt| !hurt.repaired));
    heals(&team, &one, Harm::Damaged);
}
