//! Makes the checks of a repository.

use jiff::Timestamp;

use crate::data::Workspace;
use crate::git::{TableRule, TeamFile};
use crate::models::{Catalog, catalog};
use crate::runs::number::Number;
use crate::runs::record::Status;
use crate::runs::{Run, View, recover};

use super::drift_check::{self, Judged};
use super::error::CheckError;
use super::report::{CheckOutcome, CheckReport, Finding, Lack};
use super::rule::{DriftRule, MetricRule, MetricSource, Rule, RuleKind, read_rules};
use super::tables_of::{self, Table};
use super::verdict::{CheckStatus, strongest};

/// Makes the checks of the team's `ml.toml`: those of these names, or all.
///
/// # Errors
///
/// [`CheckError`].
pub fn check(workspace: &Workspace, team: &TeamFile, names: &[String]) -> Result<CheckReport, CheckError> {
    let mut rules = read_rules(team.checks())?;
    if let Some(name) = names.iter().find(|name| !rules.iter().any(|rule| rule.name == **name)) {
        return Err(CheckError::NoSuchRule { name: name.clone() });
    }
    rules.retain(|rule| names.is_empty() || names.contains(&rule.name));
    evaluate(workspace, &rules, &|drift| team.table_rule(&drift.data))
}

/// Makes the checks of `rules`. `table_rule` tells what `ml.toml` says of a table; no value of a private column shows.
///
/// # Errors
///
/// [`CheckError`] when a check cannot be made; that a check could not be *judged* is a finding.
pub fn evaluate(
    workspace: &Workspace,
    rules: &[Rule],
    table_rule: &dyn Fn(&DriftRule) -> TableRule,
) -> Result<CheckReport, CheckError> {
    if rules.is_empty() {
        return Err(CheckError::NoRules);
    }
    let repository = workspace.repository();
    recover(repository)?;
    let catalog = catalog(repository)?;
    let mut checks = Vec::with_capacity(rules.len());
    for rule in rules {
        checks.push(match &rule.kind {
            RuleKind::Drift(drift) => {
                check_drift(workspace, &catalog, rule, drift, &table_rule(drift).private)?
            }
            RuleKind::Metric(metric) => check_metric(workspace, &catalog, rule, metric)?,
        });
    }
    Ok(CheckReport {
        verdict: strongest(checks.iter().map(|check| check.verdict)),
        time: Timestamp::now(),
        commit: repository.head_commit()?.map(|commit| commit.to_string()),
        checks,
    })
}

fn check_drift(
    workspace: &Workspace,
    catalog: &Catalog,
    rule: &Rule,
    drift: &DriftRule,
    private: &[String],
) -> Result<CheckOutcome, CheckError> {
    let current = tables_of::current(workspace, rule, drift)?;
    let reference = tables_of::reference(workspace.repository(), catalog, drift)?;
    let reference_content = reference.as_ref().ok().map(|content| content.blake3);
    let judged = match reference {
        Ok(content) => {
            let reference = tables_of::columns(workspace, rule, &Table::Stored(content), private)?;
            let current = tables_of::columns(workspace, rule, &current, private)?;
            drift_check::judge(drift, rule.verdict, &reference, &current)
        }
        Err(lack) => {
            let status = CheckStatus::InsufficientData;
            let verdict = status.verdict(rule.verdict);
            Judged { status, verdict, columns: Vec::new(), lack: Some(lack) }
        }
    };
    let Judged { status, verdict, columns, lack } = judged;
    let finding = Finding::Drift {
        data: drift.data.to_string(),
        reference: drift.reference.clone(),
        reference_content,
        statistic: drift.statistic,
        threshold: drift.threshold,
        columns,
    };
    Ok(CheckOutcome { name: rule.name.clone(), status, verdict, finding, lack })
}

fn check_metric(
    workspace: &Workspace,
    catalog: &Catalog,
    rule: &Rule,
    metric: &MetricRule,
) -> Result<CheckOutcome, CheckError> {
    let view = View::open(workspace.repository())?;
    let found = run_with_metric(&view, catalog, metric)?;
    let value = found.as_ref().ok().and_then(|run| run.metric(&metric.metric));
    let (status, lack) = match (&found, value) {
        (Err(lack), _) => (CheckStatus::InsufficientData, Some(lack.clone())),
        (Ok(run), None) => {
            let lack = Lack::NoMetric { run: run.id, metric: metric.metric.clone() };
            (CheckStatus::InsufficientData, Some(lack))
        }
        (Ok(_), Some(value)) if passes(metric, value) => (CheckStatus::Pass, None),
        (Ok(_), Some(_)) => (CheckStatus::Fail, None),
    };
    let source = match &metric.source {
        MetricSource::Model(model) => model.to_string(),
        MetricSource::Run(name) => name.clone(),
        MetricSource::LatestRun => "the latest run".into(),
    };
    let finding = Finding::Metric {
        metric: metric.metric.clone(),
        source,
        run: found.ok().map(|run| run.id),
        value: value.map(Number),
        min: metric.min,
        max: metric.max,
    };
    let verdict = status.verdict(rule.verdict);
    Ok(CheckOutcome { name: rule.name.clone(), status, verdict, finding, lack })
}

/// What is no number is never good enough.
fn passes(metric: &MetricRule, value: f64) -> bool {
    !value.is_nan() && metric.min.is_none_or(|min| value >= min) && metric.max.is_none_or(|max| value <= max)
}

/// The run that a metric is taken from.
fn run_with_metric(
    view: &View<'_>,
    catalog: &Catalog,
    metric: &MetricRule,
) -> Result<Result<Run, Lack>, CheckError> {
    let no_run = || Lack::NoRun { metric: metric.metric.clone() };
    if let MetricSource::Model(model) = &metric.source {
        let Some(version) = catalog.version(model) else {
            return Ok(Err(Lack::NoVersion { named: model.to_string() }));
        };
        let run = version.run.map(|id| view.run(&id)).transpose()?.flatten();
        return Ok(run.ok_or_else(no_run));
    }
    let mut runs = view.runs()?;
    runs.retain(|run| {
        let named = match &metric.source {
            MetricSource::Run(name) => run.name.as_ref() == Some(name),
            _ => run.metrics.contains_key(&metric.metric),
        };
        named && !run.deleted && run.status == Status::Finished
    });
    Ok(runs.into_iter().max_by_key(|run| (run.start, run.id)).ok_or_else(no_run))
}
