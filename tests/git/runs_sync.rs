//! Runs shared between clones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use git_ml::base::RandomId;
use git_ml::git::Repository;
use git_ml::runs::{Filter, Shared, SyncOptions, SyncReport, View, execute, fetch_refspec, list, sync};

use crate::runs::{Files, shell};
use crate::sandbox::Sandbox;

/// A bare origin, and `clones` clones of it.
fn with_clones(clones: usize) -> (Sandbox, Vec<PathBuf>) {
    let sandbox = Sandbox::new();
    sandbox.commit("train.sh", "exit 0");
    let origin = sandbox.beside("origin.git");
    sandbox.git(&["clone", "--quiet", "--bare", ".", origin.to_str().unwrap()]);
    let clone = |number: usize| clone_of(&sandbox, &format!("clone-{number}"));
    let clones = (0..clones).map(clone).collect();
    (sandbox, clones)
}

fn clone_of(sandbox: &Sandbox, name: &str) -> PathBuf {
    let (origin, clone) = (sandbox.beside("origin.git"), sandbox.beside(name));
    sandbox.git(&["clone", "--quiet", origin.to_str().unwrap(), clone.to_str().unwrap()]);
    sandbox.git_in(&clone, &["config", "user.name", "C"]);
    sandbox.git_in(&clone, &["config", "user.email", "c@example.com"]);
    clone
}

fn run_in(clone: &Path) -> RandomId {
    let repository = Repository::open(clone).unwrap();
    execute(&repository, &shell("true"), &Files { top: clone.to_owned() }).unwrap().id
}

fn sync_in(clone: &Path) -> SyncReport {
    sync(&Repository::open(clone).unwrap(), &SyncOptions::default()).unwrap()
}

fn runs_in(clone: &Path) -> BTreeSet<RandomId> {
    let runs = list(&Repository::open(clone).unwrap(), &Filter::default()).unwrap();
    runs.into_iter().map(|run| run.id).collect()
}

#[test]
fn clones_that_sync_at_once_lose_nothing() {
    let (sandbox, clones) = with_clones(4);
    let ids: BTreeSet<RandomId> = std::thread::scope(|scope| {
        let racer = |clone: &PathBuf| {
            let rounds = (0..3).map(|_| {
                let id = run_in(clone);
                assert_eq!(sync_in(clone).shared, Shared::Sent);
                id
            });
            rounds.collect::<Vec<_>>()
        };
        let racers: Vec<_> = clones.iter().map(|clone| scope.spawn(move || racer(clone))).collect();
        racers.into_iter().flat_map(|racer| racer.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 12);
    for clone in &clones {
        assert_eq!(sync_in(clone).shared, Shared::UpToDate);
        assert_eq!(runs_in(clone), ids);
    }
    let fresh = clone_of(&sandbox, "fresh");
    assert_eq!(sync_in(&fresh).shared, Shared::Nothing);
    assert_eq!(runs_in(&fresh), ids);
    sandbox.git_in(&fresh, &["fsck", "--strict"]);
}

#[test]
fn the_logs_of_many_writers_are_folded_and_go_on() {
    let (sandbox, clones) = with_clones(3);
    let mut ids: BTreeSet<_> = clones.iter().map(|clone| run_in(clone)).collect();
    clones.iter().for_each(|clone| drop(sync_in(clone)));
    let repository = Repository::open(&clones[0]).unwrap();
    let report = sync(&repository, &SyncOptions { remote: None, fold: true }).unwrap();
    assert_eq!(report.folded, 3);
    let refs = || {
        sandbox.git_in(&sandbox.beside("origin.git"), &["for-each-ref", "--format=%(refname)", "refs/mlrun"])
    };
    assert_eq!(refs(), "refs/mlrun/log");
    for clone in &clones {
        assert_eq!(sync_in(clone).shared, Shared::UpToDate, "what was folded is not sent again");
        assert_eq!(runs_in(clone), ids);
    }
    ids.insert(run_in(&clones[1]));
    assert_eq!(sync_in(&clones[1]).shared, Shared::Sent);
    let fresh = clone_of(&sandbox, "fresh");
    sync_in(&fresh);
    assert_eq!(runs_in(&fresh), ids);
    assert_eq!(View::open(&Repository::open(&fresh).unwrap()).unwrap().runs().unwrap().len(), 4);
}

#[test]
fn a_clone_that_was_copied_becomes_a_writer_of_its_own() {
    let (sandbox, clones) = with_clones(1);
    let mut ids = BTreeSet::from([run_in(&clones[0])]);
    let copy = sandbox.beside("copy");
    let copied = sandbox.command("cp", &sandbox.beside("")).args(["-r", "clone-0", "copy"]).status().unwrap();
    assert!(copied.success());
    ids.extend([run_in(&clones[0]), run_in(&copy)]);
    assert_eq!(sync_in(&clones[0]).shared, Shared::Sent);
    assert_eq!(sync_in(&copy).shared, Shared::Sent);
    sync_in(&clones[0]);
    assert_eq!(runs_in(&clones[0]), ids);
    assert_eq!(runs_in(&copy), ids);
}

#[test]
fn without_permission_the_runs_stay_here_and_that_is_said() {
    let (sandbox, clones) = with_clones(1);
    let id = run_in(&clones[0]);
    sandbox.git_in(&sandbox.beside("origin.git"), &["config", "receive.hideRefs", "refs/mlrun"]);
    let Shared::Refused { reason } = sync_in(&clones[0]).shared else { panic!("it was not refused") };
    assert!(!reason.is_empty());
    assert_eq!(runs_in(&clones[0]), BTreeSet::from([id]));
    sandbox.git_in(&clones[0], &["config", "mlrun.refPrefix", "refs/heads/mlrun"]);
    assert_eq!(sync_in(&clones[0]).shared, Shared::Sent);
    let heads =
        sandbox.git_in(&sandbox.beside("origin.git"), &["for-each-ref", "--format=%(refname)", "refs/heads"]);
    assert!(heads.starts_with("refs/heads/main\nrefs/heads/mlrun/w/"), "{heads}");
}

#[test]
fn plain_git_does_as_before_with_the_refspec_set_up() {
    let (sandbox, clones) = with_clones(2);
    run_in(&clones[0]);
    sync_in(&clones[0]);
    let repository = Repository::open(&clones[1]).unwrap();
    repository.add_setting("remote.origin.fetch", &fetch_refspec(&repository, "origin")).unwrap();
    sandbox.git_in(&clones[1], &["fetch", "--quiet"]);
    assert_eq!(runs_in(&clones[1]).len(), 1, "a plain fetch brings the runs");
    assert_eq!(sandbox.git_in(&clones[1], &["branch", "--remotes"]).lines().count(), 2);
    sandbox.git_in(&clones[1], &["commit", "--quiet", "--allow-empty", "--message", "next"]);
    run_in(&clones[1]);
    sandbox.git_in(&clones[1], &["push", "--quiet"]);
    let refs = sandbox.git_in(&sandbox.beside("origin.git"), &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(
        refs.lines().filter(|name| name.starts_with("refs/mlrun/")).count(),
        1,
        "a plain push sends branches"
    );
}
