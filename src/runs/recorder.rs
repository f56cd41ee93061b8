//! What becomes known of a run, on its way into the spool: from inside the command, and afterwards.

use std::path::Path;

use jiff::Timestamp;

use crate::base::RandomId;
use crate::git::Repository;

use super::error::RunsError;
use super::flush::{self, Alive};
use super::layout;
use super::record::{Op, Point, TimedOp};
use super::spool::{Event, Spool};

/// The variable by which a command, and what it starts, finds its run.
pub const RUN_VARIABLE: &str = "GIT_MLRUN_RUN";
/// The variable by which it finds the spool of the run, wherever it goes.
pub const SPOOL_VARIABLE: &str = "GIT_MLRUN_SPOOL";

/// A metric's escaped name is the name of a folder.
const LONGEST_NAME: usize = 255;

impl Event {
    /// An operation that happens now.
    pub fn now(op: Op) -> Self {
        Self::Op(TimedOp { time: Timestamp::now(), op })
    }

    /// A parameter that is set now.
    pub fn param(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self::now(Op::Param { key: key.into(), value: value.into() })
    }

    /// A tag that is set now, or removed for `None`.
    pub fn tag(key: impl Into<String>, value: Option<String>) -> Self {
        Self::now(Op::Tag { key: key.into(), value })
    }

    /// A point of a metric, logged now.
    ///
    /// # Errors
    ///
    /// [`RunsError::MetricName`] for a name that cannot be kept.
    pub fn metric(key: impl Into<String>, step: i64, value: f64) -> Result<Self, RunsError> {
        let key = key.into();
        if key.is_empty() || layout::escape_key(&key).len() > LONGEST_NAME {
            return Err(RunsError::MetricName { key });
        }
        Ok(Self::Metric { key, point: Point { step, time: Timestamp::now().as_millisecond(), value } })
    }
}

/// Records events of the run whose recorder waits for them: what a command does that finds [`SPOOL_VARIABLE`]. No
/// repository is needed. When this returns, they are on the disk.
///
/// # Errors
///
/// [`RunsError::Spool`], also when the run has ended.
pub fn record_inside(spool_folder: &Path, events: &[Event]) -> Result<(), RunsError> {
    Ok(Spool::open(spool_folder)?.append(events)?)
}

/// Records events of any run, whether it is going on here, has ended, or was recorded elsewhere.
///
/// # Errors
///
/// [`RunsError`].
pub fn record(repository: &Repository, run: RandomId, events: &[Event]) -> Result<(), RunsError> {
    let folder = flush::spool_folder(repository, &run);
    Spool::open_or_create(&folder, run)?.append(events)?;
    match Alive::take(&folder)? {
        // Nobody else will bring it into the log.
        Some(_alive) => flush::finish(repository, &folder),
        None => Ok(()),
    }
}
