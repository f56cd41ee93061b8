//! `git mldata gc --remote`.

use std::io;
use std::time::SystemTime;

use clap::Args;

use crate::cli::amounts::{count, counted, size};
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::cli::page::Page;
use crate::cli::report::Outcome;
use crate::data::Workspace;
use crate::data::collect_remote::{Amount, Collected, collect_remote};
use crate::data::transfer::With;

/// What concerns a remote alone.
#[derive(Debug, Args)]
pub(super) struct RemoteOptions {
    /// Remove from this remote, instead of the local store
    #[arg(long, value_name = "NAME")]
    remote: Option<String>,
    /// Remove from the remote, instead of telling what would be removed
    #[arg(long, requires = "remote", conflicts_with = "dry_run")]
    yes: bool,
    /// Go on although this record, by its name in the remote, is missing or cannot be understood; repeatable
    #[arg(long, value_name = "OBJECT", requires = "remote")]
    force_record: Vec<String>,
}

impl RemoteOptions {
    /// Whether a remote is meant.
    pub(super) fn is_named(&self) -> bool {
        self.remote.is_some()
    }
}

pub(super) fn run(
    context: &Context,
    workspace: &Workspace,
    options: &RemoteOptions,
    now: Option<SystemTime>,
    format: Format,
) -> Outcome {
    let RemoteOptions { remote, yes, force_record } = options;
    let collected = collect_remote(workspace, remote.as_deref(), !yes, now, force_record, &context.progress)?;
    context.output.done(format, &collected, |page| write(page, &collected))?;
    if collected.done.dry_run {
        context.hint(format!("git mldata gc --remote {} --yes", collected.remote));
    }
    Ok(Exit::Done)
}

fn write(page: &mut Page<'_>, collected: &With<Collected>) -> io::Result<()> {
    let With { remote, done } = collected;
    let roots = counted(done.roots, "pushed version");
    page.line(format_args!("'{remote}' keeps {roots} in {}", packs(done.packs)))?;
    let verb = |past: &'static str, future: &'static str| if done.dry_run { future } else { past };
    let mut tell = |amount: Amount, before: &str, after: &str| match amount.packs {
        0 => Ok(()),
        _ => page.line(format_args!("{before}{}{after}", packs(amount))),
    };
    let later = format!(": nobody needs them; a run in {} hours deletes them", done.grace_hours);
    tell(done.deleted, verb("deleted ", "would delete "), "")?;
    tell(done.condemned, verb("condemned ", "would condemn "), &later)?;
    tell(done.waiting, "", " are condemned, and wait for the end of their time")?;
    tell(done.kept, "", " were condemned and are needed: they stay")?;
    tell(done.folded, verb("copied ", "would copy "), " into other packs")?;
    if done.indexes + done.records > 0 {
        let verb = verb("tidied", "would tidy");
        page.line(format_args!("{verb} {}", counted(done.indexes + done.records, "record")))?;
    }
    if done.unfinished > 0 {
        let verb = verb("removed", "would remove");
        let uploads = counted(done.unfinished, "upload");
        page.line(format_args!("{verb} what is left of {uploads} that never ended"))?;
    }
    let changes =
        [done.deleted, done.condemned, done.waiting, done.folded].iter().any(|amount| amount.packs > 0);
    if !changes {
        page.line(format_args!("nothing to remove"))?;
    }
    if !done.foreign.is_empty() {
        page.line(format_args!("not ours, left alone: {}", counted(done.foreign.len() as u64, "object")))?;
    }
    for foreign in done.foreign.iter().take(10) {
        page.line(format_args!("  {}", escape(foreign)))?;
    }
    match done.foreign.len() {
        0..=10 => Ok(()),
        all => page.line(format_args!("  and {} more", count(all as u64 - 10))),
    }
}

fn packs(amount: Amount) -> String {
    format!("{}, {}", counted(amount.packs, "pack"), size(amount.bytes))
}
