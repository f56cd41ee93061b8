//! `git mldata init`: a repository or clone, set up whole.

use std::io;

use clap::Args;

use crate::base::RepoPath;
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::Page;
use crate::cli::report::Outcome;
use crate::data::setup::{SetUp, SetUpOptions, init, undo};
use crate::git::HookChange;

use super::manual;

/// Set a repository or a clone up
///
/// Writes 'ml.toml' with a random id for the repository and a block in '.gitattributes', and stages both; installs hooks in
/// this clone, beside those that are there; lets 'git fetch' bring the runs of others. What is set up already stays as it
/// is. In a clone of a repository that is set up, 'git mldata pull' does the local part by itself.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Install no hooks
    #[arg(long)]
    no_hooks: bool,
    /// Do not stage what is written to the work tree
    #[arg(long)]
    no_stage: bool,
    /// Take back what was set up in this clone; data, pointers and what is committed stay
    #[arg(long, conflicts_with_all = ["no_hooks", "no_stage"])]
    undo: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &InitArgs) -> Outcome {
    let workspace = context.workspace()?;
    if args.undo {
        let undone = undo(&workspace)?;
        context.output.done(args.format.chosen(), &undone, |page| write_hooks(page, &undone))?;
        return Ok(Exit::Done);
    }
    let options = SetUpOptions { hooks: !args.no_hooks, stage: !args.no_stage };
    let done = init(&workspace, options)?;
    manual::install_if_missing();
    context.output.done(args.format.chosen(), &done, |page| write(page, &done, options.stage))?;
    tell_refused_hooks(context, &done);
    if done.created {
        context.hint("next: git mldata remote add NAME URL, then git mldata add PATH…");
    }
    Ok(Exit::Done)
}

fn write(page: &mut Page<'_>, done: &SetUp, staged: bool) -> io::Result<()> {
    let names: Vec<&str> = done.written.iter().map(RepoPath::as_str).collect();
    let id = done.repository.short();
    if names.is_empty() {
        page.line(format_args!("this repository ({id}) was set up before"))?;
    } else {
        let staged = if staged { ", staged" } else { "" };
        page.line(format_args!("wrote {}{staged}; repository id {id}", names.join(" ")))?;
    }
    write_hooks(page, done)
}

/// One line for each kind of change.
fn write_hooks(page: &mut Page<'_>, done: &SetUp) -> io::Result<()> {
    write_changes(page, &done.hooks)
}

/// What was done about hooks: one line for each kind of change.
pub(super) fn write_changes(page: &mut Page<'_>, changes: &[(&'static str, HookChange)]) -> io::Result<()> {
    let kinds = [
        (HookChange::Installed, "installed"),
        (HookChange::InstalledBeside, "installed, and yours is run first:"),
        (HookChange::Updated, "updated"),
        (HookChange::Removed, "removed"),
        (HookChange::Restored, "removed, and yours is back:"),
        (HookChange::LeftEdited, "edited by hand, so left alone:"),
    ];
    for (kind, words) in kinds {
        let names: Vec<&str> =
            changes.iter().filter(|(_, change)| *change == kind).map(|(name, _)| *name).collect();
        if !names.is_empty() {
            page.line(format_args!("hooks: {words} {}", names.join(" ")))?;
        }
    }
    Ok(())
}

/// Warns that hooks could not be installed, and how to go on.
pub(super) fn tell_refused_hooks(context: &Context, done: &SetUp) {
    if let Some((reason, hints)) = &done.hooks_refused {
        context.output.warning(format!("no hooks were installed: {}", escape(reason)));
        hints.iter().for_each(|hint| context.hint(hint));
    }
}
