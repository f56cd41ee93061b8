//! Checks on real data, from the first training to the verdict that another is due.

use std::fs;

use git_ml::base::{Progress, RepoPath};
use git_ml::checks::{CheckError, CheckReport, CheckStatus, Finding, Lack, Verdict, check, record, verdicts};
use git_ml::data::Workspace;
use git_ml::data::add::{AddOptions, add, store};
use git_ml::git::TeamFile;
use git_ml::models::{Alias, Bump, ContentKind, ContentRecord, Number, Registration, promote, register};
use git_ml::runs::spool::Event;
use git_ml::runs::{Data, DataFailure, Request, execute};

use crate::runs::shell;
use crate::sandbox::Sandbox;

const RULES: &str = r#"
version = 1
repository = "0123456789abcdef0123456789abcdef"

[check.penguin-drift]
kind = "drift"
data = "penguins.csv"
reference = "penguins#prod"
threshold = 0.2
verdict = "retrain"

[check.penguin-accuracy]
kind = "metric"
model = "penguins#prod"
metric = "accuracy"
min = 0.9
"#;

struct Stored<'a>(&'a Workspace);

impl Data for Stored<'_> {
    fn content_of(&self, path: &RepoPath) -> Result<ContentRecord, DataFailure> {
        let root = store(self.0, path, &Progress::hidden())?;
        let (path, kind) = (path.to_string(), ContentKind::File);
        Ok(ContentRecord { path, kind, blake3: root.id, size: root.size, manifest: root.manifest })
    }

    fn add_output(&self, path: &RepoPath) -> Result<ContentRecord, DataFailure> {
        self.content_of(path)
    }
}

fn penguins(sandbox: &Sandbox, version: u8) {
    let fixture = format!("{}/fixtures/demo/penguins-{version}.csv", env!("CARGO_MANIFEST_DIR"));
    fs::copy(fixture, sandbox.top().join("penguins.csv")).unwrap();
}

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

fn add_and_commit(sandbox: &Sandbox, workspace: &Workspace) {
    let options = AddOptions { all: false, sidecar: false, in_place: false, stage: true };
    add(workspace, &[path("penguins.csv")], options, &Progress::hidden()).unwrap();
    sandbox.git(&["add", "--all"]);
    sandbox.git(&["commit", "--quiet", "--message", "penguins"]);
}

fn train(workspace: &Workspace, accuracy: f64) {
    let repository = workspace.repository();
    let request = Request { inputs: vec![path("penguins.csv")], ..shell("true") };
    let run = execute(repository, &request, &Stored(workspace)).unwrap().id;
    git_ml::runs::record(repository, run, &[Event::metric("accuracy", 0, accuracy).unwrap()]).unwrap();
    let wanted = Registration {
        model: "penguins".parse().unwrap(),
        path: path("train.sh"),
        number: Number::Next(Bump::Patch),
        run: Some(run),
        remote: None,
        again: true,
    };
    register(repository, &wanted).unwrap();
    promote(repository, &"penguins".parse().unwrap(), &Alias::fresh("prod").unwrap(), None).unwrap();
}

fn checked(workspace: &Workspace) -> CheckReport {
    let report = check(workspace, &TeamFile::parse(RULES).unwrap(), &[]).unwrap();
    record(workspace.repository(), &report).unwrap();
    report
}

fn statuses(report: &CheckReport) -> Vec<CheckStatus> {
    report.checks.iter().map(|check| check.status).collect()
}

#[test]
fn the_verdict_goes_from_nothing_to_judge_to_pass_to_retrain_and_back() {
    let sandbox = Sandbox::new();
    sandbox.commit("train.sh", "exit 0");
    let workspace = Workspace::open(sandbox.open()).unwrap();
    penguins(&sandbox, 1);
    add_and_commit(&sandbox, &workspace);
    let report = checked(&workspace);
    assert_eq!(report.verdict, Verdict::InsufficientData);
    assert_eq!(report.checks[1].lack, Some(Lack::NoVersion { named: "penguins#prod".into() }));

    train(&workspace, 0.977);
    let report = checked(&workspace);
    assert_eq!((report.verdict, statuses(&report)), (Verdict::Pass, vec![CheckStatus::Pass; 2]));

    penguins(&sandbox, 2);
    let report = checked(&workspace);
    assert_eq!(
        (report.verdict, statuses(&report)),
        (Verdict::Retrain, vec![CheckStatus::Pass, CheckStatus::Fail])
    );
    let Finding::Drift { columns, .. } = &report.checks[1].finding else { panic!("a drift") };
    assert_eq!(columns[0].column, "species", "a species that the reference has not is what drifts most");
    let depth = columns.iter().find(|column| column.column == "bill_depth_mm").unwrap();
    assert_eq!(depth.status, CheckStatus::Fail);
    assert!(depth.value.is_some_and(|value| (value - 0.589).abs() < 0.001), "{depth:?}");
    assert!(columns.iter().any(|column| column.column == "id" && column.status == CheckStatus::Skipped));
    assert!(columns.iter().any(|column| column.column == "year" && column.status == CheckStatus::Pass));

    add_and_commit(&sandbox, &workspace);
    train(&workspace, 0.5);
    let report = checked(&workspace);
    assert_eq!(
        (report.verdict, statuses(&report)),
        (Verdict::Retrain, vec![CheckStatus::Fail, CheckStatus::Pass])
    );
    train(&workspace, f64::NAN);
    assert_eq!(
        checked(&workspace).checks[0].status,
        CheckStatus::Fail,
        "what is no number is never good enough"
    );

    let given: Vec<_> =
        verdicts(workspace.repository()).unwrap().iter().map(|record| record.verdict).rev().collect();
    let expected =
        [Verdict::InsufficientData, Verdict::Pass, Verdict::Retrain, Verdict::Retrain, Verdict::Retrain];
    assert_eq!(given, expected);
}

#[test]
fn data_that_cannot_be_learnt_from_blocks() {
    let sandbox = Sandbox::new();
    sandbox.commit("train.sh", "exit 0");
    let workspace = Workspace::open(sandbox.open()).unwrap();
    penguins(&sandbox, 1);
    add_and_commit(&sandbox, &workspace);
    train(&workspace, 0.977);
    let table = fs::read_to_string(sandbox.top().join("penguins.csv")).unwrap();
    sandbox.write("penguins.csv", table.replace("body_mass_g", "mass"));
    let report = checked(&workspace);
    assert_eq!(report.verdict, Verdict::Blocked);
    sandbox.write("penguins.csv", table.lines().take(50).collect::<Vec<_>>().join("\n"));
    assert_eq!(checked(&workspace).verdict, Verdict::InsufficientData);
    sandbox.write("penguins.csv", "a,b\n1\n");
    let team = TeamFile::parse(RULES).unwrap();
    assert!(matches!(check(&workspace, &team, &[]), Err(CheckError::Table { .. })));
    fs::remove_file(sandbox.top().join("penguins.csv")).unwrap();
    assert_eq!(checked(&workspace).verdict, Verdict::Pass, "what its pointer names");
    assert!(matches!(check(&workspace, &team, &["x".into()]), Err(CheckError::NoSuchRule { .. })));
}
