//! How far the values of a column have moved from those of a reference. Pure functions over columns.
//!
//! | function | on | what |
//! | --- | --- | --- |
//! | [`psi`] | both | the population stability index as this crate judges by it |
//! | [`psi_evidently`] | both | as Evidently 0.7 computes it |
//! | [`psi_deciles`] | numbers | bins by the reference's deciles |
//! | [`kolmogorov_smirnov`] | numbers | the largest difference of the distribution functions |
//! | [`total_variation`] | categories | half the sum of differences of shares |
//!
//! PSI is `Σ (r - c) ln(r / c)` over bins, `r` and `c` the shares of the reference and of the current values. What is
//! usual: below 0.1 nothing happened, from 0.25 on much did. With few rows chance alone gives
//! `(bins - 1)(1/n + 1/m)`, told as [`Drift::by_chance`]: at 100 rows on either side and ten bins that is 0.18.
//!
//! - [`psi`]: at most 20 different reference numbers: a bin for each number of either side; else the deciles of the
//!   reference, and where ties leave fewer than five of these bins, equal widths. Categories: a bin for each. Cells
//!   without a value are a bin of their own, as else a column that goes empty would not drift at all. An empty bin counts
//!   as the share 0.0001.
//! - [`psi_evidently`]: more than 20 different reference numbers: equal widths over both samples by Sturges' rule; else
//!   a bin for each. Without nulls. An empty bin counts as a millionth of the side's smallest share if that is at most
//!   0.0001, else as 0.0001.
//! - [`psi_deciles`]: linear quantiles, outer bins open. Without nulls. An empty bin counts as 0.0001.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::tables::{Column, ColumnType, ColumnValues};

use super::bins::{BinRange, Bins, MOST_VALUES, distinct};

/// The share that an empty bin counts as.
const EMPTY_SHARE: f64 = 1e-4;

/// Fewer bins than this say too little of a column of many different numbers.
const FEWEST_BINS: usize = 5;

/// A column of text is one of categories if each stands in five rows on average.
const ROWS_PER_CATEGORY: usize = 5;

/// Which number tells the drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftStatistic {
    /// [`psi`].
    Psi,
    /// [`psi_evidently`].
    PsiEvidently,
    /// [`psi_deciles`].
    PsiDeciles,
    /// [`kolmogorov_smirnov`].
    KolmogorovSmirnov,
    /// [`total_variation`].
    TotalVariation,
}

/// How far a column has moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// Which number it is.
    pub statistic: DriftStatistic,
    /// The number; 0 is no drift.
    pub value: f64,
    /// What it would be about if only chance were at work; only for PSI.
    pub by_chance: Option<f64>,
    /// Rows of the reference that were counted.
    pub reference_rows: u64,
    /// Current rows that were counted.
    pub current_rows: u64,
    /// The shares that were compared; none for a statistic without bins.
    pub bins: Vec<Bin>,
}

/// The share of rows in one bin, before empty bins are filled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    /// What falls into it.
    pub range: BinRange,
    /// Share of the reference rows.
    pub reference: f64,
    /// Share of the current rows.
    pub current: f64,
}

/// One of the two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// What is compared with.
    Reference,
    /// What is compared.
    Current,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference => "the reference",
            Self::Current => "the current data",
        })
    }
}

/// Why a drift cannot be computed. Never a drift, and never the absence of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum NotComputable {
    /// Too few rows to judge by.
    #[error("{sample} has {rows} rows to count, and {needed} are needed")]
    TooFewRows {
        /// The sample.
        sample: Sample,
        /// Its rows.
        rows: u64,
        /// What is needed.
        needed: u64,
    },
    /// No row has a value.
    #[error("the column is empty in {sample}")]
    NoValues {
        /// The sample.
        sample: Sample,
    },
    /// Numbers on one side, text on the other; or a statistic that the type does not have.
    #[error("{reference} in the reference, {current} now: nothing to compare by this statistic")]
    OtherType {
        /// Type in the reference.
        reference: String,
        /// Type now.
        current: String,
    },
    /// Text with hardly any value twice.
    #[error("the column has too many different texts to be one of categories")]
    TooManyCategories,
    /// Every row has a number of its own: an id, which moves with every row that comes.
    #[error("every row has a number of its own: this is an id")]
    Identifier,
    /// Days, which move on by themselves.
    #[error("the column holds days, and these move on by themselves")]
    Days,
    /// Infinite numbers.
    #[error("the column has infinite numbers in {sample}")]
    Infinite {
        /// The sample.
        sample: Sample,
    },
}

