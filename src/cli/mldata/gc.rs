//! `git mldata gc`: what nobody needs leaves the store.

use std::io;
use std::time::{Duration, SystemTime};

use clap::Args;

use crate::base::Advice;
use crate::cli::age::age;
use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::Page;
use crate::cli::recorded::needed_by_runs_of_all;
use crate::cli::report::{CliError, Outcome};
use crate::data::collect::{GRACE, GcOptions, GcSummary, gc};

use super::gc_remote;

/// Remove from the local store, or from a remote, what nobody needs
///
/// Needed is what branches, tags, stashes, reflogs and the index name, the work trees of all worktrees, a merge, rebase or
/// bisection that is going on, the runs, and every clone that uses the same store. What became unneeded stays for two weeks after it
/// was last put or relied on. Small packs are made one, and large files that were kept as clones are packed when the work tree
/// has them no more. Remotes are not touched.
///
/// Of a remote ('--remote'): packs that no record of a pushed version and no push on its way needs. A first run condemns
/// them, a run a day later deletes them; beside any number of pushes and collections, nothing that is needed can be lost.
/// What was pushed is kept until 'git mldata remote forget' forgets it. Without '--yes' it is told what would be done.
#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    /// Tell what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Keep what nobody needs only if it was put or relied on within AGE, such as 12h, 30d or 8w, instead of two weeks
    #[arg(long, value_name = "AGE", value_parser = age, conflicts_with = "remote")]
    older_than: Option<Duration>,
    /// The moment that counts as now, in seconds since 1970
    #[arg(long, value_name = "SECONDS", hide = true)]
    now: Option<u64>,
    #[command(flatten)]
    remote: gc_remote::RemoteOptions,
    #[command(flatten)]
    format: FormatOptions,
}

/// Packs that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read and stayed as they are", counted(*.0, "pack"))]
struct DamagedError(u64);

impl Advice for DamagedError {
    fn hints(&self) -> Vec<String> {
        vec!["git mldata fsck      names them, and what needs them".into()]
    }
}

pub(crate) fn run(context: &Context, args: &GcArgs) -> Outcome {
    let workspace = context.workspace()?;
    let now = args.now.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    if args.remote.is_named() {
        return gc_remote::run(context, &workspace, &args.remote, now, args.format.chosen());
    }
    let options = GcOptions {
        dry_run: args.dry_run,
        grace: args.older_than.unwrap_or(GRACE),
        now,
        further: needed_by_runs_of_all(&workspace, now.unwrap_or_else(SystemTime::now))?,
    };
    let done = gc(&workspace, &options, &context.progress)?;
    context.output.done(args.format.chosen(), &done, |page| write(page, &done))?;
    if done.swept.damaged_packs > 0 {
        context.tell(&CliError::from(DamagedError(done.swept.damaged_packs)));
        return Ok(Exit::AnswerIsNo);
    }
    Ok(Exit::Done)
}

fn write(page: &mut Page<'_>, done: &GcSummary) -> io::Result<()> {
    let swept = &done.swept;
    let versions = counted(done.versions, "version");
    let what = format!(
        "{} of {} in {} ({} are needed)",
        counted(swept.removed_items, "item"),
        size(swept.bytes),
        counted(swept.packs, "pack"),
        versions
    );
    match (swept.removed_packs, done.dry_run) {
        (0, _) => {
            page.line(format_args!("nothing to free: {versions} need what the store has, or it is young"))
        }
        (_, true) => page.line(format_args!("would free {}: {what}", size(swept.freed))),
        (_, false) => page.line(format_args!("freed {}: {what}", size(swept.freed))),
    }
}
