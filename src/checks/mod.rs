//! Checks on data and models, and the verdict that they add up to: is retraining due?

mod rule;
mod verdict;

pub use rule::{
    DriftRule, KeyProblem, MetricRule, MetricSource, Rule, RuleError, RuleKind, Statistic, read_rules,
};
pub use verdict::{CheckStatus, Verdict, strongest};
