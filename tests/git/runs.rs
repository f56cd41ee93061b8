//! Runs in a real repository: executed, killed, raced for.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use git_ml::base::{Digest, RandomId, RepoPath};
use git_ml::git::Repository;
use git_ml::models::{ContentKind, ContentRecord};
use git_ml::runs::record::{Point, Status};
use git_ml::runs::spool::Event;
use git_ml::runs::{
    Data, DataFailure, Execution, Logs, Request, Role, RunsError, View, execute, find, recorded_contents,
};

use crate::sandbox::Sandbox;

/// Data as plain files of the work tree.
pub struct Files {
    pub top: PathBuf,
}

impl Data for Files {
    fn content_of(&self, path: &RepoPath) -> Result<ContentRecord, DataFailure> {
        let file = path.under(&self.top);
        let bytes = fs::read(&file).map_err(|source| RunsError::Io { action: "read", path: file, source })?;
        let (blake3, size) = (Digest::of(&bytes), bytes.len() as u64);
        Ok(ContentRecord { path: path.to_string(), kind: ContentKind::File, blake3, size, manifest: None })
    }

    fn add_output(&self, path: &RepoPath) -> Result<ContentRecord, DataFailure> {
        self.content_of(path)
    }
}

pub fn shell(script: &str) -> Request {
    Request { command: ["sh", "-c", script].map(OsString::from).to_vec(), ..Request::default() }
}

fn run(sandbox: &Sandbox, request: &Request) -> Execution {
    execute(&sandbox.open(), request, &Files { top: sandbox.top() }).unwrap()
}

#[test]
fn a_run_is_recorded_with_what_it_read_and_made() {
    let sandbox = Sandbox::new();
    sandbox.commit("train.sh", "exit 0");
    sandbox.write("data.csv", "id\n1\n");
    sandbox.write(".env", "PASSWORD=x");
    let request = Request {
        name: Some("base".into()),
        params: vec![("lr".into(), "0.1".into())],
        inputs: vec![RepoPath::new("data.csv").unwrap()],
        outputs: ["model", "missing"].map(|path| RepoPath::new(path).unwrap()).to_vec(),
        ..shell(&format!(
            "cd / && test -d \"$GIT_MLRUN_SPOOL\" && echo weights > '{}/model'",
            sandbox.top().display()
        ))
    };
    let execution = run(&sandbox, &request);
    assert_eq!((execution.exit_code, execution.status), (0, Status::Finished));
    assert_eq!(execution.problems.len(), 1, "an output that is not there is told, and changes nothing");

    let repository = sandbox.open();
    let found = find(&repository, &execution.id.to_string()[..6]).unwrap();
    assert_eq!(found, find(&repository, "base").unwrap());
    assert_eq!((found.status, found.exit_code), (Status::Finished, Some(0)));
    assert_eq!(found.params["lr"], "0.1");
    assert_eq!(found.inputs[0].blake3, Digest::of(b"id\n1\n"));
    assert_eq!(found.outputs[0].blake3, Digest::of(b"weights\n"));
    assert_eq!(found.git.commit.as_deref(), Some(sandbox.git(&["rev-parse", "HEAD"]).as_str()));
    assert_eq!((found.git.changed_files, found.git.left_out.as_slice()), (2, [".env".to_owned()].as_slice()));
    assert!(found.git.patch_id.is_some() && found.environment.git.is_some());

    let code = View::open(&repository).unwrap().code(&found.id).unwrap().unwrap();
    assert_eq!(sandbox.git(&["ls-tree", "--name-only", &code.to_string()]), "data.csv\ntrain.sh");
    let spools = fs::read_dir(repository.common_dir().join("ml/runs")).unwrap();
    assert_eq!(spools.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>(), ["writer"]);
    sandbox.git(&["fsck", "--strict"]);
    assert!(matches!(find(&repository, "nobody"), Err(RunsError::NoSuchRun { .. })));
}

