//! `git mlrun show`: one run.

use std::io;
use std::time::Duration;

use clap::Args;

use crate::cli::amounts::{counted, duration, measured, moment, size};
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page, Paint};
use crate::cli::report::Outcome;
use crate::data::Workspace;
use crate::models::ContentRecord;
use crate::runs::record::{MetricSummary, Point};
use crate::runs::{Run, absent, find, metric_history};

use super::ls::status;

/// Show a run: code, data, parameters, metrics, environment
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The run: its id, the first digits of it, or a name (the latest run of that name)
    #[arg(value_name = "RUN")]
    run: String,
    /// The points of this metric instead: step, time, value
    #[arg(long, value_name = "KEY")]
    metric: Option<String>,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &ShowArgs) -> Outcome {
    let repository = context.repository()?;
    let run = find(repository, &args.run)?;
    if let Some(key) = &args.metric {
        let history = metric_history(repository, &run, key)?;
        context.output.show(args.format.chosen(), &history, |page| {
            history.points.iter().try_for_each(|point| page.line(format_args!("{}", shown(point))))
        })?;
        return Ok(Exit::Done);
    }
    context.output.show(args.format.chosen(), &run, |page| write(page, &run))?;
    let missing = absent(&Workspace::store_of(repository), &run.points);
    if missing > 0 {
        let (all, id) = (counted(run.points.len() as u64, "content"), run.id.short());
        context.output.warning(format!("{missing} of {all} with points of metrics are not in the store"));
        context.hint(format!("git mldata fetch --metrics {id}"));
    }
    Ok(Exit::Done)
}

/// A point in columns that scripts can take apart.
fn shown(point: &Point) -> String {
    let time = jiff::Timestamp::from_millisecond(point.time).map(|time| time.to_string());
    format!("{}\t{}\t{}", point.step, time.unwrap_or_else(|_| point.time.to_string()), point.value)
}

fn write(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    let name = run.name.as_deref().map(|name| format!("  {}", escape(name))).unwrap_or_default();
    page.painted(Paint::Heading, &format!("run {}{name}", run.id))?;
    page.table(2, &facts(run))?;
    section(
        page,
        "parameters",
        run.params.iter().map(|(key, value)| vec![Cell::left(key), Cell::left(value)]),
    )?;
    section(page, "metrics", run.metrics.values().map(metric))?;
    section(page, "inputs", run.inputs.iter().map(content))?;
    section(page, "outputs", run.outputs.iter().map(content))?;
    section(page, "tags", run.tags.iter().map(|(key, value)| vec![Cell::left(key), Cell::left(value)]))
}

fn facts(run: &Run) -> Vec<Vec<Cell>> {
    let field = |name: &str, value: String| vec![Cell::left(name).paint(Paint::Faint), Cell::left(value)];
    let took = run.duration_ms.map(|ms| format!(", took {}", duration(Duration::from_millis(ms))));
    let mut rows = vec![
        vec![Cell::left("status").paint(Paint::Faint), status(run)],
        field("began", moment(run.start) + &took.unwrap_or_default()),
    ];
    if !run.command.is_empty() {
        rows.push(field("command", run.command.join(" ")));
    }
    if !run.folder.is_empty() {
        rows.push(field("in", run.folder.clone()));
    }
    rows.push(field("code", code(run)));
    if !run.git.left_out.is_empty() {
        rows.push(field("not kept", run.git.left_out.join(", ")));
    }
    if !run.points.is_empty() {
        let bytes = run.points.iter().map(|points| points.size).sum();
        rows.push(field("points", format!("{} in the store, not in Git", size(bytes))));
    }
    rows.extend(run.user.as_ref().map(|user| field("by", user.clone())));
    rows.push(field("on", machine(run)));
    rows
}

/// The commit, the branch, and how far the work tree differed.
fn code(run: &Run) -> String {
    let git = &run.git;
    let commit = git.commit.as_deref().map_or("no commit", |commit| commit.get(..12).unwrap_or(commit));
    let branch = git.branch.as_ref().map(|branch| format!(" on {branch}")).unwrap_or_default();
    let changed = match git.changed_files {
        0 => String::new(),
        files => format!(", with {} changed (kept)", counted(files, "file")),
    };
    format!("{commit}{branch}{changed}")
}

fn machine(run: &Run) -> String {
    let machine = &run.environment;
    let mut text = format!("{} {}, {}", machine.os, machine.arch, counted(machine.cpus.into(), "cpu"));
    for (name, version) in [("python", &machine.python), ("git", &machine.git)] {
        text += &version.as_ref().map(|version| format!(", {name} {version}")).unwrap_or_default();
    }
    text
}

fn metric(metric: &MetricSummary) -> Vec<Cell> {
    let several = metric.count > 1;
    let range = match (metric.min, metric.max) {
        (Some(min), Some(max)) if several => format!("from {} to {}", measured(min.0), measured(max.0)),
        _ => String::new(),
    };
    let points = if several { counted(metric.count, "point") } else { String::new() };
    vec![
        Cell::left(&metric.key),
        Cell::left(measured(metric.last.value)),
        Cell::right(points),
        Cell::left(range),
    ]
}

/// A content at its place, in columns.
pub(super) fn content(content: &ContentRecord) -> Vec<Cell> {
    vec![Cell::left(&content.path), Cell::left(content.blake3.short()), Cell::right(size(content.size))]
}

fn section(page: &mut Page<'_>, title: &str, rows: impl Iterator<Item = Vec<Cell>>) -> io::Result<()> {
    let rows: Vec<Vec<Cell>> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    page.painted(Paint::Faint, &format!("  {title}"))?;
    page.table(4, &rows)
}
