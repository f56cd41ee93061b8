//! Metrics in short: the summary that a batch carries, and the rollup that a plot is drawn from.
//!
//! A rollup (`.roll.json`) stands beside the chunks of a metric of more than [`ROLLUP_POINTS`] points, so that it can be
//! drawn without them. Its points are, for each of equal stretches of the points in order, the least and the greatest:
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
    /// The chunks that it stands for.
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

impl Rollup {
    /// The rollup of `points`, which lie in `chunks`; `None` if they are few.
    pub fn of(points: &[Point], chunks: Vec<String>) -> Option<Self> {
        if points.len() <= ROLLUP_POINTS {
            return None;
        }
        let stretches = ROLLUP_POINTS / 2;
        let stretch = |at: usize| {
            let (from, to) = (at * points.len() / stretches, (at + 1) * points.len() / stretches);
            extremes(&points[from..to])
        };
        let drawn = (0..stretches).flat_map(stretch).collect();
        Some(Self { version: FORMAT, chunks, count: points.len() as u64, points: drawn })
    }
}

/// The least and the greatest of `points`, in the order in which they stand.
fn extremes(points: &[Point]) -> Vec<Point> {
    let place = |pick: fn(Ordering) -> bool| {
        (0..points.len()).reduce(|a, b| if pick(points[b].value.total_cmp(&points[a].value)) { b } else { a })
    };
    let (low, high) = (place(Ordering::is_lt), place(Ordering::is_gt));
    let (Some(low), Some(high)) = (low, high) else { return Vec::new() };
    let places = if low == high { vec![low] } else { vec![low.min(high), low.max(high)] };
    places.into_iter().map(|at| points[at]).collect()
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

    #[test]
    fn a_rollup_keeps_what_sticks_out() {
        let mut long = points((0..20_000).map(f64::from));
        long[7_777].value = 1e9;
        long[7_778].value = f64::NEG_INFINITY;
        let rollup = Rollup::of(&long, vec!["a.mcol".into()]).unwrap();
        assert!(rollup.points.len() <= ROLLUP_POINTS);
        assert!(rollup.points.contains(&long[7_777]) && rollup.points.contains(&long[7_778]));
        assert!(rollup.points.is_sorted_by_key(|point| point.step));
        let text = rollup.to_json().unwrap();
        assert_eq!(Rollup::from_json(&text).unwrap(), rollup);
        assert_eq!(Rollup::of(&long[..ROLLUP_POINTS], Vec::new()), None);
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
