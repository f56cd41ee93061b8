//! One invocation: where it runs, how it speaks.

use std::env;
use std::io;
use std::path::PathBuf;

use crate::base::{Advice, Progress};

use super::options::CommonOptions;
use super::output::Output;
use super::progress_bar;
use super::report::CliError;

/// What every subcommand is given beside its arguments.
pub(crate) struct Context {
    /// What is printed.
    pub(crate) output: Output,
    /// How far long work is.
    pub(crate) progress: Progress,
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
    /// Enters the folder that was asked for, and prepares the output. What goes wrong comes with the output to tell it on.
    pub(crate) fn new(options: &CommonOptions) -> Result<Self, (Output, CliError)> {
        let entered = options.folders.iter().try_for_each(|folder| {
            env::set_current_dir(folder).map_err(|source| FolderError { folder: folder.clone(), source })
        });
        let output = Output::new(options, &|_| None);
        match entered {
            Ok(()) => Ok(Self { output, progress: progress_bar::progress(options) }),
            Err(error) => Err((output, error.into())),
        }
    }
}
