//! From the spools of runs into the log.
//!
//! A batch in the log says how far it has read which spool, and the next one goes on from there: so it does not matter
//! who flushes, how often, or where a flush was killed; nothing is lost and nothing comes twice.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::base::{RandomId, RepoPath};
use crate::git::{EntryMode, GitError, ObjectId, Repository};

use super::error::RunsError;
use super::layout::{self, RecordName};
use super::log::{self, NewEntry, Stamp, new_file};
use super::metric::Rollup;
use super::metric_chunk;
use super::record::{
    CreateRecord, FORMAT, MetricSummary, Op, OpBatch, Point, SpoolMark, Status, TimedOp, Versioned,
};
use super::spool::{Event, Spool};
use super::view::View;
use super::writer::runs_folder;

/// Whether the recorder is at work on the run, or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// More will come.
    Between,
    /// This is all: rollups are made.
    Ended,
}

/// Where the spool of a run lies.
pub fn spool_folder(repository: &Repository, run: &RandomId) -> PathBuf {
    runs_folder(repository).join(run.to_string())
}

/// Brings what is new in the spool in `folder` into the log; whether there was anything.
///
/// # Errors
///
/// [`RunsError`]; then the spool is as it was.
pub fn flush(repository: &Repository, folder: &Path, moment: Moment) -> Result<bool, RunsError> {
    let spool = Spool::open(folder)?;
    let subject = format!("Record run {}", spool.run().short());
    let appended = log::append(repository, &subject, |stamp| {
        let log = View::of_tree(repository, stamp.before);
        let start = read_before(&log, &spool)?;
        let read = spool.read_from(start)?;
        if read.events.is_empty() {
            return Ok(Vec::new());
        }
        let mut events = Sorted::of(read.events);
        let mark = SpoolMark { id: spool.id(), end: read.end };
        let mut entries = events.entries(repository, stamp, spool.run(), mark)?;
        if moment == Moment::Ended {
            entries.extend(rollups(repository, stamp, spool.run(), &entries)?);
        }
        Ok(entries)
    })?;
    Ok(appended.is_some())
}

/// Flushes a spool that nobody will write to any more, and removes it.
///
/// # Errors
///
/// [`RunsError`]; then the spool is still there.
pub fn finish(repository: &Repository, folder: &Path) -> Result<(), RunsError> {
    loop {
        flush(repository, folder, Moment::Ended)?;
        let spool = Spool::open(folder)?;
        let log = View::of_tree(repository, own_tree(repository)?);
        if spool.remove_if_read(read_before(&log, &spool)?)? {
            break;
        }
    }
    // Only empty folders go; the lock may be held by a recorder that has just begun.
    let _left = fs::remove_file(folder.join("alive")).and_then(|()| fs::remove_dir(folder));
    Ok(())
}

/// Brings what lies in spools into the log: of runs that are going on, as far as they are; of ended ones; and of those whose
/// recorder was killed, which are then lost. The number of runs that nobody was at work on.
///
/// # Errors
///
/// [`RunsError`].
pub fn recover(repository: &Repository) -> Result<u64, RunsError> {
    let top = runs_folder(repository);
    let Ok(folders) = fs::read_dir(&top) else { return Ok(0) };
    let mut recovered = 0;
    for folder in folders {
        let folder = folder.map_err(RunsError::io("read", &top))?.path();
        if !folder.join("spool").exists() {
            continue;
        }
        let Some(_alive) = Alive::take(&folder)? else {
            // Its recorder is at work: what it has so far can be seen, the rest comes from it.
            let _later = flush(repository, &folder, Moment::Between);
            continue;
        };
        say_if_lost(repository, &Spool::open(&folder)?)?;
        finish(repository, &folder)?;
        recovered += 1;
    }
    Ok(recovered)
}

/// Says in the spool that the run is lost, where nothing says how it ended.
fn say_if_lost(repository: &Repository, spool: &Spool) -> Result<(), RunsError> {
    let is_status = |event: &Event| matches!(event, Event::Op(TimedOp { op: Op::Status { .. }, .. }));
    let events = spool.read_from(0)?.events;
    let begun_here = events.iter().any(|event| matches!(event, Event::Create { .. }));
    let ended = events.iter().any(is_status)
        || View::open(repository)?.run(&spool.run())?.is_some_and(|run| run.status != Status::Running);
    if begun_here && !ended {
        let op = Op::Status { status: Status::Lost, exit_code: None, signal: None, duration_ms: None };
        spool.append(&[Event::Op(TimedOp { time: Timestamp::now(), op })])?;
    }
    Ok(())
}

