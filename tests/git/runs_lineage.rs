//! Lineage in a real repository, through clones and rewritten history.

use std::fs;
use std::path::Path;

use git_ml::base::{Digest, RandomId, RepoPath};
use git_ml::git::Repository;
use git_ml::models::{Alias, Bump, ContentRecord, Number, Registration, promote, register};
use git_ml::objects::Pointer;
use git_ml::runs::{
    FoundBy, Link, Relation, Request, Rewriting, RunsError, SyncOptions, Thing, after_commit, after_rewrite,
    execute, lineage, remember_sources, sync,
};

use crate::runs::{Files, shell};
use crate::sandbox::Sandbox;

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

/// Writes a pointer beside the data, as `git mldata add` does.
fn point_to(top: &Path, name: &str) {
    let bytes = fs::read(top.join(name)).unwrap();
    let text = format!(
        "version = 1\nkind = \"file\"\nblake3 = \"{}\"\nsize = {}\n",
        Digest::of(&bytes),
        bytes.len()
    );
    assert!(Pointer::parse(text.as_bytes()).is_ok());
    fs::write(top.join(format!("{name}.mld")), text).unwrap();
}

/// A repository with data, a run that made a model of it, and both committed; the run.
fn trained() -> (Sandbox, RandomId) {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "/data.csv\n/model\n");
    sandbox.write("data.csv", "id\n1\n");
    point_to(&sandbox.top(), "data.csv");
    sandbox.commit("train.sh", "exit 0");
    let run = train(&sandbox, "weights");
    (sandbox, run)
}

fn train(sandbox: &Sandbox, weights: &str) -> RandomId {
    let request = Request {
        name: Some("train".into()),
        inputs: vec![path("data.csv")],
        outputs: vec![path("model")],
        ..shell(&format!("echo {weights} > '{}/model'", sandbox.top().display()))
    };
    let run = execute(&sandbox.open(), &request, &Files { top: sandbox.top() }).unwrap().id;
    point_to(&sandbox.top(), "model");
    run
}

fn commit_model(sandbox: &Sandbox) -> String {
    sandbox.git(&["add", "model.mld"]);
    sandbox.git(&["commit", "--quiet", "--message", "a model"]);
    sandbox.git(&["rev-parse", "HEAD"])
}

fn shape(links: &[Link]) -> String {
    let one = |link: &Link| {
        let thing = match &link.thing {
            Thing::Content(ContentRecord { path, .. }) => path.clone(),
            Thing::Run { name, .. } => name.clone().unwrap_or_default(),
            Thing::Version { model, version, .. } => format!("{model}@{version}"),
            Thing::Code(_) => "code".into(),
            other => format!("{other:?}"),
        };
        format!("{:?} {thing} [{}]", link.relation, shape(&link.links))
    };
    links.iter().map(one).collect::<Vec<_>>().join(", ")
}

const BACK: &str = "StandsFor model [MadeBy train [Ran code [], Read data.csv []]]";

#[test]
fn a_model_leads_back_to_its_data_and_the_data_forward_to_the_model_in_a_fresh_clone_too() {
    let (sandbox, run) = trained();
    commit_model(&sandbox);
    let origin = sandbox.beside("origin.git");
    sandbox.git(&["clone", "--quiet", "--bare", ".", origin.to_str().unwrap()]);
    sandbox.git(&["remote", "add", "origin", origin.to_str().unwrap()]);
    let repository = sandbox.open();
    let wanted = Registration {
        model: "churn".parse().unwrap(),
        path: path("model"),
        number: Number::Next(Bump::Patch),
        run: Some(run),
        remote: None,
        again: false,
    };
    register(&repository, &wanted).unwrap();
    promote(&repository, &"churn".parse().unwrap(), &Alias::fresh("prod").unwrap(), None).unwrap();
    sync(&repository, &SyncOptions::default()).unwrap();

    let fresh = sandbox.beside("fresh");
    sandbox.git(&["clone", "--quiet", origin.to_str().unwrap(), fresh.to_str().unwrap()]);
    sandbox.git_in(&fresh, &["config", "user.name", "C"]);
    sandbox.git_in(&fresh, &["config", "user.email", "c@example.com"]);
    let fresh = Repository::open(&fresh).unwrap();
    assert!(matches!(lineage(&fresh, "train"), Err(RunsError::NoSuchSubject { .. })));
    sync(&fresh, &SyncOptions::default()).unwrap();
    for repository in [&repository, &fresh] {
        for named in ["churn@prod", "churn@0.0.1", "churn"] {
            let found = lineage(repository, named).unwrap();
            assert_eq!(shape(&found.back), BACK);
            let Thing::Version { aliases, .. } = found.subject else { panic!("a version") };
            assert_eq!(aliases.len(), 1);
        }
        let data = Digest::of(b"id\n1\n").to_string();
        for named in [data.as_str(), "HEAD:data.csv"] {
            let forward = shape(&lineage(repository, named).unwrap().forward);
            assert_eq!(forward, "ReadBy train [Made model [RegisteredAs churn@v0.0.1 []]]");
        }
        let of_run = lineage(repository, &run.to_string()[..8]).unwrap();
        assert_eq!(shape(&of_run.back), "Ran code [], Read data.csv []");
        assert_eq!(shape(&of_run.forward), "Made model [RegisteredAs churn@v0.0.1 []]");
    }
    let json = serde_json::to_value(lineage(&fresh, "churn#prod").unwrap()).unwrap();
    assert_eq!(json["back"][0]["relation"], "stands_for");
    assert_eq!(json["back"][0]["links"][0]["thing"], "run");
}

