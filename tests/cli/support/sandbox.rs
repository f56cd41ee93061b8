//! A home, a PATH and repositories that nothing of this machine reaches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use super::Ran;

/// When all commits are made.
const DATE: &str = "2026-01-02T03:04:05+0000";

/// A temporary folder with a home; removed with the last [`Place`] in it.
pub struct Sandbox {
    root: Arc<TempDir>,
}

impl Sandbox {
    /// An empty one.
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// An empty one on a file system in memory, where this machine has one: for tests that make thousands of files.
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory) } else { Self::new() }
    }

    /// An empty one in `folder`.
    pub fn below(folder: &Path) -> Self {
        let root = tempfile::Builder::new().prefix("git-ml-").tempdir_in(folder).expect("a temporary folder");
        for folder in ["home", "tmp"] {
            fs::create_dir(root.path().join(folder)).expect("a folder");
        }
        let config = "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n\
                      [advice]\n\tdetachedHead = false\n[protocol \"file\"]\n\tallow = always\n";
        fs::write(root.path().join("home/.gitconfig"), config).expect("a file");
        Self { root: Arc::new(root) }
    }

    /// The sandbox that a place lies in.
    pub fn at(place: &Place) -> Self {
        Self { root: Arc::clone(&place.sandbox) }
    }

    /// The folder that all lies in.
    pub fn path(&self) -> PathBuf {
        self.root.path().canonicalize().expect("a path")
    }

    /// A new repository, with no commit.
    pub fn repository(&self, name: &str) -> Place {
        let place = self.folder(name);
        place.run("git init -q .").ok();
        place
    }

    /// A new repository that keeps data, with one commit.
    pub fn data_repository(&self, name: &str) -> Place {
        let place = self.repository(name);
        place.write("ml.toml", "version = 1\nrepository = \"000102030405060708090a0b0c0d0e0f\"\n");
        place.run("git add ml.toml && git commit -qm 'begin'").ok();
        place
    }

    /// A folder, made where it is not there.
    pub fn folder(&self, name: &str) -> Place {
        let path = self.path().join(name);
        fs::create_dir_all(&path).expect("a folder");
        Place { sandbox: Arc::clone(&self.root), root: self.path(), path, set: Vec::new() }
    }
}

/// A folder in which commands are run.
#[derive(Clone)]
pub struct Place {
    sandbox: Arc<TempDir>,
    root: PathBuf,
    path: PathBuf,
    set: Vec<(String, String)>,
}

impl Place {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same place with a variable of the environment set.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut place = self.clone();
        place.set.push((name.to_owned(), value.to_owned()));
        place
    }

    /// Runs a line as a shell would, and waits for it.
    pub fn run(&self, line: &str) -> Ran {
        let output = self.shell(line).output().expect("a shell");
        Ran::new(&self.root, line, &output)
    }

    /// The shell that would run a line, for tests that start or kill it themselves.
    pub fn shell(&self, line: &str) -> Command {
        let mut shell = self.program("sh");
        shell.args(["-c", line]);
        shell
    }

    /// A program in this place, without a shell around it.
    pub fn program(&self, name: &str) -> Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_git-mldata")).parent().expect("a folder").to_owned();
        let path = std::env::var("PATH").expect("a PATH");
        let found = programs.join(name);
        let mut program = Command::new(if found.exists() { found } else { name.into() });
        program.current_dir(&self.path).stdin(Stdio::null()).env_clear();
        program.env("PATH", format!("{}:{path}", programs.display()));
        program.env("HOME", self.root.join("home")).env("TMPDIR", self.root.join("tmp"));
        program.env("XDG_CONFIG_HOME", self.root.join("home/.config"));
        program.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0").env("GIT_EDITOR", ":");
        program.env("GIT_AUTHOR_DATE", DATE).env("GIT_COMMITTER_DATE", DATE);
        program.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("AWS_EC2_METADATA_DISABLED", "true");
        program.envs(self.set.iter().map(|(name, value)| (name, value)));
        program
    }

    /// Writes a file and the folders above it.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    /// The bytes of a file.
    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.path.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.read(path)).expect("UTF-8")
    }

    /// Whether there is a file, folder or link.
    pub fn has(&self, path: &str) -> bool {
        self.path.join(path).symlink_metadata().is_ok()
    }
}
