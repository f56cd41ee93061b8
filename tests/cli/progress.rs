//! How far long work is: bars for people, events for programs, nothing where nobody asked.

use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{Place, Ran, Sandbox};

/// What keeps every command that uses the store waiting: the entry of a collection on a machine that is not this one.
const COLLECTION: &str = "gc_000102030405060708090a0b0c0d0e0f_1_1_boot_machine_elsewhere";

/// Starts a line whose store is being cleaned from elsewhere.
fn start(place: &Place, line: &str) -> (Child, String) {
    let child = place.shell(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell");
    (child, line.to_owned())
}

#[test]
fn long_work_tells_programs_how_far_it_is_on_stderr_and_short_work_nothing() {
    let sandbox = Sandbox::new();
    let store = sandbox.path().join("store");
    let place = |name: &str| {
        let place = sandbox.data_repository(name).with("GIT_MLDATA_STORE", &store.display().to_string());
        place.write("x.bin", name);
        place
    };
    let short = place("short").run("git mldata add --json x.bin").ok().says("");
    assert_eq!(short.json().len(), 1, "what was asked for is one object");

    fs::create_dir_all(store.join("users")).expect("a folder");
    fs::write(store.join("users").join(COLLECTION), "").expect("a file");
    let lines = ["--json", "--json -q", "--json --no-progress", "", "--progress"];
    let lines = lines.map(|options| format!("git mldata add {options} x.bin"));
    let places: Vec<_> = (0..lines.len()).map(|number| place(&number.to_string())).collect();
    let started: Vec<_> = places.iter().zip(&lines).map(|(place, line)| start(place, line)).collect();
    thread::sleep(Duration::from_millis(2700));
    fs::remove_file(store.join("users").join(COLLECTION)).expect("the entry");
    let ended = started.into_iter().map(|(child, line)| {
        let output = child.wait_with_output().expect("its output");
        Ran::new(&sandbox.path(), &line, &output).ok()
    });
    let ended: Vec<_> = ended.collect();

    let json = &ended[0];
    assert_eq!(json.json().len(), 1, "stdout is what it is for short work");
    let events: Vec<serde_json::Value> =
        json.stderr().lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    assert!((2..=4).contains(&events.len()), "one a second, not {}: {events:?}", events.len());
    let (last, others) = events.split_last().expect("events");
    for event in &events {
        assert_eq!((&event["event"], &event["unit"]), (&"progress".into(), &"items".into()));
        assert_eq!(event["work"], "waiting for git mldata gc");
    }
    assert!(last["ended"] == true && others.iter().all(|event| event["ended"] == false), "{events:?}");
    assert!(others[0]["seconds"].as_f64() >= Some(1.0), "{events:?}");

    let silent: Vec<_> = ended[1..4].iter().map(|ran| ran.stderr()).collect();
    assert_eq!(silent, ["", "", ""], "nothing where nobody asked, and no terminal is");
    assert!(ended[4].stderr().contains("\rwaiting for git mldata gc: 0"), "{:?}", ended[4].stderr());
}
