//! The rules that a team writes into `ml.toml`, one table `[check.NAME]` each.
//!
//! ```toml
//! [check.penguin-drift]
//! kind = "drift"
//! data = "data/penguins.csv"       # a table of the work tree
//! reference = "penguins#prod"      # the data that this model version was trained on; or a revision of Git
//! statistic = "psi"                # the default; or psi-evidently, psi-deciles, kolmogorov-smirnov, total-variation
//! threshold = 0.2                  # a column drifts at this value; the default is 0.2
//! columns = ["mass"]               # only these; the default is every column that both tables have
//! min-rows = 200                   # fewer on either side: insufficient data; the default is 200
//! verdict = "retrain"              # what a failure means: retrain, investigate (the default) or blocked
//!
//! [check.penguin-accuracy]
//! kind = "metric"
//! model = "penguins#prod"          # the run that made this model version; or run = "NAME", the latest of this name;
//!                                  # the default is the latest run that has the metric
//! metric = "accuracy"
//! min = 0.9                        # min, max or both
//! verdict = "retrain"              # the default
//! ```
//!
//! A key that is not known is an error: a misspelt limit must not pass for a limit that holds.

use std::collections::BTreeMap;

use crate::base::{Advice, PathError, RepoPath};
use crate::models::{ModelRef, NameError};

use super::drift::DriftStatistic;
use super::verdict::Verdict;

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name: the last part of `[check.NAME]`.
    pub name: String,
    /// What a failure means.
    pub verdict: Verdict,
    /// What it looks at.
    pub kind: RuleKind,
}

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleKind {
    /// Whether the data still look as they did.
    Drift(DriftRule),
    /// Whether a model is still good enough.
    Metric(MetricRule),
}

/// A rule on the drift of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftRule {
    /// The table.
    pub data: RepoPath,
    /// What it is compared with.
    pub reference: String,
    /// By what number.
    pub statistic: DriftStatistic,
    /// The value from which on a column drifts.
    pub threshold: f64,
    /// Only these columns; all that both tables have if `None`.
    pub columns: Option<Vec<String>>,
    /// With fewer rows on either side nothing is judged.
    pub min_rows: u64,
}

/// Whose metric a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricSource {
    /// That of the run that made a model version.
    Model(ModelRef),
    /// That of the latest run of this name.
    Run(String),
    /// That of the latest run that has it.
    LatestRun,
}

/// A rule on a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRule {
    /// Whose metric.
    pub source: MetricSource,
    /// Its name.
    pub metric: String,
    /// The least value that passes.
    pub min: Option<f64>,
    /// The greatest value that passes.
    pub max: Option<f64>,
}

const DEFAULT_THRESHOLD: f64 = 0.2;
const DEFAULT_MIN_ROWS: u64 = 200;

/// What is wrong with a key.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KeyProblem {
    /// It is needed.
    #[error("is missing")]
    Missing,
    /// It is of the wrong type.
    #[error("must be {wanted}, not {found}")]
    Type {
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// It is not one of the words that are known.
    #[error("is '{found}', not one of: {known}")]
    Word {
        /// What it is.
        found: String,
        /// What it may be.
        known: &'static str,
    },
    /// It is not finite, or below what makes sense.
    #[error("must be a number greater than 0")]
    NotPositive,
    /// It names no path of the repository.
    #[error("is no path of the repository: {0}")]
    Path(PathError),
    /// It names no model.
    #[error("names no model: {0}")]
    Model(NameError),
    /// No such key.
    #[error("is not known; known are: {known}")]
    Unknown {
        /// The keys that are.
        known: &'static str,
    },
    /// It contradicts another.
    #[error("cannot be given together with '{other}'")]
    Together {
        /// The other key.
        other: &'static str,
    },
    /// Neither this key nor the other one is there.
    #[error("or '{other}' is needed")]
    NeitherOf {
        /// The other key.
        other: &'static str,
    },
    /// It is greater than the other.
    #[error("is greater than '{other}'")]
    Above {
        /// The other key.
        other: &'static str,
    },
}

/// A rule that cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("check '{rule}' in ml.toml: '{key}' {problem}")]
pub struct RuleError {
    /// The rule.
    pub rule: String,
    /// The key.
    pub key: String,
    /// What is wrong with it.
    pub problem: KeyProblem,
}

