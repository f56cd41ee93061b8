//! Which repository, index and settings are meant.
//!
//! The environment belongs to a process, so these tests start this test binary once more, and it tells what it sees.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use git_ml::base::Advice;
use git_ml::base::Failure;
use git_ml::git::GitError;
use git_ml::git::Repository;

use crate::sandbox::Sandbox;

/// Not a test: what the process that was started sees, one fact a line.
#[test]
#[ignore = "started by other tests"]
fn probe() {
    match Repository::discover() {
        Ok(repository) => {
            let top = repository.work_dir().map(|top| top.display().to_string()).unwrap_or_default();
            println!("top={top}");
            println!("git_dir={}", repository.git_dir().display());
            println!("common_dir={}", repository.common_dir().display());
            println!("index={}", repository.index_path().display());
            println!("prefix={:?}", repository.prefix().map(|prefix| prefix.to_string()));
            let asked = env::var("PROBE_PATH").unwrap_or_else(|_| "x".into());
            println!(
                "resolved={}",
                repository.resolve_or_top(asked).map_or_else(|e| e.to_string(), |p| format!("{p:?}"))
            );
            let git = |question: &str| {
                repository.program().args(["rev-parse", question]).text().unwrap_or_default()
            };
            println!("program={}|{}", git("--show-toplevel"), git("--absolute-git-dir"));
        }
        Err(error) => println!("error={error} hints={:?}", error.hints()),
    }
}

/// The facts that a process in `folder` sees.
fn probed(command: &mut Command) -> Vec<(String, String)> {
    let output = command.args(["--exact", "opening::probe", "--ignored", "--nocapture"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let fact = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.lines().filter_map(fact).collect()
}

fn fact<'a>(facts: &'a [(String, String)], name: &str) -> &'a str {
    facts.iter().find(|(fact, _)| fact == name).map_or("", |(_, value)| value)
}

fn this_program(sandbox: &Sandbox, folder: &Path) -> Command {
    sandbox.command(env::current_exe().unwrap(), folder)
}

