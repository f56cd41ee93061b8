//! From the words that were typed to an exit code.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, CommandFactory, Parser};

use super::context::Context;
use super::exit::Exit;
use super::mldata::MlData;
use super::mlmodel::MlModel;
use super::mlrun::MlRun;
use super::options::{CommonOptions, Format, FormatOptions};
use super::report::Outcome;
use super::usage;

/// One of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `git mldata`: data.
    MlData,
    /// `git mlmodel`: the registry of models.
    MlModel,
    /// `git mlrun`: runs, lineage, checks.
    MlRun,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MlData, Self::MlModel, Self::MlRun];
}

/// The arguments of a tool, as clap knows them.
pub fn command(tool: Tool) -> Command {
    match tool {
        Tool::MlData => MlData::command(),
        Tool::MlModel => MlModel::command(),
        Tool::MlRun => MlRun::command(),
    }
}

/// Runs a tool with the arguments of this process. Never panics on their account: what is wrong is told on stderr.
pub fn main(tool: Tool) -> ExitCode {
    let arguments = env::args_os();
    let exit = match tool {
        Tool::MlData => run::<MlData>(arguments),
        Tool::MlModel => run::<MlModel>(arguments),
        Tool::MlRun => run::<MlRun>(arguments),
    };
    exit.into()
}

/// The parsed arguments of a tool.
pub(crate) trait Arguments: Parser {
    /// The options that all tools share.
    fn common(&self) -> &CommonOptions;
    /// Runs the subcommand that was named.
    fn run(&self, context: &Context) -> Outcome;
}

fn run<A: Arguments>(arguments: impl Iterator<Item = OsString>) -> Exit {
    let (parsed, format) = match parse::<A>(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return explain(&error),
    };
    let context = match Context::new(parsed.common(), format) {
        Ok(context) => context,
        Err((output, error)) => {
            output.error(&error, true);
            return error.exit();
        }
    };
    parsed.run(&context).unwrap_or_else(|error| {
        context.tell(&error);
        error.exit()
    })
}

/// The arguments, and in which form the subcommand reports.
fn parse<A: Arguments>(arguments: impl Iterator<Item = OsString>) -> Result<(A, Format), clap::Error> {
    let matches = A::command().try_get_matches_from(arguments)?;
    let parsed = A::from_arg_matches(&matches).map_err(|error| error.format(&mut A::command()))?;
    Ok((parsed, format_of(&matches)))
}

/// The form of the report of the innermost subcommand.
fn format_of(matches: &ArgMatches) -> Format {
    let mut innermost = matches;
    while let Some((_, below)) = innermost.subcommand() {
        innermost = below;
    }
    FormatOptions::of(innermost).map_or(Format::Text, |options| options.chosen())
}

/// Help that was asked for goes to stdout; what was typed wrongly is told on stderr, with the code of wrong use.
fn explain(error: &clap::Error) -> Exit {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if asked || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // That nobody reads the help is not an error.
        let _ = error.print();
        return if asked { Exit::Done } else { Exit::WrongUse };
    }
    usage::tell(error);
    Exit::WrongUse
}
