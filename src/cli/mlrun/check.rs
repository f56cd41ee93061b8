//! `git mlrun check`: is the model still right for the data?

use std::io;

use clap::Args;

use crate::base::RepoPath;
use crate::checks::{CheckError, CheckOutcome, CheckReport, CheckStatus, Finding, Verdict, check, record};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page, Paint};
use crate::cli::report::{CliError, Outcome};
use crate::data::transfer::{Want, fetch_versions};
use crate::data::{RootName, Workspace, remotes};
use crate::git::{GitError, TeamFile};
use crate::models::{ContentKind, ContentRecord};
use crate::objects::pointer::PointerKind;

use super::sharing::{SharingOptions, receive, send};

/// What people copy into their `ml.toml`.
const RULES: &str = r#"Rules in ml.toml:
  # compares a table with the data that a model version was trained on
  [check.penguin-drift]
  kind = "drift"
  data = "data/penguins.csv"
  reference = "penguins#prod"      # or a revision of Git
  threshold = 0.2
  verdict = "retrain"              # what a failure means; or investigate, blocked

  # looks at the run that made a model version, or (run = "NAME") at the latest run of a name
  [check.penguin-accuracy]
  kind = "metric"
  model = "penguins#prod"
  metric = "accuracy"
  min = 0.9"#;

/// Check whether the models are still right for the data
///
/// Makes the checks that 'ml.toml' writes as [check.NAME], and says what should be done. The exit code tells it to a job: 0
/// pass, 10 retrain, 11 investigate, 12 blocked, 13 insufficient data, 14 suppressed; 128 when a check could not be made.
/// The verdict is kept in the log of runs.
#[derive(Debug, Args)]
#[command(after_long_help = RULES)]
pub(crate) struct CheckArgs {
    /// Only these checks
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Exit with 0 for every verdict that is not in this list, such as retrain,blocked; 'none' for all
    #[arg(long, value_name = "VERDICTS", value_delimiter = ',', value_parser = verdict)]
    fail_on: Option<Vec<Option<Verdict>>>,
    /// Do not keep the verdict
    #[arg(long)]
    no_record: bool,
    #[command(flatten)]
    sharing: SharingOptions,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &CheckArgs) -> Outcome {
    let workspace = context.workspace()?;
    receive(context, &args.sharing);
    let team = remotes::team_file(&workspace)?;
    let report = check_with_content(context, &workspace, &team, &args.names)?;
    context.output.show(args.format.chosen(), &report, |page| write(page, &report))?;
    if !args.no_record {
        match record(workspace.repository(), &report) {
            Ok(()) => send(context, &args.sharing),
            Err(error) => context.warn("the verdict was not kept", &CliError::from(error)),
        }
    }
    let counts = args.fail_on.as_ref().is_none_or(|list| list.contains(&Some(report.verdict)));
    Ok(if counts { exit_of(report.verdict) } else { Exit::Done })
}

/// Makes the checks; what a check needs and the store lacks is fetched, each content once.
fn check_with_content(
    context: &Context,
    workspace: &Workspace,
    team: &TeamFile,
    names: &[String],
) -> Result<CheckReport, CliError> {
    let mut fetched = Vec::new();
    loop {
        match check(workspace, team, names) {
            Err(CheckError::MissingContent { rule, content }) => {
                let missing = CheckError::MissingContent { rule, content: content.clone() };
                if fetched.contains(&content) || team.remotes().is_empty() {
                    return Err(missing.into());
                }
                fetch_versions(workspace, None, &[want(&content)?], &context.progress)?;
                fetched.push(content);
            }
            done => return Ok(done?),
        }
    }
}

fn want(content: &ContentRecord) -> Result<Want, CliError> {
    let kind = match content.kind {
        ContentKind::File => PointerKind::File,
        ContentKind::Tree => PointerKind::Tree,
    };
    let root = RootName { kind, id: content.blake3, manifest: content.manifest, size: content.size };
    // The path comes from a record, which may be anybody's.
    let path = RepoPath::new(content.path.as_str()).map_err(GitError::from)?;
    Ok(Want { path, root, parts: vec![Vec::new()] })
}

fn write(page: &mut Page<'_>, report: &CheckReport) -> io::Result<()> {
    let rows: Vec<Vec<Cell>> = report.checks.iter().flat_map(rows).collect();
    page.table(0, &rows)?;
    let paint = if report.verdict == Verdict::Pass { Paint::Good } else { Paint::Bad };
    page.painted(paint, &format!("verdict: {}", report.verdict.name().replace('_', " ")))
}

/// One line for the check, and one for each column that did not pass.
fn rows(check: &CheckOutcome) -> Vec<Vec<Cell>> {
    let what = match (&check.lack, &check.finding) {
        (Some(lack), _) => lack.to_string(),
        (None, Finding::Metric { metric, value, min, max, run, source }) => {
            let value = value.map_or_else(|| "?".to_owned(), |value| shown(value.0));
            let min = min.map(|min| format!(", at least {min} wanted")).unwrap_or_default();
            let max = max.map(|max| format!(", at most {max} wanted")).unwrap_or_default();
            let run = run.map(|run| format!(" of run {}", run.short())).unwrap_or_default();
            format!("{metric} = {value}{run} ({source}){min}{max}")
        }
        (None, Finding::Drift { data, reference, threshold, columns, .. }) => {
            let drifted = columns.iter().filter(|column| column.status == CheckStatus::Fail).count();
            let of = columns.len();
            format!("{data} against {reference}: {drifted} of {of} columns drifted (limit {threshold})")
        }
    };
    let mut rows = vec![vec![Cell::left(&check.name), status(check.status), Cell::left(what)]];
    if let Finding::Drift { columns, .. } = &check.finding {
        rows.extend(columns.iter().map(|column| {
            let value = column.value.map_or_else(String::new, shown);
            let note = column.note.as_ref().map(|note| format!("  {note}")).unwrap_or_default();
            vec![Cell::left(format!("  {}", column.column)), status(column.status), Cell::left(value + &note)]
        }));
    }
    rows
}

/// A number to three places, as far as people look.
fn shown(value: f64) -> String {
    format!("{value:.3}")
}

fn status(status: CheckStatus) -> Cell {
    match status {
        CheckStatus::Pass => Cell::left("pass").paint(Paint::Good),
        CheckStatus::Warn => Cell::left("warn").paint(Paint::Notable),
        CheckStatus::Fail => Cell::left("fail").paint(Paint::Bad),
        CheckStatus::Skipped => Cell::left("skipped").paint(Paint::Faint),
        CheckStatus::InsufficientData => Cell::left("insufficient data").paint(Paint::Notable),
    }
}

/// The code that tells a verdict to a job.
const fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Pass => Exit::Done,
        Verdict::Retrain => Exit::Retrain,
        Verdict::Investigate => Exit::Investigate,
        Verdict::Blocked => Exit::Blocked,
        Verdict::InsufficientData => Exit::InsufficientData,
        Verdict::Suppressed => Exit::Suppressed,
    }
}

/// Reads the name of a verdict; `none` is none.
fn verdict(text: &str) -> Result<Option<Verdict>, String> {
    if text == "none" {
        return Ok(None);
    }
    let named = Verdict::named(&text.replace('-', "_"));
    named.map(Some).ok_or_else(|| {
        "it is not one of: retrain, investigate, blocked, insufficient_data, suppressed, none".to_owned()
    })
}