/// The population stability index as this crate judges by it: see the module's text for its bins.
///
/// # Errors
///
/// [`NotComputable`] with fewer than `min_rows` rows (nulls counted) on either side, without a value in the reference,
/// and for columns that no drift can be told of: other types, ids, days, free text.
pub fn psi(reference: &Column, current: &Column, min_rows: u64) -> Result<Drift, NotComputable> {
    let rows = [reference.len() + reference.nulls, current.len() + current.nulls];
    enough(rows, min_rows)?;
    if reference.is_empty() {
        return Err(NotComputable::NoValues { sample: Sample::Reference });
    }
    if reference.kind == ColumnType::Date {
        return Err(NotComputable::Days);
    }
    let mut counted = if let Some((old, new)) = numbers_if_any(reference, current)? {
        let values = distinct(old.iter()).len();
        if reference.kind == ColumnType::Int64 && values == old.len() && values > MOST_VALUES {
            return Err(NotComputable::Identifier);
        }
        let mut bins = Bins::of_deciles(old);
        if values <= MOST_VALUES {
            bins = Bins::of_values(old, new);
        } else if bins.len() < FEWEST_BINS {
            bins = Bins::of_equal_widths(old, new);
        }
        Counted::of_numbers(&bins, old, new)
    } else {
        let counted = Counted::of_categories(reference, current)?;
        let in_reference = counted.counts.iter().filter(|[old, _]| *old > 0).count();
        if in_reference > MOST_VALUES && in_reference * ROWS_PER_CATEGORY > rows[0] as usize {
            return Err(NotComputable::TooManyCategories);
        }
        counted
    };
    if reference.nulls + current.nulls > 0 {
        counted.ranges.push(BinRange::NoValue);
        counted.counts.push([reference.nulls, current.nulls]);
    }
    Ok(counted.psi(DriftStatistic::Psi, reference.private || current.private, |_| EMPTY_SHARE))
}

/// PSI as Evidently 0.7 computes it, nulls left out.
///
/// # Errors
///
/// [`NotComputable`], also with fewer than `min_rows` values on either side.
pub fn psi_evidently(reference: &Column, current: &Column, min_rows: u64) -> Result<Drift, NotComputable> {
    have_values(reference, current, min_rows)?;
    let counted = if let Some((old, new)) = numbers_if_any(reference, current)? {
        let bins = if distinct(old.iter()).len() > MOST_VALUES {
            Bins::of_equal_widths(old, new)
        } else {
            Bins::of_values(old, new)
        };
        Counted::of_numbers(&bins, old, new)
    } else {
        Counted::of_categories(reference, current)?
    };
    let empty_share = |smallest: f64| if smallest <= EMPTY_SHARE { smallest / 1e6 } else { EMPTY_SHARE };
    Ok(counted.psi(DriftStatistic::PsiEvidently, reference.private || current.private, empty_share))
}

/// PSI over the deciles of the reference, nulls left out. Of a column with many ties it sees little.
///
/// # Errors
///
/// [`NotComputable`], also with fewer than `min_rows` values on either side.
pub fn psi_deciles(reference: &Column, current: &Column, min_rows: u64) -> Result<Drift, NotComputable> {
    have_values(reference, current, min_rows)?;
    let (old, new) = numbers(reference, current)?;
    let counted = Counted::of_numbers(&Bins::of_deciles(old), old, new);
    Ok(counted.psi(DriftStatistic::PsiDeciles, reference.private || current.private, |_| EMPTY_SHARE))
}

/// The largest difference of the two distribution functions, from 0 to 1.
///
/// # Errors
///
/// [`NotComputable`], also with fewer than `min_rows` values on either side.
pub fn kolmogorov_smirnov(
    reference: &Column,
    current: &Column,
    min_rows: u64,
) -> Result<Drift, NotComputable> {
    have_values(reference, current, min_rows)?;
    let (old, new) = numbers(reference, current)?;
    let bins = Bins::of_values(old, new);
    let (mut old_share, mut new_share, mut largest) = (0.0, 0.0, 0.0_f64);
    for (in_old, in_new) in bins.counts(old).into_iter().zip(bins.counts(new)) {
        old_share += in_old as f64 / old.len() as f64;
        new_share += in_new as f64 / new.len() as f64;
        largest = largest.max((old_share - new_share).abs());
    }
    Ok(Drift {
        statistic: DriftStatistic::KolmogorovSmirnov,
        value: largest,
        by_chance: None,
        reference_rows: old.len() as u64,
        current_rows: new.len() as u64,
        bins: Vec::new(),
    })
}

/// Half the sum of the differences of shares, from 0 to 1.
///
/// # Errors
///
/// [`NotComputable`], also with fewer than `min_rows` values on either side.
pub fn total_variation(reference: &Column, current: &Column, min_rows: u64) -> Result<Drift, NotComputable> {
    have_values(reference, current, min_rows)?;
    let counted = Counted::of_categories(reference, current)?;
    let bins = counted.bins(reference.private || current.private);
    let [reference_rows, current_rows] = counted.rows();
    Ok(Drift {
        statistic: DriftStatistic::TotalVariation,
        value: bins.iter().map(|bin| (bin.reference - bin.current).abs()).sum::<f64>() / 2.0,
        by_chance: None,
        reference_rows,
        current_rows,
        bins,
    })
}

fn enough([reference, current]: [u64; 2], needed: u64) -> Result<(), NotComputable> {
    for (sample, rows) in [(Sample::Reference, reference), (Sample::Current, current)] {
        if rows < needed.max(1) {
            return Err(NotComputable::TooFewRows { sample, rows, needed: needed.max(1) });
        }
    }
    Ok(())
}

