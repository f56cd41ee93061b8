//! Pushes between collections: packs are condemned and sessions die while a push goes on.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use git_ml::base::{Digest, RandomId};
use git_ml::objects::{Certificate, GcRecord, RootPacks, RootRecord, layout};
use git_ml::storage::remote::{Passage, Remote};

use crate::team::{Clone, Team, noise};
use crate::whole;

/// Puts a gc record.
fn collect(remote: &Remote, epoch: u64, floor: u64, condemned: &[Digest], certificate: Certificate) {
    let record = GcRecord {
        epoch,
        nonce: RandomId::generate(),
        config: Digest::ZERO,
        floor,
        certificate,
        condemned: condemned.iter().copied().collect(),
        forgotten: BTreeSet::new(),
        extensions: Vec::new(),
    };
    let (name, bytes) = record.encode().unwrap();
    remote.put(&layout::gc_name(&name), bytes).unwrap();
}

fn packs(remote: &Remote) -> Vec<Digest> {
    let names = remote.list("packs").unwrap();
    names.iter().map(|object| object.name.rsplit('/').next().unwrap().parse().unwrap()).collect()
}

/// Deletes what is condemned, as a sweep would.
fn sweep(remote: &Remote, condemned: &[Digest]) {
    condemned.iter().for_each(|pack| remote.delete(&layout::pack_name(pack)).unwrap());
}

fn roots(remote: &Remote) -> Vec<(String, RootRecord)> {
    let listed = remote.list(layout::ROOTS).unwrap();
    listed.into_iter().map(|object| (object.name.clone(), whole::record(remote, &object.name))).collect()
}

fn names(record: &RootRecord) -> Vec<Digest> {
    let RootPacks::Inline(packs) = &record.packs else { panic!("inline") };
    packs.iter().map(|pack| pack.id).collect()
}

fn start() -> (Team, Clone, String) {
    let (team, one) = Team::new();
    one.write("data/a", noise(1, 300_000));
    one.write("data/b", b"b1");
    one.add_version("data");
    let url = team.bucket().display().to_string();
    (team, one, url)
}

