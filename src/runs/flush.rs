//! From the spools of runs into the log.
//!
//! A batch in the log says how far it has read which spool, and the next one goes on from there: so it does not matter
//! who flushes, how often, or where a flush was killed; nothing is lost and nothing comes twice.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::base::{Progress, RandomId};
use crate::data::Workspace;
use crate::git::{ObjectId, Repository};

use super::batch::{BatchToWrite, rollups};
use super::error::RunsError;
use super::layout;
use super::log;
use super::record::{Op, OpBatch, SpoolMark, Status, TimedOp};
use super::spool::{ENOUGH, Event, Spool};
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

/// Brings what is new in the spool in `folder` into the log, a part at a time; whether there was anything.
///
/// # Errors
///
/// [`RunsError`]; then what is not in the log is in the spool.
pub fn flush(repository: &Repository, folder: &Path, moment: Moment) -> Result<bool, RunsError> {
    let spool = Spool::open(folder)?;
    let mut flushed = false;
    loop {
        let (came, more) = flush_part(repository, &spool, moment)?;
        flushed |= came;
        if !came || !more {
            return Ok(flushed);
        }
    }
}

/// Brings one part of the spool into the log: whether there was anything, and whether more follows.
fn flush_part(repository: &Repository, spool: &Spool, moment: Moment) -> Result<(bool, bool), RunsError> {
    let subject = format!("Record run {}", spool.run().short());
    let store = Workspace::store_of(repository);
    let (mut more, mut store_use) = (false, None);
    let appended = log::append(repository, &subject, |stamp| {
        let log = View::of_tree(repository, stamp.before);
        let before = Before::of(&log, spool)?;
        let read = spool.read_from(before.end, ENOUGH)?;
        more = read.more;
        if read.events.is_empty() && !read.more {
            return Ok(Vec::new());
        }
        let mut batch = BatchToWrite::of(read.events)?;
        let goes_to_store = batch.exceeds_git(before.metric_bytes);
        let waits = moment == Moment::Between && !read.more && batch.can_wait(read.end - before.end);
        if goes_to_store && waits {
            return Ok(Vec::new());
        }
        if goes_to_store {
            // What is put stays until the log names it.
            store_use = Some(store.enter(&Progress::hidden())?);
        }
        let mark = SpoolMark { id: spool.id(), end: read.end };
        let to = goes_to_store.then_some(&store);
        let mut entries = batch.entries(repository, to, stamp, spool.run(), mark, before.metric_bytes)?;
        if moment == Moment::Ended && !read.more {
            entries.extend(rollups(repository, stamp, spool.run(), &entries)?);
        }
        Ok(entries)
    })?;
    drop(store_use);
    Ok((appended.is_some(), more))
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
        if spool.remove_if_read(Before::of(&log, &spool)?.end)? {
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
    let (mut begun_here, mut ended) = (false, false);
    spool.each_event(|event| {
        begun_here |= matches!(event, Event::Create { .. });
        ended |= matches!(event, Event::Op(TimedOp { op: Op::Status { .. }, .. }));
    })?;
    let ended =
        ended || View::open(repository)?.run(&spool.run())?.is_some_and(|run| run.status != Status::Running);
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

/// What the log says of a run before a part of its spool comes.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    /// How far the spool was read.
    end: u64,
    /// Bytes of the run's metric chunks in the log.
    metric_bytes: u64,
}

impl Before {
    /// What the log `view` says.
    fn of(view: &View<'_>, spool: &Spool) -> Result<Self, RunsError> {
        let folder = format!("{}/ops", layout::run_folder(&spool.run()));
        let files = view.list(&view.folders_at(&folder)?)?;
        let mut latest = None;
        for (file, found) in files.into_iter().rev() {
            let Some(blob) = found.file else { continue };
            let batch: OpBatch = view.record(blob, &format!("{folder}/{file}"))?;
            let metric_bytes = *latest.get_or_insert(batch.metric_bytes);
            if let Some(mark) = batch.spool.filter(|mark| mark.id == spool.id()) {
                return Ok(Self { end: mark.end, metric_bytes });
            }
        }
        Ok(Self { end: 0, metric_bytes: latest.unwrap_or_default() })
    }
}
