//! `git mlrun exec`, when somebody wants it to end.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Place, Sandbox};

/// Starts a line whose process is the recorder itself, and waits until the command has made the file `started`.
fn started(place: &Place, line: &str) -> Child {
    let child = place.shell(&format!("exec git-{line}")).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.unwrap();
    let begun = Instant::now();
    while !place.has("started") {
        assert!(begun.elapsed() < Duration::from_secs(30), "the command did not start");
        sleep(Duration::from_millis(10));
    }
    child
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn killed_outright_it_loses_nothing_that_was_logged() {
    let place = Sandbox::new().data_repository("repo");
    let command = "git mlrun log metric loss=0.5 && git mlrun log param lr=0.1 && touch started && sleep 2";
    let mut child = started(&place, &format!("mlrun exec --name doomed -- sh -c '{command}'"));
    send("-KILL", &child);
    child.wait().unwrap();
    let run = &place.run("git mlrun show --json doomed").ok().json()[0];
    assert_eq!(run["status"], "lost");
    assert_eq!(run["metrics"]["loss"]["last"]["value"], 0.5);
    assert_eq!(run["params"]["lr"], "0.1");
}

#[test]
fn signals_reach_the_command_and_the_run_is_recorded_to_its_end() {
    let place = Sandbox::new().data_repository("repo");
    let command = "git mlrun log metric loss=0.5; touch started; exec sleep 30";
    let mut child = started(&place, &format!("mlrun exec --name stopped -- sh -c '{command}'"));
    let run = &place.run("git mlrun show --json stopped").ok().json()[0];
    assert_eq!(
        (&run["status"], &run["metrics"]["loss"]["count"]),
        (&"running".into(), &1.into()),
        "seen meanwhile"
    );
    send("-TERM", &child);
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let run = &place.run("git mlrun show --json stopped").ok().json()[0];
    assert_eq!(
        (&run["status"], &run["signal"], &run["exit_code"]),
        (&"killed".into(), &15.into(), &143.into())
    );

    place.run("rm started").ok();
    let command =
        "trap \"git mlrun log tag left=well; exit 7\" TERM; touch started; while :; do sleep 0.05; done";
    let mut child = started(&place, &format!("mlrun exec --name polite -- sh -c '{command}'"));
    send("-TERM", &child);
    assert_eq!(child.wait().unwrap().code(), Some(7), "a command that ends well on a signal has ended well");
    let run = &place.run("git mlrun show --json polite").ok().json()[0];
    assert_eq!((&run["status"], &run["tags"]["left"]), (&"failed".into(), &"well".into()));
}
