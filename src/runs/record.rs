//! The records of runs: JSON, one object a file, each with its format's version.
//!
//! A run is a folder of the log (see [`super::layout`]). `create.json` is written once and never changed; everything that
//! becomes known later is an operation, and operations come in batches, one file each. Readers skip operations and keys
//! that they do not know, and refuse a file of a version that they do not know. Times are RFC 3339 in UTC.
//!
//! `create.json`:
//!
//! ```json
//! {"version": 1, "id": "5e0c…", "name": "base", "writer": "77c0…", "lamport": 12, "start": "2026-11-22T18:00:00Z",
//!  "user": "Ann <ann@example.org>", "command": ["python3", "train.py"], "folder": "",
//!  "git": {"commit": "4c1f…", "tree": "9d2e…", "branch": "main", "patch_id": "…", "change_id": "I…", "changed_files": 2},
//!  "environment": {"os": "linux", "arch": "x86_64", "cpus": 8, "git": "2.47.3", "git_ml": "0.1.0", "python": "3.11.7"}}
//! ```
//!
//! No host name is recorded: `writer`, a random id of the clone, is enough to tell machines apart. Arguments that look like
//! secrets are recorded as `***`.
//!
//! A batch of operations:
//!
//! ```json
//! {"version": 1, "writer": "77c0…", "lamport": 13, "spool": {"id": "…", "end": 4096}, "metric_bytes": 2424,
//!  "ops": [{"op": "param", "time": "…", "key": "lr", "value": "0.1"}, {"op": "status", "time": "…", "status": "finished"}]}
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::RandomId;
use crate::models::ContentRecord;

use super::number::Number;
use super::points::StoredPoints;

/// The version of the records that are written.
pub const FORMAT: u32 = 1;

/// How a run is going, or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It has begun and nobody has said that it ended.
    Running,
    /// The command ended with 0.
    Finished,
    /// The command ended with another code, or could not be started.
    Failed,
    /// A signal ended the command.
    Killed,
    /// The recorder itself vanished: the machine or `git mlrun exec` went down.
    Lost,
}

/// Where the code stood when a run began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CodeState {
    /// The commit, in hexadecimal; none in a repository without commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The tree of that commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// The branch; none on a detached `HEAD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The stable patch id of the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch_id: Option<String>,
    /// The commit's `Change-Id` trailer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    /// How many files of the work tree differed from the commit. The files themselves lie in the run's `code/`.
    #[serde(default)]
    pub changed_files: u64,
    /// Files that differed and are not kept, because they look like secrets or are too large; the first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// What a run ran on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// The operating system, as Rust names it.
    pub os: String,
    /// The processor's architecture, as Rust names it.
    pub arch: String,
    /// How many processors the run could use.
    #[serde(default)]
    pub cpus: u32,
    /// The version of Git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
    /// The version of this program.
    pub git_ml: String,
    /// The version of Python, where the command is Python.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
}

/// What is known of a run when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRecord {
    /// The format: [`FORMAT`].
    pub version: u32,
    /// The run.
    pub id: RandomId,
    /// What its owner called it; names need not be unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who writes it: a clone, or a job.
    pub writer: RandomId,
    /// The Lamport time of its writing; 0 until it is in a log.
    #[serde(default)]
    pub lamport: u64,
    /// When it began.
    pub start: Timestamp,
    /// Git's name and address of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The run from within which it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<RandomId>,
    /// The command and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// The folder of the work tree that it ran in; empty at the top.
    #[serde(default)]
    pub folder: String,
    /// The code.
    #[serde(default)]
    pub git: CodeState,
    /// The machine.
    #[serde(default)]
    pub environment: Environment,
}

/// One value of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The step that the run named; 0 where it named none.
    pub step: i64,
    /// When it was logged, in milliseconds since 1970.
    pub time: i64,
    /// The value; not a number and infinite ones too.
    #[serde(with = "super::number")]
    pub value: f64,
}

/// What one batch adds to a metric; its points lie in chunks beside the batch, or in the store (see `points`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSummary {
    /// The name of the metric.
    pub key: String,
    /// How many points.
    pub count: u64,
    /// The greatest by (step, time, value).
    pub last: Point,
    /// The least value that is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The greatest value that is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
}

