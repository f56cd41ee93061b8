//! The registry over a real Git remote: names are claimed, raced for, refused.

use std::path::PathBuf;

use git_ml::base::{Digest, RepoPath};
use git_ml::git::Repository;
use git_ml::models::{
    Alias, Bump, ModelRef, Number, Registered, Registration, RegistryError, catalog, promote, register,
    version,
};

use crate::sandbox::Sandbox;

/// A repository with one file that is a model, and `clones` clones of it with a bare origin.
fn with_clones(clones: usize) -> (Sandbox, Vec<PathBuf>) {
    let sandbox = Sandbox::new();
    sandbox.commit("model.json", "weights");
    let origin = sandbox.beside("origin.git");
    sandbox.git(&["clone", "--quiet", "--bare", ".", origin.to_str().unwrap()]);
    let clone = |number: usize| {
        let clone = sandbox.beside(&format!("clone-{number}"));
        sandbox.git(&["clone", "--quiet", origin.to_str().unwrap(), clone.to_str().unwrap()]);
        sandbox.git_in(&clone, &["config", "user.name", &format!("Clone {number}")]);
        sandbox.git_in(&clone, &["config", "user.email", "clone@example.com"]);
        clone
    };
    let clones = (0..clones).map(clone).collect();
    (sandbox, clones)
}

fn wanted(number: Number) -> Registration {
    Registration {
        model: "churn".parse().unwrap(),
        path: RepoPath::new("model.json").unwrap(),
        number,
        run: None,
        remote: None,
        again: true,
    }
}

fn next(repository: &Repository) -> Result<Registered, RegistryError> {
    register(repository, &wanted(Number::Next(Bump::Patch)))
}

fn named(text: &str) -> ModelRef {
    text.parse().unwrap()
}

fn alias(text: &str) -> Alias {
    Alias::fresh(text).unwrap()
}

#[test]
fn without_a_git_remote_a_version_is_local() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    assert!(matches!(next(&repository), Err(RegistryError::NoCommit { .. })));
    sandbox.commit("other", "x");
    assert!(matches!(next(&repository), Err(RegistryError::NotCommitted { .. })));
    let commit = sandbox.commit("model.json", "weights");
    let registered = next(&repository).unwrap();
    assert_eq!((registered.tag.as_str(), registered.claimed_on.as_deref()), ("churn@v0.0.1", None));
    assert_eq!(registered.content.blake3, Digest::of(b"weights"));
    assert_eq!(registered.commit.to_string(), commit);
    let message = sandbox.git(&["for-each-ref", "--format=%(contents)", "refs/tags/churn@v0.0.1"]);
    assert!(message.starts_with("Registering artifact churn version v0.0.1\n\n[git-mlmodel]\n"), "{message}");
    let once = Registration { again: false, ..wanted(Number::Next(Bump::Minor)) };
    assert!(matches!(register(&repository, &once), Err(RegistryError::AlreadyRegistered { .. })));
    let taken = register(&repository, &wanted(Number::Exactly("0.0.1".parse().unwrap())));
    assert!(matches!(taken, Err(RegistryError::Taken { remote: None, .. })));
}

#[test]
fn clones_that_register_at_once_get_one_number_each() {
    let (sandbox, clones) = with_clones(4);
    let mut tags: Vec<String> = std::thread::scope(|scope| {
        let racer = |clone: &PathBuf| {
            let repository = Repository::open(clone).unwrap();
            (0..3).map(|_| next(&repository).unwrap().tag).collect::<Vec<_>>()
        };
        let racers: Vec<_> = clones.iter().map(|clone| scope.spawn(move || racer(clone))).collect();
        racers.into_iter().flat_map(|racer| racer.join().unwrap()).collect()
    });
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 12);
    let on_origin = sandbox.git_in(&sandbox.beside("origin.git"), &["tag", "--list", "churn@*"]);
    assert_eq!(on_origin.lines().count(), 12);
}

