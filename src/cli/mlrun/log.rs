//! `git mlrun log`: what becomes known of a run.

use std::env;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::base::Advice;
use crate::base::Failure;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::pair;
use crate::cli::report::{CliError, Outcome};
use crate::runs::spool::Event;
use crate::runs::{SPOOL_VARIABLE, find, record, record_inside};

/// Log metrics, parameters and tags of a run
///
/// Inside a command that 'git mlrun exec' runs, the run is found by itself. When the command returns, what was logged is
/// on the disk.
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum LogCommand {
    Metric(MetricArgs),
    Param(PairArgs),
    Tag(TagArgs),
}

/// Log values of metrics
#[derive(Debug, Args)]
pub(crate) struct MetricArgs {
    /// Metrics and their values, such as loss=0.31
    #[arg(value_name = "KEY=VALUE", required = true, value_parser = number)]
    values: Vec<(String, f64)>,
    /// The step that the values belong to
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    step: i64,
    #[command(flatten)]
    run: RunOption,
}

/// Log parameters; the first value of each stays
#[derive(Debug, Args)]
pub(crate) struct PairArgs {
    /// Parameters and their values, such as lr=0.1
    #[arg(value_name = "KEY=VALUE", required = true, value_parser = pair)]
    values: Vec<(String, String)>,
    #[command(flatten)]
    run: RunOption,
}

/// Set tags, or remove them
#[derive(Debug, Args)]
pub(crate) struct TagArgs {
    /// Tags and their values
    #[arg(value_name = "KEY=VALUE", value_parser = pair, required_unless_present = "remove")]
    values: Vec<(String, String)>,
    /// Remove this tag
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,
    #[command(flatten)]
    run: RunOption,
}

/// Which run is meant.
#[derive(Debug, Args)]
struct RunOption {
    /// The run, by id or name, instead of the one that this command is part of
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
}

/// No run is named, and the command is not part of one.
#[derive(Debug, thiserror::Error)]
#[error("no run is named, and this is not part of one")]
struct NoRun;

impl Advice for NoRun {
    fn hints(&self) -> Vec<String> {
        vec![
            "git mlrun exec -- COMMAND      records COMMAND as a run, inside which nothing need be named"
                .into(),
            "git mlrun ls      lists the runs that --run can name".into(),
        ]
    }

    fn failure(&self) -> Failure {
        Failure::WrongUse
    }
}

pub(crate) fn run(context: &Context, command: &LogCommand) -> Outcome {
    let (run, events) = match command {
        LogCommand::Metric(args) => {
            let event = |(key, value): &(String, f64)| Event::metric(key, args.step, *value);
            (&args.run, args.values.iter().map(event).collect::<Result<Vec<_>, _>>()?)
        }
        LogCommand::Param(args) => {
            (&args.run, args.values.iter().map(|(key, value)| Event::param(key, value)).collect())
        }
        LogCommand::Tag(args) => {
            let set = args.values.iter().map(|(key, value)| Event::tag(key, Some(value.clone())));
            (&args.run, set.chain(args.remove.iter().map(|key| Event::tag(key, None))).collect())
        }
    };
    write(context, run.run.as_deref(), &events)?;
    Ok(Exit::Done)
}

fn write(context: &Context, named: Option<&str>, events: &[Event]) -> Result<(), CliError> {
    if let Some(named) = named {
        let repository = context.repository()?;
        let run = find(repository, named)?;
        return Ok(record(repository, run.id, events)?);
    }
    let spool = env::var_os(SPOOL_VARIABLE).filter(|folder| !folder.is_empty()).ok_or(NoRun)?;
    Ok(record_inside(&PathBuf::from(spool), events)?)
}

/// `KEY=NUMBER`; not a number and infinite ones too.
fn number(text: &str) -> Result<(String, f64), String> {
    let (key, value) = pair(text)?;
    let number = value.trim().parse().map_err(|_| format!("'{value}' is not a number"))?;
    Ok((key, number))
}