/// The sign that a recorder is at work on a run: a lock that the system lets go when the process ends, however it ends.
#[derive(Debug)]
pub struct Alive(#[expect(dead_code, reason = "held, not read")] File);

impl Alive {
    /// Takes the sign for the run whose folder this is; `None` while another process has it.
    ///
    /// # Errors
    ///
    /// [`RunsError::Io`].
    pub fn take(folder: &Path) -> Result<Option<Self>, RunsError> {
        let path = folder.join("alive");
        fs::create_dir_all(folder).map_err(RunsError::io("create", folder))?;
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(RunsError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(RunsError::Io { action: "lock", path, source }),
        }
    }
}

/// The tree of this clone's own log.
fn own_tree(repository: &Repository) -> Result<Option<ObjectId>, RunsError> {
    let tip = repository.find_ref(&log::log_ref(&super::writer::writer(repository)?))?;
    Ok(tip.map(|tip| repository.commit_info(tip)).transpose()?.map(|info| info.tree))
}

/// How far the log `view` has read the spool.
fn read_before(view: &View<'_>, spool: &Spool) -> Result<u64, RunsError> {
    let folder = format!("{}/ops", layout::run_folder(&spool.run()));
    let files = view.list(&view.folders_at(&folder)?)?;
    for (file, found) in files.into_iter().rev() {
        let Some(blob) = found.file else { continue };
        let batch: OpBatch = view.record(blob, &format!("{folder}/{file}"))?;
        if let Some(mark) = batch.spool.filter(|mark| mark.id == spool.id()) {
            return Ok(mark.end);
        }
    }
    Ok(0)
}

/// The events of a spool by where they go.
#[derive(Default)]
struct Sorted {
    create: Option<(CreateRecord, Option<String>)>,
    ops: Vec<TimedOp>,
    points: BTreeMap<String, Vec<Point>>,
}

impl Sorted {
    fn of(events: Vec<Event>) -> Self {
        let mut sorted = Self::default();
        for event in events {
            match event {
                Event::Spool { .. } => {}
                Event::Create { record, code } => sorted.create = Some((*record, code)),
                Event::Op(op) => sorted.ops.push(op),
                Event::Metric { key, point } => sorted.points.entry(key).or_default().push(point),
            }
        }
        sorted
    }

    /// The files that they become.
    fn entries(
        &mut self,
        repository: &Repository,
        stamp: &Stamp,
        run: RandomId,
        mark: SpoolMark,
    ) -> Result<Vec<NewEntry>, RunsError> {
        let folder = layout::run_folder(&run);
        let mut entries = Vec::new();
        if let Some((mut create, code)) = self.create.take() {
            (create.lamport, create.writer) = (stamp.lamport, stamp.writer);
            let json = create.to_json().map_err(RunsError::NewRecord)?;
            entries.push(new_file(repository, format!("{folder}/create.json"), &json)?);
            if let Some(id) = code.and_then(|code| code.parse().ok()) {
                let path = RepoPath::new(format!("{folder}/code")).map_err(GitError::from)?;
                entries.push(NewEntry { path, mode: EntryMode::Folder, id });
            }
        }
        for (key, points) in std::mem::take(&mut self.points) {
            let metric = format!("{folder}/m/{}", layout::escape_key(&key));
            for (n, points) in (0..).zip(points.chunks(metric_chunk::MAX_POINTS)) {
                let bytes = metric_chunk::encode(points).map_err(RunsError::NewChunk)?;
                let path = format!("{metric}/{}", stamp.record(n).file("mcol"));
                entries.push(new_file(repository, path, &bytes)?);
            }
            let summary = MetricSummary::of(&key, &points);
            let time = Timestamp::now();
            self.ops.extend(summary.map(|summary| TimedOp { time, op: Op::Metric(summary) }));
        }
        let ops = std::mem::take(&mut self.ops);
        let (writer, lamport) = (stamp.writer, stamp.lamport);
        let batch = OpBatch { version: FORMAT, writer, lamport, spool: Some(mark), ops };
        let json = batch.to_json().map_err(RunsError::NewRecord)?;
        let path = format!("{folder}/ops/{}", stamp.record(0).file("json"));
        entries.push(new_file(repository, path, &json)?);
        Ok(entries)
    }
}

/// Rollups of the run's long metrics, from the chunks that are in the log and those that come with `entries`.
fn rollups(
    repository: &Repository,
    stamp: &Stamp,
    run: RandomId,
    entries: &[NewEntry],
) -> Result<Vec<NewEntry>, RunsError> {
    let changes = entries.iter().map(|entry| (entry.path.clone(), Some((entry.mode, entry.id))));
    let tree = repository.edit_tree(stamp.before, changes)?;
    let log = View::of_tree(repository, Some(tree));
    let metrics = format!("{}/m", layout::run_folder(&run));
    let mut rollups = Vec::new();
    for (escaped, found) in log.list(&log.folders_at(&metrics)?)? {
        let Some(key) = layout::unescape_key(&escaped) else { continue };
        let files = log.list(&found.folders)?;
        let is_chunk = |file: &&String| matches!(RecordName::parse(file), Some((_, "mcol")));
        let chunks = files.keys().filter(is_chunk).cloned().collect();
        if let Some(rollup) = Rollup::of(&log.points(&run, &key)?, chunks) {
            let json = rollup.to_json().map_err(RunsError::NewRecord)?;
            let path = format!("{metrics}/{escaped}/{}", stamp.record(0).file("roll.json"));
            rollups.push(new_file(repository, path, &json)?);
        }
    }
    Ok(rollups)
}
