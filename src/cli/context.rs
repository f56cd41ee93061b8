//! One invocation: where it runs, how it speaks.

use std::cell::OnceCell;
use std::env;
use std::io;
use std::path::PathBuf;

use crate::base::{Advice, Progress, RepoPath};
use crate::data::Workspace;
use crate::git::Repository;

use super::options::{CommonOptions, Format};
use super::output::Output;
use super::progress_bar;
use super::report::CliError;

/// What every subcommand is given beside its arguments.
pub(crate) struct Context {
    /// What is printed.
    pub(crate) output: Output,
    /// How far long work is.
    pub(crate) progress: Progress,
    repository: OnceCell<Repository>,
}

/// `-C` names a folder that cannot be entered.
#[derive(Debug, thiserror::Error)]
#[error("cannot change to '{}'", folder.display())]
struct FolderError {
    folder: PathBuf,
    #[source]
    source: io::Error,
}

impl Advice for FolderError {}

impl Context {
    /// Enters the folder that was asked for, and prepares the output of a report in `format`. What goes wrong comes with the
    /// output to tell it on.
    pub(crate) fn new(options: &CommonOptions, format: Format) -> Result<Self, (Output, CliError)> {
        let entered = options.folders.iter().try_for_each(|folder| {
            env::set_current_dir(folder).map_err(|source| FolderError { folder: folder.clone(), source })
        });
        let repository = OnceCell::new();
        let setting = |name: &str| opened(&repository).ok().and_then(|open| open.setting_switch(name));
        let output = Output::new(options, &setting);
        match entered {
            Ok(()) => Ok(Self { output, progress: progress_bar::progress(options, format), repository }),
            Err(error) => Err((output, error.into())),
        }
    }

    /// The repository of the current folder, opened when it is first asked for.
    pub(crate) fn repository(&self) -> Result<&Repository, CliError> {
        opened(&self.repository)
    }

    /// The repository with its store.
    pub(crate) fn workspace(&self) -> Result<Workspace, CliError> {
        Ok(Workspace::open(self.repository()?.clone())?)
    }

    /// Tells an error, with its hints unless `advice.mldata` is off. (Asked only here: most invocations have no error.)
    pub(crate) fn tell(&self, error: &CliError) {
        self.output.error(error, self.advises());
    }

    /// Warns that something went wrong that stops nothing, with its causes and hints.
    pub(crate) fn warn(&self, what: &str, error: &CliError) {
        let Some((message, causes)) = error.messages() else { return };
        self.output.warning(format!("{what}: {}", [vec![message], causes].concat().join(": ")));
        error.hints().iter().for_each(|hint| self.hint(hint));
    }

    /// Tells what may be done next.
    pub(crate) fn hint(&self, text: impl std::fmt::Display) {
        if self.advises() {
            self.output.hint(text);
        }
    }

    fn advises(&self) -> bool {
        let repository = self.repository().ok();
        repository.and_then(|repository| repository.setting_switch("advice.mldata")).unwrap_or(true)
    }

    /// Paths as they were typed, relative to the top of the work tree; none at all when the top itself is among them,
    /// which stands for everything.
    pub(crate) fn paths(&self, typed: &[PathBuf]) -> Result<Vec<RepoPath>, CliError> {
        let repository = self.repository()?;
        let paths: Option<Vec<_>> =
            typed.iter().map(|path| repository.resolve_or_top(path)).collect::<Result<_, _>>()?;
        Ok(paths.unwrap_or_default())
    }

    /// Paths as they were typed, relative to the top of the work tree, none of which may be the top itself.
    pub(crate) fn named_paths(&self, typed: &[PathBuf]) -> Result<Vec<RepoPath>, CliError> {
        let repository = self.repository()?;
        Ok(typed.iter().map(|path| repository.resolve(path)).collect::<Result<_, _>>()?)
    }
}

/// Whether this is a CI job: there, nothing is installed that was not asked for, and runs are shared on the way.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

fn opened(cell: &OnceCell<Repository>) -> Result<&Repository, CliError> {
    if let Some(repository) = cell.get() {
        return Ok(repository);
    }
    let repository = Repository::discover()?;
    Ok(cell.get_or_init(|| repository))
}
