//! Writes, replaces and removes files of the work tree.
//!
//! Each file is written to a temporary name, verified whole, and renamed; its stat is taken after the rename, which
//! changes the inode's times. A parent is never reached through a link: a clone could lead it out of the work tree.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::base::{Advice, Progress, RepoPath, Unit};
use crate::data::content::{ReadError, copy_content, read_content};
use crate::data::worktree::{FileRecord, Fingerprint, located};
use crate::objects::tree::{EntryKind, TreeEntry};
use crate::storage::store::Store;

use super::plan::{Plan, stands_in_the_way};

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
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                vec!["free some space and try again: files that are already written are kept".into()]
            }
            Self::Content { source, .. } => source.hints(),
            Self::LinkLeadsOut { .. } => {
                vec!["if you trust this data: git mldata checkout --outside-links".into()]
            }
            Self::ChangedMeanwhile(_) => vec!["git mldata status".into()],
            Self::ThroughLink(_) => vec!["remove the link, or move it out of the way".into()],
            Self::Io { .. } => Vec::new(),
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
    /// What lay there when it was looked at: nothing else is replaced or removed.
    pub expected: &'a Expected,
}

/// The stats of what lay at a tracked path, by path below.
pub type Expected = BTreeMap<Vec<u8>, Fingerprint>;

/// What was carried out of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// Files that were right already.
    pub kept: BTreeMap<Vec<u8>, FileRecord>,
    /// Files that were written.
    pub written: BTreeMap<Vec<u8>, FileRecord>,
    /// Files that were removed.
    pub removed: BTreeSet<Vec<u8>>,
    /// Why not all of it was.
    pub failed: Option<ApplyError>,
}

/// Carries `plan` out. What stands in the way goes first; all else that is to go, goes when all is written. What was
/// done before a failure stays, and a second try goes on from there.
pub fn apply(site: &Site<'_>, mut plan: Plan, progress: &Progress) -> Applied {
    let mut applied = Applied { kept: std::mem::take(&mut plan.keep), ..Applied::default() };
    applied.failed = carry_out(site, &plan, &mut applied, progress).err();
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
    make_folders(site, plan, &start)?;
    let bytes = plan.write.values().map(|entry| entry.size).sum();
    progress.begin(site.path.as_str(), Unit::Bytes, Some(bytes));
    let failed = AtomicBool::new(false);
    let written: Vec<_> = plan
        .write
        .par_iter()
        .filter(|_| !failed.load(Ordering::Relaxed))
        .map(|(name, entry)| {
            let written = write(site, &start, name, entry, progress);
            failed.fetch_or(written.is_err(), Ordering::Relaxed);
            written.map(|record| (name.clone(), record))
        })
        .collect();
    progress.end();
    let mut error = None;
    for written in written {
        match written {
            Ok((name, record)) => drop(applied.written.insert(name, record)),
            Err(failed) => drop(error.get_or_insert(failed)),
        }
    }
    error.map_or(Ok(()), Err)?;
    remove_all(last)
}

/// Whether something is to be written where `name`, or a folder above it, lies, or below it.
fn comes_first(name: &[u8], plan: &Plan) -> bool {
    let mut ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    stands_in_the_way(name, &plan.write) || ends.any(|end| plan.write.contains_key(&name[..end]))
}

/// Refuses to touch what is not what lay there when it was looked at: somebody may have written to it since.
fn refuse_changed(site: &Site<'_>, path: &Path, name: &[u8]) -> Result<(), ApplyError> {
    let now = match fs::symlink_metadata(path) {
        // A folder is only ever removed when nothing lies in it, and never replaced.
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(metadata) => Fingerprint::of(&metadata),
        Err(_) => return Ok(()),
    };
    match site.expected.get(name) {
        Some(expected) if expected.is_still(&now) => Ok(()),
        _ => Err(ApplyError::ChangedMeanwhile(path.to_owned())),
    }
}

fn check_links(site: &Site<'_>, plan: &Plan, start: &Path) -> Result<(), ApplyError> {
    let links = plan.write.iter().filter(|(_, entry)| entry.kind == EntryKind::Link);
    for (name, entry) in links.filter(|_| !site.outside_links) {
        let path = located(start, name);
        let target = target_of(site.store, &path, entry)?;
        if leads_out(name, &target) {
            let target = String::from_utf8_lossy(&target).into_owned();
            return Err(ApplyError::LinkLeadsOut { path, target });
        }
    }
    Ok(())
}

