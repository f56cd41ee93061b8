//! Hooks: installed beside what is there, run by real Git, removed without trace.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use git_ml::git::{HookChange, HookError, HookState};

use crate::sandbox::Sandbox;

/// Every hook that ran, in order, as `NAME ARGUMENTS: INPUT`, by a stand-in for our program.
const STAND_IN: &str = "#!/bin/sh\nshift\nprintf '%s: ' \"$*\" >>\"$LOG\"\n[ \"$1\" != pre-push ] && [ \"$1\" != post-rewrite ] || cat >>\"$LOG\"\necho >>\"$LOG\"\nexit 1\n";

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Git with our program's stand-in on its path; without it when `program` is false.
fn git(sandbox: &Sandbox, program: bool, args: &[&str]) -> Output {
    let bin = sandbox.beside("bin");
    if program {
        script(&bin.join("git-mldata"), STAND_IN);
    }
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let mut git = sandbox.command("git", &sandbox.top());
    git.args(args).env("PATH", path).env("LOG", sandbox.beside("log")).output().unwrap()
}

fn log(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.beside("log")).unwrap_or_default()
}

fn hooks(sandbox: &Sandbox) -> PathBuf {
    sandbox.top().join(".git/hooks")
}

fn folder(path: &Path) -> BTreeMap<String, (String, u32)> {
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        (entry.file_name().into_string().unwrap(), (fs::read_to_string(entry.path()).unwrap(), mode))
    };
    fs::read_dir(path).unwrap().map(file).collect()
}

#[test]
fn hooks_run_when_git_runs_them_and_never_break_what_they_watch() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "a");
    let changes = sandbox.open().install_hooks(false).unwrap();
    assert!(changes.len() == 10 && changes.iter().all(|(_, change)| *change == HookChange::Installed));
    assert!(
        sandbox
            .open()
            .install_hooks(false)
            .unwrap()
            .iter()
            .all(|(_, change)| *change == HookChange::Unchanged)
    );

    for args in [&["checkout", "--quiet", "-b", "side"][..], &["status"], &["reset", "--quiet", "--hard"]] {
        assert!(git(&sandbox, true, args).status.success(), "{args:?}: a watching hook stopped Git");
    }
    let logged = log(&sandbox);
    assert!(logged.contains("post-checkout ") && logged.contains("post-index-change 1 0: "), "{logged}");
    assert!(!logged.contains("post-index-change 0"), "{logged}");
    let refused = git(&sandbox, true, &["commit", "--quiet", "--allow-empty", "-m", "x"]);
    assert!(!refused.status.success() && log(&sandbox).contains("pre-commit: "));
}

#[test]
fn the_hook_of_another_runs_first_with_arguments_and_input() {
    let sandbox = Sandbox::new();
    let commit = sandbox.commit("a", "a");
    let origin = sandbox.beside("origin.git");
    sandbox.git(&["init", "--quiet", "--bare", origin.to_str().unwrap()]);
    script(&hooks(&sandbox).join("pre-push"), "#!/bin/sh\necho theirs $2 >>\"$LOG\"\ncat >>\"$LOG\"\n");
    script(&hooks(&sandbox).join("post-checkout"), "#!/usr/bin/env python3\nimport sys\nsys.exit(7)\n");
    let before = folder(&hooks(&sandbox));
    let changes = sandbox.open().install_hooks(false).unwrap();
    assert_eq!(changes.iter().filter(|(_, change)| *change == HookChange::InstalledBeside).count(), 2);

    let url = origin.to_str().unwrap();
    assert!(!git(&sandbox, true, &["push", "--quiet", url, "main"]).status.success(), "ours refuses");
    let line = format!("refs/heads/main {commit} refs/heads/main {}", "0".repeat(40));
    assert_eq!(log(&sandbox), format!("theirs {url}\n{line}\npre-push {url} {url}: {line}\n\n"));
    assert!(!git(&sandbox, true, &["switch", "--quiet", "-c", "x"]).status.success(), "their answer counts");

    let restored = sandbox.open().uninstall_hooks().unwrap();
    assert_eq!(restored.iter().filter(|(_, change)| *change == HookChange::Restored).count(), 2);
    assert_eq!(folder(&hooks(&sandbox)), before);
    assert!(sandbox.open().uninstall_hooks().unwrap().is_empty());
}

