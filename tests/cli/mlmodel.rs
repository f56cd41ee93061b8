//! `git mlmodel`: register, ls, show, promote.

use crate::support::{Place, Sandbox};

/// A repository with a Git remote, in which a run has made a model.
fn trained() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.run("git init -q --bare ../origin.git && git remote add origin ../origin.git").ok();
    place.run("git mlrun exec --name base -o model.bin -- sh -c 'echo weights > model.bin'").ok();
    place.run("git add . && git commit -qm model").ok();
    place
}

#[test]
fn a_version_is_claimed_on_the_git_remote_and_names_the_run_that_made_it() {
    let place = trained();
    place
        .run("git mlmodel register churn model.bin --bump minor")
        .ok()
        .shows("churn@v0.1.0 claimed on 'origin'\n  model.bin  ")
        .shows(", made by run ");
    place.run("git ls-remote --tags origin").ok().shows("refs/tags/churn@v0.1.0");
    place.run("git mlmodel register churn model.bin").fails(128).tells(
        "error: this content is already registered as churn@v0.1.0\nhint: git mlmodel show churn@v0.1.0\n",
    );
    place.run("git mlmodel register churn model.bin --again --version v2.0.0").ok().shows("churn@v2.0.0");
    place.run("git mlmodel ls").ok().says("").shows("churn  v2.0.0").shows("churn  v0.1.0");
    let listed = place.run("git mlmodel ls --json churn").ok().json();
    assert_eq!(listed[0]["version"], "v2.0.0");
    assert_eq!(listed[1]["content"]["path"], "model.bin");
}

#[test]
fn an_alias_moves_and_the_moves_are_kept() {
    let place = trained();
    place.run("git mlmodel register churn model.bin --version v1.0.0").ok();
    place
        .run("git mlmodel promote churn@v1.0.0 prod")
        .ok()
        .prints("churn#prod is now v1.0.0\nchurn#prod#1 claimed on 'origin'\n");
    place.run("git mlmodel promote churn@v1.0.0 prod").ok().prints("churn#prod is v1.0.0 already\n");
    place.run("git mlmodel show churn@prod").ok().shows("churn@v1.0.0  prod\n").shows("model.bin");
    place.run("git mlmodel show churn").ok().shows("moves of aliases").shows("prod  -> v1.0.0");
    assert_eq!(place.run("git mlmodel show --json churn#prod").ok().json()[0]["model"], "churn");
}

#[test]
fn what_is_not_there_is_named() {
    let place = trained();
    place.run("git mlmodel ls").ok().prints("").tells("hint: git mlmodel register NAME PATH");
    place
        .run("git mlmodel show churn")
        .fails(128)
        .tells("error: there is no model 'churn'\nhint: git mlmodel ls\n");
    place
        .run("git mlmodel register churn other.bin")
        .fails(128)
        .tells("error: 'other.bin' is not in the commit ");
    place.run("git mlmodel promote churn@v1.0.0 latest").fails(129).tells("'latest' cannot be an alias");
    place.run("git mlmodel register 'a b' model.bin").fails(129).tells("'a b' is not a name");
}
