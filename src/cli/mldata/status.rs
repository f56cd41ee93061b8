//! `git mldata status`: where everything is, and what would be lost.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::base::typed;
use crate::cli::amounts::{count, counted, size};
use crate::cli::context::Context;
use crate::cli::escape::{escape, quote};
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page, Paint};
use crate::cli::recorded::recorded_by_own_runs;
use crate::cli::report::{CliError, Outcome};
use crate::data::status::{Loss, PathStatus, Status, Unfinished, status};
use crate::data::{PathState, Presence};

/// Show where everything is, and what would be lost
///
/// For each tracked path: whether the work tree is what its pointer says, whether the content is in the store, and which
/// remote holds it. The last line tells what is lost if this disk dies, of the runs that were recorded here, too. Needs no network: it tells what pushes and
/// fetches found.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Only these paths
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// One line a path for scripts, in a form that stays: STATE STORE REMOTES ID SIZE PATH
    #[arg(long, value_name = "VERSION", num_args = 0..=1, require_equals = true, default_missing_value = "v1")]
    porcelain: Option<Porcelain>,
    /// End lines of --porcelain with NUL and quote no path
    #[arg(short = 'z', requires = "porcelain")]
    nul: bool,
    #[command(flatten)]
    format: FormatOptions,
}

/// The forms for scripts that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Porcelain {
    /// The only one so far
    V1,
}

pub(crate) fn run(context: &Context, args: &StatusArgs) -> Outcome {
    let workspace = context.workspace()?;
    let paths = context.paths(&args.paths)?;
    let further = recorded_by_own_runs(&workspace)?;
    let mut status = status(&workspace, &paths, &further, &context.progress)?;
    if args.porcelain.is_some() {
        let end = if args.nul { '\0' } else { '\n' };
        context.output.print(|out| {
            status.paths.iter().try_for_each(|path| write!(out, "{}{end}", porcelain(path, args.nul)))
        })?;
    } else {
        context.output.show(args.format.chosen(), &status, |page| write(page, &status))?;
    }
    let faults = std::mem::take(&mut status.faults);
    if faults.is_empty() {
        return Ok(Exit::Done);
    }
    for fault in faults {
        context.tell(&CliError::from(fault));
    }
    Ok(Exit::CouldNotDo)
}

fn write(page: &mut Page<'_>, status: &Status) -> io::Result<()> {
    let branch = match &status.branch {
        Some(branch) => format!("on branch {}", escape(branch)),
        None => "no branch is checked out".to_owned(),
    };
    let remote = match &status.remote {
        Some(remote) => format!("data remote '{}'", escape(remote)),
        None => "no data remote".to_owned(),
    };
    page.line(format_args!("{branch}; {remote}"))?;
    if status.paths.is_empty() && status.faults.is_empty() {
        page.line(format_args!("no data is tracked yet"))?;
        if status.loss.paths.is_empty() {
            return Ok(());
        }
    }
    page.table(2, &status.paths.iter().map(row).collect::<Vec<_>>())?;
    for path in &status.paths {
        if let Some(unfinished) = &path.interrupted {
            page.painted(Paint::Notable, &interrupted(path, unfinished))?;
        }
        if !path.damaged.is_empty() {
            page.painted(Paint::Bad, &damaged(path))?;
        }
    }
    let (paint, text) = loss(&status.loss);
    page.painted(paint, &text)
}

fn row(path: &PathStatus) -> Vec<Cell> {
    let rows = path.rows.map_or_else(String::new, |rows| counted(rows, "row"));
    vec![
        Cell::left(&path.path),
        worktree(&path.worktree),
        store(path),
        remotes(path),
        Cell::right(counted(path.files, "file")),
        Cell::right(rows),
        Cell::right(size(path.version.size)),
    ]
}

/// What the work tree holds.
fn worktree(state: &PathState) -> Cell {
    match state {
        PathState::Same => Cell::left("here").paint(Paint::Good),
        PathState::Absent => Cell::left("not here").paint(Paint::Faint),
        PathState::Partial { here, of } => {
            Cell::left(format!("{} of {} files here", count(*here), count(*of)))
        }
        PathState::Stale { at } => {
            Cell::left(format!("at {}, the pointer names another", at.short())).paint(Paint::Notable)
        }
        PathState::Mixed => Cell::left("of several versions").paint(Paint::Notable),
        PathState::Modified { since, changes } => {
            let parts = [("+", changes.added), ("~", changes.changed), ("-", changes.deleted)];
            let parts = parts.into_iter().filter(|(_, files)| *files > 0);
            let parts: Vec<String> = parts.map(|(sign, files)| format!("{sign}{}", count(files))).collect();
            let since = since.map_or_else(String::new, |since| format!(" since {}", since.short()));
            Cell::left(format!("modified{since} ({})", parts.join(" "))).paint(Paint::Notable)
        }
    }
}

