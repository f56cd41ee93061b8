//! `git mldata init`.

use crate::support::Sandbox;

#[test]
fn a_repository_is_set_up_once_and_what_is_written_is_staged() {
    let place = Sandbox::new().repository("repo");
    place
        .run("git mldata init")
        .ok()
        .shows("wrote ml.toml .gitattributes, staged; repository id ")
        .shows("\nhooks: installed pre-commit ")
        .says("hint: next: git mldata remote add NAME URL, then git mldata add PATH…\n");
    place.run("git status --short").ok().prints("A  .gitattributes\nA  ml.toml\n");
    assert!(place.text("ml.toml").starts_with("# Data of this repository is kept with git-ml"));
    place.run("git mldata init").ok().says("").shows("was set up before\n").lacks("hooks:");
    assert_eq!(place.run("git mldata init --json").ok().json()[0]["created"], false);
}

#[test]
fn what_is_local_can_be_taken_back_without_trace() {
    let place = Sandbox::new().repository("repo");
    place
        .run("git remote add origin ../origin.git && cp .git/config ../before && ls .git/hooks > ../hooks")
        .ok();
    place.run("git mldata init -q && git mldata init --undo").ok().shows("hooks: removed pre-commit");
    place.run("diff .git/config ../before && ls .git/hooks | diff - ../hooks").ok().prints("");
    place.run("git mldata init --no-hooks").ok().lacks("hooks:");
    place.run("git mldata init --no-hooks --undo").fails(129).tells("cannot be used with");
}

#[test]
fn outside_a_repository_nothing_is_written() {
    let place = Sandbox::new().folder("nowhere");
    place
        .run("git mldata init")
        .fails(128)
        .tells("error: not a git repository")
        .tells("hint: run 'git init'");
    place.run("ls -A").ok().prints("");
    place.run("git init -q --bare .  && git mldata init").fails(128).tells("is a bare repository");
}
