//! The content ids of what lies on the disk: from the record where a stat vouches for it, else read.

use std::ffi::OsStr;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;

use crate::base::{Advice, Progress, RepoPath};
use crate::data::content::{self, Content, Intake, Observer, ToRead, WriteError, open_regular};
use crate::objects::tree::EntryKind;

use super::{
    DiskEntry, FileRecord, Files, FilesBuilder, Fingerprint, Found, PathRecord, Scan, ScanError,
    WorktreeRecord, scan,
};

/// So many files are read at once before their records are put in order.
const READ_AT_ONCE: usize = 1 << 15;

/// What lies on the disk at one path.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Files, links and empty directories by path below (the empty path: the root itself is a file).
    pub files: Files,
    /// How many of them had to be read.
    pub read: usize,
}

/// Why it cannot be told what lies on the disk.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Something there is no data, or cannot be listed.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A file cannot be read or stored.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Advice for SnapshotError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Scan(error) => error.hints(),
            Self::Write(error) => error.hints(),
        }
    }
}

/// Where contents go that are read.
#[derive(Clone, Copy)]
pub enum Reading<'a> {
    /// Nowhere: only their ids are wanted.
    Ids,
    /// Into the store.
    Into(&'a Intake<'a>),
    /// Into the store, while somebody looks on: the path is one file.
    Observed(&'a Intake<'a>, &'a Mutex<dyn Observer>),
}

impl<'a> Reading<'a> {
    const fn intake(&self) -> Option<&'a Intake<'a>> {
        match *self {
            Self::Ids => None,
            Self::Into(intake) | Self::Observed(intake, _) => Some(intake),
        }
    }

    const fn observer(&self) -> Option<&'a Mutex<dyn Observer>> {
        match *self {
            Self::Observed(_, observer) => Some(observer),
            Self::Ids | Self::Into(_) => None,
        }
    }
}

/// The snapshot of `path` under `top`; `None` when nothing is there. Files that a stat does not vouch for are read, and
/// not stored.
///
/// # Errors
///
/// [`SnapshotError`], for all failing files together.
pub fn snapshot(
    top: &Path,
    path: &RepoPath,
    worktree: &WorktreeRecord,
    known: Option<&PathRecord>,
    progress: &Progress,
) -> Result<Option<Snapshot>, SnapshotError> {
    let vouches = |file: &FileRecord| worktree.vouches(file);
    let Some(survey) = Survey::take(top, path, known, &|_| true, &vouches)? else { return Ok(None) };
    Ok(Some(survey.read(worktree, known, Reading::Ids, progress)?))
}

/// What lies on the disk at one path, before anything is read of it.
#[derive(Debug)]
pub struct Survey {
    path: String,
    start: PathBuf,
    /// Places in the record of the files for which their stats vouch, in order.
    vouched: Vec<Range<usize>>,
    unread: Unread,
}

/// Files that have to be read, in order of their names.
#[derive(Debug, Default)]
struct Unread {
    names: Vec<u8>,
    /// Where each name ends, and what its file is.
    entries: Vec<(usize, DiskEntry)>,
}

impl Unread {
    fn push(&mut self, name: &[u8], entry: DiskEntry) {
        self.names.extend_from_slice(name);
        self.entries.push((self.names.len(), entry));
    }

    fn get(&self, at: usize) -> (&[u8], &DiskEntry) {
        let start = at.checked_sub(1).map_or(0, |before| self.entries[before].0);
        let (end, entry) = &self.entries[at];
        (&self.names[start..*end], entry)
    }
}

impl Survey {
    /// Surveys `path` under `top`, of the files whose path below it `covers` says; `None` when nothing is there. A stat
    /// vouches for a file of `known` if `stored` says so of it, too.
    ///
    /// # Errors
    ///
    /// [`ScanError`] for all that is no data or may not be read: as far as permissions tell, before anything is read.
    pub fn take(
        top: &Path,
        path: &RepoPath,
        known: Option<&PathRecord>,
        covers: &dyn Fn(&[u8]) -> bool,
        stored: &dyn Fn(&FileRecord) -> bool,
    ) -> Result<Option<Self>, ScanError> {
        let Some(Found { scan, mut refused }) = scan(top, path)? else { return Ok(None) };
        let start = path.under(top);
        let mut survey =
            Self { path: path.to_string(), start, vouched: Vec::new(), unread: Unread::default() };
        survey.compare(&scan, known, covers, stored);
        refused.extend(survey.unreadable());
        match ScanError::united(refused) {
            Some(error) => Err(error),
            None => Ok(Some(survey)),
        }
    }

    /// The files that have to be read and may not be.
    fn unreadable(&self) -> Vec<ScanError> {
        let (count, start) = (self.unread.entries.len(), &self.start);
        let restricted: Vec<_> =
            (0..count).map(|at| self.unread.get(at)).filter(|(_, entry)| entry.restricted).collect();
        let denied = |(name, _): &(&[u8], &DiskEntry)| {
            let path = located(start, name);
            let source = open_regular(&path).err()?;
            // Whatever else there is, reading will meet it.
            (source.kind() == io::ErrorKind::PermissionDenied).then_some(ScanError::Io { path, source })
        };
        restricted.par_iter().filter_map(denied).collect()
    }