impl Advice for RuleError {
    fn hints(&self) -> Vec<String> {
        vec![format!("mend the table [check.{}] in ml.toml", self.rule)]
    }
}

/// Reads the rules of all tables `[check.NAME]`, by name.
///
/// # Errors
///
/// [`RuleError`] for the first key that is wrong.
pub fn read_rules(checks: &BTreeMap<String, toml::Table>) -> Result<Vec<Rule>, RuleError> {
    checks.iter().map(|(name, table)| Rule::read(name, table)).collect()
}

impl Rule {
    /// Reads the table `[check.NAME]`.
    ///
    /// # Errors
    ///
    /// [`RuleError`] for the first key that is wrong.
    pub fn read(name: &str, table: &toml::Table) -> Result<Self, RuleError> {
        let keys = Keys { rule: name, table };
        let (kind, default, known) = match keys.needed_text("kind")? {
            "drift" => (RuleKind::Drift(keys.drift()?), Verdict::Investigate, Keys::OF_DRIFT),
            "metric" => (RuleKind::Metric(keys.metric()?), Verdict::Retrain, Keys::OF_METRIC),
            other => {
                return Err(
                    keys.wrong("kind", KeyProblem::Word { found: other.into(), known: "drift, metric" })
                );
            }
        };
        keys.refuse_unknown(known)?;
        Ok(Self { name: name.into(), verdict: keys.verdict(default)?, kind })
    }
}

/// The keys of one rule.
struct Keys<'a> {
    rule: &'a str,
    table: &'a toml::Table,
}

impl<'a> Keys<'a> {
    const OF_DRIFT: &'static str = "kind, data, reference, statistic, threshold, columns, min-rows, verdict";
    const OF_METRIC: &'static str = "kind, model, run, metric, min, max, verdict";

    fn wrong(&self, key: &str, problem: KeyProblem) -> RuleError {
        RuleError { rule: self.rule.into(), key: key.into(), problem }
    }

    fn drift(&self) -> Result<DriftRule, RuleError> {
        let data = self.needed_text("data")?;
        let statistic = match self.text("statistic")?.unwrap_or("psi") {
            "psi" => DriftStatistic::Psi,
            "psi-evidently" => DriftStatistic::PsiEvidently,
            "psi-deciles" => DriftStatistic::PsiDeciles,
            "kolmogorov-smirnov" => DriftStatistic::KolmogorovSmirnov,
            "total-variation" => DriftStatistic::TotalVariation,
            other => {
                let known = "psi, psi-evidently, psi-deciles, kolmogorov-smirnov, total-variation";
                return Err(self.wrong("statistic", KeyProblem::Word { found: other.into(), known }));
            }
        };
        Ok(DriftRule {
            data: RepoPath::new(data).map_err(|error| self.wrong("data", KeyProblem::Path(error)))?,
            reference: self.needed_text("reference")?.into(),
            statistic,
            threshold: self.positive("threshold")?.unwrap_or(DEFAULT_THRESHOLD),
            columns: self.texts("columns")?,
            min_rows: self.positive("min-rows")?.map_or(DEFAULT_MIN_ROWS, |rows| rows as u64),
        })
    }

    fn metric(&self) -> Result<MetricRule, RuleError> {
        let source = match (self.text("model")?, self.text("run")?) {
            (Some(_), Some(_)) => return Err(self.wrong("run", KeyProblem::Together { other: "model" })),
            (Some(model), None) => {
                let model = model.parse().map_err(|error| self.wrong("model", KeyProblem::Model(error)))?;
                MetricSource::Model(model)
            }
            (None, Some(run)) => MetricSource::Run(run.into()),
            (None, None) => MetricSource::LatestRun,
        };
        let (min, max) = (self.number("min")?, self.number("max")?);
        match (min, max) {
            (None, None) => return Err(self.wrong("min", KeyProblem::NeitherOf { other: "max" })),
            (Some(min), Some(max)) if min > max => {
                return Err(self.wrong("min", KeyProblem::Above { other: "max" }));
            }
            _ => {}
        }
        Ok(MetricRule { source, metric: self.needed_text("metric")?.into(), min, max })
    }

    fn verdict(&self, default: Verdict) -> Result<Verdict, RuleError> {
        let Some(word) = self.text("verdict")? else { return Ok(default) };
        let meant = [Verdict::Retrain, Verdict::Investigate, Verdict::Blocked];
        let known = "retrain, investigate, blocked";
        Verdict::named(word)
            .filter(|verdict| meant.contains(verdict))
            .ok_or_else(|| self.wrong("verdict", KeyProblem::Word { found: word.into(), known }))
    }

