//! The folders that files are written into, opened one below the other so that no link is ever followed, and made where
//! they are missing. Each is made and opened once.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use super::apply::ApplyError;

/// So many folders are held open.
const HELD: usize = 128;

/// The folders of a work tree. May be shared by threads.
pub(super) struct Folders<'a> {
    top: &'a Path,
    open: Mutex<HashMap<PathBuf, Arc<OwnedFd>>>,
}

impl<'a> Folders<'a> {
    /// The folders at and below `top`.
    pub fn new(top: &'a Path) -> Self {
        Self { top, open: Mutex::default() }
    }

    /// The folder at `path`, which is at or below the top; made where it is missing.
    ///
    /// # Errors
    ///
    /// [`ApplyError::ThroughLink`], or what the system answers.
    pub fn open(&self, path: &Path) -> Result<Arc<OwnedFd>, ApplyError> {
        if let Some(folder) = self.held().get(path) {
            return Ok(Arc::clone(folder));
        }
        let (above, name) = match (path.parent(), path.file_name()) {
            (Some(above), Some(name)) if path != self.top => (Some(self.open(above)?), name),
            _ => (None, self.top.as_os_str()),
        };
        let folder = Arc::new(enter(above.as_deref(), name, path)?);
        let mut held = self.held();
        if held.len() >= HELD {
            held.clear();
        }
        held.insert(path.to_owned(), Arc::clone(&folder));
        Ok(folder)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Arc<OwnedFd>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the folder `name` in `above`, in which it is made if it is missing. The top itself may be reached through a link.
fn enter(above: Option<&OwnedFd>, name: &OsStr, path: &Path) -> Result<OwnedFd, ApplyError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let failed = |error: Errno| ApplyError::Io { path: path.to_owned(), source: error.into() };
    let Some(above) = above else { return openat(CWD, name, flags, Mode::empty()).map_err(failed) };
    let open = || openat(above, name, flags | OFlags::NOFOLLOW, Mode::empty());
    let opened = match open() {
        Err(Errno::NOENT) => match mkdirat(above, name, Mode::from_bits_truncate(0o777)) {
            Ok(()) | Err(Errno::EXIST) => open(),
            Err(error) => Err(error),
        },
        opened => opened,
    };
    opened.map_err(|error| match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => ApplyError::ThroughLink(path.to_owned()),
        _ => failed(error),
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folders_are_made_and_links_are_not_followed() {
        let (top, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folders = Folders::new(top.path());
        folders.open(&top.path().join("a/b/c")).unwrap();
        assert!(top.path().join("a/b/c").is_dir());
        symlink(elsewhere.path(), top.path().join("a/link")).unwrap();
        let through = folders.open(&top.path().join("a/link/deep"));
        assert!(matches!(through, Err(ApplyError::ThroughLink(_))), "{through:?}");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        fs::File::create(top.path().join("a/file")).unwrap();
        let file = folders.open(&top.path().join("a/file/deep"));
        assert!(
            matches!(&file, Err(ApplyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotADirectory)
        );
    }
}
