//! Many files into the store, on all cores.
//!
//! What a demanding user expects: adding 100,000 images costs what copying them costs, for reading, hashing and packing
//! are as fast as the memory; a directory of a million files or one file of a terabyte does not change how much memory
//! that takes; the packs hold the files in the order of their names, so that who reads a folder reads one stretch.
//!
//! Small files go in groups of neighbours, of about [`GROUP`] bytes: a group is one task of one worker, its chunks
//! are one write. Large files come after them, one at a time, each on all workers ([`super::pipeline`]). So memory is
//! bounded by the number of workers, not by the number or the size of the files. Whether a file is worth compressing is
//! learned within its group from the files with its extension ([`crate::objects::Encoder`]): of incompressible
//! files a few are tried, and the others are hashed and copied.
//!
//! Peers: DVC copies each file into a cache of its own and pays a rename and an entry in SQLite for each; Git LFS makes a
//! file of each and lets Git clean them one by one; restic packs them as well, and compresses every one.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::intake::Intake;
use super::lane::Lane;
use super::pipeline::{BATCH, Pipeline};
use super::steady::read_steadily;
use super::write::{Content, WriteError, link_target, store_link};
use crate::base::{Digest, Progress};
use crate::data::worktree::{DiskEntry, Fingerprint};
use crate::objects::chunker::SMALL_CONTENT;
use crate::objects::item::ItemKind;
use crate::objects::tree::EntryKind;

/// Bytes of files that go together.
const GROUP: u64 = 1 << 20;
/// Files that go together, at most: empty ones take time, too.
const GROUP_FILES: usize = 512;

/// Sees the bytes of a file as they are read.
pub trait Observer: Send {
    /// The file is read from its beginning: what was seen of it before does not count.
    fn begin(&mut self);

    /// The next bytes.
    fn see(&mut self, bytes: &[u8]);
}

/// What is to be read, in the order in which it is to lie in the packs.
pub struct ToRead<'a> {
    /// How many files, links and empty directories.
    pub count: usize,
    /// Each as it was seen on the disk.
    pub entry: &'a (dyn Fn(usize) -> DiskEntry + Sync),
    /// Where each lies.
    pub path: &'a (dyn Fn(usize) -> PathBuf + Sync),
    /// Who sees what is read: only where there is one file.
    pub observer: Option<&'a Mutex<dyn Observer>>,
}

impl ToRead<'_> {
    fn observe(&self, bytes: &[u8]) {
        if let Some(observer) = self.observer {
            let mut observer = observer.lock().unwrap_or_else(PoisonError::into_inner);
            observer.begin();
            observer.see(bytes);
        }
    }

    /// Whether a file is read by all workers, and by none of the lanes.
    fn is_large(&self, at: usize) -> bool {
        let entry = (self.entry)(at);
        let enough = if self.observer.is_some() { SMALL_CONTENT } else { BATCH };
        entry.kind == EntryKind::File && entry.fingerprint.size > enough as u64
    }
}

/// What was read of one file, and the stat that belongs to it.
pub type Taken = Result<(Content, Fingerprint), WriteError>;

/// The content of each thing to read, in order; with an intake, all that could be read is in the store. Contents of
/// directories are [`Digest::ZERO`].
pub fn read_all(to_read: &ToRead<'_>, intake: Option<&Intake<'_>>, progress: &Progress) -> Vec<Taken> {
    let parts = parts_of(to_read);
    let lanes = Lanes::default();
    let is_large = |part: &Range<usize>| to_read.is_large(part.start);
    let read_small =
        |part: &Range<usize>| lanes.with(|lane| read_group(to_read, part, lane, intake, progress));
    let mut taken: Vec<Vec<Taken>> =
        parts.par_iter().map(|part| if is_large(part) { Vec::new() } else { read_small(part) }).collect();
    drop(lanes);
    let mut pipeline = Pipeline::default();
    for (part, taken) in parts.iter().zip(&mut taken).filter(|(part, _)| is_large(part)) {
        let (path, seen) = ((to_read.path)(part.start), (to_read.entry)(part.start).fingerprint);
        taken.push(read_steadily(&path, Some(seen), &mut |file, size| {
            pipeline.take(&path, file, size, intake, to_read.observer, progress)
        }));
        progress.advance_files(1);
    }
    taken.into_iter().flatten().collect()
}

/// Puts the file at `path` into the store, on this thread.
///
/// # Errors
///
/// [`WriteError`]; the file itself is never touched.
pub fn store_file(path: &Path, intake: &Intake<'_>, progress: &Progress) -> Taken {
    let (mut lane, intake) = (Lane::default(), Some(intake));
    let taken = read_steadily(path, None, &mut |file, size| lane.take(path, file, size, intake))?;
    lane.flush(path, intake)?;
    progress.advance(taken.0.size);
    Ok(taken)
}

/// Groups of small files, and large files by themselves.
fn parts_of(to_read: &ToRead<'_>) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for at in 0..to_read.count {
        let entry = (to_read.entry)(at);
        let size = entry.fingerprint.size;
        let is_full = bytes + size > GROUP || at - start >= GROUP_FILES;
        if at > start && is_full {
            parts.push(start..at);
            (start, bytes) = (at, 0);
        }
        bytes += size;
    }
    if start < to_read.count {
        parts.push(start..to_read.count);
    }
    parts
}

fn read_group(
    to_read: &ToRead<'_>,
    part: &Range<usize>,
    lane: &mut Lane,
    intake: Option<&Intake<'_>>,
    progress: &Progress,
) -> Vec<Taken> {
    lane.begin();
    let mut path = PathBuf::new();
    let mut taken: Vec<Taken> = Vec::with_capacity(part.len());
    for at in part.clone() {
        path = (to_read.path)(at);
        taken.push(read_one(&path, &(to_read.entry)(at), lane, intake));
        if let Some(Ok((content, _))) = taken.last() {
            to_read.observe(lane.last(content.size));
        }
        progress.advance((to_read.entry)(at).fingerprint.size);
    }
    progress.advance_files(part.len() as u64);
    if let (Err(error), Some(last)) = (lane.flush(&path, intake), taken.last_mut()) {
        *last = Err(error);
    }
    taken
}

fn read_one(path: &Path, entry: &DiskEntry, lane: &mut Lane, intake: Option<&Intake<'_>>) -> Taken {
    match (entry.kind, intake) {
        (EntryKind::Directory | EntryKind::Split, _) => {
            Ok((Content { id: Digest::ZERO, manifest: None, size: 0 }, Fingerprint::default()))
        }
        (EntryKind::Link, Some(intake)) => Ok((store_link(path, intake)?, entry.fingerprint)),
        (EntryKind::Link, None) => {
            let target = link_target(path)?;
            let id = ItemKind::Chunk.id_of(&target);
            Ok((Content { id, manifest: None, size: target.len() as u64 }, entry.fingerprint))
        }
        (EntryKind::File, _) => read_steadily(path, Some(entry.fingerprint), &mut |file, size| {
            lane.take(path, file, size, intake)
        }),
    }
}

/// The lanes that no worker uses at the moment: no more are made than there are workers.
#[derive(Default)]
struct Lanes(Mutex<Vec<Lane>>);

impl Lanes {
    fn with<T>(&self, work: impl FnOnce(&mut Lane) -> T) -> T {
        let waiting = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lane = waiting().pop().unwrap_or_default();
        let done = work(&mut lane);
        waiting().push(lane);
        done
    }
}