    fn refuse_unknown(&self, known: &'static str) -> Result<(), RuleError> {
        match self.table.keys().find(|key| known.split(", ").all(|known| known != *key)) {
            Some(key) => Err(self.wrong(key, KeyProblem::Unknown { known })),
            None => Ok(()),
        }
    }

    fn mistyped(&self, key: &str, wanted: &'static str, value: &toml::Value) -> RuleError {
        self.wrong(key, KeyProblem::Type { wanted, found: value.type_str() })
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, RuleError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.mistyped(key, "text", value))
    }

    fn needed_text(&self, key: &str) -> Result<&'a str, RuleError> {
        self.text(key)?.ok_or_else(|| self.wrong(key, KeyProblem::Missing))
    }

    fn texts(&self, key: &str) -> Result<Option<Vec<String>>, RuleError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let texts = value.as_array().and_then(|items| {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        texts.map(Some).ok_or_else(|| self.mistyped(key, "a list of texts", value))
    }

    fn number(&self, key: &str) -> Result<Option<f64>, RuleError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(toml::Value::Float(number)) if number.is_finite() => Ok(Some(*number)),
            Some(toml::Value::Integer(number)) => Ok(Some(*number as f64)),
            Some(value) => Err(self.mistyped(key, "a finite number", value)),
        }
    }

    fn positive(&self, key: &str) -> Result<Option<f64>, RuleError> {
        match self.number(key)? {
            Some(number) if number <= 0.0 => Err(self.wrong(key, KeyProblem::NotPositive)),
            number => Ok(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Rule>, String> {
        read_rules(&toml::from_str(text).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn rules_are_read_with_their_defaults() {
        let text = r#"
            [drift]
            kind = "drift"
            data = "data/penguins.csv"
            reference = "penguins@prod"
            [quality]
            kind = "metric"
            model = "penguins@prod"
            metric = "accuracy"
            min = 1
            verdict = "blocked""#;
        let rules = read(text).unwrap();
        let RuleKind::Drift(drift) = &rules[0].kind else { panic!("drift") };
        assert_eq!((drift.threshold, drift.min_rows, rules[0].verdict), (0.2, 200, Verdict::Investigate));
        let RuleKind::Metric(metric) = &rules[1].kind else { panic!("metric") };
        assert_eq!((metric.min, metric.max, rules[1].verdict), (Some(1.0), None, Verdict::Blocked));
        assert_eq!(metric.source, MetricSource::Model("penguins#prod".parse().unwrap()));
    }

    #[test]
    fn an_error_names_rule_and_key() {
        let drift = "[d]\nkind = 'drift'\ndata = 'd.csv'\nreference = 'HEAD'\n";
        let metric = "[m]\nkind = 'metric'\nmetric = 'auc'\n";
        let wrong = [
            ("[x]\nkind = 'magic'", "check 'x' in ml.toml: 'kind' is 'magic', not one of: drift, metric"),
            ("[x]\ndata = 'd.csv'", "check 'x' in ml.toml: 'kind' is missing"),
            (
                &format!("{drift}treshold = 1"),
                "check 'd' in ml.toml: 'treshold' is not known; known are: kind, data,",
            ),
            (
                &format!("{drift}threshold = '1'"),
                "check 'd' in ml.toml: 'threshold' must be a finite number, not string",
            ),
            (
                &format!("{drift}threshold = -1"),
                "check 'd' in ml.toml: 'threshold' must be a number greater than 0",
            ),
            (
                &format!("{drift}verdict = 'pass'"),
                "check 'd' in ml.toml: 'verdict' is 'pass', not one of: retrain,",
            ),
            (metric, "check 'm' in ml.toml: 'min' or 'max' is needed"),
            (&format!("{metric}min = 2\nmax = 1"), "check 'm' in ml.toml: 'min' is greater than 'max'"),
            (&format!("{metric}min = nan"), "check 'm' in ml.toml: 'min' must be a finite number, not float"),
            (
                &drift.replace("d.csv", "../d.csv"),
                "check 'd' in ml.toml: 'data' is no path of the repository: ",
            ),
        ];
        for (text, message) in wrong {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
