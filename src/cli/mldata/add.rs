//! `git mldata add`: data into the store, pointers beside it.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use crate::base::typed;
use crate::cli::amounts::{counted, rate, size};
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page, Paint};
use crate::cli::report::{CliError, Outcome};
use crate::data::add::{AddOptions, AddSummary, Added, add, add_to};
use crate::data::collect::fold;

/// Take data into the store and write its pointer
///
/// The data stays where it is. Its content goes into the local store, a small pointer file 'PATH.mld' is written beside
/// it, the data itself is ignored by Git, and both changes are staged. Of a directory of which only a part is here, the
/// rest is kept.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Files and directories; also those inside a tracked directory
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Drop from a directory what is not here, even where nothing tells that it was deleted
    #[arg(long)]
    all: bool,
    /// Keep a pointer beside a file that Git's history tracks, instead of tracking it in place
    #[arg(long)]
    sidecar: bool,
    /// Send new content to this remote while it is read, instead of storing it here: for data that is larger than what is
    /// free on this disk. The pointer is written when the remote has all of it
    #[arg(long, value_name = "REMOTE")]
    to: Option<String>,
    /// Do not stage pointers and ignore lines
    #[arg(long)]
    no_stage: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &AddArgs) -> Outcome {
    let workspace = context.workspace()?;
    let paths = context.named_paths(&args.paths)?;
    let options = AddOptions { all: args.all, sidecar: args.sidecar, in_place: true, stage: !args.no_stage };
    let start = Instant::now();
    let summary = match &args.to {
        Some(remote) => add_to(&workspace, remote, &paths, options, &context.progress)?,
        None => add(&workspace, &paths, options, &context.progress)?,
    };
    let took = start.elapsed();
    context
        .output
        .done(args.format.chosen(), &summary, |page| write(page, &summary, args.to.as_deref(), took))?;
    for added in &summary.added {
        warn(context, added);
    }
    if let Err(error) = fold(&workspace, &context.progress) {
        context.warn("small packs could not be made one", &CliError::from(error));
    }
    Ok(Exit::Done)
}

fn write(page: &mut Page<'_>, summary: &AddSummary, to: Option<&str>, took: Duration) -> io::Result<()> {
    let row = |added: &Added| {
        let news = match added.before {
            Some(before) if before == added.version => Cell::left("unchanged").paint(Paint::Faint),
            Some(before) => Cell::left(format!("was {}", before.short())),
            None => Cell::left("new").paint(Paint::Good),
        };
        vec![
            Cell::left(&added.path),
            Cell::right(counted(added.files, "file")),
            Cell::right(size(added.bytes)),
            Cell::left(added.version.short()),
            news,
        ]
    };
    page.table(0, &summary.added.iter().map(row).collect::<Vec<_>>())?;
    if summary.cloned > 0 {
        page.line(format_args!(
            "kept {} as clones, which share their blocks with the files",
            size(summary.cloned)
        ))?;
    }
    if summary.stored > 0 {
        let bytes = summary.added.iter().map(|added| added.bytes).sum();
        let (stored, rate) = (size(summary.stored), rate(bytes, took));
        match to {
            Some(remote) => page.line(format_args!("sent {stored} to '{remote}'{rate}"))?,
            None => page.line(format_args!("stored {stored}{rate}"))?,
        }
    }
    if !summary.staged.is_empty() {
        let staged: Vec<String> =
            summary.staged.iter().map(|path| escape(path.as_str()).into_owned()).collect();
        page.line(format_args!("staged: {}", staged.join(" ")))?;
    }
    Ok(())
}

/// So many pairs of names are told.
const NAMED: usize = 3;

/// What is right, and still worth knowing.
fn warn(context: &Context, added: &Added) {
    if added.in_place && added.before.is_none() {
        let path = &added.path;
        context
            .output
            .note(format!("'{path}' is tracked in place: Git keeps its pointer under its own name"));
    }
    if added.absent > 0 {
        let (absent, path) = (counted(added.absent, "file"), &added.path);
        context
            .output
            .note(format!("{absent} of '{path}' not here, taken over unseen from the last version"));
    }
    if added.behind > 0 {
        let (behind, path) = (counted(added.behind, "file"), &added.path);
        let text =
            format!("{behind} of '{path}' here are of an older version: what the pointer names was kept");
        context.output.note(text);
        context.hint(format!("git mldata checkout {path}      brings them", path = typed(path)));
    }
    if !added.colliding.is_empty() {
        let pairs = added.colliding.iter().take(NAMED).map(|(one, other)| format!("'{one}' and '{other}'"));
        let more = added.colliding.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        context.output.warning(format!(
            "on macOS and Windows one name, of which a checkout can write one only: {}{more}",
            pairs.collect::<Vec<_>>().join(", ")
        ));
        context.hint("rename one of each, and add again");
    }
    if let Some(from) = added.edited_from {
        let path = &added.path;
        context.output.warning(format!(
            "'{path}' was edited from {}, which is not the version that its pointer named",
            from.short()
        ));
        context.hint(format!(
            "git mldata diff HEAD -- {path}      shows what the new version changes",
            path = typed(path)
        ));
    }
}
