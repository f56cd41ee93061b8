//! Checks on data and models, and the verdict that they add up to: is retraining due?
//!
//! A team writes rules into `ml.toml` (`rule`). [`check`] makes them: a table against the data that a model version was
//! trained on, a metric of the run that made it. What could not be judged is never taken for good or bad: it is
//! `insufficient_data`. The strongest of all verdicts wins ([`strongest`]), and goes into the log of runs ([`record()`]), where
//! the next job finds it.

mod bins;
mod drift;
mod drift_check;
mod error;
mod evaluate;
mod record;
mod report;
mod rule;
mod tables_of;
mod verdict;

pub use bins::BinRange;
pub use drift::{
    Bin, Drift, DriftStatistic, NotComputable, Sample, kolmogorov_smirnov, psi, psi_deciles, psi_evidently,
    total_variation,
};
pub use error::CheckError;
pub use evaluate::{check, evaluate};
pub use record::{CheckSummary, VerdictRecord, record, verdicts};
pub use report::{CheckOutcome, CheckReport, ColumnNote, ColumnOutcome, Finding, Lack};
pub use rule::{DriftRule, KeyProblem, MetricRule, MetricSource, Rule, RuleError, RuleKind, read_rules};
pub use verdict::{CheckStatus, Verdict, strongest};
