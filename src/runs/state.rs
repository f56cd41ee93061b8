//! What a run adds up to: the fold of its operations in the order of (Lamport time, writer, n).
//!
//! | operation | fold |
//! | --- | --- |
//! | parameter | the first value of a key stays; other values are kept as conflicts |
//! | tag | the last value of a key stays; a removal is a value, too |
//! | status | the last one; code, signal and duration stay until a later one says otherwise |
//! | input, output | the last one of each path |
//! | metric | counts add up; the latest point is the greatest by (step, time, value) |
//! | points | all of them |
//! | delete, restore | the last one |

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::base::RandomId;
use crate::models::ContentRecord;

use super::layout::RecordName;
use super::points::StoredPoints;
use super::record::{CodeState, CreateRecord, Environment, MetricSummary, Op, OpBatch, Status};

/// A parameter that was given two values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParamConflict {
    /// Its name.
    pub key: String,
    /// The value that was not taken.
    pub value: String,
}

/// A run as it is known now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// Its id.
    pub id: RandomId,
    /// What its owner called it.
    pub name: Option<String>,
    /// How it is going, or went.
    pub status: Status,
    /// The command's exit code, once it ended.
    pub exit_code: Option<i32>,
    /// The signal that ended the command.
    pub signal: Option<i32>,
    /// When it began.
    pub start: Timestamp,
    /// How long the command ran, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Git's name and address of the person.
    pub user: Option<String>,
    /// The clone or job that recorded it.
    pub writer: RandomId,
    /// The run from within which it was started.
    pub parent: Option<RandomId>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The folder of the work tree that it ran in; empty at the top.
    pub folder: String,
    /// The code.
    pub git: CodeState,
    /// The machine.
    pub environment: Environment,
    /// Its parameters.
    pub params: BTreeMap<String, String>,
    /// Values of parameters that came too late.
    pub param_conflicts: Vec<ParamConflict>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its metrics, in short.
    pub metrics: BTreeMap<String, MetricSummary>,
    /// The contents in the store that hold points of its metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<StoredPoints>,
    /// What it read, by path.
    pub inputs: Vec<ContentRecord>,
    /// What it made, by path.
    pub outputs: Vec<ContentRecord>,
    /// Whether it was deleted.
    pub deleted: bool,
}

impl Run {
    /// The state of the run that `create` began, after `batches`, which may come in any order.
    pub fn fold(create: CreateRecord, mut batches: Vec<(RecordName, OpBatch)>) -> Self {
        batches.sort_by_key(|(name, _)| *name);
        let mut run = Self::begun(create);
        for timed in batches.into_iter().flat_map(|(_, batch)| batch.ops) {
            run.apply(timed.op);
        }
        run.inputs.sort_by(|a, b| a.path.cmp(&b.path));
        run.outputs.sort_by(|a, b| a.path.cmp(&b.path));
        run
    }

    fn begun(create: CreateRecord) -> Self {
        Self {
            id: create.id,
            name: create.name,
            status: Status::Running,
            exit_code: None,
            signal: None,
            start: create.start,
            duration_ms: None,
            user: create.user,
            writer: create.writer,
            parent: create.parent,
            command: create.command,
            folder: create.folder,
            git: create.git,
            environment: create.environment,
            params: BTreeMap::new(),
            param_conflicts: Vec::new(),
            tags: BTreeMap::new(),
            metrics: BTreeMap::new(),
            points: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            deleted: false,
        }
    }

    /// Takes in one operation that is later than all before.
    pub(super) fn apply(&mut self, op: Op) {
        match op {
            Op::Param { key, value } => self.set_param(key, value),
            Op::Tag { key, value: Some(value) } => {
                self.tags.insert(key, value);
            }
            Op::Tag { key, value: None } => {
                self.tags.remove(&key);
            }
            Op::Status { status, exit_code, signal, duration_ms } => {
                self.status = status;
                self.exit_code = exit_code.or(self.exit_code);
                self.signal = signal.or(self.signal);
                self.duration_ms = duration_ms.or(self.duration_ms);
            }
            Op::Input(data) => replace(&mut self.inputs, data),
            Op::Output(data) => replace(&mut self.outputs, data),
            Op::Metric(summary) => match self.metrics.get_mut(&summary.key) {
                Some(known) => known.add(&summary),
                None => {
                    self.metrics.insert(summary.key.clone(), summary);
                }
            },
            Op::Points(points) => self.points.push(points),
            Op::Delete => self.deleted = true,
            Op::Restore => self.deleted = false,
            Op::Unknown => {}
        }
    }

    fn set_param(&mut self, key: String, value: String) {
        match self.params.get(&key) {
            None => {
                self.params.insert(key, value);
            }
            Some(first) if *first == value => {}
            Some(_) => self.param_conflicts.push(ParamConflict { key, value }),
        }
    }

    /// What it read, then what it made.
    pub fn contents(&self) -> impl DoubleEndedIterator<Item = &ContentRecord> {
        self.inputs.iter().chain(&self.outputs)
    }

    /// The latest value of a metric.
    pub fn metric(&self, key: &str) -> Option<f64> {
        self.metrics.get(key).map(|summary| summary.last.value)
    }
}

fn replace(records: &mut Vec<ContentRecord>, data: ContentRecord) {
    records.retain(|record| record.path != data.path);
    records.push(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::record::{FORMAT, TimedOp, Versioned};

    fn batch(lamport: u64, writer: u8, ops: Vec<Op>) -> (RecordName, OpBatch) {
        let writer = RandomId::from_bytes([writer; 16]);
        let ops = ops.into_iter().map(|op| TimedOp { time: Timestamp::UNIX_EPOCH, op }).collect();
        let name = RecordName { lamport, writer, n: 0 };
        (name, OpBatch { version: FORMAT, writer, lamport, spool: None, metric_bytes: 0, ops })
    }

    fn create() -> CreateRecord {
        let text = r#"{"version":1,"id":"00000000000000000000000000000001",
            "writer":"00000000000000000000000000000002","start":"2026-11-22T18:00:00Z"}"#;
        CreateRecord::from_json(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_fold_does_not_depend_on_the_order_of_arrival() {
        let param = |value: &str| Op::Param { key: "lr".into(), value: value.into() };
        let tag = |value: Option<&str>| Op::Tag { key: "t".into(), value: value.map(Into::into) };
        let status = |status, exit_code| Op::Status { status, exit_code, signal: None, duration_ms: None };
        let batches = vec![
            batch(1, 1, vec![param("0.1"), tag(Some("a")), status(Status::Finished, Some(0))]),
            batch(2, 1, vec![param("0.2"), tag(Some("b")), Op::Delete]),
            batch(2, 2, vec![tag(None), Op::Restore, status(Status::Lost, None)]),
        ];
        let run = Run::fold(create(), batches.clone());
        let mut reversed = batches;
        reversed.reverse();
        assert_eq!(run, Run::fold(create(), reversed));
        assert_eq!(run.params["lr"], "0.1");
        assert_eq!(run.param_conflicts, [ParamConflict { key: "lr".into(), value: "0.2".into() }]);
        assert!(run.tags.is_empty() && !run.deleted);
        assert_eq!((run.status, run.exit_code), (Status::Lost, Some(0)));
    }
}
