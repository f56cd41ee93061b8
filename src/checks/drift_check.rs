//! A drift rule, judged column by column.
//!
//! A column *fails* when its number, less what chance alone would give, reaches the threshold; it is a *warning* when only
//! the bare number does. A column that is gone, or of another type, or has infinite numbers, cannot be learnt from as
//! before: the check fails and is `blocked`, whatever its rule says. A column for which no number makes sense (ids, days,
//! free text) is skipped, and so is a new one. With too few rows nothing is judged.

use crate::tables::Column;

use super::drift::{
    Drift, DriftStatistic, NotComputable, kolmogorov_smirnov, psi, psi_deciles, psi_evidently,
    total_variation,
};
use super::report::{ColumnNote, ColumnOutcome, Lack};
use super::rule::DriftRule;
use super::verdict::{CheckStatus, Verdict};

/// What a drift rule found.
pub(super) struct Judged {
    pub(super) status: CheckStatus,
    pub(super) verdict: Verdict,
    pub(super) columns: Vec<ColumnOutcome>,
    pub(super) lack: Option<Lack>,
}

/// Judges the columns of the current table by those of the reference; `if_failed` is what the rule says of a failure.
pub(super) fn judge(
    rule: &DriftRule,
    if_failed: Verdict,
    reference: &[Column],
    current: &[Column],
) -> Judged {
    let mut columns: Vec<_> = names(rule, reference, current)
        .iter()
        .map(|name| judge_column(rule, name, reference, current))
        .collect();
    let strength = |outcome: &ColumnOutcome| outcome.value.unwrap_or(f64::NEG_INFINITY);
    columns.sort_by(|a, b| rank(b).cmp(&rank(a)).then(strength(b).total_cmp(&strength(a))));
    let has = |status| columns.iter().any(|outcome| outcome.status == status);
    let unusable = columns.iter().any(is_unusable);
    let (status, lack) = if has(CheckStatus::Fail) {
        (CheckStatus::Fail, None)
    } else if has(CheckStatus::Warn) {
        (CheckStatus::Warn, None)
    } else if has(CheckStatus::Pass) {
        (CheckStatus::Pass, None)
    } else if has(CheckStatus::InsufficientData) {
        (CheckStatus::InsufficientData, Some(Lack::TooFewRows))
    } else {
        (CheckStatus::InsufficientData, Some(Lack::NothingToCompare))
    };
    let verdict = status.verdict(if unusable { Verdict::Blocked } else { if_failed });
    Judged { status, verdict, columns, lack }
}

/// The names of the columns to be judged: those of the rule, or all.
fn names(rule: &DriftRule, reference: &[Column], current: &[Column]) -> Vec<String> {
    if let Some(names) = &rule.columns {
        return names.clone();
    }
    let new = current.iter().filter(|column| !reference.iter().any(|known| known.name == column.name));
    reference.iter().chain(new).map(|column| column.name.clone()).collect()
}

fn judge_column(rule: &DriftRule, name: &str, reference: &[Column], current: &[Column]) -> ColumnOutcome {
    let find = |columns: &[Column]| columns.iter().position(|column| column.name == name);
    let (status, note) = match (find(reference), find(current)) {
        (Some(old), Some(new)) => match number(rule, &reference[old], &current[new]) {
            Ok(drift) => return measured(rule, name, drift),
            Err(why) => (status_without_number(&why), ColumnNote::NotComputable(why)),
        },
        (Some(_), None) => (CheckStatus::Fail, ColumnNote::Gone),
        (None, Some(_)) => (CheckStatus::Skipped, ColumnNote::New),
        // A name that the rule gives and no table has: the rule does not guard what it should.
        (None, None) => (CheckStatus::Fail, ColumnNote::Unknown),
    };
    let (column, note) = (name.to_owned(), Some(note));
    ColumnOutcome { column, status, value: None, by_chance: None, bins: Vec::new(), note }
}

fn number(rule: &DriftRule, reference: &Column, current: &Column) -> Result<Drift, NotComputable> {
    let statistic = match rule.statistic {
        DriftStatistic::Psi => psi,
        DriftStatistic::PsiEvidently => psi_evidently,
        DriftStatistic::PsiDeciles => psi_deciles,
        DriftStatistic::KolmogorovSmirnov => kolmogorov_smirnov,
        DriftStatistic::TotalVariation => total_variation,
    };
    statistic(reference, current, rule.min_rows)
}

fn measured(rule: &DriftRule, name: &str, drift: Drift) -> ColumnOutcome {
    let beyond_chance = drift.value - drift.by_chance.unwrap_or(0.0);
    let status = if beyond_chance >= rule.threshold {
        CheckStatus::Fail
    } else if drift.value >= rule.threshold {
        CheckStatus::Warn
    } else {
        CheckStatus::Pass
    };
    let Drift { value, by_chance, bins, .. } = drift;
    ColumnOutcome { column: name.to_owned(), status, value: Some(value), by_chance, bins, note: None }
}

fn status_without_number(why: &NotComputable) -> CheckStatus {
    match why {
        NotComputable::TooFewRows { .. } => CheckStatus::InsufficientData,
        NotComputable::OtherType { reference, current } if reference != current => CheckStatus::Fail,
        NotComputable::Infinite { .. } => CheckStatus::Fail,
        _ => CheckStatus::Skipped,
    }
}

/// Whether a column keeps the data from being used at all.
fn is_unusable(outcome: &ColumnOutcome) -> bool {
    outcome.status == CheckStatus::Fail && outcome.note.is_some()
}

/// Findings first, then what passed, then what was not looked at.
fn rank(outcome: &ColumnOutcome) -> u8 {
    match outcome.status {
        CheckStatus::Fail => 4,
        CheckStatus::Warn => 3,
        CheckStatus::Pass => 2,
        CheckStatus::InsufficientData => 1,
        CheckStatus::Skipped => 0,
    }
}