#[test]
fn a_missing_program_is_explained_and_stops_only_a_push() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "a");
    sandbox.open().install_hooks(false).unwrap();
    let made = git(&sandbox, false, &["commit", "--quiet", "--allow-empty", "-m", "x"]);
    assert!(made.status.success() && String::from_utf8_lossy(&made.stderr).contains("cargo install git-ml"));
    assert!(git(&sandbox, false, &["checkout", "--quiet", "-b", "x"]).status.success());
    let origin = sandbox.beside("origin.git");
    sandbox.git(&["init", "--quiet", "--bare", origin.to_str().unwrap()]);
    let pushed = git(&sandbox, false, &["push", "--quiet", origin.to_str().unwrap(), "x"]);
    assert!(!pushed.status.success() && String::from_utf8_lossy(&pushed.stderr).contains("--no-verify"));
}

#[test]
fn only_what_is_provably_ours_is_replaced() {
    let sandbox = Sandbox::new();
    sandbox.open().install_hooks(false).unwrap();
    let path = hooks(&sandbox).join("post-merge");
    let text = fs::read_to_string(&path).unwrap();
    script(&path, &text.replace("exit", "echo mine; exit"));
    fs::set_permissions(hooks(&sandbox).join("pre-push"), fs::Permissions::from_mode(0o644)).unwrap();
    let state = |name: &str| {
        let status = sandbox.open().hooks_status().unwrap();
        status.hooks.into_iter().find(|hook| hook.name == name).unwrap().state
    };
    assert_eq!(state("post-merge"), HookState::Edited);
    assert_eq!(state("pre-push"), HookState::NotExecutable);
    let changes: BTreeMap<_, _> = sandbox.open().install_hooks(false).unwrap().into_iter().collect();
    assert_eq!((changes["post-merge"], changes["pre-push"]), (HookChange::LeftEdited, HookChange::Updated));
    sandbox.open().uninstall_hooks().unwrap();
    assert!(path.exists() && !hooks(&sandbox).join("pre-push").exists());

    script(&hooks(&sandbox).join("pre-commit"), "#!/bin/sh\n");
    script(&hooks(&sandbox).join("pre-commit.pre-mldata"), "#!/bin/sh\n");
    assert!(matches!(sandbox.open().install_hooks(false), Err(HookError::Occupied { .. })));
}

#[test]
fn a_hooks_path_is_respected() {
    let sandbox = Sandbox::new();
    sandbox.commit("sub/a", "a");
    let linked = sandbox.beside("linked");
    sandbox.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    let linked = git_ml::git::Repository::open(&linked).unwrap();
    assert!(linked.hooks_status().unwrap().is_own_folder, "worktrees share the hooks");
    linked.install_hooks(false).unwrap();
    assert!(hooks(&sandbox).join("pre-push").exists());

    sandbox.git(&["config", "core.hooksPath", "tools/hooks"]);
    let repository = sandbox.open();
    let status = repository.hooks_status().unwrap();
    assert!(!status.is_own_folder && status.folder == sandbox.top().join("tools/hooks"));
    assert!(status.hooks.iter().all(|hook| hook.state == HookState::Absent));
    assert!(matches!(repository.install_hooks(false), Err(HookError::Shared { .. })));
    repository.install_hooks(true).unwrap();
    assert_eq!(repository.uninstall_hooks().unwrap().len(), 20, "in both places");

    sandbox.git(&["config", "core.hooksPath", ".husky/_"]);
    assert!(matches!(sandbox.open().install_hooks(true), Err(HookError::Husky { .. })));
}

#[test]
fn a_tool_that_took_ours_over_is_not_taken_over_again() {
    let sandbox = Sandbox::new();
    sandbox.open().install_hooks(false).unwrap();
    let path = hooks(&sandbox).join("pre-commit");
    fs::rename(&path, path.with_extension("legacy")).unwrap();
    script(&path, "#!/usr/bin/env bash\n# by pre-commit\n");
    let changes: BTreeMap<_, _> = sandbox.open().install_hooks(false).unwrap().into_iter().collect();
    assert_eq!(changes["pre-commit"], HookChange::Unchanged);
    sandbox.open().uninstall_hooks().unwrap();
    assert!(path.exists() && !path.with_extension("legacy").exists());
}
