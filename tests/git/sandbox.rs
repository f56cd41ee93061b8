//! Repositories apart from the machine's settings, with fixed names and dates, and real Git to judge.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use git_ml::git::Repository;

/// A folder with a home of its own and a repository in `work`.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    /// An empty repository whose branch is `main`.
    pub fn new() -> Self {
        let sandbox = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(sandbox.top()).unwrap();
        sandbox.git(&["init", "--quiet", "--initial-branch=main", "."]);
        sandbox.git(&["config", "user.name", "A U Thor"]);
        sandbox.git(&["config", "user.email", "author@example.com"]);
        sandbox
    }

    /// The top of the work tree, without symbolic links.
    pub fn top(&self) -> PathBuf {
        self.beside("work")
    }

    /// A path beside the repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join(name)
    }

    /// The repository as our layer sees it.
    pub fn open(&self) -> Repository {
        Repository::open(&self.top()).unwrap()
    }

    /// Writes a file of the work tree, with its folders.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.top().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a file and commits all there is; the commit's name.
    pub fn commit(&self, path: &str, text: &str) -> String {
        self.write(path, text);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", path]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// What real Git answers at the top; it must succeed.
    pub fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.top(), args)
    }

    /// What real Git answers in another folder; it must succeed.
    pub fn git_in(&self, folder: &Path, args: &[&str]) -> String {
        let output = self.command("git", folder).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// A program in an environment that only this sandbox knows.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(folder)
            .env("HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.folder.path());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.env("GIT_AUTHOR_DATE", "1700000000 +0100").env("GIT_COMMITTER_DATE", "1700000000 +0100");
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
        command
    }
}
