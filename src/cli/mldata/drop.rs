//! `git mldata drop`: room, where a remote holds the data.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::Args;

use crate::base::{Advice, typed};
use crate::cli::age::age;
use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page};
use crate::cli::recorded::needed_by_runs_of_all;
use crate::cli::report::{CliError, Outcome};
use crate::data::collect::{DropOptions, DropSummary, Dropped, Refused, drop_data};

/// Drop local copies of data that a remote holds
///
/// Asks the remotes at that moment which versions they hold whole, and removes these from the local store; whatever other
/// versions need stays. What no remote holds whole is refused by name. Without paths everything is meant. What was dropped
/// is brought back by 'git mldata pull' or 'git mldata fetch'.
#[derive(Debug, Args)]
pub(crate) struct DropArgs {
    /// Tracked paths, or folders of them, with all their versions
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only versions that are not current, and that no commit within AGE has, such as 12h, 30d or 8w
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<Duration>,
    /// Remove the data from the work tree, too, where it is not modified
    #[arg(long, conflicts_with = "older_than")]
    worktree: bool,
    /// Ask the remotes, tell what would be dropped, and drop nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOptions,
}

/// A version that stays.
#[derive(Debug, thiserror::Error)]
#[error("'{}' ({}) stays: {}", .0.path, .0.version.short(), .0.why)]
struct RefusedError(Refused);

impl Advice for RefusedError {
    fn hints(&self) -> Vec<String> {
        match self.0.not_held {
            true => vec!["git mldata push --all      sends what a remote lacks".into()],
            false => vec![format!("git mldata status {path}", path = typed(&self.0.path))],
        }
    }
}

pub(crate) fn run(context: &Context, args: &DropArgs) -> Outcome {
    let workspace = context.workspace()?;
    let options = DropOptions {
        paths: context.paths(&args.paths)?,
        older_than: args.older_than,
        worktree: args.worktree,
        dry_run: args.dry_run,
        further: needed_by_runs_of_all(&workspace, SystemTime::now())?,
    };
    let done = drop_data(&workspace, &options, &context.progress)?;
    context.output.done(args.format.chosen(), &done, |page| write(page, &done))?;
    for refused in &done.refused {
        context.tell(&CliError::from(RefusedError(refused.clone())));
    }
    Ok(if done.refused.is_empty() { Exit::Done } else { Exit::AnswerIsNo })
}

fn write(page: &mut Page<'_>, done: &DropSummary) -> io::Result<()> {
    let row = |dropped: &Dropped| {
        vec![
            Cell::left(&dropped.path),
            Cell::left(dropped.version.short()),
            Cell::right(size(dropped.size)),
            Cell::left(format!("on {}", dropped.remote)),
        ]
    };
    page.table(0, &done.dropped.iter().map(row).collect::<Vec<_>>())?;
    page.line(format_args!("{}", summary(done)))
}

/// One line: what, how much.
pub(super) fn summary(done: &DropSummary) -> String {
    let would = if done.dry_run { "would drop" } else { "dropped" };
    let files = match done.files {
        0 => String::new(),
        files => format!(" and {} of the work tree, {}", counted(files, "file"), size(done.file_bytes)),
    };
    match done.dropped.len() {
        0 => "nothing to drop".to_owned(),
        versions => format!(
            "{would} {}: {} of the store{files}",
            counted(versions as u64, "version"),
            size(done.swept.freed)
        ),
    }
}
