//! `git mlrun ls` and `git mlrun show`.

use crate::support::Sandbox;

#[test]
fn runs_are_listed_the_latest_first_and_shown_by_name_or_id() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mlrun ls").ok().prints("").tells("hint: git mlrun exec -- COMMAND");
    place.run("git mlrun exec --name first -- true && git mlrun exec --name second -- true").ok();
    let listed = place.run("git mlrun ls").ok();
    let lines: Vec<&str> = listed.stdout().lines().collect();
    assert!(lines[0].contains("second") && lines[1].contains("first"), "{lines:?}");
    assert_eq!(place.run("git mlrun ls --json --name first").ok().json().len(), 1);
    assert_eq!(place.run("git mlrun ls --json --limit 1").ok().json()[0]["name"], "second");
    let id = lines[1].split(' ').next().expect("an id");
    place
        .run(&format!("git mlrun show {id}"))
        .ok()
        .says("")
        .shows("  first\n  status   finished\n")
        .shows("\n  command  true\n");
    place
        .run("git mlrun show nowhere")
        .fails(128)
        .prints("")
        .tells("error: there is no run 'nowhere'\nhint: git mlrun ls\n");
}