/// The runs of a revision as lineage tells them, and by what they were found.
fn origin(repository: &Repository, revision: &str) -> (usize, Option<FoundBy>) {
    let found = lineage(repository, revision).unwrap();
    let Thing::Commit { found_by, .. } = found.subject else { panic!("a commit") };
    assert!(found.back.iter().all(|link| link.relation == Relation::MadeBy));
    (found.back.len(), found_by)
}

#[test]
fn the_lineage_of_a_commit_survives_amend_rebase_and_cherry_pick() {
    let (sandbox, _) = trained();
    let first = commit_model(&sandbox);
    let repository = sandbox.open();
    let record = after_commit(&repository).unwrap().unwrap();
    assert_eq!((record.commit.as_str(), record.runs.len()), (first.as_str(), 1));
    let log = sandbox.git(&["log", "-1", "--notes=mlrun", "--format=%N"]);
    assert!(log.starts_with("git-mlrun "), "{log}");

    sandbox.git(&["commit", "--quiet", "--amend", "--message", "a better model"]);
    let amended = repository.resolve_commit("HEAD").unwrap();
    assert_eq!(origin(&repository, "HEAD"), (1, Some(FoundBy::Tree)), "even if no hook had run");
    after_rewrite(&repository, Rewriting::Amend, &[(first.parse().unwrap(), amended)]).unwrap();
    assert_eq!(origin(&repository, "HEAD"), (1, Some(FoundBy::Commit)));

    sandbox.git(&["checkout", "--quiet", "-b", "other", "HEAD~"]);
    sandbox.commit("unrelated", "x");
    assert_eq!(
        after_commit(&repository).unwrap(),
        None,
        "nothing is recorded where there is nothing to tell"
    );
    sandbox.git(&["cherry-pick", "main"]);
    assert_eq!(origin(&repository, "HEAD"), (1, Some(FoundBy::PatchId)));

    sandbox.git(&["checkout", "--quiet", "-b", "third", "HEAD~"]);
    sandbox.git(&["cherry-pick", "--no-commit", "main"]);
    fs::write(repository.git_dir().join("CHERRY_PICK_HEAD"), format!("{amended}\n")).unwrap();
    remember_sources(&repository).unwrap();
    fs::remove_file(repository.git_dir().join("CHERRY_PICK_HEAD")).unwrap();
    sandbox.commit("more", "changed so that neither tree nor patch id is the same");
    let record = after_commit(&repository).unwrap().unwrap();
    assert_eq!(record.from[0].how, Rewriting::CherryPick);
    assert_eq!(after_commit(&repository).unwrap().unwrap().from, [], "the sources are taken once");
    sandbox.git(&["notes", "--ref=mlrun", "list"]);
    sandbox.git(&["fsck", "--strict"]);
}

#[test]
fn a_squash_merge_on_a_server_is_found_by_what_it_adds() {
    let (sandbox, _) = trained();
    commit_model(&sandbox);
    train(&sandbox, "better");
    commit_model(&sandbox);
    sandbox.git(&["checkout", "--quiet", "-b", "merged", "HEAD~2"]);
    sandbox.git(&["merge", "--quiet", "--squash", "main"]);
    sandbox.commit("squashed", "and more");
    let repository = sandbox.open();
    assert_eq!(origin(&repository, "HEAD"), (1, Some(FoundBy::Content)), "the run that made what stayed");
    assert_eq!(origin(&repository, "HEAD~"), (0, None));
}