#[test]
fn of_clones_that_want_one_number_exactly_one_gets_it() {
    let (_sandbox, clones) = with_clones(4);
    let version = Number::Exactly("v2.0.0".parse().unwrap());
    let results: Vec<_> = std::thread::scope(|scope| {
        let racer = |clone: &PathBuf| register(&Repository::open(clone).unwrap(), &wanted(version.clone()));
        let racers: Vec<_> = clones.iter().map(|clone| scope.spawn(move || racer(clone))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let lost = results.iter().filter_map(|result| result.as_ref().err());
    assert!(
        lost.clone().all(|error| matches!(error, RegistryError::Taken { .. })),
        "{:?}",
        lost.collect::<Vec<_>>()
    );
}

#[test]
fn offline_a_version_stays_pending_and_no_tag_is_made() {
    let (sandbox, clones) = with_clones(1);
    let repository = Repository::open(&clones[0]).unwrap();
    std::fs::rename(sandbox.beside("origin.git"), sandbox.beside("away.git")).unwrap();
    let error = next(&repository).unwrap_err();
    assert!(matches!(&error, RegistryError::Unreachable { .. }), "{error:?}");
    assert_eq!(sandbox.git_in(&clones[0], &["tag"]), "");
    std::fs::rename(sandbox.beside("away.git"), sandbox.beside("origin.git")).unwrap();
    assert_eq!(next(&repository).unwrap().tag, "churn@v0.0.1");
}

#[test]
fn a_server_that_refuses_tags_is_told_from_a_name_that_is_taken() {
    let (sandbox, clones) = with_clones(1);
    let hook = sandbox.beside("origin.git/hooks/update");
    std::fs::write(&hook, "#!/bin/sh\necho tags are protected >&2\nexit 1\n").unwrap();
    let executable = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&hook, executable).unwrap();
    let error = next(&Repository::open(&clones[0]).unwrap()).unwrap_err();
    assert!(matches!(&error, RegistryError::Refused { .. }), "{error:?}");
    assert_eq!(sandbox.git_in(&clones[0], &["tag"]), "");
}

#[test]
fn an_alias_moves_and_its_history_stays() {
    let (sandbox, clones) = with_clones(2);
    let [one, other] = [&clones[0], &clones[1]].map(|clone| Repository::open(clone).unwrap());
    next(&one).unwrap();
    next(&other).unwrap();
    let moved = promote(&one, &named("churn@v0.0.1"), &alias("prod"), None).unwrap();
    assert_eq!((moved.tag.as_deref(), moved.from), (Some("churn#prod#1"), None));
    assert_eq!(promote(&one, &named("churn@0.0.1"), &alias("prod"), None).unwrap().tag, None);
    // The other clone has not fetched: its promotion still takes the next number.
    let moved = promote(&other, &named("churn@v0.0.2"), &alias("prod"), None).unwrap();
    assert_eq!(moved.tag.as_deref(), Some("churn#prod#2"));
    assert_eq!(moved.from.map(|version| version.to_string()), Some("v0.0.1".into()));

    sandbox.git_in(&clones[0], &["fetch", "--quiet", "--tags"]);
    let catalog = catalog(&one).unwrap();
    let churn = catalog.models().next().unwrap();
    assert_eq!(churn.history.len(), 2);
    assert_eq!(version(&catalog, &named("churn@prod")).unwrap().tag, "churn@v0.0.2");
    assert!(matches!(version(&catalog, &named("churn@v9.0.0")), Err(RegistryError::NoSuchVersion { .. })));
    let nobody = promote(&one, &named("nobody@v1.0.0"), &alias("prod"), None);
    assert!(matches!(nobody, Err(RegistryError::NoSuchModel { .. })));
}

#[test]
fn a_version_from_before_there_was_a_remote_is_claimed_when_it_is_promoted() {
    let (sandbox, clones) = with_clones(2);
    for clone in &clones {
        sandbox.git_in(clone, &["remote", "remove", "origin"]);
        assert_eq!(next(&Repository::open(clone).unwrap()).unwrap().claimed_on, None);
        sandbox.git_in(clone, &["remote", "add", "origin", sandbox.beside("origin.git").to_str().unwrap()]);
    }
    let [one, other] = [&clones[0], &clones[1]].map(|clone| Repository::open(clone).unwrap());
    promote(&one, &named("churn"), &alias("prod"), None).unwrap();
    let on_origin = sandbox.git_in(&sandbox.beside("origin.git"), &["tag"]);
    assert_eq!(on_origin, "churn#prod#1\nchurn@v0.0.1");
    let error = promote(&other, &named("churn"), &alias("next"), None).unwrap_err();
    assert!(
        matches!(&error, RegistryError::Taken { remote: Some(_), .. }),
        "two made the same number: {error:?}"
    );
}

#[test]
fn tags_of_gto_are_read_and_counted_on() {
    let (sandbox, clones) = with_clones(1);
    let git = |args: &[&str]| sandbox.git_in(&clones[0], args);
    for (tag, message) in [
        ("churn@v1.4.0", "Registering artifact churn version v1.4.0"),
        ("churn#dev#7", "Assigning stage dev to artifact churn version v1.4.0"),
    ] {
        git(&["tag", "-a", tag, "-m", message]);
    }
    git(&["tag", "churn@v9.0.0"]);
    git(&["push", "--quiet", "--tags"]);
    let repository = Repository::open(&clones[0]).unwrap();
    assert_eq!(next(&repository).unwrap().tag, "churn@v1.4.1", "a lightweight tag does not count");
    let moved = promote(&repository, &named("churn"), &alias("prod"), None).unwrap();
    assert_eq!(moved.tag.as_deref(), Some("churn#prod#8"));
    let catalog = catalog(&repository).unwrap();
    assert_eq!(version(&catalog, &named("churn#dev")).unwrap().tag, "churn@v1.4.0");
}
