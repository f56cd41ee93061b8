//! A home, a PATH and repositories that nothing of this machine reaches.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use super::Ran;

/// When all commits are made.
const DATE: &str = "2026-01-02T03:04:05+0000";

/// The number of the user who is nobody else.
const NOBODY: u32 = 65_534;

/// A temporary folder with a home; removed with the last [`Place`] in it.
pub struct Sandbox {
    root: Arc<TempDir>,
    user: Option<u32>,
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

    /// An empty one in which an ordinary user works, to whom permissions mean something: nobody, where root runs the tests.
    pub fn of_a_user() -> Self {
        let sandbox = Self::new();
        if !rustix::process::geteuid().is_root() {
            return sandbox;
        }
        let programs = sandbox.path().join("programs");
        fs::create_dir(&programs).expect("a folder");
        // The folder in which they were built may be closed to that user.
        let (from, to) = (Path::new(env!("CARGO_BIN_EXE_git-mldata")), programs.join("git-mldata"));
        fs::copy(from, &to).expect("a copy");
        for path in ["", "home", "tmp", "home/.gitconfig", "programs", "programs/git-mldata"] {
            chown(sandbox.path().join(path), Some(NOBODY), Some(NOBODY)).expect("a new owner");
        }
        Self { user: Some(NOBODY), ..sandbox }
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
        Self { root: Arc::new(root), user: None }
    }

    /// The sandbox that a place lies in.
    pub fn at(place: &Place) -> Self {
        Self { root: Arc::clone(&place.sandbox), user: place.user }
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
        let (root, path) = (self.path(), self.path().join(name));
        fs::create_dir_all(&path).expect("a folder");
        let place = Place { sandbox: Arc::clone(&self.root), root, path, set: Vec::new(), user: self.user };
        place.hand_over(&place.path);
        place
    }
}

/// A folder in which commands are run.
#[derive(Clone)]
pub struct Place {
    sandbox: Arc<TempDir>,
    root: PathBuf,
    path: PathBuf,
    set: Vec<(String, String)>,
    user: Option<u32>,
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
        let built = Path::new(env!("CARGO_BIN_EXE_git-mldata")).parent().expect("a folder");
        let programs = if self.user.is_some() { self.root.join("programs") } else { built.to_owned() };
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
        if let Some(user) = self.user {
            program.uid(user).gid(user);
        }
        program
    }

    /// Makes the user the owner of what the test has made, and of the folders above.
    fn hand_over(&self, path: &Path) {
        let Some(user) = self.user else { return };
        for path in path.ancestors().take_while(|path| *path != self.root) {
            chown(path, Some(user), Some(user)).expect("a new owner");
        }
    }

    /// Writes a file and the folders above it.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        self.hand_over(&path);
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
