//! Dirty state, snapshots, rebases, patch ids.

use std::fs;

use git_ml::git::{LeftOutReason, RebaseState, SnapshotLimits, looks_like_secret};

use crate::sandbox::Sandbox;

const LIMITS: SnapshotLimits = SnapshotLimits { file: 200, sum: 500, files: 10 };

#[test]
fn a_snapshot_is_the_work_tree_without_secrets() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "ignored/\n");
    sandbox.write(".env", "KEY=committed");
    sandbox.write("gone.py", "x");
    sandbox.write("same.py", "same");
    sandbox.commit("train.py", "one");
    sandbox.write(".env", "KEY=changed");
    sandbox.write("train.py", "two");
    fs::remove_file(sandbox.top().join("gone.py")).unwrap();
    for (path, text) in [
        ("new/größe.py", "n"),
        ("server.pem", "p"),
        ("staged.key", "s"),
        ("big.bin", "0123456789".repeat(21).as_str()),
        ("ignored/x", "i"),
        ("staged.py", "staged"),
    ] {
        sandbox.write(path, text);
    }
    sandbox.git(&["add", "staged.py", "staged.key"]);
    std::os::unix::fs::symlink("train.py", sandbox.top().join("link")).unwrap();
    sandbox.git(&["init", "--quiet", "nested"]);
    sandbox.write("nested/a", "a");
    let before = (fs::read(sandbox.top().join(".git/index")).unwrap(), sandbox.git(&["status", "--short"]));

    let snapshot = sandbox.open().snapshot(&LIMITS).unwrap();
    let listed = sandbox.git(&[
        "-c",
        "core.quotePath=false",
        "ls-tree",
        "-r",
        "--name-only",
        &snapshot.tree.to_string(),
    ]);
    assert_eq!(listed, ".env\n.gitignore\nlink\nnew/größe.py\nsame.py\nstaged.py\ntrain.py");
    let show = |path: &str| sandbox.git(&["cat-file", "blob", &format!("{}:{path}", snapshot.tree)]);
    assert_eq!((show(".env").as_str(), show("train.py").as_str()), ("KEY=committed", "two"));
    let left: Vec<_> = snapshot.left_out.iter().map(|left| (left.path.as_str(), left.reason)).collect();
    let expected = [
        (".env", LeftOutReason::Secret),
        ("staged.key", LeftOutReason::Secret),
        ("big.bin", LeftOutReason::TooLarge(210)),
        ("nested/", LeftOutReason::Repository),
        ("server.pem", LeftOutReason::Secret),
    ];
    assert_eq!(left, expected);
    let after = (fs::read(sandbox.top().join(".git/index")).unwrap(), sandbox.git(&["status", "--short"]));
    assert!(before == after, "the index of the user is as it was");
    sandbox.git(&["fsck"]);
}

#[test]
fn a_snapshot_needs_no_commit_and_no_index_and_bears_conflicts() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    let tree = sandbox.open().snapshot(&LIMITS).unwrap().tree;
    assert_eq!(sandbox.git(&["ls-tree", "--name-only", &tree.to_string()]), "a");
    sandbox.commit("x", "base");
    sandbox.git(&["branch", "other"]);
    sandbox.commit("x", "ours");
    sandbox.git(&["checkout", "--quiet", "other"]);
    sandbox.commit("x", "theirs");
    let merged = sandbox.command("git", &sandbox.top()).args(["merge", "--quiet", "main"]).output().unwrap();
    assert!(!merged.status.success());
    sandbox.git(&["update-index", "--split-index"]);
    let tree = sandbox.open().snapshot(&LIMITS).unwrap().tree;
    assert!(sandbox.git(&["cat-file", "blob", &format!("{tree}:x")]).contains("<<<<<<<"));
}

#[test]
fn a_snapshot_of_nothing_new_is_the_commit_and_much_is_not_taken() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "a");
    let head = sandbox.git(&["rev-parse", "HEAD^{tree}"]);
    assert_eq!(sandbox.open().snapshot(&LIMITS).unwrap().tree.to_string(), head);
    for number in 0..4 {
        sandbox.write(&format!("n{number}"), "x".repeat(150));
    }
    let left = sandbox.open().snapshot(&LIMITS).unwrap().left_out;
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].path.as_str(), left[0].reason), ("n3", LeftOutReason::NoRoom));
}

