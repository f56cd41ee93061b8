//! Staging: what we stage, Git shows as it shows its own.

use std::env;
use std::fs;

use git_ml::base::{Advice, RepoPath};
use git_ml::git::{AttributesPlace, EntryMode, GitError, Repository, SHARED_ATTRIBUTES};

use crate::sandbox::Sandbox;

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

#[test]
fn staged_files_are_as_git_would_have_them() {
    let sandbox = Sandbox::new();
    sandbox.commit("old", "old");
    sandbox.commit("was/a/file", "x");
    sandbox.write("data/größe.csv.mld", "new\n");
    sandbox.write(".gitignore", "/data/\n");
    fs::remove_file(sandbox.top().join("old")).unwrap();
    fs::remove_dir_all(sandbox.top().join("was")).unwrap();
    sandbox.write("was", "a file now");
    sandbox.git(&["config", "core.untrackedCache", "true"]);
    sandbox.git(&["update-index", "--split-index"]);
    let repository = sandbox.open();
    let files = ["data/größe.csv.mld", ".gitignore", "old", "was"].map(path);
    repository.stage(&files).unwrap();
    let shown =
        sandbox.git(&["-c", "core.quotePath=false", "diff", "--cached", "--name-status", "--no-renames"]);
    assert_eq!(shown, "A\t.gitignore\nA\tdata/größe.csv.mld\nD\told\nA\twas\nD\twas/a/file");
    assert_eq!(sandbox.git(&["diff"]), "");
    sandbox.git(&["fsck"]);
    let repository = sandbox.open();
    let (mode, id) = repository.staged_entry(&path("data/größe.csv.mld")).unwrap().unwrap();
    assert_eq!((mode, repository.read_blob(id, 10).unwrap()), (EntryMode::File, b"new\n".to_vec()));
    assert_eq!(repository.tracked_below(&path("data")).unwrap(), [path("data/größe.csv.mld")]);
    assert!(repository.is_tracked(&path("data")).unwrap() && !repository.is_tracked(&path("dat")).unwrap());

    repository.unstage(&[path("data"), path("nothing")]).unwrap();
    assert!(!sandbox.open().is_tracked(&path("data")).unwrap());
    assert!(sandbox.top().join("data/größe.csv.mld").exists());
}

#[test]
fn each_change_of_the_index_is_seen_at_once() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    for round in 0..20 {
        let name = path(&format!("file-{}", round % 2));
        sandbox.write(name.as_str(), round.to_string());
        repository.stage(std::slice::from_ref(&name)).unwrap();
        let (_, id) = repository.staged_entry(&name).unwrap().unwrap();
        assert_eq!(repository.read_blob(id, 10).unwrap(), round.to_string().as_bytes());
    }
}

#[test]
fn a_locked_index_is_waited_for_a_little_while() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    sandbox.write(".git/index.lock", "");
    let begin = std::time::Instant::now();
    let error = sandbox.open().stage(&[path("a")]).unwrap_err();
    assert!(matches!(&error, GitError::IndexLocked { path } if path.ends_with(".git/index.lock")), "{error}");
    assert!(!error.hints().is_empty() && begin.elapsed().as_secs() < 6);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(300));
            fs::remove_file(sandbox.top().join(".git/index.lock")).unwrap();
        });
        sandbox.open().stage(&[path("a")]).unwrap();
    });
}

/// Not a test: stages `staged` into the index that the environment names.
#[test]
#[ignore = "started by other tests"]
fn probe() {
    let repository = Repository::discover().unwrap();
    repository.stage(&[path("staged")]).unwrap();
    let setting = |key| Repository::discover().unwrap().setting(key).unwrap_or_default();
    println!("seen={}", repository.is_tracked(&path("staged")).unwrap());
    println!("setting={}|{}", setting("mldata.remote"), setting("user.email"));
    println!("git={}", repository.program().args(["config", "mldata.remote"]).text().unwrap_or_default());
}

#[test]
fn a_hook_of_a_partial_commit_works_on_the_index_of_that_commit() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "a");
    sandbox.commit("b", "b");
    sandbox.write("a", "changed");
    sandbox.write("b", "changed");
    sandbox.write("staged", "by the hook");
    let probe = env::current_exe().unwrap();
    let hook =
        format!("#!/bin/sh\ncd sub 2>/dev/null\nexec '{}' --exact index::probe --ignored\n", probe.display());
    sandbox.write(".git/hooks/pre-commit", hook);
    let file = sandbox.top().join(".git/hooks/pre-commit");
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for commit in
        [&["commit", "--quiet", "-m", "plain", "--allow-empty"][..], &["commit", "--quiet", "-am", "all"]]
    {
        sandbox.git(&["rm", "--quiet", "--cached", "--ignore-unmatch", "staged"]);
        sandbox.git(commit);
        assert_eq!(sandbox.git(&["ls-tree", "--name-only", "HEAD", "staged"]), "staged", "{commit:?}");
    }
}

