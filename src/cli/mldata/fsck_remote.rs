//! `git mldata fsck --remote`.

use std::io;

use clap::Args;

use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::{Format, percent};
use crate::cli::page::{Page, Paint};
use crate::cli::report::Outcome;
use crate::data::Workspace;
use crate::data::check_remote::{CheckOptions, Checked, Damage, Harm, Hurt, check_remote};
use crate::data::transfer::With;

/// What concerns a remote alone.
#[derive(Debug, Args)]
pub(super) struct RemoteOptions {
    /// Check this remote, instead of the local store
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    remote: Option<String>,
    /// Read the packs of the remote too, all of them or so many percent by chance; without it only their sizes are looked at
    #[arg(
        long,
        value_name = "N%",
        value_parser = percent,
        requires = "remote",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "100"
    )]
    read_data: Option<u8>,
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
    repair: bool,
    format: Format,
) -> Outcome {
    let remote = options.remote.as_deref().unwrap_or_default();
    let how = CheckOptions { read_percent: options.read_data, repair };
    let checked = check_remote(workspace, remote, how, &context.progress)?;
    context.output.done(format, &checked, |page| write(page, &checked))?;
    if checked.done.is_whole() {
        return Ok(Exit::Done);
    }
    if repair {
        context.hint("do the same in a clone that has the data, or fetch it from another remote first");
    } else {
        context
            .hint(format!("git mldata fsck --remote {remote} --repair      sends anew what this store has"));
    }
    Ok(Exit::AnswerIsNo)
}

fn write(page: &mut Page<'_>, checked: &With<Checked>) -> io::Result<()> {
    let With { remote, done } = checked;
    for Damage { pack, harm, needed_by } in &done.damage {
        let harm = match harm {
            Harm::Missing => "missing",
            Harm::WrongSize => "wrong size",
            Harm::Damaged => "damaged",
        };
        let needed = counted(needed_by.len() as u64, "version");
        page.painted(Paint::Bad, &format!("{harm}: pack {pack}, needed by {needed}"))?;
    }
    done.hurt.iter().try_for_each(|hurt| write_hurt(page, hurt))?;
    for object in &done.unreadable {
        page.painted(Paint::Bad, &format!("cannot be understood: {}", escape(object)))?;
    }
    let (versions, packs) = (counted(done.roots, "pushed version"), counted(done.packs, "pack"));
    let read = match done.read_packs {
        0 => "sizes looked at".to_owned(),
        read => format!("{} read, {}", counted(read, "pack"), size(done.read_bytes)),
    };
    let state = if done.is_whole() { "whole" } else { "NOT whole" };
    page.line(format_args!("'{remote}' is {state}: {versions} in {packs} ({read})"))
}

fn write_hurt(page: &mut Page<'_>, hurt: &Hurt) -> io::Result<()> {
    let state = match hurt {
        Hurt { repaired: true, .. } => "sent anew",
        Hurt { is_trusted: false, .. } => "of a push that never ended",
        Hurt { is_elsewhere: true, .. } => "hurt, and whole under another record",
        _ => "hurt",
    };
    let paths = if hurt.paths.is_empty() { "a version".to_owned() } else { hurt.paths.join(", ") };
    page.line(format_args!("{state}: {} at {}", escape(&paths), hurt.root.short()))?;
    for commit in hurt.commits.iter().take(5) {
        page.line(format_args!("  of commit {}", escape(commit)))?;
    }
    for file in hurt.files.iter().filter(|file| !file.is_empty()).take(20) {
        page.line(format_args!("  in {}", escape(file)))?;
    }
    match hurt.files.len() {
        0..=20 => Ok(()),
        all => page.line(format_args!("  and {} more", counted(all as u64 - 20, "file"))),
    }
}
