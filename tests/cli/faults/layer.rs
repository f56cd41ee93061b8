//! The library `tests/faults/faults.c`, built once, and programs that run with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use super::copy::Identity;

/// What happens at the call with the number that a [`Layer`] is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing at all, at no call.
    None,
    /// The program is killed instead of it.
    Kill,
    /// Half of a write is done, then the program is killed.
    Tear,
    /// Half of a write is done, and the program is told so.
    Short,
    /// It fails with this number, alone.
    Once(i32),
    /// It fails with this number, and so does all that follows, except what frees space.
    Stays(i32),
}

/// As `faults.c` numbers what a call does.
const WRITE: u8 = 2;
const SYNC: u8 = 9;
/// So many calls are told apart.
const MOST_CALLS: usize = 4096;

/// The calls of a run that change something.
pub struct Calls {
    /// How many there were.
    pub count: usize,
    kinds: Vec<u8>,
}

impl Calls {
    /// Whether that call wrote bytes: half of it can be done.
    pub fn is_write(&self, number: usize) -> bool {
        self.kinds[number - 1] == WRITE
    }

    /// Whether that call made something last: who is killed does not see whether it was done.
    pub fn is_sync(&self, number: usize) -> bool {
        self.kinds[number - 1] == SYNC
    }
}

/// A folder, and a place outside of it for what the library needs.
pub struct Layer {
    /// What is watched.
    pub root: PathBuf,
    beside: PathBuf,
}

impl Layer {
    /// Watches `root`; `beside` is a folder for the files of the library.
    pub fn new(root: &Path, beside: &Path) -> Self {
        Self { root: root.to_owned(), beside: beside.to_owned() }
    }

    /// Begins a new journal.
    pub fn begin_journal(&self) {
        fs::write(self.journal_path(), b"").expect("a file");
    }

    /// What was done since [`Layer::begin_journal`].
    pub fn journal(&self) -> Vec<u8> {
        fs::read(self.journal_path()).expect("the journal")
    }

    /// Files are to be seen under these identities.
    pub fn disguise(&self, identities: &[Identity]) {
        let bytes: Vec<u8> = identities.iter().flat_map(|identity| identity.to_bytes()).collect();
        fs::write(self.beside.join("stats"), bytes).expect("a file");
    }

    /// Runs `command` with a fault at call number `at`; gives how it ended, and its calls.
    pub fn run(&self, mut command: Command, fault: Fault, at: usize) -> (Output, Calls) {
        let state = self.beside.join("state");
        fs::write(&state, [0; 16 + MOST_CALLS]).expect("a file");
        command.env("LD_PRELOAD", library()).env("FAULTS_ROOT", &self.root).env("FAULTS_STATE", &state);
        command.env("FAULTS_PROGRAM", "git-ml").env("FAULTS_AT", at.to_string());
        for (name, file) in [("FAULTS_JOURNAL", "journal"), ("FAULTS_STATS", "stats")] {
            let file = self.beside.join(file);
            if file.exists() {
                command.env(name, file);
            }
        }
        let (act, number) = match fault {
            Fault::None => ("", 0),
            Fault::Kill => ("kill", 0),
            Fault::Tear => ("tear", 0),
            Fault::Short => ("short", 0),
            Fault::Once(number) | Fault::Stays(number) => ("fail", number),
        };
        command.env("FAULTS_DO", act).env("FAULTS_ERRNO", number.to_string());
        command.env("FAULTS_STAY", if matches!(fault, Fault::Stays(_)) { "1" } else { "0" });
        // A group of its own: it dies as a whole, as by a power cut.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let output = command.stdin(Stdio::null()).output().expect("a program");
        let state = fs::read(&state).expect("the state");
        let count = state[4..8].try_into().map(i32::from_ne_bytes).expect("four bytes");
        let count = usize::try_from(count).expect("a count");
        assert!(count <= MOST_CALLS, "{count} calls");
        (output, Calls { count, kinds: state[16..].to_owned() })
    }

    fn journal_path(&self) -> PathBuf {
        self.beside.join("journal")
    }
}

/// The library, built with the C compiler that Rust links with.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/faults.c");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(folder).expect("a folder");
        let (library, made) =
            (folder.join("faults.so"), folder.join(format!("faults-{}", std::process::id())));
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&made, &source]);
        let built =
            compiler.output().unwrap_or_else(|error| panic!("this test needs a C compiler, 'cc': {error}"));
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        fs::rename(made, &library).expect("a new name");
        library
    })
}
