//! `git mldata cat`: a file of the data, as it is.

use std::io::{self, Write};

use clap::Args;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report::{CliError, Outcome};
use crate::data::read::{At, cat, cat_range};

use super::at::parse;

/// Print a file of the data
///
/// Reads from the local store, without checking anything out. Works for a file inside a tracked directory, too. Of a range only
/// the chunks that hold it are read.
#[derive(Debug, Args)]
pub(crate) struct CatArgs {
    /// The file, by the pointers of the work tree or those of a revision
    #[arg(value_name = "[REV:]PATH")]
    file: String,
    /// Only the bytes FIRST-LAST, counted from 0, both included (as in HTTP); FIRST- goes to the end
    #[arg(long, value_name = "FIRST-LAST", value_parser = byte_range)]
    range: Option<(u64, Option<u64>)>,
}

/// Reads `FIRST-LAST` or `FIRST-`.
fn byte_range(text: &str) -> Result<(u64, Option<u64>), String> {
    let wanted = || "write it as 0-99, or 100- for all that follows".to_owned();
    let (first, last) = text.split_once('-').ok_or_else(wanted)?;
    let first = first.parse().map_err(|_| wanted())?;
    let last = if last.is_empty() { None } else { Some(last.parse().map_err(|_| wanted())?) };
    if last.is_some_and(|last| last < first) {
        Err("it ends before it begins".into())
    } else {
        Ok((first, last))
    }
}

pub(crate) fn run(context: &Context, args: &CatArgs) -> Outcome {
    let workspace = context.workspace()?;
    let at: At = parse(context, &args.file)?;
    let mut watched = Watched { out: io::stdout().lock(), failed: None };
    let done = match args.range {
        Some((first, last)) => cat_range(&workspace, &at, first, last, &mut watched),
        None => cat(&workspace, &at, &mut watched),
    };
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
