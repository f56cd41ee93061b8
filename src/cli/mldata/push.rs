//! `git mldata push`: versions to a remote.

use std::io;

use clap::Args;

use crate::base::Advice;
use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page};
use crate::cli::report::{CliError, Outcome};
use crate::data::transfer::{Pushed, PushedVersion, With, push_versions};
use crate::data::versions::Commits;

/// Send what a remote lacks
///
/// Sends every version that the index and the commits of HEAD name and the remote lacks, older ones too. Only new chunks are
/// sent. Nothing names a version before all of it is there.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// The data remote; the default one if not given
    #[arg(value_name = "REMOTE")]
    remote: Option<String>,
    /// Send the versions of every branch and tag
    #[arg(long)]
    all: bool,
    /// Show what would be sent
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOptions,
}

/// Versions that nobody can send from here.
#[derive(Debug, thiserror::Error)]
#[error("{} on '{remote}', and not in this store either: {}", counted(*count, "version"), paths.join(", "))]
struct MissingError {
    count: u64,
    remote: String,
    paths: Vec<String>,
}

impl Advice for MissingError {
    fn hints(&self) -> Vec<String> {
        vec!["whoever has the data: git mldata push --all".into()]
    }
}

pub(crate) fn run(context: &Context, args: &PushArgs) -> Outcome {
    let workspace = context.workspace()?;
    let commits = if args.all { Commits::All } else { Commits::Head };
    let remote = args.remote.as_deref();
    let With { remote, done } = push_versions(&workspace, remote, &commits, args.dry_run, &context.progress)?;
    context.output.done(
        args.format.chosen(),
        &With { remote: remote.clone(), done: done.clone() },
        |page| write(page, &remote, &done, args.dry_run),
    )?;
    if done.missing.is_empty() {
        return Ok(Exit::Done);
    }
    let paths = done.missing.iter().map(|version| format!("{} ({})", version.path, version.root.short()));
    let (count, paths) = (done.missing.len() as u64, paths.collect());
    context.tell(&CliError::from(MissingError { count, remote, paths }));
    Ok(Exit::AnswerIsNo)
}

fn write(page: &mut Page<'_>, remote: &str, done: &Pushed, dry_run: bool) -> io::Result<()> {
    let row = |version: &PushedVersion| {
        vec![Cell::left(&version.path), Cell::left(version.root.short()), Cell::right(size(version.size))]
    };
    page.table(0, &done.sent.iter().map(row).collect::<Vec<_>>())?;
    let (versions, bytes) = (counted(done.sent.len() as u64, "version"), size(done.bytes));
    let packs = counted(done.packs, "pack");
    match (done.sent.is_empty(), dry_run) {
        (true, _) => page.line(format_args!("nothing to send: '{remote}' has it all"))?,
        (false, true) => page.line(format_args!("would send {versions} to '{remote}': at most {bytes}"))?,
        (false, false) => page.line(format_args!("sent {versions} to '{remote}': {bytes} in {packs}"))?,
    }
    if done.renewed > 0 && !dry_run {
        page.line(format_args!("renewed the records of {}", counted(done.renewed, "version")))?;
    }
    Ok(())
}