/// One thing that became known of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Op {
    /// A parameter; the first value of a key stays.
    Param {
        /// Its name.
        key: String,
        /// Its value.
        value: String,
    },
    /// A tag; the last value of a key stays, and without a value the tag is gone.
    Tag {
        /// Its name.
        key: String,
        /// Its value; `None` removes it.
        #[serde(default)]
        value: Option<String>,
    },
    /// How the run is going.
    Status {
        /// The new status.
        status: Status,
        /// The command's exit code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// The signal that ended the command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<i32>,
        /// How long the command ran, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_ms: Option<u64>,
    },
    /// A content that the run read.
    Input(ContentRecord),
    /// A content that the run made.
    Output(ContentRecord),
    /// Points of a metric.
    Metric(MetricSummary),
    /// Where the points lie that the batch adds, if not beside it.
    Points(StoredPoints),
    /// The run is not shown any more.
    Delete,
    /// The run is shown again.
    Restore,
    /// Something that a newer program wrote.
    #[serde(other)]
    Unknown,
}

/// An operation and when it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedOp {
    /// When.
    pub time: Timestamp,
    /// What.
    #[serde(flatten)]
    pub op: Op,
}

/// How far a spool had been read when a batch was made, so that nothing is taken from it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolMark {
    /// The spool.
    pub id: RandomId,
    /// The first byte of it that is not in the log yet.
    pub end: u64,
}

/// A batch of operations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpBatch {
    /// The format: [`FORMAT`].
    pub version: u32,
    /// Who wrote it.
    pub writer: RandomId,
    /// Its Lamport time: later than everything that the writer had seen.
    pub lamport: u64,
    /// The spool that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spool: Option<SpoolMark>,
    /// Bytes of the run's metric chunks that the writer has put into its log, those beside this batch too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub metric_bytes: u64,
    /// The operations, in order.
    pub ops: Vec<TimedOp>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not the JSON that it should be.
    #[error("not a record of a run")]
    Malformed(#[from] serde_json::Error),
    /// Of a version that this program does not know.
    #[error("a record of version {0}, which this program does not know")]
    NewerVersion(u32),
    /// Larger than any record is.
    #[error("a record of {0} bytes: too large")]
    TooLarge(usize),
}

/// Records that are larger are not parsed.
const LARGEST_RECORD: usize = 16 << 20;

/// A record with a version of its own format.
pub trait Versioned: for<'de> Deserialize<'de> + Serialize {
    /// The version that the record says it has.
    fn version(&self) -> u32;

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`RecordError`] when it is too large, no such record, or of a version that is not known.
    fn from_json(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > LARGEST_RECORD {
            return Err(RecordError::TooLarge(bytes.len()));
        }
        let record: Self = serde_json::from_slice(bytes)?;
        if record.version() == FORMAT { Ok(record) } else { Err(RecordError::NewerVersion(record.version())) }
    }

    /// The bytes to be stored.
    ///
    /// # Errors
    ///
    /// [`RecordError`] if a value has no JSON form.
    fn to_json(&self) -> Result<Vec<u8>, RecordError> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl Versioned for CreateRecord {
    fn version(&self) -> u32 {
        self.version
    }
}

impl Versioned for OpBatch {
    fn version(&self) -> u32 {
        self.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_of_newer_programs_are_skipped_and_newer_records_refused() {
        let text =
            br#"{"version":1,"writer":"00000000000000000000000000000001","lamport":3,"more":true,"ops":[
            {"op":"teleport","time":"2026-11-22T18:00:00Z","to":[1,2]},
            {"op":"tag","time":"2026-11-22T18:00:00Z","key":"k"},
            {"op":"metric","time":"2026-11-22T18:00:00Z","key":"loss","count":1,
             "last":{"step":0,"time":0,"value":"NaN"}}]}"#;
        let batch = OpBatch::from_json(text).unwrap();
        assert_eq!(batch.ops[0].op, Op::Unknown);
        assert_eq!(batch.ops[1].op, Op::Tag { key: "k".into(), value: None });
        let Op::Metric(summary) = &batch.ops[2].op else { panic!("a metric") };
        assert!(summary.last.value.is_nan());
        let newer = String::from_utf8_lossy(text).replace("\"version\":1", "\"version\":2");
        assert!(matches!(OpBatch::from_json(newer.as_bytes()), Err(RecordError::NewerVersion(2))));
    }
}
