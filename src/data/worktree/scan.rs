//! Finds what lies on the disk below one path, without following links.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::base::{Advice, PathError, RepoPath, check_name};
use crate::objects::tree::EntryKind;

use super::Fingerprint;

/// The deepest nesting of folders that a tree holds.
const DEEPEST: usize = 256;

/// One thing that lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskEntry {
    /// File, link, or (when nothing lies in it) directory.
    pub kind: EntryKind,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// Its stat.
    pub fingerprint: Fingerprint,
}

/// Why a path cannot be taken as data.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The system refused.
    #[error("cannot read '{}'", path.display())]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A pipe, socket or device.
    #[error("'{}' is a {what}, which cannot be versioned", path.display())]
    Special {
        /// Where it lies.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A name that other systems could not hold.
    #[error("'{}' has a name that cannot be versioned", path.display())]
    Name {
        /// Where it lies.
        path: PathBuf,
        /// Why.
        #[source]
        source: PathError,
    },
    /// A pointer inside a directory that is to be one tree.
    #[error("'{}' is a pointer inside the directory, which would be stored as data", .0.display())]
    NestedPointer(PathBuf),
    /// Folders nested too deeply.
    #[error("'{}' is nested more than {DEEPEST} folders deep", .0.display())]
    TooDeep(PathBuf),
    /// A link where a folder was expected.
    #[error("'{}' is a link: nothing is read or written through it", .0.display())]
    ThroughLink(PathBuf),
}

impl Advice for ScanError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Special { .. } => vec!["move it out of the directory".into()],
            Self::Name { .. } => vec!["rename it, so that a clone on every system can hold it".into()],
            Self::NestedPointer(_) => {
                vec!["add its neighbours one by one, or 'git mldata rm --cached' it first".into()]
            }
            Self::ThroughLink(_) => vec!["name the path that the link leads to".into()],
            Self::Io { .. } | Self::TooDeep(_) => Vec::new(),
        }
    }
}

/// Everything at or below `path` under `top`, by its path relative to `path` (bytes, parts joined by `/`; the empty path
/// for `path` itself when that is a file or link). Directories appear only when nothing lies in them. `None` when there
/// is nothing at `path`.
///
/// # Errors
///
/// [`ScanError`] for what cannot be read or must not be stored.
pub fn scan(top: &Path, path: &RepoPath) -> Result<Option<BTreeMap<Vec<u8>, DiskEntry>>, ScanError> {
    if !safe_parent(top, path)? {
        return Ok(None);
    }
    let start = path.under(top);
    let metadata = match fs::symlink_metadata(&start) {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(source) => return Err(ScanError::Io { path: start, source }),
    };
    let mut found = BTreeMap::new();
    if !metadata.is_dir() {
        // A pointer to a file says nothing of who may execute it.
        found.insert(Vec::new(), DiskEntry { executable: false, ..disk_entry(&start, &metadata)? });
        return Ok(Some(found));
    }
    let mut open = vec![(start.clone(), Vec::new(), 0)];
    while let Some((folder, below, depth)) = open.pop() {
        if depth > DEEPEST {
            return Err(ScanError::TooDeep(folder));
        }
        scan_folder(&folder, &below, depth, &mut open, &mut found)?;
    }
    Ok(Some(found))
}

type Folders = Vec<(PathBuf, Vec<u8>, usize)>;

fn scan_folder(
    folder: &Path,
    below: &[u8],
    depth: usize,
    open: &mut Folders,
    found: &mut BTreeMap<Vec<u8>, DiskEntry>,
) -> Result<(), ScanError> {
    let failed = |source| ScanError::Io { path: folder.to_owned(), source };
    let mut empty = true;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let name = entry.file_name().into_vec();
        check_name(&name).map_err(|source| ScanError::Name { path: path.clone(), source })?;
        if name.ends_with(b".mld") {
            return Err(ScanError::NestedPointer(path));
        }
        empty = false;
        let relative = if below.is_empty() { name } else { [below, b"/", &name].concat() };
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) if is_absent(&error) => continue,
            Err(source) => return Err(ScanError::Io { path, source }),
        };
        if metadata.is_dir() {
            open.push((path, relative, depth + 1));
        } else {
            found.insert(relative, disk_entry(&path, &metadata)?);
        }
    }
    if empty && !below.is_empty() {
        let metadata = fs::symlink_metadata(folder).map_err(failed)?;
        found.insert(below.to_owned(), disk_entry(folder, &metadata)?);
    }
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn disk_entry(path: &Path, metadata: &fs::Metadata) -> Result<DiskEntry, ScanError> {
    let kind = metadata.file_type();
    let special = |what| Err(ScanError::Special { path: path.to_owned(), what });
    let kind = if kind.is_file() {
        EntryKind::File
    } else if kind.is_symlink() {
        EntryKind::Link
    } else if kind.is_dir() {
        EntryKind::Directory
    } else if kind.is_fifo() {
        return special("named pipe");
    } else if kind.is_socket() {
        return special("socket");
    } else {
        return special("device");
    };
    let executable = kind == EntryKind::File && metadata.mode() & 0o100 != 0;
    let fingerprint = match kind {
        // A directory is there or not; its times change with what happens in it.
        EntryKind::Directory => Fingerprint::default(),
        _ => Fingerprint::of(metadata),
    };
    Ok(DiskEntry { kind, executable, fingerprint })
}

/// Whether every folder above `path` is there. Refuses to go through links: a clone could lead out of the work tree.
///
/// # Errors
///
/// [`ScanError::ThroughLink`], or what the system answers.
pub fn safe_parent(top: &Path, path: &RepoPath) -> Result<bool, ScanError> {
    let mut folder = top.to_owned();
    let parents = path.parts().count() - 1;
    for part in path.parts().take(parents) {
        folder.push(OsStr::from_bytes(part.as_bytes()));
        match fs::symlink_metadata(&folder) {
            Ok(metadata) if metadata.is_symlink() => return Err(ScanError::ThroughLink(folder)),
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Ok(false),
            Err(error) if is_absent(&error) => return Ok(false),
            Err(source) => return Err(ScanError::Io { path: folder, source }),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "nobody would miss these files")]
    fn finds_files_links_and_empty_folders_and_follows_nothing() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir_all(top.path().join("data/a/empty")).unwrap();
        fs::write(top.path().join("data/a/x"), b"x").unwrap();
        symlink("/etc", top.path().join("data/link")).unwrap();
        let found = scan(top.path(), &RepoPath::new("data").unwrap()).unwrap().unwrap();
        let names: Vec<_> = found.iter().map(|(name, entry)| (name.as_slice(), entry.kind)).collect();
        let expected: [(&[u8], _); 3] =
            [(b"a/empty", EntryKind::Directory), (b"a/x", EntryKind::File), (b"link", EntryKind::Link)];
        assert_eq!(names, expected);
        assert!(scan(top.path(), &RepoPath::new("absent").unwrap()).unwrap().is_none());
        let through = scan(top.path(), &RepoPath::new("data/link/passwd").unwrap());
        assert!(matches!(through, Err(ScanError::ThroughLink(_))), "{through:?}");
    }
}
