//! `git mldata rm`: tracked no longer.

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;
use crate::data::remove::{RemoveOptions, remove};

/// Stop tracking data, and remove it from the work tree
///
/// Pointer, ignore line and data go together; what is in the store and on remotes stays, so older versions can still be
/// had. A path inside a tracked directory is dropped from that directory, even where the rest of it is not here.
#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// Tracked paths, or paths inside tracked directories
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Leave the data where it is, for Git to see from now on
    #[arg(long)]
    cached: bool,
    /// Remove modified data, too
    #[arg(short, long)]
    force: bool,
    /// Tell what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not stage what changes
    #[arg(long)]
    no_stage: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &RmArgs) -> Outcome {
    let workspace = context.workspace()?;
    let paths = context.named_paths(&args.paths)?;
    let options = RemoveOptions {
        cached: args.cached,
        force: args.force,
        stage: !args.no_stage,
        dry_run: args.dry_run,
    };
    let removed = remove(&workspace, &paths, options, &context.progress)?;
    context.output.done(args.format.chosen(), &removed, |page| {
        removed.iter().try_for_each(|removed| {
            let stays = if removed.data_removed { "" } else { " (the data stays where it is)" };
            page.line(format_args!("rm '{}'{stays}", escape(removed.path.as_str())))
        })
    })?;
    Ok(Exit::Done)
}
