//! One part of a spool, as it comes into the log: where its points go, and the files that it becomes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::base::{RandomId, RepoPath};
use crate::git::{EntryMode, GitError, Repository};
use crate::storage::store::Store;

use super::error::RunsError;
use super::layout;
use super::log::{NewEntry, Stamp, new_file};
use super::metric::Drawing;
use super::metric_chunk;
use super::points::{LEAST_IN_STORE, LONGEST_WAIT, MOST_IN_GIT, StoredPoints, WORTH_A_CONTENT};
use super::record::{CreateRecord, FORMAT, MetricSummary, Op, OpBatch, Point, SpoolMark, TimedOp, Versioned};
use super::spool::Event;
use super::view::View;

/// The events of a part of a spool, by where they go.
#[derive(Default)]
pub(super) struct BatchToWrite {
    create: Option<(CreateRecord, Option<String>)>,
    ops: Vec<TimedOp>,
    /// Of each metric the chunks that its points make.
    chunks: Vec<(String, Vec<u8>)>,
    summaries: Vec<MetricSummary>,
    /// When the oldest point was logged, in milliseconds since 1970.
    oldest: Option<i64>,
}

impl BatchToWrite {
    /// Sorts events, and packs points into chunks.
    ///
    /// # Errors
    ///
    /// [`RunsError::NewChunk`].
    pub(super) fn of(events: Vec<Event>) -> Result<Self, RunsError> {
        let mut batch = Self::default();
        let mut points: BTreeMap<String, Vec<Point>> = BTreeMap::new();
        for event in events {
            match event {
                Event::Spool { .. } => {}
                Event::Create { record, code } => batch.create = Some((*record, code)),
                Event::Op(op) => batch.ops.push(op),
                Event::Metric { key, point } => points.entry(key).or_default().push(point),
            }
        }
        for (key, points) in points {
            for points in points.chunks(metric_chunk::MAX_POINTS) {
                let chunk = metric_chunk::encode(points).map_err(RunsError::NewChunk)?;
                batch.chunks.push((key.clone(), chunk));
            }
            batch.oldest = batch.oldest.into_iter().chain(points.iter().map(|point| point.time)).min();
            batch.summaries.extend(MetricSummary::of(&key, &points));
        }
        Ok(batch)
    }

    fn chunk_bytes(&self) -> u64 {
        self.chunks.iter().map(|(_, chunk)| chunk.len() as u64).sum()
    }

    /// Whether its chunks go to the store, where `metric_bytes` lie in Git already.
    pub(super) fn exceeds_git(&self, metric_bytes: u64) -> bool {
        let bytes = self.chunk_bytes();
        bytes >= LEAST_IN_STORE && metric_bytes.saturating_add(bytes) > MOST_IN_GIT
    }

    /// Whether it may wait for more points: it has nothing else, few of them, and they are young.
    pub(super) fn can_wait(&self, spool_bytes: u64) -> bool {
        let age = Timestamp::now().as_millisecond().saturating_sub(self.oldest.unwrap_or_default());
        let is_young = u128::try_from(age).is_ok_and(|age| age < LONGEST_WAIT.as_millis());
        self.create.is_none() && self.ops.is_empty() && spool_bytes < WORTH_A_CONTENT && is_young
    }

    /// The files that it becomes; its chunks go to `store`, if that is given.
    ///
    /// # Errors
    ///
    /// [`RunsError`] when something cannot be written.
    pub(super) fn entries(
        &mut self,
        repository: &Repository,
        store: Option<&Store>,
        stamp: &Stamp,
        run: RandomId,
        mark: SpoolMark,
        metric_bytes: u64,
    ) -> Result<Vec<NewEntry>, RunsError> {
        let folder = layout::run_folder(&run);
        let mut entries = Vec::new();
        if let Some((create, code)) = self.create.take() {
            entries.extend(beginning(repository, stamp, &folder, create, code)?);
        }
        let now = |op| TimedOp { time: Timestamp::now(), op };
        let mut ops = std::mem::take(&mut self.ops);
        ops.extend(self.summaries.drain(..).map(Op::Metric).map(now));
        let mut metric_bytes = metric_bytes;
        if let Some(store) = store {
            let chunks = self.chunks.drain(..).collect::<Vec<_>>();
            ops.push(now(Op::Points(StoredPoints::store(store, &chunks)?)));
        } else {
            metric_bytes = metric_bytes.saturating_add(self.chunk_bytes());
            for (n, (key, chunk)) in numbered(self.chunks.drain(..)) {
                let path =
                    format!("{folder}/m/{}/{}", layout::escape_key(&key), stamp.record(n).file("mcol"));
                entries.push(new_file(repository, path, &chunk)?);
            }
        }
        let (writer, lamport) = (stamp.writer, stamp.lamport);
        let batch = OpBatch { version: FORMAT, writer, lamport, spool: Some(mark), metric_bytes, ops };
        let json = batch.to_json().map_err(RunsError::NewRecord)?;
        let path = format!("{folder}/ops/{}", stamp.record(0).file("json"));
        entries.push(new_file(repository, path, &json)?);
        Ok(entries)
    }
}

