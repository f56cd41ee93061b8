//! The content ids of what lies on the disk: from the record where a stat vouches for it, else read.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::base::{Advice, Digest, Progress, RepoPath, Unit};
use crate::data::content::{self, Intake, WriteError, holds_content};
use crate::objects::tree::EntryKind;
use crate::storage::store::Store;

use super::{DiskEntry, FileRecord, Fingerprint, PathRecord, ScanError, WorktreeRecord, scan};

/// What lies on the disk at one path.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Files, links and empty directories by path below (the empty path: the root itself is a file).
    pub files: BTreeMap<Vec<u8>, FileRecord>,
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
    /// Into the store. A content for which a stat vouches is read again when the store lacks it.
    Into(&'a Store, &'a Intake),
}

/// The snapshot of `path` under `top`, of the files whose path below it `covers` says; `None` when nothing is there.
///
/// # Errors
///
/// [`SnapshotError`]; of several failing files the first by path.
pub fn snapshot(
    top: &Path,
    path: &RepoPath,
    worktree: &WorktreeRecord,
    known: Option<&PathRecord>,
    reading: Reading<'_>,
    covers: &dyn Fn(&[u8]) -> bool,
    progress: &Progress,
) -> Result<Option<Snapshot>, SnapshotError> {
    let Some(found) = scan(top, path)? else { return Ok(None) };
    let found = found.into_iter().filter(|(name, _)| covers(name));
    let start = path.under(top);
    let vouched = |name: &Vec<u8>, entry: &DiskEntry| vouched(worktree, known, reading, name, entry);
    let (mut files, unread): (BTreeMap<_, _>, Vec<_>) =
        found.fold((BTreeMap::new(), Vec::new()), |(mut files, mut unread), (name, entry)| {
            match vouched(&name, &entry) {
                Some(record) => drop(files.insert(name, record)),
                None => unread.push((name, entry)),
            }
            (files, unread)
        });
    let bytes = unread.iter().map(|(_, entry)| entry.fingerprint.size).sum();
    let moment = if unread.is_empty() { 0 } else { worktree.moment() };
    progress.begin(path.as_str(), Unit::Bytes, Some(bytes));
    let read: Result<Vec<_>, WriteError> = unread
        .into_par_iter()
        .map(|(name, entry)| {
            let file = read_entry(&located(&start, &name), &entry, reading, progress)?;
            let racy = file.kind != EntryKind::Directory && file.fingerprint.is_racy(moment);
            let fingerprint = if racy { file.fingerprint.doubted() } else { file.fingerprint };
            Ok((name, FileRecord { fingerprint, ..file }))
        })
        .collect();
    progress.end();
    let read = read?;
    let count = read.len();
    files.extend(read);
    Ok(Some(Snapshot { files, read: count }))
}

/// Where the file `name` of the path `start` lies.
pub fn located(start: &Path, name: &[u8]) -> PathBuf {
    if name.is_empty() { start.to_owned() } else { start.join(OsStr::from_bytes(name)) }
}

fn vouched(
    worktree: &WorktreeRecord,
    known: Option<&PathRecord>,
    reading: Reading<'_>,
    name: &Vec<u8>,
    entry: &DiskEntry,
) -> Option<FileRecord> {
    let known = known?.files.get(name)?;
    let same_kind = (known.kind, known.executable) == (entry.kind, entry.executable);
    let vouched = same_kind && worktree.vouches(known, &entry.fingerprint);
    let stored = match reading {
        Reading::Ids => true,
        Reading::Into(store, _) => {
            known.kind == EntryKind::Directory || holds_content(store, known.id, known.manifest)
        }
    };
    (vouched && stored).then_some(*known)
}

fn read_entry(
    path: &Path,
    entry: &DiskEntry,
    reading: Reading<'_>,
    progress: &Progress,
) -> Result<FileRecord, WriteError> {
    let (id, manifest, fingerprint) = match (entry.kind, reading) {
        (EntryKind::Directory | EntryKind::Split, _) => (Digest::ZERO, None, Fingerprint::default()),
        (EntryKind::Link, Reading::Ids) => {
            (Digest::of(&content::link_target(path)?), None, entry.fingerprint)
        }
        (EntryKind::Link, Reading::Into(_, intake)) => {
            (content::store_link(path, intake)?.id, None, entry.fingerprint)
        }
        (EntryKind::File, Reading::Ids) => {
            let (content, fingerprint) = content::hash_file(path, progress)?;
            (content.id, content.manifest, fingerprint)
        }
        (EntryKind::File, Reading::Into(_, intake)) => {
            let (content, fingerprint) = content::store_file(path, intake, progress)?;
            (content.id, content.manifest, fingerprint)
        }
    };
    Ok(FileRecord { kind: entry.kind, executable: entry.executable, fingerprint, id, manifest })
}