fn have_values(reference: &Column, current: &Column, min_rows: u64) -> Result<(), NotComputable> {
    for (sample, column) in [(Sample::Reference, reference), (Sample::Current, current)] {
        if column.is_empty() {
            return Err(NotComputable::NoValues { sample });
        }
    }
    enough([reference.len(), current.len()], min_rows)
}

fn other_type(reference: &Column, current: &Column) -> NotComputable {
    NotComputable::OtherType { reference: reference.kind.to_string(), current: current.kind.to_string() }
}

/// The numbers of the reference, and the current ones.
type Numbers<'a> = (&'a [f64], &'a [f64]);

/// The numbers of both columns.
fn numbers<'a>(reference: &'a Column, current: &'a Column) -> Result<Numbers<'a>, NotComputable> {
    let of = |column: &'a Column| match &column.values {
        ColumnValues::Numbers(numbers) => Some(numbers.as_slice()),
        _ => column.is_empty().then_some(&[][..]),
    };
    let (Some(old), Some(new)) = (of(reference), of(current)) else {
        return Err(other_type(reference, current));
    };
    for (sample, numbers) in [(Sample::Reference, old), (Sample::Current, new)] {
        if numbers.iter().any(|number| number.is_infinite()) {
            return Err(NotComputable::Infinite { sample });
        }
    }
    Ok((old, new))
}

/// The numbers of both columns; `None` for a reference of categories.
fn numbers_if_any<'a>(
    reference: &'a Column,
    current: &'a Column,
) -> Result<Option<Numbers<'a>>, NotComputable> {
    let has_numbers = matches!(reference.values, ColumnValues::Numbers(_));
    has_numbers.then(|| numbers(reference, current)).transpose()
}

/// Rows of both sides in bins.
struct Counted {
    ranges: Vec<BinRange>,
    /// For each bin: rows of the reference, current rows.
    counts: Vec<[u64; 2]>,
}

impl Counted {
    fn of_numbers(bins: &Bins, reference: &[f64], current: &[f64]) -> Self {
        let counts = bins.counts(reference).into_iter().zip(bins.counts(current));
        Self { ranges: bins.ranges(), counts: counts.map(|(old, new)| [old, new]).collect() }
    }

    fn of_categories(reference: &Column, current: &Column) -> Result<Self, NotComputable> {
        let of = |column: &Column| match &column.values {
            ColumnValues::Categories(counts) => Ok(counts.clone()),
            ColumnValues::TooMany => Err(NotComputable::TooManyCategories),
            ColumnValues::Numbers(numbers) if numbers.is_empty() => Ok(Default::default()),
            ColumnValues::Numbers(_) => Err(other_type(reference, current)),
        };
        let (old, new) = (of(reference)?, of(current)?);
        let categories: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let count = |counts: &BTreeMap<String, u64>, category| counts.get(category).copied().unwrap_or(0);
        Ok(Self {
            counts: categories
                .iter()
                .map(|category| [count(&old, *category), count(&new, *category)])
                .collect(),
            ranges: categories.into_iter().map(|category| BinRange::Category(category.clone())).collect(),
        })
    }

    fn rows(&self) -> [u64; 2] {
        [0, 1].map(|side| self.counts.iter().map(|counts| counts[side]).sum())
    }

    fn bins(&self, private: bool) -> Vec<Bin> {
        let rows = self.rows().map(|rows| rows as f64);
        let bin = |(range, [old, new]): (&BinRange, &[u64; 2])| Bin {
            range: if private && *range != BinRange::NoValue { BinRange::Private } else { range.clone() },
            reference: *old as f64 / rows[0],
            current: *new as f64 / rows[1],
        };
        self.ranges.iter().zip(&self.counts).map(bin).collect()
    }

    /// PSI, where an empty bin counts as the share that `empty_share` makes of the side's smallest share.
    fn psi(&self, statistic: DriftStatistic, private: bool, empty_share: impl Fn(f64) -> f64) -> Drift {
        let bins = self.bins(private);
        let smallest = |share: fn(&Bin) -> f64| {
            bins.iter().map(share).filter(|share| *share > 0.0).fold(f64::INFINITY, f64::min)
        };
        let fill = [empty_share(smallest(|bin| bin.reference)), empty_share(smallest(|bin| bin.current))];
        let filled = |share: f64, fill: f64| if share > 0.0 { share } else { fill };
        let value = bins.iter().map(|bin| {
            let (old, new) = (filled(bin.reference, fill[0]), filled(bin.current, fill[1]));
            (old - new) * (old / new).ln()
        });
        let value = value.sum();
        let [reference_rows, current_rows] = self.rows();
        let by_row = 1.0 / reference_rows as f64 + 1.0 / current_rows as f64;
        let by_chance = Some((bins.len() as f64 - 1.0) * by_row);
        Drift { statistic, value, by_chance, reference_rows, current_rows, bins }
    }
}
