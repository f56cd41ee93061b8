//! Values in bins: the step in which two programs that both compute "PSI" differ.

use serde::Serialize;

/// What falls into a bin.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BinRange {
    /// Numbers from one (included) to another (excluded, but included at the end of equal widths); open where absent.
    Between {
        /// The lowest.
        from: Option<f64>,
        /// The end.
        to: Option<f64>,
    },
    /// One number.
    Number(f64),
    /// One category.
    Category(String),
    /// Cells without a value.
    NoValue,
    /// Not told: the column is private.
    Private,
}

/// Edges of bins for numbers: all finite, ascending.
pub(super) enum Bins {
    /// One bin for each number.
    Values(Vec<f64>),
    /// Bins between inner edges, the outer ones open: `(-∞, e1) [e1, e2) … [en, ∞)`.
    Inner(Vec<f64>),
    /// Bins between edges, the last one closed.
    Closed(Vec<f64>),
}

/// More different numbers than this are not given a bin each.
pub(super) const MOST_VALUES: usize = 20;

impl Bins {
    /// One bin for each number of either sample.
    pub(super) fn of_values(reference: &[f64], current: &[f64]) -> Self {
        Self::Values(distinct(reference.iter().chain(current)))
    }

    /// Bins by the deciles of the reference (linear quantiles); deciles that fall together make one edge.
    pub(super) fn of_deciles(reference: &[f64]) -> Self {
        let mut sorted = reference.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut edges: Vec<_> = (0..=10).map(|tenth| quantile(&sorted, f64::from(tenth) * 0.1)).collect();
        edges.dedup();
        let inner = edges.get(1..edges.len().saturating_sub(1)).unwrap_or_default();
        Self::Inner(inner.to_vec())
    }

    /// Equal widths over both samples, their number by Sturges' rule, computed as numpy does.
    pub(super) fn of_equal_widths(reference: &[f64], current: &[f64]) -> Self {
        let all = || reference.iter().chain(current).copied();
        let (lowest, highest) =
            (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
        let count = (reference.len() + current.len()) as f64;
        let width = (highest - lowest) / (count.log2() + 1.0);
        let bins = if width > 0.0 { ((highest - lowest) / width).ceil() } else { 1.0 };
        let step = (highest - lowest) / bins;
        let mut edges: Vec<_> = (0..bins as u32).map(|bin| f64::from(bin) * step + lowest).collect();
        edges.push(highest);
        Self::Closed(edges)
    }

    /// How many bins there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Inner(edges) => edges.len() + 1,
            Self::Closed(edges) => edges.len().saturating_sub(1),
        }
    }

    /// How many of `numbers` fall into each bin.
    pub(super) fn counts(&self, numbers: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; self.len()];
        for number in numbers {
            if let Some(count) = self.bin_of(*number).and_then(|bin| counts.get_mut(bin)) {
                *count += 1;
            }
        }
        counts
    }

    fn bin_of(&self, number: f64) -> Option<usize> {
        match self {
            Self::Values(values) => values.binary_search_by(|value| value.total_cmp(&(number + 0.0))).ok(),
            Self::Inner(edges) => Some(edges.partition_point(|edge| *edge <= number)),
            Self::Closed(edges) if edges.last() == Some(&number) => Some(self.len() - 1),
            Self::Closed(edges) => edges.partition_point(|edge| *edge <= number).checked_sub(1),
        }
    }

    /// What falls into each bin.
    pub(super) fn ranges(&self) -> Vec<BinRange> {
        let between = |edges: &[f64], from: Option<usize>, to: usize| BinRange::Between {
            from: from.and_then(|place| edges.get(place).copied()),
            to: edges.get(to).copied(),
        };
        match self {
            Self::Values(values) => values.iter().map(|value| BinRange::Number(*value)).collect(),
            Self::Inner(edges) => {
                (0..self.len()).map(|bin| between(edges, bin.checked_sub(1), bin)).collect()
            }
            Self::Closed(edges) => (0..self.len()).map(|bin| between(edges, Some(bin), bin + 1)).collect(),
        }
    }
}

/// The different numbers, ascending.
pub(super) fn distinct<'a>(numbers: impl Iterator<Item = &'a f64>) -> Vec<f64> {
    // Zero and minus zero are one number.
    let mut values: Vec<_> = numbers.map(|number| number + 0.0).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    values
}

/// The linear quantile of sorted numbers, rounded as numpy rounds it.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let below = (place.floor() as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let rest = place - below as f64;
    if rest >= 0.5 { high - (high - low) * (1.0 - rest) } else { low + (high - low) * rest }
}
