//! Install, remove, look.

use clap::{Args, Subcommand};

use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::mldata::init::write_changes;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Paint};
use crate::cli::report::Outcome;
use crate::git::{HookState, HookStatus};

/// Let data follow Git: install, remove and look at hooks
///
/// pre-commit stops a commit whose data changed without 'git mldata add'; pre-push sends the data of what is pushed first;
/// the others bring data in step after checkout, merge, rebase, reset and stash, and tie runs to commits. Hooks that are
/// there already keep working: they are run first.
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum HooksCommand {
    Install(InstallArgs),
    Uninstall(UninstallArgs),
    Status(StatusArgs),
}

/// Install the hooks, beside those that are there
#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// Also where 'core.hooksPath' names a folder that is not this clone's alone
    #[arg(long)]
    shared: bool,
    #[command(flatten)]
    format: FormatOptions,
}

/// Remove the hooks, and put back what was there
#[derive(Debug, Args)]
pub(crate) struct UninstallArgs {
    #[command(flatten)]
    format: FormatOptions,
}

/// Show where Git looks for hooks, and which of ours are there
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, command: &HooksCommand) -> Outcome {
    let repository = context.repository()?;
    match command {
        HooksCommand::Install(args) => {
            let done = repository.install_hooks(args.shared)?;
            context.output.done(args.format.chosen(), &done, |page| write_changes(page, &done))?;
        }
        HooksCommand::Uninstall(args) => {
            let done = repository.uninstall_hooks()?;
            context.output.done(args.format.chosen(), &done, |page| write_changes(page, &done))?;
        }
        HooksCommand::Status(args) => {
            let status = repository.hooks_status()?;
            context.output.show(args.format.chosen(), &status, |page| {
                let folder = status.folder.display().to_string();
                let whose = if status.is_own_folder { "" } else { " (core.hooksPath)" };
                page.line(format_args!("Git looks for hooks in '{}'{whose}", escape(&folder)))?;
                page.table(2, &status.hooks.iter().map(row).collect::<Vec<_>>())
            })?;
            if status.hooks.iter().any(|hook| hook.state != HookState::Installed) {
                let shared = if status.is_own_folder { "" } else { " --shared" };
                context.hint(format!("git mldata hooks install{shared}"));
            }
        }
    }
    Ok(Exit::Done)
}

fn row(hook: &HookStatus) -> Vec<Cell> {
    let (words, paint) = match hook.state {
        HookState::Installed => ("installed", Paint::Good),
        HookState::Absent => ("not installed", Paint::Faint),
        HookState::Outdated => ("installed by another version", Paint::Notable),
        HookState::Edited => ("edited by hand", Paint::Notable),
        HookState::Foreign => ("somebody else's; ours is not run", Paint::Bad),
        HookState::NotExecutable => ("not executable: Git does not run it", Paint::Bad),
    };
    let beside = if hook.runs_another { "runs another hook first" } else { "" };
    vec![Cell::left(hook.name), Cell::left(words).paint(paint), Cell::left(beside)]
}
