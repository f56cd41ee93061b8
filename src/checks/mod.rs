//! Checks on data and models, and the verdict that they add up to: is retraining due?

mod bins;
mod drift;
mod rule;
mod verdict;

pub use bins::BinRange;
pub use drift::{
    Bin, Drift, DriftStatistic, NotComputable, Sample, kolmogorov_smirnov, psi, psi_deciles, psi_evidently,
    total_variation,
};
pub use rule::{
    DriftRule, KeyProblem, MetricRule, MetricSource, Rule, RuleError, RuleKind, Statistic, read_rules,
};
pub use verdict::{CheckStatus, Verdict, strongest};
