//! `git mlrun exec`.

use crate::support::Sandbox;

#[test]
fn a_run_keeps_code_data_parameters_and_metrics() {
    let place = Sandbox::new().data_repository("repo");
    place.write("data.csv", "a\n1\n");
    place.run("git mldata add data.csv && git commit -qm data").ok();
    place
        .run(
            "git mlrun exec --name base -p lr=0.1 -i data.csv -o model.bin -- \
              sh -c 'echo out; git mlrun log metric auc=0.9; cp data.csv model.bin'",
        )
        .ok()
        .prints("out\n")
        .tells(" base: code ")
        .tells(", exit code 0\n  made model.bin  ");
    assert!(place.has("model.bin.mld"), "the output has a pointer");
    place.run("git status --short").ok().shows("?? model.bin.mld\n");
    let run = &place.run("git mlrun show --json base").ok().json()[0];
    assert_eq!(run["params"]["lr"], "0.1");
    assert_eq!(run["inputs"][0]["blake3"], run["outputs"][0]["blake3"]);
    assert_eq!(run["metrics"]["auc"]["last"]["value"], 0.9);
    assert_eq!(run["status"], "finished");
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mlrun exec -- sh -c 'exit 7'").fails(7).tells(", exit code 7\n");
    place
        .run("git mlrun exec -- no-such-program")
        .fails(127)
        .tells("error: cannot start 'no-such-program'\ncause: ");
    place.run("git mlrun exec -- ./ml.toml").fails(126).tells("error: cannot start './ml.toml'\n");
    place
        .run("git mlrun exec -i nowhere.csv -- echo never")
        .fails(125)
        .prints("")
        .tells("error: cannot store the input 'nowhere.csv'\ncause: 'nowhere.csv' does not exist\n");
    place.run("git mlrun exec").fails(129).tells("usage: git mlrun exec");
    place.run("git mlrun ls").ok().shows("failed (exit code 7)");
}

#[test]
fn a_missing_output_is_a_warning_and_changes_no_code() {
    let place = Sandbox::new().data_repository("repo");
    place
        .run("git mlrun exec -o model.bin -- true")
        .ok()
        .tells("warning: not recorded: cannot add the output 'model.bin'");
}

#[test]
fn a_changed_input_is_stored_first() {
    let place = Sandbox::new().data_repository("repo");
    place.write("data.csv", "a\n1\n");
    place.run("git mldata add data.csv && git commit -qm data").ok();
    place.write("data.csv", "a\n1\n2\n");
    place.run("git mlrun exec --name changed -i data.csv -- true").ok();
    place.run("git status --short").ok().prints("");
    place.run("git mldata status").ok().shows("modified");
}
