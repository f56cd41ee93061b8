//! Files that are whole or absent, and that stay after a power cut.
//!
//! The rules, which everything that this crate writes for good follows: bytes go to a new file in the folder of the
//! target (so that a rename never crosses file systems), are synced, get their final name by a rename, and then the
//! *folder* is synced: without the last step the name, not the bytes, may be lost although later files survived. On
//! macOS `sync_all` is `F_FULLFSYNC`. Nobody ever sees a part of a file under its final name. A failure removes the
//! new file and leaves what was there.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::{Builder, NamedTempFile};

use crate::base::{Advice, refusal_hints};

/// What the names of files begin with that are not whole yet.
const TEMPORARY: &str = ".tmp-";
/// Whoever writes a file is done, or was killed, after this time.
const LONGEST_WRITE: Duration = Duration::from_hours(24);

/// Why a file could not be made to last.
#[derive(Debug, thiserror::Error)]
pub enum DurableError {
    /// The disk or the quota is full.
    #[error("cannot write {bytes} bytes to '{}': {source}", path.display())]
    Full {
        /// The file that was to be written.
        path: PathBuf,
        /// How many bytes were to be written.
        bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused one step.
    #[error("cannot {step} '{}': {source}", path.display())]
    Io {
        /// What was tried: a verb.
        step: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DurableError {
    /// The error of one `step` on `path`; for a full disk, `bytes` were to be written.
    pub(crate) fn new(step: &'static str, path: &Path, bytes: u64, source: io::Error) -> Self {
        let path = path.to_owned();
        if is_full(&source) { Self::Full { path, bytes, source } } else { Self::Io { step, path, source } }
    }
}

impl DurableError {
    /// Whether this user may not do it.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }
}

impl Advice for DurableError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Full { path, source, .. } | Self::Io { path, source, .. } => refusal_hints(path, source),
        }
    }
}

/// Whether `error` says that there is no room: no space, or a quota used up.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Writes `bytes` to `path`, which is then whole and lasts; a file that was there is replaced in one step.
///
/// # Errors
///
/// [`DurableError`] when the folder is missing, not writable or full; the old file is untouched then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), DurableError> {
    write_through(folder_of(path), path, bytes)
}

/// Writes what can be made again (a cache, an index): whole or not at all, but not made to last. Folders that are
/// missing are made.
///
/// # Errors
///
/// [`DurableError`] when the folder is not writable or full; the old file is untouched then.
pub fn write_derived(path: &Path, bytes: &[u8]) -> Result<(), DurableError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        create_folders(folder)?;
    }
    let mut file = create_temp(folder)?;
    file.write_all(bytes).map_err(|source| DurableError::new("write", path, bytes.len() as u64, source))?;
    let renamed = file.persist(path);
    renamed
        .map_err(|failed| DurableError::new("rename a file to", path, bytes.len() as u64, failed.error))?;
    Ok(())
}

/// As [`write_atomically`], with the new file in the folder `temporaries`, which is on the same file system.
///
/// # Errors
///
/// [`DurableError`] as for [`write_atomically`].
pub fn write_through(temporaries: &Path, path: &Path, bytes: &[u8]) -> Result<(), DurableError> {
    let mut file = create_temp(temporaries)?;
    file.write_all(bytes).map_err(|source| DurableError::new("write", path, bytes.len() as u64, source))?;
    persist(file, path)
}

/// Removes this file if it is one that a killed process left before it was whole. Whether it is.
pub fn sweep_if_left(file: &fs::DirEntry) -> bool {
    if !file.file_name().to_string_lossy().starts_with(TEMPORARY) {
        return false;
    }
    let age = file.metadata().and_then(|metadata| metadata.modified()).map(|modified| modified.elapsed());
    let is_left = age.is_ok_and(|age| age.is_ok_and(|age| age > LONGEST_WRITE));
    // One that stays takes room and nothing else.
    is_left && fs::remove_file(file.path()).is_ok()
}

/// A new file in `folder` with the permissions of an ordinary file; it is removed when dropped.
///
/// # Errors
///
/// [`DurableError`] when the folder is missing, not writable or full.
pub fn create_temp(folder: &Path) -> Result<NamedTempFile, DurableError> {
    let ordinary = Permissions::from_mode(0o666);
    let made = Builder::new().prefix(TEMPORARY).permissions(ordinary).tempfile_in(folder);
    made.map_err(|source| DurableError::new("create a file in", folder, 0, source))
}

/// Gives the new `file` the name `path` and makes both last.
///
/// # Errors
///
/// [`DurableError`] when syncing or renaming fails; `file` is removed then.
pub fn persist(file: NamedTempFile, path: &Path) -> Result<(), DurableError> {
    let size = file.as_file().metadata().map_or(0, |metadata| metadata.len());
    file.as_file().sync_all().map_err(|source| DurableError::new("sync", path, size, source))?;
    file.persist(path).map_err(|failed| DurableError::new("rename a file to", path, size, failed.error))?;
    sync_folder(folder_of(path))
}

/// Makes the names in `folder` last.
///
/// # Errors
///
/// [`DurableError`] when the folder cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> Result<(), DurableError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| DurableError::new("sync the folder", folder, 0, source))
}

/// Creates `folder` and the folders above it that are missing, so that they last.
///
/// # Errors
///
/// [`DurableError`] when one cannot be created.
pub fn create_folders(folder: &Path) -> Result<(), DurableError> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    create_folders(above)?;
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(above),
        Err(_) if folder.is_dir() => Ok(()),
        Err(source) => Err(DurableError::new("create the folder", folder, 0, source)),
    }
}

/// How many bytes may still be written by this user on the file system of `path`.
///
/// # Errors
///
/// [`DurableError`] when the file system does not answer.
pub fn free_space(path: &Path) -> Result<u64, DurableError> {
    let answer = rustix::fs::statvfs(path);
    let system =
        answer.map_err(|errno| DurableError::new("ask for the free space of", path, 0, errno.into()))?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

/// The folder that `path` is in: `.` for a bare name.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_no_temporary_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        create_folders(&path.join("by/a/folder")).unwrap();
        let error = write_atomically(&path, b"x").unwrap_err();
        assert!(error.to_string().contains("taken"), "{error}");
        assert!(path.join("by/a/folder").is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn files_follow_the_umask_and_not_the_mode_of_temporaries() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write_atomically(&ours, b"x").unwrap();
        File::create(&plain).unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn free_space_is_told_and_a_missing_folder_is_named() {
        assert!(free_space(Path::new(".")).unwrap() > 0);
        let error = free_space(Path::new("/no/such/folder")).unwrap_err();
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
    }
}