/// What `git rev-parse` answers in the same folder and environment.
fn git_says(sandbox: &Sandbox, folder: &Path, variables: &[(&str, &str)], question: &[&str]) -> String {
    let mut git = sandbox.command("git", folder);
    let output = git.envs(variables.iter().copied()).arg("rev-parse").args(question).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn we_open_what_git_opens() {
    let sandbox = Sandbox::new();
    sandbox.commit("sub/deep/a", "a");
    let top = sandbox.top();
    let linked = sandbox.beside("linked");
    sandbox.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    sandbox.git(&["init", "--quiet", "--separate-git-dir", sandbox.beside("apart").to_str().unwrap()]);
    let git_dir = sandbox.beside("apart");
    let linked_git_dir = git_dir.join("worktrees/linked");
    let cases: Vec<(&Path, Vec<(&str, &str)>)> = vec![
        (&top, vec![]),
        (&linked, vec![]),
        (&linked, vec![("GIT_DIR", linked_git_dir.to_str().unwrap())]),
        (&top, vec![("GIT_DIR", "../apart"), ("GIT_WORK_TREE", ".")]),
        (&top, vec![("GIT_DIR", git_dir.to_str().unwrap())]),
        (&top, vec![("GIT_INDEX_FILE", ".git/other")]),
        (&top, vec![("GIT_INDEX_FILE", "/tmp/next-index-1.lock")]),
        (&linked, vec![("GIT_INDEX_FILE", "index.lock")]),
    ];
    for folder in ["", "sub/deep"] {
        for (top, variables) in &cases {
            if !folder.is_empty() && !variables.is_empty() {
                continue;
            }
            let folder = top.join(folder);
            let facts = probed(this_program(&sandbox, &folder).envs(variables.iter().copied()));
            let git = |question: &[&str]| git_says(&sandbox, &folder, variables, question);
            let absolute = |path: String| fs::canonicalize(folder.join(path)).unwrap().display().to_string();
            assert_eq!(fact(&facts, "top"), git(&["--show-toplevel"]), "{variables:?} in {folder:?}");
            for (name, question) in [("git_dir", "--absolute-git-dir"), ("common_dir", "--git-common-dir")] {
                let ours = fs::canonicalize(fact(&facts, name)).unwrap();
                assert_eq!(
                    ours.display().to_string(),
                    absolute(git(&[question])),
                    "{variables:?} in {folder:?}"
                );
            }
            let program = format!("{}|{}", git(&["--show-toplevel"]), git(&["--absolute-git-dir"]));
            assert_eq!(fact(&facts, "program"), program, "{variables:?} in {folder:?}");
            let index = folder.join(git(&["--git-path", "index"]));
            assert_eq!(fact(&facts, "index"), index.display().to_string(), "{variables:?} in {folder:?}");
        }
    }
}

#[test]
fn paths_count_from_the_current_folder() {
    let sandbox = Sandbox::new();
    sandbox.commit("sub/deep/a", "a");
    std::os::unix::fs::symlink("sub", sandbox.top().join("link")).unwrap();
    std::os::unix::fs::symlink(sandbox.top(), sandbox.beside("entry")).unwrap();
    let absolute = sandbox.top().join("sub/a").display().to_string();
    let through = sandbox.beside("entry").join("sub/a").display().to_string();
    let cases = [
        ("a", "Some(RepoPath(\"sub/a\"))"),
        ("../b", "Some(RepoPath(\"b\"))"),
        ("./deep/../c", "Some(RepoPath(\"sub/c\"))"),
        ("..", "None"),
        ("../link/a", "'link/a' is beyond the symbolic link 'link'"),
        (&absolute, "Some(RepoPath(\"sub/a\"))"),
        (&through, "Some(RepoPath(\"sub/a\"))"),
        ("../.git/config", "'.git' reaches into a '.git' folder"),
    ];
    for (asked, expected) in cases {
        let facts = probed(this_program(&sandbox, &sandbox.top().join("sub")).env("PROBE_PATH", asked));
        let resolved = fact(&facts, "resolved");
        assert_eq!(resolved, expected, "{asked}");
        assert_eq!(fact(&facts, "prefix"), "Some(\"sub\")");
    }
    sandbox.git(&["init", "--quiet", "sub/other"]);
    let facts = probed(this_program(&sandbox, &sandbox.top()).env("PROBE_PATH", "sub/other/x"));
    assert_eq!(fact(&facts, "resolved"), "'sub/other/x' is in another repository, 'sub/other'");
    let facts = probed(this_program(&sandbox, &sandbox.top()).env("PROBE_PATH", "../x"));
    assert!(fact(&facts, "resolved").contains("is outside the work tree"), "{facts:?}");
}

#[test]
fn no_repository_and_a_foreign_one_are_told_apart() {
    let sandbox = Sandbox::new();
    let error = Repository::open(&sandbox.beside("nowhere")).unwrap_err();
    assert!(matches!(error, GitError::NotARepository { .. }), "{error}");
    assert_eq!(error.failure(), Failure::CouldNotDo);
    let facts = probed(&mut this_program(&sandbox, Path::new("/")));
    assert!(fact(&facts, "error").starts_with("not a git repository"), "{facts:?}");

    if rustix::process::geteuid().is_root() {
        let other = sandbox.top();
        rustix::fs::chown(&other, Some(rustix::process::Uid::from_raw(4242)), None).unwrap();
        rustix::fs::chown(other.join(".git"), Some(rustix::process::Uid::from_raw(4242)), None).unwrap();
        let facts = probed(&mut this_program(&sandbox, &other));
        assert!(fact(&facts, "error").contains("is owned by someone else"), "{facts:?}");
        assert!(fact(&facts, "error").contains("safe.directory"), "{facts:?}");
    }
}

#[test]
fn formats_that_are_not_known_are_named() {
    let sandbox = Sandbox::new();
    for (key, name) in [("objectFormat", "sha256"), ("refStorage", "reftable")] {
        let folder = sandbox.beside(name);
        sandbox.git(&["init", "--quiet", folder.to_str().unwrap()]);
        let settings = format!("[core]\nrepositoryFormatVersion = 1\n[extensions]\n{key} = {name}\n");
        fs::write(folder.join(".git/config"), settings).unwrap();
        let error = Repository::open(&folder).unwrap_err();
        assert!(matches!(&error, GitError::Unsupported { format, .. } if format == name), "{error:?}");
    }
}

#[test]
fn a_bare_repository_has_no_work_tree() {
    let sandbox = Sandbox::new();
    let bare = sandbox.beside("bare.git");
    sandbox.git(&["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    let repository = Repository::open(&bare).unwrap();
    assert!(repository.is_bare());
    assert!(matches!(repository.work_dir(), Err(GitError::Bare { .. })));
    let facts = probed(&mut this_program(&sandbox, &bare));
    assert_eq!((fact(&facts, "top"), fact(&facts, "git_dir")), ("", bare.to_str().unwrap()));
}

#[test]
fn head_is_told_before_the_first_commit_and_when_detached() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    assert_eq!(repository.head_commit().unwrap(), None);
    assert_eq!(repository.head_branch().unwrap().as_deref(), Some("main"));
    let commit = sandbox.commit("a", "a");
    assert_eq!(repository.head_commit().unwrap().unwrap().to_string(), commit);
    sandbox.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(sandbox.open().head_branch().unwrap(), None);
}
