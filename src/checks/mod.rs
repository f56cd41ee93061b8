//! Checks on data and models, and the verdict that they add up to: is retraining due?

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
