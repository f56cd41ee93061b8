//! `git mldata import`: data out of other tools and from elsewhere. One file a source.

mod dvc;
mod lfs;

use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::report::Outcome;

/// Take data over from other tools, or from elsewhere
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum ImportCommand {
    Dvc(dvc::DvcArgs),
    Lfs(lfs::LfsArgs),
}

pub(crate) fn run(context: &Context, command: &ImportCommand) -> Outcome {
    match command {
        ImportCommand::Dvc(args) => dvc::run(context, args),
        ImportCommand::Lfs(args) => lfs::run(context, args),
    }
}
