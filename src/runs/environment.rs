//! What a run ran on: enough to see why a repetition differs, nothing that tells who or where.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::git::Repository;

use super::record::Environment;

/// The environment, asked for: the versions of programs come while other things are done.
pub struct Asked {
    python: Option<Child>,
    git: Option<String>,
}

impl Asked {
    /// Begins to ask, for a run of `program`.
    pub fn of(repository: &Repository, program: &OsStr) -> Self {
        let python = is_python(program).then(|| {
            let mut version = Command::new(program);
            version.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
            version.spawn().ok()
        });
        let git = repository.program().args(["--version"]).text().ok();
        let git = git.and_then(|said| said.strip_prefix("git version ").map(str::to_owned));
        Self { python: python.flatten(), git }
    }

    /// The answers; what was not answered is left out.
    pub fn answers(self) -> Environment {
        let said = self.python.and_then(|child| child.wait_with_output().ok());
        let python = said.and_then(|said| {
            String::from_utf8_lossy(&said.stdout).trim().strip_prefix("Python ").map(str::to_owned)
        });
        Environment {
            os: std::env::consts::OS.into(),
            arch: std::env::consts::ARCH.into(),
            cpus: std::thread::available_parallelism()
                .map_or(0, |cpus| u32::try_from(cpus.get()).unwrap_or(0)),
            git: self.git,
            git_ml: env!("CARGO_PKG_VERSION").into(),
            python,
        }
    }
}

/// `python`, `python3`, `python3.11`, wherever they lie.
fn is_python(program: &OsStr) -> bool {
    let name = Path::new(program).file_name().and_then(OsStr::to_str).unwrap_or_default();
    let version = name.strip_prefix("python");
    version.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}