/// Makes the files of the remote so old.
fn age(team: &Team, folder: &str, days: u64) {
    for name in team.objects(folder).into_keys() {
        let file = fs::File::options().write(true).open(team.bucket().join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
    }
}

#[test]
fn condemned_packs_are_sent_anew_under_other_names() {
    let (team, one, _) = start();
    one.push();
    let remote = team.remote();
    let old = packs(&remote);
    // The root is forgotten, its packs are condemned and gone.
    roots(&remote).iter().for_each(|(name, _)| remote.delete(name).unwrap());
    collect(&remote, 1, 0, &old, Certificate::None);
    sweep(&remote, &old);
    one.write("data/b", b"b2");
    one.add_version("data");
    one.push();
    whole::check_all(&remote);
    for (_, record) in roots(&remote) {
        assert!(names(&record).iter().all(|pack| !old.contains(pack)));
        assert_eq!(record.session.epoch, 1);
    }
}

#[test]
fn at_every_call_of_a_push_a_collection_may_condemn_everything() {
    for second in [false, true] {
        for n in 0.. {
            let (team, one, url) = start();
            if second {
                one.push();
                one.write("data/b", b"b2");
                one.add_version("data");
            }
            let remote = team.remote();
            let calls = Arc::new(AtomicUsize::new(0));
            let (count, other) = (Arc::clone(&calls), remote.clone());
            let kept: Vec<_> = roots(&remote).iter().flat_map(|(_, record)| names(record)).collect();
            let watched = remote.clone().watched(Arc::new(move |_: &str, _: &str| {
                if count.fetch_add(1, Ordering::Relaxed) == n {
                    // Every pack that no trusted root names is condemned: those of older roots stay until they are gone.
                    collect(&other, 1, 0, &packs(&other), Certificate::None);
                }
                Passage::Through
            }));
            let pushed = one.push_to(&watched, &url);
            let calls = calls.load(Ordering::Relaxed);
            pushed.unwrap_or_else(|error| panic!("call {n}: {error}"));
            // Sweep: what no root and no claim needs of the condemned goes.
            let needed: BTreeSet<_> = roots(&remote).iter().flat_map(|(_, record)| names(record)).collect();
            let dead: Vec<_> = packs(&remote)
                .into_iter()
                .filter(|pack| !needed.contains(pack) && !kept.contains(pack))
                .collect();
            sweep(&remote, &dead);
            whole::check_all(&remote);
            one.git(&["push", "--quiet"]);
            let two = team.clone("two");
            two.pull(&[]);
            assert_eq!(two.contents("data"), one.contents("data"));
            if calls <= n {
                break;
            }
        }
    }
}

#[test]
fn at_every_call_of_a_push_its_session_may_die() {
    for n in 0.. {
        let (team, one, url) = start();
        let remote = team.remote();
        let calls = Arc::new(AtomicUsize::new(0));
        let (count, other) = (Arc::clone(&calls), remote.clone());
        let watched = remote.clone().watched(Arc::new(move |_: &str, _: &str| {
            if count.fetch_add(1, Ordering::Relaxed) == n {
                let uncertified = packs(&other);
                collect(&other, 3, 3, &uncertified, Certificate::None);
                sweep(&other, &uncertified);
            }
            Passage::Through
        }));
        let pushed = one.push_to(&watched, &url);
        let calls = calls.load(Ordering::Relaxed);
        pushed.unwrap_or_else(|error| panic!("call {n}: {error}"));
        let living: Vec<_> = roots(&remote).into_iter().filter(|(_, root)| root.session.epoch >= 3).collect();
        if calls <= n {
            break;
        }
        assert!(!living.is_empty(), "call {n}: only a dead session's root is left");
        for (name, record) in roots(&remote) {
            if record.session.epoch < 3 {
                remote.delete(&name).unwrap();
            }
        }
        whole::check_all(&remote);
    }
}

#[test]
fn a_root_of_a_dead_session_counts_only_with_a_certificate() {
    let (team, one, _) = start();
    one.push();
    let remote = team.remote();
    let (name, record) = roots(&remote).remove(0);
    let certified = git_ml::objects::RootName {
        repository: one.repository(),
        root: record.root,
        session: record.session,
    };
    collect(&remote, 1, 1, &[], Certificate::Here(BTreeSet::from([certified])));
    assert_eq!((one.push().known, roots(&remote).len()), (1, 1));
    collect(&remote, 2, 1, &[], Certificate::Here(BTreeSet::new()));
    let pushed = one.push();
    assert_eq!((pushed.known, pushed.sent.len()), (0, 1));
    let new = roots(&remote);
    assert_eq!(new.len(), 2);
    assert!(new.iter().any(|(new, record)| *new != name && record.session.epoch == 2));
}

#[test]
fn an_old_record_is_renewed_and_one_with_condemned_packs_is_sent_anew() {
    let (team, one, _) = start();
    one.push();
    let remote = team.remote();
    age(&team, "roots", 20);
    let pushed = one.push();
    assert_eq!((pushed.renewed, pushed.packs), (1, 0));
    assert_eq!(roots(&remote).len(), 2);
    assert_eq!(one.push().known, 1);
    let old = packs(&remote);
    age(&team, "roots", 20);
    collect(&remote, 1, 0, &old, Certificate::None);
    let pushed = one.push();
    assert!(pushed.packs > 0, "{pushed:?}");
    let new: Vec<_> = roots(&remote).into_iter().filter(|(_, record)| record.session.epoch == 1).collect();
    assert_eq!(new.len(), 1);
    assert!(names(&new[0].1).iter().all(|pack| !old.contains(pack)));
    whole::check_all(&remote);
}

#[test]
fn a_base_that_is_forgotten_while_a_push_goes_on_takes_nothing_with_it() {
    for n in 0.. {
        let (team, one, _) = start();
        one.push();
        one.write("data/b", b"b2");
        one.add_version("data");
        let remote = team.remote();
        let (calls, other) = (Arc::new(AtomicUsize::new(0)), remote.clone());
        let (count, base) = (Arc::clone(&calls), roots(&remote).remove(0).0);
        // Forgotten, and its packs condemned by a gc that sees roots and claims at this very moment.
        let watched = remote.clone().watched(Arc::new(move |_: &str, _: &str| {
            if count.fetch_add(1, Ordering::Relaxed) == n {
                let claims = other.list("claims").unwrap();
                let claimed: Vec<_> = claims
                    .iter()
                    .map(|claim| RootRecord::decode_claim(&other.get(&claim.name).unwrap()).unwrap())
                    .filter(|claim| claim.session.epoch == 0)
                    .flat_map(|claim| names(&claim))
                    .collect();
                other.delete(&base).unwrap();
                let rooted: Vec<_> = roots(&other).iter().flat_map(|(_, record)| names(record)).collect();
                let dead: Vec<_> = packs(&other)
                    .into_iter()
                    .filter(|pack| !claimed.contains(pack) && !rooted.contains(pack))
                    .collect();
                collect(&other, 1, 0, &dead, Certificate::None);
                // Those that were already up when the claims were listed are swept at once.
                sweep(&other, &dead);
            }
            Passage::Through
        }));
        let wishes: Vec<_> = one
            .wishes()
            .into_iter()
            .map(|wish| git_ml::data::transfer::Wish { bases: bases(&one), ..wish })
            .collect();
        let pushed = one.push_wishes(&watched, &team.bucket().display().to_string(), &wishes);
        pushed.unwrap_or_else(|error| panic!("call {n}: {error}"));
        whole::check_all(&remote);
        if calls.load(Ordering::Relaxed) <= n {
            break;
        }
    }
}

/// The version before.
fn bases(one: &Clone) -> Vec<Digest> {
    let text = one.git(&["show", "HEAD~1:data.mld"]);
    vec![git_ml::objects::Pointer::parse(text.as_bytes()).unwrap().id]
}

#[test]
fn a_configuration_that_changed_since_is_read_again() {
    let (team, one, _) = start();
    for number in 0..3 {
        one.write("data/b", [number]);
        one.add_version("data");
        one.push();
    }
    let remote = team.remote();
    let config = String::from_utf8(remote.get("config").unwrap()).unwrap();
    let later = config.replace("format = 1", "format = 9").into_bytes();
    let record = GcRecord {
        epoch: 1,
        nonce: RandomId::generate(),
        config: git_ml::objects::RemoteConfig::id_of(&later),
        floor: 0,
        certificate: Certificate::None,
        condemned: BTreeSet::new(),
        forgotten: BTreeSet::new(),
        extensions: Vec::new(),
    };
    let (name, bytes) = record.encode().unwrap();
    remote.put("config", later).unwrap();
    remote.put(&layout::gc_name(&name), bytes).unwrap();
    one.write("data/b", b"later");
    one.add_version("data");
    let before = team.objects("");
    assert!(one.try_push().is_err());
    assert_eq!(team.objects(""), before);
}