fn target_of(store: &Store, path: &Path, entry: &TreeEntry) -> Result<Vec<u8>, ApplyError> {
    read_content(store, entry.id, entry.manifest, entry.size)
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

fn make_folders(site: &Site<'_>, plan: &Plan, start: &Path) -> Result<(), ApplyError> {
    make_folder(site.top, start.parent().unwrap_or(site.top))?;
    let mut made = PathBuf::new();
    for (name, entry) in &plan.write {
        let path = located(start, name);
        let folder = if entry.kind == EntryKind::Directory { Some(path.as_path()) } else { path.parent() };
        if let Some(folder) = folder.filter(|folder| *folder != made) {
            make_folder(site.top, folder)?;
            made = folder.to_owned();
        }
    }
    Ok(())
}

/// Makes the folders from `top` down to `folder`, none of them through a link.
fn make_folder(top: &Path, folder: &Path) -> Result<(), ApplyError> {
    let mut path = top.to_owned();
    for part in folder.strip_prefix(top).unwrap_or(Path::new("")).components() {
        path.push(part);
        let failed = |source| ApplyError::Io { path: path.clone(), source };
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => return Err(ApplyError::ThroughLink(path)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::create_dir(&path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
                _ => {}
            },
            Err(source) => return Err(failed(source)),
        }
    }
    Ok(())
}

fn write(
    site: &Site<'_>,
    start: &Path,
    name: &[u8],
    entry: &TreeEntry,
    progress: &Progress,
) -> Result<FileRecord, ApplyError> {
    let path = &located(start, name);
    let failed = |source| ApplyError::Io { path: path.to_owned(), source };
    let fingerprint = match entry.kind {
        EntryKind::Directory | EntryKind::Split => Fingerprint::default(),
        EntryKind::Link => {
            let target = target_of(site.store, path, entry)?;
            refuse_changed(site, path, name)?;
            write_link(site, path, &target).map_err(failed)?;
            // Its times cannot be set: it is looked at again.
            Fingerprint::of(&fs::symlink_metadata(path).map_err(failed)?).doubted()
        }
        EntryKind::File => write_file(site, path, name, entry, progress)?,
    };
    let (kind, executable) = (entry.kind, entry.executable);
    Ok(FileRecord { kind, executable, fingerprint, id: entry.id, manifest: entry.manifest })
}

fn write_link(site: &Site<'_>, path: &Path, target: &[u8]) -> io::Result<()> {
    let folder = tempfile::tempdir_in(site.temporary)?;
    let link = folder.path().join("link");
    symlink(OsStr::from_bytes(target), &link)?;
    fs::rename(&link, path)
}

fn write_file(
    site: &Site<'_>,
    path: &Path,
    name: &[u8],
    entry: &TreeEntry,
    progress: &Progress,
) -> Result<Fingerprint, ApplyError> {
    let failed = |source| ApplyError::Io { path: path.to_owned(), source };
    let mut file = tempfile::NamedTempFile::new_in(site.temporary).map_err(failed)?;
    let mode = if entry.executable { 0o777 } else { 0o666 };
    copy_content(site.store, entry.id, entry.manifest, entry.size, &mut file, progress).map_err(
        |source| match source {
            ReadError::Write(source) => failed(source),
            source => ApplyError::Content { path: path.to_owned(), source },
        },
    )?;
    file.as_file().set_permissions(Permissions::from_mode(mode & !umask())).map_err(failed)?;
    // An edit that follows at once must not have the same time.
    file.as_file().set_modified(Fingerprint::before_all_edits()).map_err(failed)?;
    refuse_changed(site, path, name)?;
    let file = file.persist(path).map_err(|error| failed(error.error))?;
    let written = Fingerprint::of(&file.metadata().map_err(failed)?);
    Ok(if written.is_coarse() { written.doubted() } else { written })
}

/// The permissions that this user takes from new files.
fn umask() -> u32 {
    use std::sync::OnceLock;
    static MASK: OnceLock<u32> = OnceLock::new();
    // The mask can only be read by setting it.
    *MASK.get_or_init(|| {
        let mask = rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
        rustix::process::umask(mask);
        mask.bits()
    })
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
