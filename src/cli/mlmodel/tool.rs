//! The subcommands of `git mlmodel`, and which function each one is.

use clap::{Parser, Subcommand};

use crate::cli::context::Context;
use crate::cli::invocation::Arguments;
use crate::cli::options::CommonOptions;
use crate::cli::report::Outcome;

use super::{ls, promote, register, show};

/// What the short help leaves out.
const MORE: &str = "\
Exit codes:
  0    done
  128  it could not be done
  129  it was asked for in the wrong way";

/// A model registry inside Git
///
/// Versions are annotated tags, and so is each move of an alias such as 'prod': every Git host is the server, and every
/// CI that reacts to a tag deploys. The grammar is that of GTO.
#[derive(Debug, Parser)]
#[command(
    name = "git-mlmodel",
    bin_name = "git mlmodel",
    version,
    after_long_help = MORE,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct MlModel {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Register(register::RegisterArgs),
    Ls(ls::LsArgs),
    Show(show::ShowArgs),
    Promote(promote::PromoteArgs),
}

impl Arguments for MlModel {
    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            Command::Register(args) => register::run(context, args),
            Command::Ls(args) => ls::run(context, args),
            Command::Show(args) => show::run(context, args),
            Command::Promote(args) => promote::run(context, args),
        }
    }
}
