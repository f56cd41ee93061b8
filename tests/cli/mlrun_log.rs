//! `git mlrun log`.

use crate::support::Sandbox;

#[test]
fn a_run_is_found_from_inside_and_by_name() {
    let place = Sandbox::new().data_repository("repo");
    place
        .run(
            "git mlrun exec --name base -- sh -c 'cd / && git mlrun log metric loss=0.5 --step 1 && \
              git mlrun log metric loss=0.25 acc=0.8 --step 2 && git mlrun log param seed=7'",
        )
        .ok();
    place.run("git mlrun log tag quality=good owner=ada --run base").ok().prints("").says("");
    place.run("git mlrun log tag --remove owner --run base").ok();
    let run = &place.run("git mlrun show --json base").ok().json()[0];
    assert_eq!(run["metrics"]["loss"]["count"], 2);
    assert_eq!(run["metrics"]["loss"]["last"]["value"], 0.25);
    assert_eq!(run["params"]["seed"], "7");
    assert_eq!(run["tags"]["quality"], "good");
    assert!(run["tags"]["owner"].is_null());
}

#[test]
fn without_a_run_the_way_out_is_told() {
    let place = Sandbox::new().data_repository("repo");
    place
        .run("git mlrun log metric loss=1")
        .fails(129)
        .tells("error: no run is named, and this is not part of one\nhint: git mlrun exec");
    place
        .run("git mlrun log metric loss=1 --run nowhere")
        .fails(128)
        .tells("error: there is no run 'nowhere'\n");
    place.run("git mlrun log metric loss").fails(129).tells("it has no '='");
    place.run("git mlrun log metric loss=high").fails(129).tells("'high' is not a number");
    place.run("git mlrun log").fails(129).tells("Usage: git mlrun log");
}
