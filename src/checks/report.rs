//! What checks found.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::base::{Digest, RandomId};
use crate::runs::number::Number;

use super::drift::{Bin, DriftStatistic, NotComputable};
use super::verdict::{CheckStatus, Verdict};

/// All checks of one time, and what they say together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// What should be done.
    pub verdict: Verdict,
    /// When the checks were made.
    pub time: Timestamp,
    /// The commit that was checked out.
    pub commit: Option<String>,
    /// The checks, by name.
    pub checks: Vec<CheckOutcome>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckOutcome {
    /// Its name in `ml.toml`.
    pub name: String,
    /// What it found.
    pub status: CheckStatus,
    /// What it adds to the verdict of all.
    pub verdict: Verdict,
    /// What it is about.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it could not be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lack: Option<Lack>,
}

/// What a check is about, and what it saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// The drift of a table.
    Drift {
        /// The table.
        data: String,
        /// What it was compared with, as the rule names it.
        reference: String,
        /// The content that the reference is.
        reference_content: Option<Digest>,
        /// Which number was taken.
        statistic: DriftStatistic,
        /// The value from which on a column drifts.
        threshold: f64,
        /// The columns, those that drifted most first.
        columns: Vec<ColumnOutcome>,
    },
    /// A metric.
    Metric {
        /// Its name.
        metric: String,
        /// Whose it is, as the rule names it.
        source: String,
        /// The run that it was taken from.
        run: Option<RandomId>,
        /// Its latest value.
        value: Option<Number>,
        /// The least that passes.
        min: Option<f64>,
        /// The most that passes.
        max: Option<f64>,
    },
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnOutcome {
    /// Its name.
    pub column: String,
    /// What was found.
    pub status: CheckStatus,
    /// How far it has moved.
    pub value: Option<f64>,
    /// What about that chance alone would give.
    pub by_chance: Option<f64>,
    /// The shares that were compared; of a private column without values.
    pub bins: Vec<Bin>,
    /// Why it was not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<ColumnNote>,
}

/// Why a column was not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "note")]
pub enum ColumnNote {
    /// The reference has it, the current data has not.
    Gone,
    /// The current data has it, the reference has not.
    New,
    /// The rule names it, and neither has it.
    Unknown,
    /// No number can be told for it.
    NotComputable(NotComputable),
}

impl fmt::Display for ColumnNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the column is gone"),
            Self::New => f.write_str("the column is new"),
            Self::Unknown => f.write_str("there is no such column"),
            Self::NotComputable(why) => why.fmt(f),
        }
    }
}

/// Why a check could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "lack")]
pub enum Lack {
    /// The model has no such version yet.
    #[error("there is no version '{named}' yet")]
    NoVersion {
        /// As the rule names it.
        named: String,
    },
    /// There is nothing at the reference.
    #[error("'{named}' has no data at '{path}'")]
    NoReference {
        /// As the rule names it.
        named: String,
        /// The table.
        path: String,
    },
    /// There is no run to take the metric from.
    #[error("there is no run to take '{metric}' from")]
    NoRun {
        /// The metric.
        metric: String,
    },
    /// The run has no such metric.
    #[error("run {} has no metric '{metric}'", run.short())]
    NoMetric {
        /// The run.
        run: RandomId,
        /// The metric.
        metric: String,
    },
    /// Too few rows in every column that could be compared.
    #[error("no column has enough rows to judge by")]
    TooFewRows,
    /// No column could be compared.
    #[error("the tables have no column that can be compared")]
    NothingToCompare,
}