/// Chunks with their numbers, which begin anew with each metric.
fn numbered(
    chunks: impl Iterator<Item = (String, Vec<u8>)>,
) -> impl Iterator<Item = (u32, (String, Vec<u8>))> {
    let mut before: Option<(String, u32)> = None;
    chunks.map(move |(key, chunk)| {
        let n = before.take().filter(|(known, _)| *known == key).map_or(0, |(_, n)| n + 1);
        before = Some((key.clone(), n));
        (n, (key, chunk))
    })
}

/// The files of the beginning of a run.
fn beginning(
    repository: &Repository,
    stamp: &Stamp,
    folder: &str,
    mut create: CreateRecord,
    code: Option<String>,
) -> Result<Vec<NewEntry>, RunsError> {
    (create.lamport, create.writer) = (stamp.lamport, stamp.writer);
    let json = create.to_json().map_err(RunsError::NewRecord)?;
    let mut entries = vec![new_file(repository, format!("{folder}/create.json"), &json)?];
    if let Some(id) = code.and_then(|code| code.parse().ok()) {
        let path = RepoPath::new(format!("{folder}/code")).map_err(GitError::from)?;
        entries.push(NewEntry { path, mode: EntryMode::Folder, id });
    }
    Ok(entries)
}

/// Rollups of the run's long metrics, from the points that are in the log and those that come with `entries`. Where points
/// lie in the store no more, there is none: it only saves reading them.
///
/// # Errors
///
/// [`RunsError`].
pub(super) fn rollups(
    repository: &Repository,
    stamp: &Stamp,
    run: RandomId,
    entries: &[NewEntry],
) -> Result<Vec<NewEntry>, RunsError> {
    let changes = entries.iter().map(|entry| (entry.path.clone(), Some((entry.mode, entry.id))));
    let tree = repository.edit_tree(stamp.before, changes)?;
    let log = View::of_tree(repository, Some(tree));
    let mut rollups = Vec::new();
    let logged = log.logged_points(&run)?;
    for (key, count) in logged.counts() {
        let Some(mut drawing) = Drawing::of(*count) else { continue };
        let chunks = match logged.each(&log, key, |points| points.into_iter().for_each(|at| drawing.add(at)))
        {
            Err(RunsError::PointsAbsent { .. }) => continue,
            chunks => chunks?,
        };
        let json = drawing.finish(chunks).to_json().map_err(RunsError::NewRecord)?;
        let (folder, key) = (layout::run_folder(&run), layout::escape_key(key));
        let path = format!("{folder}/m/{key}/{}", stamp.record(0).file("roll.json"));
        rollups.push(new_file(repository, path, &json)?);
    }
    Ok(rollups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::record::Status;

    fn events(points: i64, time: i64) -> Vec<Event> {
        let point = |step| Event::Metric { key: "loss".into(), point: Point { step, time, value: 0.5 } };
        (0..points).map(point).collect()
    }

    #[test]
    fn few_points_stay_in_git_and_many_wait_for_others_but_not_for_long() {
        let now = Timestamp::now().as_millisecond();
        let few = BatchToWrite::of(events(10, now)).unwrap();
        assert!(!few.exceeds_git(u64::MAX), "a name would be as long");
        let many = BatchToWrite::of(events(1000, now)).unwrap();
        assert!(!many.exceeds_git(0) && many.exceeds_git(MOST_IN_GIT - 1000));
        assert!(many.can_wait(1000) && !many.can_wait(WORTH_A_CONTENT));
        let wait = i64::try_from(LONGEST_WAIT.as_millis()).unwrap();
        assert!(!BatchToWrite::of(events(1000, now - wait)).unwrap().can_wait(1000));
        let status =
            Op::Status { status: Status::Finished, exit_code: None, signal: None, duration_ms: None };
        let ended = [events(1000, now), vec![Event::now(status)]].concat();
        assert!(!BatchToWrite::of(ended).unwrap().can_wait(1000), "what is known besides comes at once");
    }
}