#[test]
fn exit_codes_are_those_of_the_command_and_of_the_shell() {
    let sandbox = Sandbox::new();
    sandbox.write("text", "no program");
    let absent = Request { command: vec!["/no/such/program".into()], ..Request::default() };
    let text = Request { command: vec![sandbox.top().join("text").into()], ..Request::default() };
    let cases = [
        (shell("exit 3"), 3, Status::Failed),
        (shell("kill -9 $$"), 137, Status::Killed),
        (absent, 127, Status::Failed),
        (text, 126, Status::Failed),
    ];
    for (request, code, status) in cases {
        let execution = run(&sandbox, &request);
        assert_eq!((execution.exit_code, execution.status), (code, status));
        let found = find(&sandbox.open(), &execution.id.to_string()).unwrap();
        assert_eq!((found.exit_code, found.status), (Some(code), status));
    }
    let request = Request { inputs: vec![RepoPath::new("gone").unwrap()], ..shell("touch started") };
    let refused = execute(&sandbox.open(), &request, &Files { top: sandbox.top() });
    assert!(matches!(refused, Err(RunsError::Input { .. })));
    assert!(!sandbox.top().join("started").exists());
}

#[test]
fn metrics_come_from_other_processes_and_later() {
    let sandbox = Sandbox::new();
    let execution = run(&sandbox, &shell("true"));
    let repository = sandbox.open();
    let point = |step: i64| Event::metric("val/loss", step, 1.0 / (step as f64 + 1.0)).unwrap();
    let points: Vec<_> = (0..3000).map(point).collect();
    git_ml::runs::record(&repository, execution.id, &points).unwrap();
    git_ml::runs::record(&repository, execution.id, &[Event::tag("good", Some("yes".into())), point(3000)])
        .unwrap();
    let found = find(&repository, &execution.id.to_string()).unwrap();
    let loss = &found.metrics["val/loss"];
    assert_eq!((loss.count, loss.last.step, found.status), (3001, 3000, Status::Finished));
    assert_eq!(found.tags["good"], "yes");
    let history = git_ml::runs::metric_history(&repository, &found, "val/loss").unwrap();
    assert!(history.points.len() == 3001 && history.points.is_sorted_by_key(|point| point.step));
    let files = sandbox.git(&["ls-tree", "-r", "--name-only", &only_log(&sandbox)]);
    assert!(files.contains("/m/val%2Floss/") && files.contains(".roll.json"), "{files}");
    assert!(Event::metric("", 0, 0.0).is_err() && Event::metric("x".repeat(256), 0, 0.0).is_err());
}

#[test]
fn points_that_are_too_many_for_git_lie_in_the_store() {
    let sandbox = Sandbox::new();
    let execution = run(&sandbox, &shell("true"));
    let repository = sandbox.open();
    let value = |step: i64| (step as f64).sin();
    let point = |step: i64| Event::metric("loss", step, value(step)).unwrap();
    let log = |events: &[Event]| git_ml::runs::record(&repository, execution.id, events).unwrap();
    // In Git, as the first million bytes; in the store, in two parts because the spool is read in parts; in Git, for few are
    // not worth a content; in the store, with another metric.
    log(&(0..98_000).map(point).collect::<Vec<_>>());
    log(&(98_000..400_000).map(point).collect::<Vec<_>>());
    log(&[point(400_000)]);
    let others = (400_001..402_000).flat_map(|step| [point(step), Event::metric("acc", step, 0.5).unwrap()]);
    log(&others.collect::<Vec<_>>());
    let found = find(&repository, &execution.id.to_string()).unwrap();
    assert_eq!((found.metrics["loss"].count, found.metrics["acc"].count), (402_000, 1999));
    assert_eq!(found.points.len(), 3);
    let history = git_ml::runs::metric_history(&repository, &found, "loss").unwrap();
    let as_logged =
        |(step, point): (i64, &Point)| point.step == step && point.value.to_bits() == value(step).to_bits();
    assert!(history.points.len() == 402_000 && (0..).zip(&history.points).all(as_logged));
    assert_eq!(git_ml::runs::metric_history(&repository, &found, "acc").unwrap().points.len(), 1999);

    let sizes = sandbox.git(&["ls-tree", "-r", "-l", &only_log(&sandbox)]);
    let chunks = sizes.lines().filter(|line| line.ends_with(".mcol"));
    let in_git: u64 =
        chunks.map(|line| line.split_whitespace().nth(3).unwrap().parse::<u64>().unwrap()).sum();
    assert!((900_000..1_000_000).contains(&in_git), "{in_git} bytes of chunks in Git");
    let roll = sizes.lines().rfind(|line| line.ends_with(".roll.json") && line.contains("/loss/")).unwrap();
    let roll = sandbox.git(&["cat-file", "blob", roll.split_whitespace().nth(2).unwrap()]);
    assert!(roll.contains("\"count\":402000") && roll.matches(".json").count() == 3, "all points are drawn");

    let recorded = recorded_contents(&repository, Logs::Own).unwrap().contents;
    assert_eq!(recorded.iter().filter(|found| found.role == Role::Points).count(), 3);
    fs::remove_dir_all(repository.common_dir().join("ml/open")).unwrap();
    let _ = fs::remove_dir_all(repository.common_dir().join("ml/packs"));
    let absent = git_ml::runs::metric_history(&repository, &found, "loss");
    assert!(matches!(absent, Err(RunsError::PointsAbsent { missing: 3, all: 3, .. })), "{absent:?}");
    let told = find(&repository, &execution.id.to_string()).unwrap();
    assert_eq!(told.metrics["loss"].count, 402_000, "what is known in short is in Git");
    log(&[point(402_000)]);
}

