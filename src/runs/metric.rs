//! Metrics in short: the summary that a batch carries, and the rollup that a plot is drawn from.
//!
//! A rollup (`.roll.json`) stands beside the chunks of a metric of more than [`ROLLUP_POINTS`] points, so that it can be
//! drawn without them. Its points are, for each of equal stretches of the points as they were logged, the least and the greatest:
//! what sticks out is never smoothed away.
//!
//! ```json
//! {"version": 1, "chunks": ["<lamport>-<writer>-<n>.mcol"], "count": 1000000, "points": [{"step": 0, "time": 0, "value": 0.5}]}
//! ```

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::number::Number;
use super::record::{FORMAT, MetricSummary, Point, Versioned};

/// The most points of a rollup; a shorter metric has none.
pub const ROLLUP_POINTS: usize = 1000;

/// What a long metric is drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollup {
    /// The format: [`FORMAT`].
    pub version: u32,
    /// The chunks that it stands for: the names of their files, or of the batches that tell where in the store they lie.
    pub chunks: Vec<String>,
    /// How many points those hold.
    pub count: u64,
    /// At most [`ROLLUP_POINTS`] of them.
    pub points: Vec<Point>,
}

impl Versioned for Rollup {
    fn version(&self) -> u32 {
        self.version
    }
}

/// A rollup that is being drawn: the points come one by one and are not kept.
#[derive(Debug)]
pub struct Drawing {
    count: u64,
    seen: u64,
    stretch: u64,
    low: Option<(u64, Point)>,
    high: Option<(u64, Point)>,
    points: Vec<Point>,
}

impl Drawing {
    /// A rollup of so many points; `None` if they are few.
    pub fn of(count: u64) -> Option<Self> {
        let empty = Self { count, seen: 0, stretch: 0, low: None, high: None, points: Vec::new() };
        (count > ROLLUP_POINTS as u64).then_some(empty)
    }

    /// Takes in the next point, in the order in which they were logged.
    pub fn add(&mut self, point: Point) {
        const STRETCHES: u128 = ROLLUP_POINTS as u128 / 2;
        let end = (u128::from(self.stretch) + 1) * u128::from(self.count) / STRETCHES;
        if u128::from(self.seen) >= end && u128::from(self.stretch) + 1 < STRETCHES {
            self.close();
            self.stretch += 1;
        }
        let order = |known: &(u64, Point)| point.value.total_cmp(&known.1.value);
        if self.low.as_ref().is_none_or(|low| order(low).is_lt()) {
            self.low = Some((self.seen, point));
        }
        if self.high.as_ref().is_none_or(|high| order(high).is_gt()) {
            self.high = Some((self.seen, point));
        }
        self.seen += 1;
    }

    fn close(&mut self) {
        let mut extremes: Vec<_> = self.low.take().into_iter().chain(self.high.take()).collect();
        extremes.sort_by_key(|(at, _)| *at);
        extremes.dedup_by_key(|(at, _)| *at);
        self.points.extend(extremes.into_iter().map(|(_, point)| point));
    }

    /// The rollup; its points lie in `chunks`.
    pub fn finish(mut self, chunks: Vec<String>) -> Rollup {
        self.close();
        self.points.sort_by(later);
        Rollup { version: FORMAT, chunks, count: self.seen, points: self.points }
    }
}

/// The order by which the latest point of a metric is found: step, then time, then value, as in MLflow.
pub fn later(one: &Point, other: &Point) -> Ordering {
    one.step.cmp(&other.step).then(one.time.cmp(&other.time)).then(one.value.total_cmp(&other.value))
}

impl MetricSummary {
    /// The summary of `points`; `None` if there are none.
    pub fn of(key: &str, points: &[Point]) -> Option<Self> {
        let last = *points.iter().max_by(|a, b| later(a, b))?;
        let numbers = || points.iter().map(|point| point.value).filter(|value| !value.is_nan());
        Some(Self {
            key: key.into(),
            count: points.len() as u64,
            last,
            min: numbers().reduce(f64::min).map(Number),
            max: numbers().reduce(f64::max).map(Number),
        })
    }

    /// Takes in another summary of the same metric, of other points.
    pub fn add(&mut self, other: &Self) {
        let reduce = |a: Option<Number>, b: Option<Number>, pick: fn(f64, f64) -> f64| match (a, b) {
            (Some(a), Some(b)) => Some(Number(pick(a.0, b.0))),
            (a, b) => a.or(b),
        };
        self.count = self.count.saturating_add(other.count);
        self.min = reduce(self.min, other.min, f64::min);
        self.max = reduce(self.max, other.max, f64::max);
        if later(&other.last, &self.last).is_gt() {
            self.last = other.last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
        let point = |(step, value)| Point { step, time: 0, value };
        (0..).zip(values).map(point).collect()
    }

    fn drawn(points: &[Point]) -> Option<Rollup> {
        let mut drawing = Drawing::of(points.len() as u64)?;
        points.iter().for_each(|point| drawing.add(*point));
        Some(drawing.finish(vec!["a.mcol".into()]))
    }

    #[test]
    fn a_rollup_keeps_what_sticks_out() {
        let mut long = points((0..20_000).map(f64::from));
        long[7_777].value = 1e9;
        long[7_778].value = f64::NEG_INFINITY;
        let rollup = drawn(&long).unwrap();
        assert!(rollup.points.len() <= ROLLUP_POINTS);
        assert!(rollup.points.contains(&long[7_777]) && rollup.points.contains(&long[7_778]));
        assert!(rollup.points.is_sorted_by_key(|point| point.step));
        let text = rollup.to_json().unwrap();
        assert_eq!(Rollup::from_json(&text).unwrap(), rollup);
        assert_eq!(drawn(&long[..ROLLUP_POINTS]), None);
    }

    #[test]
    fn summaries_of_parts_add_up_to_that_of_the_whole() {
        let all = points([3.0, f64::NAN, 1.0, 2.0]);
        let mut sum = MetricSummary::of("loss", &all[2..]).unwrap();
        sum.add(&MetricSummary::of("loss", &all[..2]).unwrap());
        assert_eq!(sum, MetricSummary::of("loss", &all).unwrap());
        assert_eq!((sum.last.value, sum.min, sum.max), (2.0, Some(Number(1.0)), Some(Number(3.0))));
    }
}
