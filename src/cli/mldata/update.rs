//! `git mldata update`: what came from elsewhere, again.

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Paint};
use crate::cli::report::Outcome;
use crate::data::source::{Update, UpdateState, update};

/// Bring what is new of data that came from elsewhere
///
/// Asks where 'git mldata import url' and 'import repo' had it from, and brings only what changed; the pointer is staged. Data
/// that was edited here is left as it is. No password is sent where a pointer leads, and a folder of this machine is read only
/// for a path that is named here: a pointer comes with a clone.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// Tracked paths; all that came from elsewhere if not given
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Tell what is new, and bring nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &UpdateArgs) -> Outcome {
    let workspace = context.workspace()?;
    let paths = context.paths(&args.paths)?;
    let done = update(&workspace, &paths, args.dry_run, &context.progress)?;
    let row = |update: &Update| {
        let state = match update.state {
            UpdateState::Unchanged => Cell::left("unchanged").paint(Paint::Faint),
            UpdateState::Outdated => Cell::left("there is something new").paint(Paint::Notable),
            UpdateState::Updated => Cell::left(format!("now {}", update.version.short())).paint(Paint::Good),
        };
        vec![Cell::left(&update.path), Cell::left(&update.from), state]
    };
    let rows: Vec<_> = done.iter().map(row).collect();
    context.output.show_list(args.format.chosen(), &done, |page| page.table(0, &rows))?;
    if done.is_empty() {
        context.output.note("nothing here came from elsewhere");
    }
    Ok(Exit::Done)
}
