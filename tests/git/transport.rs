//! Pushes and fetches between repositories on disk.

use git_ml::git::{GitError, PushOptions, PushOutcome, Repository};

use crate::sandbox::Sandbox;

/// A sandbox whose `origin` is a bare repository beside it.
fn with_origin() -> Sandbox {
    let sandbox = Sandbox::new();
    let origin = sandbox.beside("origin.git");
    sandbox.git(&["init", "--quiet", "--bare", origin.to_str().unwrap()]);
    sandbox.git(&["remote", "add", "origin", origin.to_str().unwrap()]);
    sandbox
}

fn spec(name: &str) -> String {
    format!("{name}:{name}")
}

#[test]
fn a_claim_is_new_only_once() {
    let sandbox = with_origin();
    let commit = sandbox.commit("a", "a").parse().unwrap();
    let repository = sandbox.open();
    let plain = PushOptions::default();
    let push = |from: &str, to: &str, options: &PushOptions| {
        repository.push("origin", &[format!("{from}:{to}")], options).unwrap().remove(0).outcome
    };
    let one = repository.write_tag("m@v1", commit, "one\n").unwrap().to_string();
    let other = repository.write_tag("m@v1", commit, "other\n").unwrap().to_string();
    assert_eq!(push(&one, "refs/tags/m@v1", &plain), PushOutcome::New);
    assert_eq!(push(&one, "refs/tags/m@v1", &plain), PushOutcome::Same);
    let PushOutcome::Refused(why) = push(&other, "refs/tags/m@v1", &plain) else { panic!("not refused") };
    assert!(why.contains("already exists"), "{why}");

    let absent = PushOptions { leases: vec![("refs/mlmodel/m".into(), None)], ..PushOptions::default() };
    assert_eq!(push(&commit.to_string(), "refs/mlmodel/m", &absent), PushOutcome::New);
    let next = sandbox.commit("b", "b");
    assert!(matches!(push(&next, "refs/mlmodel/m", &absent), PushOutcome::Refused(_)));
    assert_eq!(push(&next, "refs/mlmodel/m", &plain), PushOutcome::Updated);
    assert_eq!(push("", "refs/mlmodel/m", &plain), PushOutcome::Deleted);
}

#[test]
fn a_push_runs_no_hook_and_drags_no_tag_along() {
    let sandbox = with_origin();
    sandbox.commit("a", "a");
    sandbox.git(&["tag", "-m", "m", "local@v9"]);
    sandbox.git(&["config", "push.followTags", "true"]);
    let hook = sandbox.top().join(".git/hooks/pre-push");
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    sandbox.open().push("origin", &[spec("refs/heads/main")], &PushOptions::default()).unwrap();
    let there = sandbox.open().list_remote("origin", &[]).unwrap();
    assert_eq!(there.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["refs/heads/main"]);
}

#[test]
fn a_fetch_brings_what_is_asked_for() {
    let sandbox = with_origin();
    let commit = sandbox.commit("a", "a");
    sandbox.git(&["push", "--quiet", "origin", "main:refs/mlrun/w/1", "main:refs/mlrun/w/2"]);
    let repository = sandbox.open();
    let specs = ["+refs/mlrun/*:refs/mlremotes/origin/*".to_owned()];
    repository.fetch("origin", &specs, false).unwrap();
    let names = |repository: &Repository| repository.refs_below("refs/mlremotes/").unwrap().len();
    assert_eq!(names(&repository), 2);
    assert_eq!(repository.find_ref("refs/mlremotes/origin/w/1").unwrap().unwrap().to_string(), commit);
    sandbox.git(&["push", "--quiet", "origin", ":refs/mlrun/w/2"]);
    repository.fetch("origin", &specs, true).unwrap();
    assert_eq!(names(&sandbox.open()), 1);
    assert!(!sandbox.top().join(".git/FETCH_HEAD").exists());
}

#[test]
fn a_server_that_is_not_there_is_an_error_with_its_words() {
    let sandbox = with_origin();
    sandbox.commit("a", "a");
    let nowhere = sandbox.beside("nowhere.git").display().to_string();
    let error =
        sandbox.open().push(&nowhere, &[spec("refs/heads/main")], &PushOptions::default()).unwrap_err();
    assert!(matches!(error, GitError::Program(_)));
    assert!(error.to_string().contains("does not appear to be a git repository"), "{error}");
    assert!(sandbox.open().fetch(&nowhere, &[], false).is_err());
}

#[test]
fn remotes_are_named_with_their_urls() {
    let sandbox = with_origin();
    sandbox.git(&["remote", "add", "up", "gh:team/x"]);
    sandbox.git(&["remote", "set-url", "--push", "up", "git@example.com:team/x"]);
    sandbox.git(&["config", "url.https://example.com/.insteadOf", "gh:"]);
    let remotes = sandbox.open().remotes();
    assert_eq!(remotes.iter().map(|remote| remote.name.as_str()).collect::<Vec<_>>(), ["origin", "up"]);
    assert_eq!(
        (remotes[1].url.as_str(), remotes[1].push_url.as_str()),
        ("https://example.com/team/x", "git@example.com:team/x")
    );
    assert_eq!(sandbox.open().default_remote().as_deref(), Some("origin"));
}
