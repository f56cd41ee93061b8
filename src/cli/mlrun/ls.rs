//! `git mlrun ls`: runs, the latest first.

use std::time::Duration;

use clap::Args;

use crate::cli::amounts::{duration, measured, moment};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Paint};
use crate::cli::report::Outcome;
use crate::runs::record::Status;
use crate::runs::{Filter, Run, list};

/// List runs, the latest first
///
/// Shows the runs of all logs that are here: 'git mlrun sync' brings those of others.
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// Only runs whose name holds TEXT
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// At most this many
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// Also deleted runs
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &LsArgs) -> Outcome {
    let filter = Filter { name: args.name.clone(), status: None, deleted: args.all, limit: args.limit };
    let runs = list(context.repository()?, &filter)?;
    let rows: Vec<Vec<Cell>> = runs.iter().map(row).collect();
    context.output.show_list(args.format.chosen(), &runs, |page| page.table(0, &rows))?;
    if runs.is_empty() {
        context
            .output
            .hint("git mlrun exec -- COMMAND      records a run; git mlrun sync brings those of others");
    }
    Ok(Exit::Done)
}

fn row(run: &Run) -> Vec<Cell> {
    let metrics: Vec<String> = run
        .metrics
        .values()
        .map(|metric| format!("{}={}", metric.key, measured(metric.last.value)))
        .collect();
    vec![
        Cell::left(run.id.short()).paint(Paint::Heading),
        Cell::left(run.name.as_deref().unwrap_or("")),
        status(run),
        Cell::left(moment(run.start)).paint(Paint::Faint),
        Cell::right(run.duration_ms.map_or_else(String::new, |ms| duration(Duration::from_millis(ms)))),
        Cell::left(metrics.join("  ")),
    ]
}

/// How it is going, or went, with the code or signal that ended it.
pub(super) fn status(run: &Run) -> Cell {
    let bad = |word: &str, by: Option<String>| {
        Cell::left(by.map_or_else(|| word.to_owned(), |by| format!("{word} ({by})"))).paint(Paint::Bad)
    };
    match run.status {
        Status::Running => Cell::left("running").paint(Paint::Notable),
        Status::Finished => Cell::left("finished").paint(Paint::Good),
        Status::Failed => bad("failed", run.exit_code.map(|code| format!("exit code {code}"))),
        Status::Killed => bad("killed", run.signal.map(|signal| format!("signal {signal}"))),
        Status::Lost => bad("lost", None),
    }
}
