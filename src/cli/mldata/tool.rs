//! The subcommands of `git mldata`, and which function each one is.

use clap::{Parser, Subcommand};

use crate::cli::context::Context;
use crate::cli::invocation::Arguments;
use crate::cli::options::CommonOptions;
use crate::cli::report::Outcome;

use super::manual;

/// Version large data with Git
///
/// Git keeps small pointer files; the content goes, deduplicated, packed and compressed, to any bucket or folder. What
/// changed in the data is seen where the code is reviewed.
#[derive(Debug, Parser)]
#[command(
    name = "git-mldata",
    bin_name = "git mldata",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct MlData {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(subcommand)]
    Manual(manual::ManualCommand),
}

impl Arguments for MlData {
    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            Command::Manual(command) => manual::manual(context, command),
        }
    }
}