fn only_log(sandbox: &Sandbox) -> String {
    sandbox.git(&["for-each-ref", "--format=%(refname)", "refs/mlrun"])
}

#[test]
fn a_recorder_that_was_killed_loses_nothing_that_it_acknowledged() {
    let sandbox = Sandbox::new();
    let execution = run(&sandbox, &shell("true"));
    let repository = sandbox.open();
    // What a killed recorder leaves: a spool with a beginning, points, and a torn tail, and nobody who holds its lock.
    let run_id = RandomId::generate();
    let folder = repository.common_dir().join("ml/runs").join(run_id.to_string());
    let spool = git_ml::runs::spool::Spool::open_or_create(&folder, run_id).unwrap();
    let record =
        format!(r#"{{"version":1,"id":"{run_id}","writer":"{run_id}","start":"2026-11-22T18:00:00Z"}}"#);
    let record = Box::new(serde_json::from_str(&record).unwrap());
    let create = Event::Create { record, code: None };
    spool.append(&[create, Event::metric("acc", 1, 0.5).unwrap()]).unwrap();
    let torn = fs::read(folder.join("spool")).unwrap();
    fs::write(folder.join("spool"), [torn.as_slice(), b"12345678 {\"metr"].concat()).unwrap();

    let runs = git_ml::runs::list(&repository, &git_ml::runs::Filter::default()).unwrap();
    assert_eq!(runs.len(), 2);
    let lost = runs.iter().find(|run| run.id == run_id).unwrap();
    assert_eq!((lost.status, lost.metric("acc")), (Status::Lost, Some(0.5)));
    assert!(!folder.exists());
    assert_eq!(runs.iter().find(|run| run.id == execution.id).unwrap().status, Status::Finished);
    assert_eq!(git_ml::runs::recover(&repository).unwrap(), 0);
}

#[test]
fn a_spool_that_was_read_but_not_removed_does_not_come_twice() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    let execution = run(&sandbox, &shell("true"));
    let folder = repository.common_dir().join("ml/runs").join(execution.id.to_string());
    let spool = git_ml::runs::spool::Spool::open_or_create(&folder, execution.id).unwrap();
    spool.append(&[Event::metric("acc", 1, 0.5).unwrap()]).unwrap();
    let left = fs::read(folder.join("spool")).unwrap();
    git_ml::runs::recover(&repository).unwrap();
    // A recorder that is killed between the commit and the removal leaves exactly this.
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("spool"), left).unwrap();
    git_ml::runs::recover(&repository).unwrap();
    assert_eq!(find(&repository, &execution.id.to_string()).unwrap().metrics["acc"].count, 1);
    assert!(!folder.exists());
}

#[test]
fn writers_of_one_clone_race_and_lose_nothing() {
    let sandbox = Sandbox::new();
    let ids: Vec<RandomId> = std::thread::scope(|scope| {
        let racer = || (0..5).map(|_| run(&sandbox, &shell("true")).id).collect::<Vec<_>>();
        let racers: Vec<_> = (0..4).map(|_| scope.spawn(racer)).collect();
        racers.into_iter().flat_map(|racer| racer.join().unwrap()).collect()
    });
    let repository: Repository = sandbox.open();
    let mut found = View::open(&repository).unwrap().run_ids().unwrap();
    found.sort();
    let mut ids = ids;
    ids.sort();
    assert_eq!(found, ids);
    let runs = View::open(&repository).unwrap().runs().unwrap();
    assert!(runs.iter().all(|run| run.status == Status::Finished));
    assert_eq!(only_log(&sandbox).lines().count(), 1, "one writer, one log");
}
