//! Writes, replaces and removes files of the work tree.
//!
//! Each file is written to a temporary name, verified whole, and renamed; its stat is taken after the rename, which
//! changes the inode's times. A parent is never reached through a link: a clone could lead it out of the work tree.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::base::{Advice, Progress, RepoPath, refusal_hints};
use crate::data::content::{ReadError, read_content};
use crate::data::worktree::{FileRecord, Files, Fingerprint, located};
use crate::objects::tree::EntryKind;
use crate::storage::store::Store;

use super::folders::Folders;
use super::plan::{Chosen, Plan, stands_in_the_way};
use super::write::Writer;

/// Why a file of the work tree could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The system refused.
    #[error("cannot write '{}'", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Its content cannot be had, or is damaged.
    #[error("cannot bring '{}'", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// The way to it leads through a link.
    #[error("'{}' is a link: nothing is written through it", .0.display())]
    ThroughLink(PathBuf),
    /// Somebody wrote to it since it was looked at.
    #[error("'{}' was written to while it was to be replaced; it was left as it is", .0.display())]
    ChangedMeanwhile(PathBuf),
    /// A link in the data would lead out of the directory that it is part of.
    #[error("'{}' is a link that leads out of the data, to '{target}'", path.display())]
    LinkLeadsOut {
        /// The link.
        path: PathBuf,
        /// Where to.
        target: String,
    },
}

impl Advice for ApplyError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io { path, source } => refusal_hints(path, source),
            Self::Content { source, .. } => source.hints(),
            Self::LinkLeadsOut { .. } => {
                vec!["if you trust this data: git mldata checkout --outside-links".into()]
            }
            Self::ChangedMeanwhile(_) => vec!["git mldata status".into()],
            Self::ThroughLink(_) => vec!["remove the link, or move it out of the way".into()],
        }
    }
}

/// Where and how files are written.
pub struct Site<'a> {
    /// The top of the work tree.
    pub top: &'a Path,
    /// The tracked path.
    pub path: &'a RepoPath,
    /// A folder for temporary files on the same file system.
    pub temporary: &'a Path,
    /// Where the contents are.
    pub store: &'a Store,
    /// Whether links may lead out of the tracked path.
    pub outside_links: bool,
    /// What lay there when it was looked at, by path below: nothing else is replaced or removed.
    pub found: &'a Files,
}

/// What was carried out of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// Files that were written: their places in the version, in order, and their stats.
    pub written: Vec<(usize, Fingerprint)>,
    /// Files that were removed.
    pub removed: BTreeSet<Vec<u8>>,
    /// Why not all of it was.
    pub failed: Option<ApplyError>,
}

/// Carries `plan` out. What stands in the way goes first; all else that is to go, goes when all is written. What was
/// done before a failure stays, and a second try goes on from there.
pub fn apply(site: &Site<'_>, plan: &Plan, progress: &Progress) -> Applied {
    let mut applied = Applied::default();
    applied.failed = carry_out(site, plan, &mut applied, progress).err();
    applied
}

fn carry_out(
    site: &Site<'_>,
    plan: &Plan,
    applied: &mut Applied,
    progress: &Progress,
) -> Result<(), ApplyError> {
    let start = site.path.under(site.top);
    check_links(site, plan, &start)?;
    let (first, last): (Vec<_>, Vec<_>) = plan.remove.iter().rev().partition(|name| comes_first(name, plan));
    let mut remove_all = |names: Vec<&Vec<u8>>| {
        names.into_iter().try_for_each(|name| {
            remove(site, &start, name)?;
            applied.removed.insert(name.clone());
            Ok(())
        })
    };
    remove_all(first)?;
    let folders = Folders::new(site.top);
    folders.open(start.parent().unwrap_or(site.top))?;
    progress.begin_files(&format!("writing {}", site.path), plan.write.bytes(), plan.write.len() as u64);
    let failed;
    (applied.written, failed) = write_all(site, &folders, &start, &plan.write, progress);
    progress.end();
    failed.map_or(Ok(()), Err)?;
    remove_all(last)
}