    fn compare(
        &mut self,
        scan: &Scan,
        known: Option<&PathRecord>,
        covers: &dyn Fn(&[u8]) -> bool,
        stored: &dyn Fn(&FileRecord) -> bool,
    ) {
        let nothing = Files::default();
        let known = known.map_or(&nothing, |known| &known.files);
        let mut cursor = known.cursor();
        scan.visit(&mut |name, entry| {
            if !covers(name) {
                return;
            }
            let vouched = cursor.seek(name).filter(|at| {
                let file = known.record_at(*at);
                let same_kind = (file.kind, file.executable) == (entry.kind, entry.executable);
                same_kind && file.fingerprint == entry.fingerprint && stored(&file)
            });
            match vouched {
                Some(at) => match self.vouched.last_mut() {
                    Some(run) if run.end == at => run.end += 1,
                    _ => self.vouched.push(at..at + 1),
                },
                None => self.unread.push(name, *entry),
            }
        });
    }

    /// Whether the path is one file that has to be read.
    pub fn is_unread_file(&self) -> bool {
        self.unread.entries.len() == 1 && self.unread.names.is_empty()
    }

    /// Bytes that have to be read.
    pub fn unread_bytes(&self) -> u64 {
        self.unread.entries.iter().map(|(_, entry)| entry.fingerprint.size).sum()
    }

    /// Files that have to be read: where each lies, and its size in bytes.
    pub fn unread_files(&self) -> impl Iterator<Item = (PathBuf, u64)> {
        (0..self.unread.entries.len()).map(|at| {
            let (name, entry) = self.unread.get(at);
            (located(&self.start, name), entry.fingerprint.size)
        })
    }

    /// Reads what has to be read. `known` is what the survey was taken with.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`], for all failing files together.
    pub fn read(
        self,
        worktree: &WorktreeRecord,
        known: Option<&PathRecord>,
        reading: Reading<'_>,
        progress: &Progress,
    ) -> Result<Snapshot, SnapshotError> {
        let nothing = Files::default();
        let known = known.map_or(&nothing, |known| &known.files);
        let count = self.unread.entries.len();
        if count == 0 && self.vouched.iter().map(Range::len).sum::<usize>() == known.len() {
            return Ok(Snapshot { files: known.clone(), read: 0 });
        }
        let moment = if count == 0 { 0 } else { worktree.moment() };
        progress.begin_files(&format!("reading {}", self.path), self.unread_bytes(), count as u64);
        let files = self.read_in_order(known, moment, reading, progress);
        progress.end();
        Ok(Snapshot { files: files?, read: count })
    }

    fn read_in_order(
        &self,
        known: &Files,
        moment: i64,
        reading: Reading<'_>,
        progress: &Progress,
    ) -> Result<Files, WriteError> {
        let count = self.unread.entries.len();
        let mut builder = FilesBuilder::default();
        let mut vouched = self.vouched.iter().cloned().peekable();
        let mut take_vouched = |end: usize, builder: &mut FilesBuilder| {
            while let Some(run) = vouched.peek_mut().filter(|run| run.start < end) {
                let now = run.start..run.end.min(end);
                run.start = now.end;
                builder.extend(known, now);
                if run.start == run.end {
                    vouched.next();
                }
            }
        };
        let mut failed = Vec::new();
        for first in (0..count).step_by(READ_AT_ONCE) {
            let to_read = ToRead {
                count: READ_AT_ONCE.min(count - first),
                entry: &|at| *self.unread.get(first + at).1,
                path: &|at| located(&self.start, self.unread.get(first + at).0),
                observer: reading.observer(),
            };
            let read = content::read_all(&to_read, reading.intake(), progress);
            for (at, taken) in (first..).zip(read) {
                let (name, entry) = self.unread.get(at);
                let file = match taken {
                    Ok(taken) => record_of(entry, taken, moment),
                    Err(error) if error.is_of_file() => {
                        failed.push(error);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                take_vouched(known.first_from(name), &mut builder);
                builder.push(name, &file);
            }
        }
        take_vouched(known.len(), &mut builder);
        WriteError::united(failed).map_or_else(|| Ok(builder.finish()), Err)
    }
}

/// Where the file `name` of the path `start` lies.
pub fn located(start: &Path, name: &[u8]) -> PathBuf {
    if name.is_empty() { start.to_owned() } else { start.join(OsStr::from_bytes(name)) }
}

fn record_of(entry: &DiskEntry, (content, fingerprint): (Content, Fingerprint), moment: i64) -> FileRecord {
    let racy = entry.kind != EntryKind::Directory && fingerprint.is_racy(moment);
    let fingerprint = if racy { fingerprint.doubted() } else { fingerprint };
    let DiskEntry { kind, executable, .. } = *entry;
    FileRecord { kind, executable, fingerprint, id: content.id, manifest: content.manifest }
}
