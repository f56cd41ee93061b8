//! The hooks that keep lineage: which runs made what a commit adds, told again after history was rewritten.

use crate::support::{Place, Sandbox};

/// A run made `model.bin`, which was committed.
fn repository() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata init && git commit -qm 'set up' && git switch -qc topic").ok();
    place.run("git mlrun exec --name train -o model.bin -- sh -c 'echo trained >model.bin'").ok();
    place.run("git add model.bin.mld .gitignore && git commit -qm model").ok();
    place
}

/// What the notes say of a commit.
fn note(place: &Place, revision: &str) -> String {
    place.run(&format!("git log -1 --format=%N --notes=mlrun {revision}")).ok().stdout().trim().to_owned()
}

#[test]
fn a_commit_of_what_a_run_made_is_tied_to_the_run_however_it_is_rewritten() {
    let place = repository();
    let run = note(&place, "topic");
    assert!(run.starts_with("git-mlrun "), "{run}");
    place.run("git commit -q --amend -m 'a better word'").ok();
    assert_eq!(note(&place, "topic"), run, "amend");
    place.run("git switch -q main && git commit -q --allow-empty -m other").ok();
    place.run("git switch -q topic && git rebase -q main").ok();
    assert_eq!(note(&place, "topic"), run, "rebase");
    place.run("git switch -qc picked main && git cherry-pick topic").ok();
    assert_eq!(note(&place, "picked"), run, "cherry-pick");
    place.run("git switch -qc squashed main && git merge -q --squash topic && git commit -qm squashed").ok();
    assert_eq!(note(&place, "squashed"), run, "squash");
    place.run("git commit -q --allow-empty -m unrelated").ok();
    assert_eq!(note(&place, "squashed"), "");
    assert_eq!(place.text("model.bin"), "trained\n");
}

#[test]
fn notes_go_with_rewritten_commits_even_without_the_hooks() {
    let place = repository();
    let run = note(&place, "topic");
    place.run("git mldata hooks uninstall && git commit -q --amend -m other").ok();
    assert_eq!(note(&place, "topic"), run);
}

#[test]
fn where_nothing_was_recorded_git_says_nothing() {
    let place = Sandbox::new().repository("repo");
    place.run("git mldata init && git commit -qm 'set up'").ok();
    place.run("git commit -q --amend -m again").ok().says("");
}

#[test]
fn the_source_of_a_pick_is_remembered_over_a_conflict() {
    let place = repository();
    place.write("code.py", "topic");
    place.run("git add code.py && git commit -q --amend --no-edit && git switch -qc other main").ok();
    let run = note(&place, "topic");
    place.write("code.py", "other");
    place.run("git add code.py && git commit -qm code && git cherry-pick topic").fails(1);
    place.run("git checkout -q --theirs code.py && git add code.py && git commit -q --no-edit").ok();
    assert_eq!(note(&place, "other"), run);
}
