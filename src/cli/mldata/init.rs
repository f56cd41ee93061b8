//! `git mldata init`: a repository and its clone, set up whole.

use std::io;

use clap::Args;

use crate::cli::amounts::counted;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::Page;
use crate::cli::report::Outcome;
use crate::data::setup::{self, SetUp, SetUpOptions};
use crate::git::HookChange;

/// Set this repository and this clone up
///
/// Writes 'ml.toml' and a block of '.gitattributes' and stages both; installs hooks beside those that are there; has Git
/// fetch run records and keep notes with rewritten commits. What is set up already stays as it is.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Install no hooks
    #[arg(long)]
    no_hooks: bool,
    /// Do not stage what is written
    #[arg(long)]
    no_stage: bool,
    /// Take back what was set up in this clone: hooks and settings (data and committed files stay)
    #[arg(long, conflicts_with_all = ["no_hooks", "no_stage"])]
    undo: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &InitArgs) -> Outcome {
    let workspace = context.workspace()?;
    let done = if args.undo {
        setup::undo(&workspace)?
    } else {
        setup::init(&workspace, SetUpOptions { hooks: !args.no_hooks, stage: !args.no_stage })?
    };
    context.output.done(args.format.chosen(), &done, |page| match args.undo {
        true => write_undone(page, &done),
        false => write_set_up(page, &done, !args.no_stage),
    })?;
    tell_refused_hooks(context, &done);
    if done.created {
        context.hint("next: git mldata remote add NAME URL, then git mldata add PATH…");
    }
    Ok(Exit::Done)
}

/// Says why hooks could not be installed: the rest is set up all the same.
pub(super) fn tell_refused_hooks(context: &Context, done: &SetUp) {
    if let Some((reason, hints)) = &done.hooks_refused {
        context.output.warning(format!("no hooks were installed: {reason}"));
        hints.iter().for_each(|hint| context.hint(hint));
    }
}

fn write_set_up(page: &mut Page<'_>, done: &SetUp, staged: bool) -> io::Result<()> {
    let what = if done.created { "created" } else { "already set up:" };
    page.line(format_args!("{what} ml.toml, repository {}", done.repository.short()))?;
    write_hooks(page, done, "installed")?;
    if !done.settings.is_empty() {
        page.line(format_args!("settings of this clone: {}", done.settings.join(" ")))?;
    }
    let written: Vec<_> = done.written.iter().map(ToString::to_string).collect();
    match (written.is_empty(), staged) {
        (true, _) => Ok(()),
        (false, true) => page.line(format_args!("staged: {}", written.join(" "))),
        (false, false) => page.line(format_args!("written: {}", written.join(" "))),
    }
}

fn write_undone(page: &mut Page<'_>, done: &SetUp) -> io::Result<()> {
    write_hooks(page, done, "removed")?;
    page.line(format_args!("settings removed: {}", counted(done.settings.len() as u64, "key")))
}

/// The hooks that were changed, in one line.
pub(super) fn write_hooks(page: &mut Page<'_>, done: &SetUp, verb: &str) -> io::Result<()> {
    let changed = done.hooks.iter().filter(|(_, change)| *change != HookChange::Unchanged);
    let names: Vec<_> = changed.map(|(name, _)| *name).collect();
    if names.is_empty() { Ok(()) } else { page.line(format_args!("hooks {verb}: {}", names.join(", "))) }
}
