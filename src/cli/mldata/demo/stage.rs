//! Where the story plays: real commands in a folder, with nothing of the user's settings.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::base::Advice;
use crate::cli::context::Context;
use crate::cli::page::Paint;

/// Why the story stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum StageError {
    /// A file could not be written.
    #[error("cannot write '{}'", path.display())]
    File {
        /// The file.
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A command did not end as the story has it.
    #[error("'{line}' ended with {found}, and the story has {wanted}")]
    Ended {
        /// The command.
        line: String,
        /// Its code.
        found: String,
        /// The code that it should have ended with.
        wanted: i32,
    },
    /// A command could not be started.
    #[error("cannot run '{line}'")]
    Start {
        /// The command.
        line: String,
        #[source]
        source: io::Error,
    },
    /// The story itself could not be printed.
    #[error("cannot write the output")]
    Writing(#[source] io::Error),
}

impl Advice for StageError {}

/// The folder of the demo and the environment of its commands.
pub(super) struct Stage {
    folder: PathBuf,
    path: OsString,
}

impl Stage {
    /// A stage in `folder`, with settings of its own.
    pub(super) fn new(folder: &Path) -> Result<Self, StageError> {
        let stage = Self { folder: folder.to_owned(), path: path_with_us() };
        stage.write(
            "gitconfig",
            b"# Settings of the demo alone: yours are neither read nor changed.\n\
              [user]\n\tname = Ada\n\temail = ada@example.com\n\
              [init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n",
        )?;
        Ok(stage)
    }

    /// Whether a program can be started.
    pub(super) fn has(&self, program: &str) -> bool {
        env::split_paths(&self.path).any(|folder| folder.join(program).is_file())
    }

    /// Writes a file below the folder.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StageError> {
        let path = self.folder.join(path);
        let failed = |source| StageError::File { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(&self.folder)).map_err(failed)?;
        fs::File::create(&path).and_then(|mut file| file.write_all(bytes)).map_err(failed)
    }

    /// Adds to a file below the folder.
    pub(super) fn append(&self, path: &str, bytes: &[u8]) -> Result<(), StageError> {
        let path = self.folder.join(path);
        let opened = fs::OpenOptions::new().append(true).open(&path);
        opened.and_then(|mut file| file.write_all(bytes)).map_err(|source| StageError::File { path, source })
    }

    /// Prints a line as it would be typed, and runs it in a folder below; it has to end with `code`.
    pub(super) fn run(
        &self,
        context: &Context,
        place: &str,
        line: &str,
        code: i32,
    ) -> Result<(), StageError> {
        say(context, Some(Paint::Heading), &format!("$ {line}"))?;
        let ended = self.command(place, line).status();
        let ended = ended.map_err(|source| StageError::Start { line: line.to_owned(), source })?;
        if ended.code() == Some(code) {
            return Ok(());
        }
        let found = ended.code().map_or_else(|| ended.to_string(), |code| format!("exit code {code}"));
        Err(StageError::Ended { line: line.to_owned(), found, wanted: code })
    }

    /// One stream for all, so that the story keeps its order wherever it is written to.
    fn command(&self, place: &str, line: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec 2>&1; {line}")])
            .current_dir(self.folder.join(place))
            .stdin(Stdio::null());
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
            command.env_remove(name);
        }
        command.env("PATH", &self.path);
        command.env("GIT_CONFIG_GLOBAL", self.folder.join("gitconfig")).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_PAGER", "cat").env("GIT_EDITOR", ":");
        command
    }
}

/// PATH with the folder of this program first, so that `git mldata` is this one.
fn path_with_us() -> OsString {
    let ours = env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let theirs = env::var_os("PATH").unwrap_or_default();
    let folders = ours.into_iter().chain(env::split_paths(&theirs));
    env::join_paths(folders).unwrap_or(theirs.clone())
}

/// Prints a line of the story.
pub(super) fn say(context: &Context, paint: Option<Paint>, line: &str) -> Result<(), StageError> {
    context.output.line(paint, line).map_err(StageError::Writing)
}
