//! The subcommands of `git mlrun`, and which function each one is.

use clap::{Parser, Subcommand};

use crate::cli::context::Context;
use crate::cli::invocation::Arguments;
use crate::cli::options::CommonOptions;
use crate::cli::report::Outcome;

use super::{check, exec, lineage, log, ls, show, sync};

/// What the short help leaves out.
const MORE: &str = "\
Exit codes:
  0       done
  10..14  of check: retrain, investigate, blocked, insufficient data, suppressed
  125     of exec: the recording could not begin, and nothing was started; else that of the command
  128     it could not be done
  129     it was asked for in the wrong way

Environment:
  GIT_MLRUN_RUN  set by exec for its command: the id of the run
  CI             runs are shared with the Git remote before and after exec and check";

/// Record runs, trace lineage, watch models
///
/// A run is what was executed: code, data, parameters, metrics, environment. Runs live in refs of their own, so they
/// neither disturb history nor need a server.
#[derive(Debug, Parser)]
#[command(
    name = "git-mlrun",
    bin_name = "git mlrun",
    version,
    after_long_help = MORE,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct MlRun {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Exec(exec::ExecArgs),
    #[command(subcommand)]
    Log(log::LogCommand),
    Ls(ls::LsArgs),
    Show(show::ShowArgs),
    Sync(sync::SyncArgs),
    Lineage(lineage::LineageArgs),
    Check(check::CheckArgs),
}

impl Arguments for MlRun {
    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            Command::Exec(args) => exec::run(context, args),
            Command::Log(command) => log::run(context, command),
            Command::Ls(args) => ls::run(context, args),
            Command::Show(args) => show::run(context, args),
            Command::Sync(args) => sync::run(context, args),
            Command::Lineage(args) => lineage::run(context, args),
            Command::Check(args) => check::run(context, args),
        }
    }
}
