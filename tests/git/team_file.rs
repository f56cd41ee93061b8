//! `ml.toml`: read with warnings, edited without loss.

use git_ml::base::{RandomId, RepoPath};
use git_ml::git::{IgnoredKey, TeamFile, TeamFileError, TeamRemote};

use crate::sandbox::Sandbox;

const EXAMPLE: &str = r#"# Data of this repository is kept with git-ml (cargo install git-ml). To get it: git mldata pull
version = 1
repository = "7f3c0a00000000000000000000000000"      # random
default-remote = "main"

[remote.main]   # the bucket
url = "s3://acme-ml/churn"   # ours
region = "eu-west-1"

[table."data/*.csv"]
key = ["id"]
private = ["email"]

[check.penguin-drift]
kind = "drift"
threshold = 0.2
"#;

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

fn remote(url: &str, options: &[(&str, &str)]) -> TeamRemote {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    TeamRemote { url: url.into(), options }
}

#[test]
fn the_example_is_understood() {
    let file = TeamFile::parse(EXAMPLE).unwrap();
    assert_eq!(file.repository().unwrap().to_string(), "7f3c0a00000000000000000000000000");
    assert_eq!(file.default_remote(), Some("main"));
    assert_eq!(file.remotes()["main"], remote("s3://acme-ml/churn", &[("region", "eu-west-1")]));
    let rule = file.table_rule(&path("data/penguins.csv"));
    assert_eq!((rule.key, rule.private), (vec!["id".to_owned()], vec!["email".to_owned()]));
    assert!(file.table_rule(&path("data/deep/penguins.csv")).key.is_empty());
    assert_eq!(file.checks()["penguin-drift"]["threshold"].as_float(), Some(0.2));
    assert!(file.ignored().is_empty());
    assert_eq!(file.text(), EXAMPLE);
}

#[test]
fn edits_keep_every_comment() {
    let mut file = TeamFile::parse(EXAMPLE).unwrap();
    file.set_remote("main", remote("s3://other/place", &[("endpoint", "http://localhost:9000")]));
    file.set_remote("disk", remote("/mnt/data", &[]));
    file.set_table_key("*.tsv", &["a".into(), "b".into()]);
    let text = file.text();
    assert!(
        text.contains("[remote.main]   # the bucket\nurl = \"s3://other/place\"   # ours\nendpoint"),
        "{text}"
    );
    assert!(!text.contains("region") && text.contains("# random\n"), "{text}");
    let again = TeamFile::parse(&text).unwrap();
    assert_eq!(again.remotes(), file.remotes());
    assert_eq!(again.table_rule(&path("x/y.tsv")).key, ["a", "b"]);

    assert!(file.remove_remote("main") && file.remove_remote("disk") && !file.remove_remote("disk"));
    assert_eq!(file.default_remote(), None);
    let rest = file.text();
    assert!(!rest.contains("remote") && rest.contains("[check.penguin-drift]"), "{rest}");
}

#[test]
fn a_new_file_tells_a_newcomer_what_to_do() {
    let id = RandomId::generate();
    let mut file = TeamFile::new(id);
    file.set_remote("main", remote("/mnt/data", &[]));
    let expected = format!(
        "# Data of this repository is kept with git-ml (cargo install git-ml). To get it: git mldata pull\n\
         version = 1\nrepository = \"{id}\"\ndefault-remote = \"main\"\n\n[remote.main]\nurl = \"/mnt/data\"\n"
    );
    assert_eq!(file.text(), expected);
    assert_eq!(TeamFile::parse(&expected).unwrap().default_remote(), Some("main"));
}

#[test]
fn unsafe_and_unknown_keys_do_not_count() {
    let text = "future = 1\n[remote.m]\nurl = \"s3://b\"\nsecret_access_key = \"x\"\nsas-token = \"y\"\n\
        allow_http = true\n[table.\"*\"]\ncolour = 1\n";
    let file = TeamFile::parse(text).unwrap();
    assert_eq!(file.remotes()["m"], remote("s3://b", &[("allow_http", "true")]));
    let expected = [
        IgnoredKey::Unknown("future".into()),
        IgnoredKey::Unsafe("remote.m.secret_access_key".into()),
        IgnoredKey::Unsafe("remote.m.sas-token".into()),
        IgnoredKey::Unknown("table.\"*\".colour".into()),
    ];
    assert_eq!(file.ignored(), expected);
    assert_eq!(file.text(), text, "nothing is lost");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let line = |text: &str| match TeamFile::parse(text).unwrap_err() {
        TeamFileError::Syntax { line, .. } | TeamFileError::Value { line, .. } => line,
        error => panic!("{error}"),
    };
    assert_eq!(line("version = 1\n[remote.x\nurl = 1"), 2);
    assert_eq!(line("version = 1\n\n[remote.x]\nurl = [1]\n"), 4);
    assert_eq!(line("repository = \"7F\"\n"), 1);
    assert_eq!(line("[table.\"*\"]\nkey = \"id\"\n"), 2);
    assert_eq!(line("version = 1\n[remote.x]\nregion = \"e\"\n"), 2);
    assert_eq!(line("version = 1\n\nremote = 3\n"), 3);
    assert_eq!(line("a = 1\na = 2\n"), 2);
    assert!(matches!(TeamFile::parse("version = 2"), Err(TeamFileError::Version { version: 2 })));
    assert!(matches!(TeamFile::parse("version = \"1\""), Err(TeamFileError::Value { .. })));
}

#[test]
fn it_is_read_from_the_work_tree_and_written_there() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    assert!(repository.team_file().unwrap().is_none());
    let file = TeamFile::new(RandomId::generate());
    let written = repository.write_team_file(&file).unwrap();
    repository.stage(&[written]).unwrap();
    assert_eq!(sandbox.git(&["status", "--short"]), "A  ml.toml");
    assert_eq!(repository.team_file().unwrap().unwrap().repository(), file.repository());
    sandbox.git(&["commit", "--quiet", "-m", "team"]);
    let bare = sandbox.beside("bare.git");
    sandbox.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    let bare = git_ml::git::Repository::open(&bare).unwrap();
    assert_eq!(bare.team_file().unwrap().unwrap().repository(), file.repository());
    let mode = std::fs::metadata(sandbox.top().join("ml.toml")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o444, 0o444, "readable as files are");
}