/// A checkout that was cut short, and what finishes it.
fn interrupted(path: &PathStatus, unfinished: &Unfinished) -> String {
    let Unfinished { to, here, of, finish } = unfinished;
    let (path, to) = (escape(path.path.as_str()), to.short());
    match of {
        0 => format!("the removal of '{path}' was interrupted; to bring it back: {finish}"),
        of => format!(
            "a checkout of '{path}' to {to} was interrupted, {} of {} there; to finish it: {finish}",
            count(*here),
            counted(*of, "file")
        ),
    }
}

/// So many damaged files are named.
const NAMED: usize = 5;

/// Files that hold other bytes although nobody wrote to them.
fn damaged(path: &PathStatus) -> String {
    let names: Vec<_> = path.damaged.iter().take(NAMED).map(|name| format!("'{}'", escape(name))).collect();
    let more = if path.damaged.len() > NAMED { ", …" } else { "" };
    format!(
        "{} damaged, as a power cut does it (nobody wrote to what was checked out or added): {}{more}; \
         to mend: git mldata checkout {}",
        counted(path.damaged.len() as u64, "file"),
        names.join(", "),
        typed(&path.path)
    )
}

/// What the store holds, where that is not everything.
fn store(path: &PathStatus) -> Cell {
    match path.store {
        Presence::Whole => Cell::left("stored"),
        Presence::Part => Cell::left("partly stored").paint(Paint::Notable),
        Presence::None => Cell::left("not stored").paint(Paint::Faint),
    }
}

/// The remotes that hold it. What is neither here nor known to be anywhere is most likely on a remote that was not asked
/// yet, as after `git clone`.
fn remotes(path: &PathStatus) -> Cell {
    let is_elsewhere = path.store == Presence::None && path.worktree == PathState::Absent;
    if path.remotes.is_empty() && is_elsewhere {
        return Cell::left("no remote asked yet").paint(Paint::Notable);
    }
    match (path.remotes.is_empty(), path.store) {
        (false, _) => Cell::left(format!("on {}", path.remotes.join(", "))).paint(Paint::Good),
        // What was never here was made by somebody else: that it is nowhere cannot be told.
        (true, Presence::None) => Cell::left("not seen on a remote yet").paint(Paint::Faint),
        (true, _) => Cell::left("NOT ON A REMOTE").paint(Paint::Bad),
    }
}

/// What is lost if this disk dies.
fn loss(loss: &Loss) -> (Paint, String) {
    let paths = counted(loss.paths.len() as u64, "path");
    let text = match (loss.versions, loss.modified) {
        (0, 0) => return (Paint::Good, "if this disk dies, nothing is lost".to_owned()),
        (0, modified) => format!("{} that were edited and not added", size(modified)),
        (versions, 0) => format!("{} that are on no remote", size(versions)),
        (versions, modified) => {
            format!("{} that are on no remote and {} not added", size(versions), size(modified))
        }
    };
    (Paint::Bad, format!("if this disk dies, {text} are lost ({paths})"))
}

/// The line for scripts: `.AIPSM` for the work tree, `.PN` for the store, the remotes or `-`, id, size, path.
fn porcelain(path: &PathStatus, plain: bool) -> String {
    let worktree = match path.worktree {
        PathState::Same => '.',
        PathState::Absent => 'A',
        PathState::Partial { .. } => 'P',
        PathState::Stale { .. } => 'S',
        PathState::Mixed => 'I',
        PathState::Modified { .. } => 'M',
    };
    let store = match path.store {
        Presence::Whole => '.',
        Presence::Part => 'P',
        Presence::None => 'N',
    };
    let remotes = if path.remotes.is_empty() { "-".to_owned() } else { path.remotes.join(",") };
    let name = path.path.as_str();
    let name = if plain { name.into() } else { quote(name) };
    format!("{worktree} {store} {remotes} {} {} {name}", path.version.id, path.version.size)
}