#[test]
fn settings_of_the_command_line_are_heard() {
    let sandbox = Sandbox::new();
    sandbox.write("staged", "x");
    sandbox.git(&["config", "mldata.remote", "weak"]);
    let probe =
        format!("!'{}' --exact index::probe --ignored --nocapture", env::current_exe().unwrap().display());
    let alias = format!("alias.probe={probe}");
    let said = sandbox.git(&["-c", &alias, "-c", "mldata.remote=it's strong", "-c", "user.email=", "probe"]);
    assert!(said.contains("setting=it's strong|\n") && said.contains("git=it's strong\n"), "{said}");
    assert!(sandbox.git(&["-c", &alias, "probe"]).contains("setting=weak|author@example.com\n"));
}

#[test]
fn settings_are_written_for_git() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    repository.write_setting("mldata.remote", "a b\"c").unwrap();
    assert_eq!(sandbox.git(&["config", "mldata.remote"]), "a b\"c");
    let spec = "+refs/mlrun/*:refs/mlremotes/origin/*";
    repository.write_setting("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*").unwrap();
    assert!(sandbox.open().add_setting("remote.origin.fetch", spec).unwrap());
    assert!(!sandbox.open().add_setting("remote.origin.fetch", spec).unwrap());
    assert_eq!(sandbox.open().setting_values("remote.origin.fetch").len(), 2);
    assert!(repository.remove_setting("remote.origin.fetch", Some(spec)).unwrap());
    assert!(!repository.remove_setting("remote.origin.fetch", Some(spec)).unwrap());
    assert_eq!(
        sandbox.git(&["config", "--get-all", "remote.origin.fetch"]),
        "+refs/heads/*:refs/remotes/origin/*"
    );
    assert!(repository.remove_setting("mldata.remote", None).unwrap());
    sandbox.git(&["config", "mldata.limit", "64m"]);
    sandbox.git(&["config", "mldata.auto", "yes"]);
    let repository = sandbox.open();
    assert_eq!(repository.setting_number("mldata.limit"), Some(64 << 20));
    assert_eq!(repository.setting_switch("mldata.auto"), Some(true));
    assert_eq!(repository.setting("mldata.remote"), None);
}

#[test]
fn paths_that_history_tracks_are_found() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    assert!(repository.tracked_in_history(&[path("a")]).unwrap().is_empty(), "no commit yet");
    sandbox.commit("a", "a");
    sandbox.commit("img/b*", "b");
    sandbox.git(&["rm", "--quiet", "a", "img/b*"]);
    sandbox.git(&["commit", "--quiet", "-m", "gone"]);
    let asked = ["a", "img", "img/b*", "img/*", "c", "d"].map(path);
    let found = sandbox.open().tracked_in_history(&asked).unwrap();
    assert_eq!(found, ["a", "img", "img/b*"].map(path));
}

#[test]
fn ignored_data_is_ignored_by_git_at_every_commit() {
    let sandbox = Sandbox::new();
    sandbox.commit(".gitignore", "*.o");
    let names = ["data/x*[1].csv", "#top !.bin", "img", "data/é.csv"];
    let repository = sandbox.open();
    let paths = names.map(path);
    let changed = repository.ignore(&paths).unwrap();
    assert_eq!(changed, [".gitignore", "data/.gitignore"].map(path));
    assert_eq!(repository.ignore(&paths).unwrap(), changed, "again, for it was not staged");
    repository.stage(&changed).unwrap();
    assert!(repository.ignore(&paths).unwrap().is_empty(), "again");
    repository.unstage(&changed[1..]).unwrap();
    for name in names {
        let name = if name == "img" { "img/deep/a" } else { name };
        sandbox.write(name, "raw");
    }
    sandbox.write("data/x1.csv", "not ours");
    let untracked = |sandbox: &Sandbox| sandbox.git(&["ls-files", "--others", "--exclude-standard"]);
    assert_eq!(untracked(&sandbox), "data/.gitignore\ndata/x1.csv");
    for name in [".gitignore", "data/.gitignore"] {
        fs::remove_file(sandbox.top().join(name)).unwrap();
    }
    assert_eq!(untracked(&sandbox), "data/x1.csv", "an older commit");
    assert!(repository.is_ignored(&path("img"), true).unwrap());
    assert!(repository.is_ignored(&path("data/x*[1].csv"), false).unwrap());
    assert!(!repository.is_ignored(&path("data/x1.csv"), false).unwrap());
}

