//! `git mldata export`: plain files, elsewhere.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::Page;
use crate::cli::report::Outcome;
use crate::data::export::{Exported, export};

/// Write data of any revision as plain files somewhere else
///
/// Reads from the local store, verifies, and checks nothing out. DEST is the new name, or a folder to write into; with several
/// paths it is made. Nothing that lies there is overwritten without --force. Links may not lead out of what is written.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Tracked paths, or paths inside tracked directories; last the place to write to
    #[arg(value_names = ["PATH", "DEST"], num_args = 2.., required = true)]
    paths: Vec<PathBuf>,
    /// As of this revision, instead of the pointers of the work tree
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// Replace files that lie there
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &ExportArgs) -> Outcome {
    let workspace = context.workspace()?;
    let Some((to, paths)) = args.paths.split_last() else { return Ok(Exit::WrongUse) };
    let paths = context.named_paths(paths)?;
    let done = export(&workspace, args.rev.as_deref(), &paths, to, args.force, &context.progress)?;
    context.output.done(args.format.chosen(), &done, |page| write(page, &done))?;
    Ok(Exit::Done)
}

fn write(page: &mut Page<'_>, done: &[Exported]) -> io::Result<()> {
    for Exported { path, to, files, bytes, .. } in done {
        let to = to.display().to_string();
        let (files, bytes) = (counted(*files, "file"), size(*bytes));
        page.line(format_args!("{} to '{}': {files}, {bytes}", escape(path.as_str()), escape(&to)))?;
    }
    Ok(())
}
