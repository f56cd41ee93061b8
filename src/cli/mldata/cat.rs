//! `git mldata cat`: a file of the data, as it is.

use std::io::{self, Write};

use clap::Args;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report::{CliError, Outcome};
use crate::data::read::{At, cat};

use super::at::parse;

/// Print a file of the data
///
/// Reads from the local store, without checking anything out. Works for a file inside a tracked directory, too.
#[derive(Debug, Args)]
pub(crate) struct CatArgs {
    /// The file, by the pointers of the work tree or those of a revision
    #[arg(value_name = "[REV:]PATH")]
    file: String,
}

pub(crate) fn run(context: &Context, args: &CatArgs) -> Outcome {
    let workspace = context.workspace()?;
    let at: At = parse(context, &args.file)?;
    let mut watched = Watched { out: io::stdout().lock(), failed: None };
    let done = cat(&workspace, &at, &mut watched);
    let flushed = watched.flush();
    if let Some(kind) = watched.failed {
        return Err(CliError::writing(kind.into()));
    }
    done?;
    flushed.map_err(CliError::writing)?;
    Ok(Exit::Done)
}

/// Remembers that writing failed, so that a closed pipe is told from content that cannot be read.
struct Watched<W> {
    out: W,
    failed: Option<io::ErrorKind>,
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).inspect_err(|error| self.failed = Some(error.kind()))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush().inspect_err(|error| self.failed = Some(error.kind()))
    }
}