#[test]
fn the_state_of_the_work_tree_is_told_as_git_tells_it() {
    let sandbox = Sandbox::new();
    sandbox.commit("a b", "a");
    assert_eq!(sandbox.open().work_tree_state().unwrap(), Default::default());
    sandbox.write("a b", "changed");
    sandbox.write("new/ü", "n");
    let state = sandbox.open().work_tree_state().unwrap();
    assert!(state.is_dirty());
    assert_eq!((state.changed, state.untracked), (vec!["a b".to_owned()], vec!["new/ü".to_owned()]));
}

#[test]
fn secrets_are_known_by_name() {
    for name in
        [".env", ".env.local", "prod.env", "ID_RSA", "id_rsa.pub", "server.KEY", "credentials.json", ".netrc"]
    {
        assert!(looks_like_secret(name), "{name}");
    }
    for name in ["env.py", "keys.csv", "train.py", "environment.yml", "monkey"] {
        assert!(!looks_like_secret(name), "{name}");
    }
}

#[test]
fn a_rebase_is_seen_from_within() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "a");
    sandbox.git(&["branch", "side"]);
    sandbox.commit("b", "b");
    sandbox.git(&["checkout", "--quiet", "side"]);
    sandbox.commit("c", "c");
    sandbox.commit("d", "d");
    assert_eq!(sandbox.open().rebase_state(), RebaseState::None);
    sandbox.git(&[
        "rebase",
        "--quiet",
        "main",
        "--exec",
        "cat .git/rebase-merge/git-rebase-todo >>.git/todos",
    ]);
    assert!(fs::read_to_string(sandbox.top().join(".git/todos")).unwrap().contains("pick"));
    let state_with = |todo: &str| {
        sandbox.write(".git/rebase-merge/git-rebase-todo", todo);
        sandbox.open().rebase_state()
    };
    assert_eq!(state_with("pick 1234 x\n# comment\n"), RebaseState::UnderWay);
    assert_eq!(state_with("\n# pick 1234 a comment\nnoop\n"), RebaseState::Ending);
    assert_eq!(state_with(""), RebaseState::Ending);
    fs::remove_dir_all(sandbox.top().join(".git/rebase-merge")).unwrap();
    sandbox.write(".git/rebase-apply/next", "1");
    assert_eq!(sandbox.open().rebase_state(), RebaseState::Patching);
}

#[test]
fn a_patch_id_outlives_a_rebase() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "a\n");
    sandbox.git(&["branch", "side"]);
    sandbox.commit("b", "b\n");
    sandbox.git(&["checkout", "--quiet", "side"]);
    let before = sandbox.commit("c", "c\n").parse().unwrap();
    sandbox.git(&["rebase", "--quiet", "main"]);
    let after = sandbox.git(&["rev-parse", "HEAD"]).parse().unwrap();
    sandbox.git(&["config", "diff.noprefix", "true"]);
    let ids = sandbox.open().patch_ids(&[before, after]).unwrap();
    assert!(before != after && ids[&before] == ids[&after]);
    let first = sandbox.git(&["rev-list", "--max-parents=0", "HEAD"]).parse().unwrap();
    assert!(sandbox.open().patch_ids(&[first]).unwrap().contains_key(&first), "the first commit too");
    assert!(sandbox.open().patch_ids(&[]).unwrap().is_empty());
}

#[test]
fn what_is_picked_and_squashed_is_known() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "a");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]);
    let picked = sandbox.commit("b", "b");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.git(&["merge", "--quiet", "--squash", "side"]);
    assert_eq!(sandbox.open().squashed_commits(), [picked.parse().unwrap()]);
    assert_eq!(sandbox.open().picked_commit(), None);
    sandbox.write(".git/CHERRY_PICK_HEAD", format!("{picked}\n"));
    assert_eq!(sandbox.open().picked_commit(), Some(picked.parse().unwrap()));
}
