//! Calls of the `git` program.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::base::Advice;
use crate::git::Repository;

/// The variables that belong to one repository (`git rev-parse --local-env-vars`): they must not reach a call that works
/// in another one.
const LOCAL_VARIABLES: [&str; 16] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Why a call of `git` gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// There is no `git` to be run.
    #[error("cannot run the 'git' program")]
    Start {
        /// The system's words.
        source: io::Error,
    },
    /// It ran and failed.
    #[error("'git {command}' failed{}: {said}", status(*.code))]
    Failed {
        /// Its arguments.
        command: String,
        /// Its exit code; `None` when a signal ended it.
        code: Option<i32>,
        /// What it said on its standard error, without its prefixes.
        said: String,
    },
}

fn status(code: Option<i32>) -> String {
    code.map_or_else(|| " (killed)".into(), |code| format!(" ({code})"))
}

impl Advice for ProgramError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Start { .. } => vec!["install Git, or put it on your PATH".into()],
            Self::Failed { .. } => Vec::new(),
        }
    }
}

/// One call of the `git` program, being put together. Its messages are untranslated, so that they can be read.
#[derive(Debug)]
pub struct GitProgram {
    command: Command,
    input: Option<Vec<u8>>,
}

impl GitProgram {
    /// A call in `folder`, which is not the current repository: what the environment says about that one is removed.
    pub fn elsewhere(folder: &Path) -> Self {
        let mut command = Command::new("git");
        LOCAL_VARIABLES.iter().for_each(|name| {
            command.env_remove(name);
        });
        Self { command, input: None }.in_folder(folder)
    }

    fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder).env("LC_ALL", "C").env_remove("GIT_EXTERNAL_DIFF");
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Hands `bytes` to its standard input, which is empty otherwise.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Runs it; its standard output, if it succeeded.
    ///
    /// # Errors
    ///
    /// [`ProgramError`].
    pub fn run(self) -> Result<Vec<u8>, ProgramError> {
        let command = self.shown();
        let output = self.output()?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(failed(command, &output))
    }

    /// As [`GitProgram::run`], as text without the newline at its end.
    ///
    /// # Errors
    ///
    /// [`ProgramError`].
    pub fn text(self) -> Result<String, ProgramError> {
        let text = String::from_utf8_lossy(&self.run()?).into_owned();
        Ok(text.trim_end_matches('\n').to_owned())
    }

    /// Runs it; whatever it did.
    ///
    /// # Errors
    ///
    /// [`ProgramError::Start`].
    pub(super) fn output(mut self) -> Result<Output, ProgramError> {
        let start = |source| ProgramError::Start { source };
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child =
            self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(start)?;
        let feeder = child.stdin.take().zip(self.input.take()).map(|(mut stdin, bytes)| {
            // Git may end before it has read all: its exit code tells more than a closed pipe.
            std::thread::spawn(move || drop(stdin.write_all(&bytes)))
        });
        let output = child.wait_with_output().map_err(start)?;
        if let Some(feeder) = feeder {
            let _ended = feeder.join();
        }
        Ok(output)
    }

    /// The arguments, for messages.
    pub(super) fn shown(&self) -> String {
        let args: Vec<_> = self.command.get_args().map(OsStr::to_string_lossy).collect();
        args.join(" ")
    }
}

/// The error of a call that ended badly.
pub(super) fn failed(command: String, output: &Output) -> ProgramError {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let plain = |line: &str| {
        let prefixes = ["fatal: ", "error: ", "remote: "];
        prefixes
            .iter()
            .fold(line.to_owned(), |line, prefix| line.strip_prefix(prefix).unwrap_or(&line).to_owned())
    };
    let lines: Vec<_> = stderr.lines().filter(|line| !line.trim().is_empty()).map(plain).collect();
    ProgramError::Failed { command, code: output.status.code(), said: lines.join("; ") }
}

impl Repository {
    /// A call in this repository, from the top of its work tree (its Git directory when bare): `-c` settings, index and
    /// worktree stay what they are for us.
    pub fn program(&self) -> GitProgram {
        let mut command = Command::new("git");
        command.env("GIT_DIR", self.git_dir()).env_remove("GIT_PREFIX");
        let folder = match self.work_dir() {
            Ok(top) => {
                command.env("GIT_WORK_TREE", top);
                top
            }
            Err(_) => self.git_dir(),
        };
        if env::var_os("GIT_INDEX_FILE").is_some() {
            command.env("GIT_INDEX_FILE", self.index_path());
        }
        for name in ["GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"] {
            if let Some(path) = env::var_os(name).filter(|path| !path.is_empty()) {
                command.env(name, self.absolute(path));
            }
        }
        GitProgram { command, input: None }.in_folder(folder)
    }

    /// A path of the environment, which counts from the folder that the process was started in.
    fn absolute(&self, path: OsString) -> OsString {
        self.gix.current_dir().join(path).into_os_string()
    }
}