/// Writes everything that is to be written, in the order in which it lies in the packs; after a failure nothing more is
/// begun. Gives what was written, and the first failure.
fn write_all(
    site: &Site<'_>,
    folders: &Folders<'_>,
    start: &Path,
    files: &Chosen,
    progress: &Progress,
) -> (Vec<(usize, Fingerprint)>, Option<ApplyError>) {
    let version = files.version();
    let has_one_chunk = |place: &&usize| version.record_at(**place).manifest.is_none();
    let (mut small, large): (Vec<_>, Vec<_>) = files.places().iter().partition(has_one_chunk);
    small.sort_by_cached_key(|place: &&usize| site.store.read_order(&version.record_at(**place).id));
    let (has_failed, failed) = (AtomicBool::new(false), Mutex::new(None));
    let write = |writer: &mut Writer<'_>, place: &usize| {
        let written = writer.write(version.name_at(*place), &version.record_at(*place), progress);
        let failure = |error| {
            has_failed.store(true, Ordering::Relaxed);
            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        };
        written.map_err(failure).ok().map(|stat| (*place, stat))
    };
    let goes_on = |_: &_| !has_failed.load(Ordering::Relaxed);
    let writer = || Writer::new(site, folders, start);
    let mut written: Vec<_> =
        large.into_par_iter().filter(goes_on).map_init(writer, write).flatten_iter().collect();
    written.par_extend(small.into_par_iter().filter(goes_on).map_init(writer, write).flatten_iter());
    written.par_sort_unstable_by_key(|(place, _)| *place);
    (written, failed.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Whether something is to be written where `name`, or a folder above it, lies, or below it.
fn comes_first(name: &[u8], plan: &Plan) -> bool {
    let mut ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    stands_in_the_way(name, &plan.write) || ends.any(|end| plan.write.get(&name[..end]).is_some())
}

/// Refuses to touch what is not what lay there when it was looked at: somebody may have written to it since.
pub(super) fn refuse_changed(site: &Site<'_>, path: &Path, name: &[u8]) -> Result<(), ApplyError> {
    let now = match fs::symlink_metadata(path) {
        // A folder is only ever removed when nothing lies in it, and never replaced.
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(metadata) => Fingerprint::of(&metadata),
        Err(_) => return Ok(()),
    };
    match site.found.get(name) {
        Some(found) if found.fingerprint.is_still(&now) => Ok(()),
        _ => Err(ApplyError::ChangedMeanwhile(path.to_owned())),
    }
}

fn check_links(site: &Site<'_>, plan: &Plan, start: &Path) -> Result<(), ApplyError> {
    let links = plan.write.iter().filter(|(_, file)| file.kind == EntryKind::Link);
    for (name, link) in links.filter(|_| !site.outside_links) {
        let path = located(start, name);
        let target = target_of(site.store, &path, &link)?;
        if leads_out(name, &target) {
            let target = String::from_utf8_lossy(&target).into_owned();
            return Err(ApplyError::LinkLeadsOut { path, target });
        }
    }
    Ok(())
}

pub(super) fn target_of(store: &Store, path: &Path, link: &FileRecord) -> Result<Vec<u8>, ApplyError> {
    read_content(store, link.id, link.manifest, link.size())
        .map_err(|source| ApplyError::Content { path: path.to_owned(), source })
}

/// Whether a link at `name` with this target leaves the tree that it is in.
fn leads_out(name: &[u8], target: &[u8]) -> bool {
    let mut depth = name.iter().filter(|byte| **byte == b'/').count() as i64;
    target.starts_with(b"/")
        || target.split(|byte| *byte == b'/').any(|part| {
            depth += match part {
                b"" | b"." => 0,
                b".." => -1,
                _ => 1,
            };
            depth < 0
        })
}

fn remove(site: &Site<'_>, start: &Path, name: &[u8]) -> Result<(), ApplyError> {
    let path = located(start, name);
    refuse_changed(site, &path, name)?;
    let removed = match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir(&path),
        Ok(_) => fs::remove_file(&path),
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(ApplyError::Io { path, source }),
    }
    // Folders that held nothing else go too; the first that does is where this ends.
    let mut folder = path.parent();
    while let Some(empty) =
        folder.filter(|folder| folder.starts_with(start) && fs::remove_dir(folder).is_ok())
    {
        folder = empty.parent();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_the_tree_are_seen() {
        assert!(leads_out(b"a", b"/etc/passwd"));
        assert!(leads_out(b"a", b".."));
        assert!(leads_out(b"a/b", b"../../x"));
        assert!(leads_out(b"a/b", b"c/../../../x"));
        assert!(!leads_out(b"a/b", b"../x"));
        assert!(!leads_out(b"a", b"b"));
    }
}
