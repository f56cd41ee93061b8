//! `git mldata fsck`: is the data here, and whole?

use std::io;

use clap::Args;
use serde::Serialize;

use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Page, Paint};
use crate::cli::recorded::recorded_here;
use crate::cli::report::Outcome;
use crate::data::fsck::{FsckOptions, FsckReport, Repair, fsck};

use super::fsck_remote;

/// Check that the data is here and whole
///
/// Reads and hashes everything in the local store that the pointers of the index, the work tree and HEAD need, and the
/// points of metrics that runs have here, and names damaged packs with the paths that need them. What is not here but on a
/// remote is counted, and is no error. Exits with 1 if something is damaged, or nowhere as far as is known here.
///
/// Of a remote ('--remote'): whether every pack is there that the pushed versions need, and in its full length, and with
/// '--read-data' whether each byte is right; names the commits and files that damage hurts.
#[derive(Debug, Args)]
pub(crate) struct FsckArgs {
    /// The versions of every branch, tag, remote-tracking branch and stash, and what runs read and made
    #[arg(long)]
    all: bool,
    /// Bring back what is damaged or lost, from a remote or from the work tree; a damaged pack is set aside, and removed
    /// when all that was needed of it is here again. With --remote: send anew what this store has
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    remote: fsck_remote::RemoteOptions,
    #[command(flatten)]
    format: FormatOptions,
}

/// What is printed for programs.
#[derive(Debug, Serialize)]
struct Told<'a> {
    clean: bool,
    #[serde(flatten)]
    report: &'a FsckReport,
    repair: &'a Option<Repair>,
}

pub(crate) fn run(context: &Context, args: &FsckArgs) -> Outcome {
    let workspace = context.workspace()?;
    if args.remote.is_named() {
        return fsck_remote::run(context, &workspace, &args.remote, args.repair, args.format.chosen());
    }
    let further = recorded_here(context, &workspace, args.all)?;
    let options = FsckOptions { all: args.all, repair: args.repair, further };
    let (report, repair) = fsck(&workspace, &options, &context.progress)?;
    let clean = report.is_clean();
    let told = Told { clean, report: &report, repair: &repair };
    context.output.done(args.format.chosen(), &told, |page| write(page, &report, repair.as_ref()))?;
    for trouble in repair.iter().flat_map(|repair| &repair.troubles) {
        context.output.warning(trouble);
    }
    if !report.lost.is_empty() && report.damaged.is_empty() {
        context.hint("git mldata fetch      asks the remote whether it has what is not here");
    }
    if !clean && repair.is_none() {
        context.hint("git mldata fsck --repair      brings back what a remote or the work tree has");
    }
    Ok(if clean { Exit::Done } else { Exit::AnswerIsNo })
}

fn write(page: &mut Page<'_>, report: &FsckReport, repair: Option<&Repair>) -> io::Result<()> {
    for damaged in &report.damaged {
        let what = match damaged.items {
            0 => "its table cannot be read".to_owned(),
            items => format!("{} damaged", counted(items, "item")),
        };
        page.painted(Paint::Bad, &format!("damaged: {} ({what})", escape(&damaged.pack)))?;
        for path in &damaged.paths {
            page.line(format_args!("  needed by {}", escape(path)))?;
        }
    }
    for lost in &report.lost {
        let (path, version) = (escape(lost.path.as_str()), lost.version.short());
        let items = counted(lost.items, "item");
        page.painted(Paint::Bad, &format!("nowhere: {items} of {path} at {version}"))?;
        for file in lost.files.iter().filter(|file| **file != lost.path.as_str()) {
            page.line(format_args!("  needed by {}", escape(file)))?;
        }
    }
    for path in &report.mismatched {
        page.painted(
            Paint::Bad,
            &format!("wrong: the pointer of {} names what its chunks are not", escape(path.as_str())),
        )?;
    }
    if let Some(repair) = repair {
        page.line(format_args!("repaired {}", counted(repair.items, "item")))?;
        for pack in &repair.set_aside {
            page.line(format_args!("set aside: {}", escape(pack)))?;
        }
    }
    let absent = match report.absent {
        0 => String::new(),
        absent => format!("; of {} something is not here but on a remote", counted(absent, "version")),
    };
    let checked = format!(
        "{}, {}, {} read{absent}",
        counted(report.versions, "version"),
        counted(report.items, "item"),
        size(report.bytes)
    );
    match report.is_clean() {
        true => page.painted(Paint::Good, &format!("all is well: {checked}")),
        false => page.line(format_args!("checked {checked}")),
    }
}
