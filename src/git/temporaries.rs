//! Where files lie while they are being written, before they get their names in the work tree.
//!
//! A program that is killed leaves such a file behind. In the work tree it would be taken for the user's own: Git shows it
//! as untracked, `git add -A` commits it. So they lie in `ml/tmp` of the worktree's Git directory, whose lock is shared by
//! all commands that write there; the first one that is alone removes what the dead ones left.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::git::{GitError, Repository};

/// The name of the lock in the folder.
const LOCK: &str = "lock";
/// How long a temporary file beside the folder may be somebody's, without a lock that tells.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// A folder for temporary files; nobody removes them while this is held.
#[derive(Debug)]
pub struct Temporaries {
    folder: PathBuf,
    /// Shared with other commands; none where the file system has no locks.
    _lock: Option<File>,
}

impl Repository {
    /// The folder for files that are being written, free of what commands that were killed left in it.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`] when it cannot be made.
    pub fn temporaries(&self) -> Result<Temporaries, GitError> {
        let folder = self.git_dir().join("ml").join("tmp");
        fs::create_dir_all(&folder).map_err(GitError::io("make", &folder))?;
        let path = folder.join(LOCK);
        let lock = File::options().read(true).append(true).create(true).open(&path);
        let lock = lock.map_err(GitError::io("open", &path))?;
        let is_alone = match lock.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(_)) => return Ok(Temporaries { folder, _lock: None }),
        };
        if is_alone {
            sweep(&folder);
            // The one lock is given up for the other: nothing lies here yet.
            lock.unlock().map_err(GitError::io("unlock", &path))?;
        }
        lock.lock_shared().map_err(GitError::io("lock", &path))?;
        Ok(Temporaries { folder, _lock: Some(lock) })
    }
}

impl Temporaries {
    /// The folder for the file that will get the name `target`: a rename never crosses file systems, so where `target` is
    /// on another one, it is the nearest folder above `target` that is there.
    pub fn for_target<'a>(&'a self, target: &'a Path) -> &'a Path {
        let there = target.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
        let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
        if device(&self.folder) == device(there) { &self.folder } else { there }
    }
}

/// Removes what nobody writes any more. What cannot be removed is in nobody's way.
fn sweep(folder: &Path) {
    for (path, metadata) in entries(folder).filter(|(path, _)| !path.ends_with(LOCK)) {
        let _left = if metadata.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
    // Small files that are replaced often lie beside it while they are written.
    let is_old = |metadata: &fs::Metadata| {
        metadata.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age > FORGOTTEN))
    };
    for (path, metadata) in folder.parent().into_iter().flat_map(entries) {
        let is_temporary = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".tmp"));
        if is_temporary && metadata.is_file() && is_old(&metadata) {
            let _left: io::Result<()> = fs::remove_file(path);
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = (PathBuf, fs::Metadata)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_left_goes_and_what_the_living_write_stays() {
        let folder = tempfile::tempdir().unwrap();
        gix::init(folder.path()).unwrap();
        let repository = Repository::open(folder.path()).unwrap();
        let ours = repository.temporaries().unwrap();
        let file = ours.for_target(&folder.path().join("data/x")).join("half");
        assert!(file.starts_with(folder.path().join(".git/ml/tmp")));
        File::create(&file).unwrap();
        let beside = folder.path().join(".git/ml/.tmp-state");
        File::create(&beside).unwrap();
        drop(repository.temporaries().unwrap());
        assert!(file.exists(), "somebody still writes");
        drop(ours);
        drop(repository.temporaries().unwrap());
        assert!(!file.exists() && beside.exists());
        let long_ago = std::time::SystemTime::now() - 2 * FORGOTTEN;
        File::options().write(true).open(&beside).unwrap().set_modified(long_ago).unwrap();
        drop(repository.temporaries().unwrap());
        assert!(!beside.exists());
    }
}
