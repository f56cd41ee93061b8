//! Verdicts in the log of runs, so that the next job, in a fresh clone, knows what the last one decided.
//!
//! A record lies at `v1/checks/<year>/<month>/<lamport>-<writer>-<n>.json`:
//!
//! ```json
//! {"version": 1, "time": "2026-11-22T18:00:00Z", "commit": "4c1f…", "verdict": "retrain",
//!  "checks": [{"name": "penguin-drift", "status": "fail", "verdict": "retrain", "value": 0.59, "reference": "6f1e…"}]}
//! ```

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::base::Digest;
use crate::git::Repository;
use crate::runs::layout::{VERSION_FOLDER, checks_folder};
use crate::runs::log::{append, new_file};
use crate::runs::number::Number;
use crate::runs::record::{FORMAT, Versioned};
use crate::runs::{RunsError, View};

use super::report::{CheckOutcome, CheckReport, Finding};
use super::verdict::{CheckStatus, Verdict};

/// A verdict that was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerdictRecord {
    /// The format.
    pub version: u32,
    /// When.
    pub time: Timestamp,
    /// The commit that was checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What should be done.
    pub verdict: Verdict,
    /// The checks, by name.
    pub checks: Vec<CheckSummary>,
}

/// One check of a verdict, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckSummary {
    /// Its name.
    pub name: String,
    /// What it found.
    pub status: CheckStatus,
    /// What it added to the verdict.
    pub verdict: Verdict,
    /// The number that decided: of the column that moved farthest, or of the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Number>,
    /// The content that was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Digest>,
}

impl Versioned for VerdictRecord {
    fn version(&self) -> u32 {
        self.version
    }
}

impl CheckSummary {
    fn of(outcome: &CheckOutcome) -> Self {
        let (value, reference) = match &outcome.finding {
            Finding::Drift { columns, reference_content, .. } => {
                let values = columns.iter().filter_map(|column| column.value);
                (values.reduce(f64::max).map(Number), *reference_content)
            }
            Finding::Metric { value, .. } => (*value, None),
        };
        let CheckOutcome { name, status, verdict, .. } = outcome;
        Self { name: name.clone(), status: *status, verdict: *verdict, value, reference }
    }
}

/// Writes a verdict to this clone's log.
///
/// # Errors
///
/// [`RunsError`].
pub fn record(repository: &Repository, report: &CheckReport) -> Result<(), RunsError> {
    let record = VerdictRecord {
        version: FORMAT,
        time: report.time,
        commit: report.commit.clone(),
        verdict: report.verdict,
        checks: report.checks.iter().map(CheckSummary::of).collect(),
    };
    let json = record.to_json().map_err(RunsError::NewRecord)?;
    let date = report.time.to_zoned(TimeZone::UTC).date();
    append(repository, "Record a verdict", |stamp| {
        let path = format!("{}/{}", checks_folder(date.year(), date.month()), stamp.record(0).file("json"));
        Ok(vec![new_file(repository, path, &json)?])
    })?;
    Ok(())
}

/// The verdicts that were given, the newest first.
///
/// # Errors
///
/// [`RunsError`].
pub fn verdicts(repository: &Repository) -> Result<Vec<VerdictRecord>, RunsError> {
    let view = View::open(repository)?;
    let folder = format!("{VERSION_FOLDER}/checks");
    let mut verdicts: Vec<VerdictRecord> = Vec::new();
    for (_, file) in view.files_below(&folder)? {
        match view.record(file, &folder) {
            Ok(verdict) => verdicts.push(verdict),
            Err(RunsError::Record { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    verdicts.sort_by_key(|verdict| std::cmp::Reverse(verdict.time));
    Ok(verdicts)
}
