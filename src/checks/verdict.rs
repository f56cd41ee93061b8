//! From single checks to one verdict.

use serde::{Deserialize, Serialize};

/// What all checks together say should be done, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing.
    Pass,
    /// There was too little to judge by.
    InsufficientData,
    /// Somebody should look.
    Investigate,
    /// Retraining is due, but it was done not long ago or its budget is spent.
    Suppressed,
    /// Retraining is due.
    Retrain,
    /// The data or the model cannot be used as they are: retraining would not help.
    Blocked,
}

impl Verdict {
    /// The name in `ml.toml`, in JSON and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::InsufficientData => "insufficient_data",
            Self::Investigate => "investigate",
            Self::Suppressed => "suppressed",
            Self::Retrain => "retrain",
            Self::Blocked => "blocked",
        }
    }

    /// The verdict of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Pass,
            Self::InsufficientData,
            Self::Investigate,
            Self::Suppressed,
            Self::Retrain,
            Self::Blocked,
        ];
        all.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// What one check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// As it should be.
    Pass,
    /// Near the limit.
    Warn,
    /// Beyond the limit.
    Fail,
    /// Not looked at, because another check made it meaningless.
    Skipped,
    /// There was too little to judge by.
    InsufficientData,
}

impl CheckStatus {
    /// What the check adds to the verdict of all; `if_failed` is what its rule says that a failure means.
    pub const fn verdict(self, if_failed: Verdict) -> Verdict {
        match self {
            Self::Fail => if_failed,
            Self::InsufficientData => Verdict::InsufficientData,
            Self::Pass | Self::Warn | Self::Skipped => Verdict::Pass,
        }
    }
}

/// The strongest of several verdicts; [`Verdict::Pass`] for none.
pub fn strongest(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    verdicts.into_iter().max().unwrap_or(Verdict::Pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_verdict_wins() {
        use Verdict::*;
        let order = [Blocked, Retrain, Suppressed, Investigate, InsufficientData, Pass];
        assert!(order.is_sorted_by(|a, b| a > b), "the order that the words are explained in");
        assert_eq!(strongest([Pass, Retrain, InsufficientData]), Retrain);
        assert_eq!(strongest([]), Pass);
        for verdict in order {
            assert_eq!(Verdict::named(verdict.name()), Some(verdict));
            assert_eq!(serde_json::to_string(&verdict).unwrap(), format!("{:?}", verdict.name()));
        }
    }

    #[test]
    fn only_a_failure_means_what_its_rule_says() {
        assert_eq!(CheckStatus::Fail.verdict(Verdict::Retrain), Verdict::Retrain);
        assert_eq!(CheckStatus::Warn.verdict(Verdict::Retrain), Verdict::Pass);
        assert_eq!(CheckStatus::InsufficientData.verdict(Verdict::Retrain), Verdict::InsufficientData);
    }
}