#[test]
fn nothing_is_written_through_links_of_a_clone() {
    let sandbox = Sandbox::new();
    let victim = sandbox.beside("victim");
    fs::write(&victim, "precious\n").unwrap();
    let top = sandbox.top();
    for name in [".gitignore", ".gitattributes", "ml.toml"] {
        std::os::unix::fs::symlink(&victim, top.join(name)).unwrap();
    }
    fs::create_dir(sandbox.beside("outside")).unwrap();
    std::os::unix::fs::symlink(sandbox.beside("outside"), top.join("dir")).unwrap();
    let repository = sandbox.open();
    assert!(matches!(repository.ignore(&[path("x")]), Err(GitError::NotAFile { .. })));
    assert!(matches!(repository.ignore(&[path("dir/x")]), Err(GitError::BeyondLink { .. })));
    let shared = repository.set_attributes(AttributesPlace::Shared, &SHARED_ATTRIBUTES);
    assert!(matches!(shared, Err(GitError::NotAFile { .. })));
    assert!(repository.team_file().is_err());
    let file = git_ml::git::TeamFile::new(git_ml::base::RandomId::generate());
    assert!(matches!(repository.write_team_file(&file), Err(GitError::NotAFile { .. })));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious\n");
    assert_eq!(fs::read_dir(sandbox.beside("outside")).unwrap().count(), 0);
}

#[test]
fn what_was_ignored_can_be_taken_back_without_trace() {
    let sandbox = Sandbox::new();
    sandbox.commit(".gitignore", "*.o");
    let exclude = fs::read_to_string(sandbox.top().join(".git/info/exclude")).unwrap();
    let paths = ["a", "d/b", "d/c"].map(path);
    let repository = sandbox.open();
    repository.ignore(&paths).unwrap();
    assert_eq!(repository.unignore(&paths[1..2]).unwrap(), [path("d/.gitignore")]);
    assert_eq!(repository.unignore(&paths).unwrap(), [".gitignore", "d/.gitignore"].map(path));
    assert!(!sandbox.top().join("d/.gitignore").exists());
    assert_eq!(fs::read_to_string(sandbox.top().join(".gitignore")).unwrap(), "*.o\n");
    assert_eq!(fs::read_to_string(sandbox.top().join(".git/info/exclude")).unwrap(), exclude);
}

#[test]
fn attributes_keep_pointers_whole() {
    let sandbox = Sandbox::new();
    sandbox.commit(".gitattributes", "*.png binary\n");
    let repository = sandbox.open();
    assert!(repository.set_attributes(AttributesPlace::Shared, &SHARED_ATTRIBUTES).unwrap());
    assert!(!repository.set_attributes(AttributesPlace::Shared, &SHARED_ATTRIBUTES).unwrap());
    let said = sandbox.git(&["check-attr", "text", "merge", "--", "d/x.mld", ".gitignore"]);
    assert!(said.contains("d/x.mld: text: unset\nd/x.mld: merge: unset"), "{said}");
    assert!(said.contains(".gitignore: merge: union"), "{said}");
    assert!(repository.set_attributes(AttributesPlace::Local, &["*.mld merge=mldata"]).unwrap());
    assert!(sandbox.git(&["check-attr", "merge", "--", "x.mld"]).ends_with("mldata"));
    assert_eq!(repository.attributes(AttributesPlace::Local).unwrap(), ["*.mld merge=mldata"]);
    for place in [AttributesPlace::Local, AttributesPlace::Shared] {
        assert!(repository.set_attributes(place, &[]).unwrap());
    }
    assert_eq!(sandbox.git(&["status", "--short"]), "");
    assert!(!sandbox.top().join(".git/info/attributes").exists());
}

#[test]
fn commands_that_ignore_at_once_all_count() {
    let sandbox = Sandbox::new();
    sandbox.commit(".gitignore", "*.o");
    let repository = sandbox.open();
    for round in 0..10 {
        let paths = |worker: usize| {
            let names = ["x", "deep/y"].map(|name| format!("{name}{round}-{worker}"));
            names.map(|name| path(&name))
        };
        std::thread::scope(|scope| {
            for worker in 0..4 {
                // As another process has it.
                let repository = sandbox.open();
                let paths = &paths;
                scope.spawn(move || repository.ignore(&paths(worker)).unwrap());
            }
        });
        for path in (0..4).flat_map(paths) {
            assert!(repository.is_ignored(&path, false).unwrap(), "{path} in round {round}");
            let exclude = fs::read_to_string(sandbox.top().join(".git/info/exclude")).unwrap();
            assert!(exclude.lines().any(|line| line == format!("/{path}")), "{path}: {exclude}");
            let here = path.parent().map_or(".gitignore".into(), |folder| format!("{folder}/.gitignore"));
            let here = fs::read_to_string(sandbox.top().join(here)).unwrap();
            assert!(here.lines().any(|line| line == format!("/{}", path.name())), "{path}: {here}");
        }
    }
}
