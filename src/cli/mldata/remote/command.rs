//! The family of commands.

use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::report::Outcome;

use super::{add, copy, forget, list, remove, trust};

/// Name the places where the data is kept
///
/// A remote is a folder, a bucket or a folder of a server. What the team shares about it lies in 'ml.toml'; what is
/// personal, in Git's own configuration; credentials in neither: they come from the environment, from the services' own
/// files and from Git's credential helpers.
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum RemoteCommand {
    Add(add::RemoteAddArgs),
    List(list::RemoteListArgs),
    Remove(remove::RemoteRemoveArgs),
    Copy(copy::RemoteCopyArgs),
    Forget(forget::RemoteForgetArgs),
    Trust(trust::RemoteTrustArgs),
}

pub(crate) fn run(context: &Context, command: &RemoteCommand) -> Outcome {
    match command {
        RemoteCommand::Add(args) => add::run(context, args),
        RemoteCommand::List(args) => list::run(context, args),
        RemoteCommand::Remove(args) => remove::run(context, args),
        RemoteCommand::Copy(args) => copy::run(context, args),
        RemoteCommand::Forget(args) => forget::run(context, args),
        RemoteCommand::Trust(args) => trust::run(context, args),
    }
}
