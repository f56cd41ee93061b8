//! Runs that were: found by name or id, listed, shown.

use serde::Serialize;

use crate::base::RandomId;
use crate::git::Repository;

use super::error::RunsError;
use super::flush;
use super::record::{Point, Status};
use super::state::Run;
use super::view::View;

/// Fewer digits do not abbreviate an id.
const SHORTEST_ABBREVIATION: usize = 4;

/// Which runs are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those whose name holds this text.
    pub name: Option<String>,
    /// Those of this status.
    pub status: Option<Status>,
    /// Deleted ones, too.
    pub deleted: bool,
    /// At most so many, the newest.
    pub limit: Option<usize>,
}

/// A run, and its metrics point by point.
#[derive(Debug, Serialize)]
pub struct MetricHistory {
    /// The run.
    pub run: RandomId,
    /// The name of the metric.
    pub key: String,
    /// Its points, by step, time and value.
    pub points: Vec<Point>,
}

/// The runs that `filter` lets through, the newest first.
///
/// # Errors
///
/// [`RunsError`].
pub fn list(repository: &Repository, filter: &Filter) -> Result<Vec<Run>, RunsError> {
    flush::recover(repository)?;
    let mut runs = View::open(repository)?.runs()?;
    let named = |run: &Run| match &filter.name {
        Some(wanted) => run.name.as_ref().is_some_and(|name| name.contains(wanted)),
        None => true,
    };
    runs.retain(|run| {
        (filter.deleted || !run.deleted)
            && named(run)
            && filter.status.is_none_or(|status| status == run.status)
    });
    runs.sort_by_key(|run| std::cmp::Reverse((run.start, run.id)));
    runs.truncate(filter.limit.unwrap_or(usize::MAX));
    Ok(runs)
}

/// The run that `named` means: an id, the beginning of one, or a name, of which the latest run counts.
///
/// # Errors
///
/// [`RunsError::NoSuchRun`], [`RunsError::Ambiguous`].
pub fn find(repository: &Repository, named: &str) -> Result<Run, RunsError> {
    flush::recover(repository)?;
    let view = View::open(repository)?;
    find_in(&view, named)?.ok_or_else(|| RunsError::NoSuchRun { named: named.into() })
}

/// As [`find`], in a view; `None` if there is no such run.
pub(super) fn find_in(view: &View<'_>, named: &str) -> Result<Option<Run>, RunsError> {
    let digits = named.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits && named.len() >= SHORTEST_ABBREVIATION {
        match view.runs_beginning_with(named)?.as_slice() {
            [] => {}
            [only] => return view.run(only),
            several => return Err(RunsError::Ambiguous { named: named.into(), ids: several.to_vec() }),
        }
    }
    let runs = view.runs()?.into_iter().filter(|run| !run.deleted && run.name.as_deref() == Some(named));
    Ok(runs.max_by_key(|run| (run.start, run.id)))
}

/// All points of a metric of a run.
///
/// # Errors
///
/// [`RunsError::NoSuchMetric`], [`RunsError::PointsAbsent`] where some of them are not here.
pub fn metric_history(repository: &Repository, run: &Run, key: &str) -> Result<MetricHistory, RunsError> {
    if !run.metrics.contains_key(key) {
        return Err(RunsError::NoSuchMetric { run: run.id, key: key.into() });
    }
    let points = View::open(repository)?.points(&run.id, key)?;
    Ok(MetricHistory { run: run.id, key: key.into(), points })
}
