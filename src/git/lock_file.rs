//! Locks by which commands that change the same file do so one after the other.
//!
//! A file that is read, changed and put back loses what another command put there in between. So whoever changes one holds
//! its lock meanwhile, which takes milliseconds. The lock is the system's (`flock`): it goes with the process that holds it,
//! so a command that was killed is in nobody's way, which is what users of `index.lock` know too well. Where a file system
//! has no locks, all goes as it would without.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::git::GitError;

/// How long others may hold a lock. They take milliseconds: what takes longer hangs.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// The right to change what a lock stands for, as long as it lives.
#[derive(Debug)]
pub struct LockFile {
    /// Holds the lock; none where the file system has no locks.
    _file: Option<File>,
}

impl LockFile {
    /// Waits for the lock at `path`, an empty file that stays, and its folder that is made if need be.
    ///
    /// # Errors
    ///
    /// [`GitError::Held`] when it is held for too long, [`GitError::Io`] when there cannot be such a file.
    pub fn hold(path: &Path) -> Result<Self, GitError> {
        Self::hold_within(path, LONGEST_WAIT)
    }

    /// As [`LockFile::hold`], with no wait at all.
    ///
    /// # Errors
    ///
    /// As [`LockFile::hold`].
    pub fn hold_now(path: &Path) -> Result<Self, GitError> {
        Self::hold_within(path, Duration::ZERO)
    }

    fn hold_within(path: &Path, patience: Duration) -> Result<Self, GitError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(GitError::io("make", folder))?;
        }
        let file = File::options().read(true).append(true).create(true).open(path);
        let file = file.map_err(GitError::io("open", path))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: Some(file) }),
                Err(TryLockError::Error(_)) => return Ok(Self { _file: None }),
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(GitError::Held { path: path.to_owned() }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_nobody_waits_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/lock");
        let held = LockFile::hold(&path).unwrap();
        assert!(matches!(LockFile::hold_now(&path), Err(GitError::Held { .. })));
        let short = Duration::from_millis(30);
        assert!(matches!(LockFile::hold_within(&path, short), Err(GitError::Held { .. })));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| LockFile::hold(&path));
            thread::sleep(short);
            assert!(!waiting.is_finished());
            drop(held);
            waiting.join().unwrap().unwrap();
        });
        // Of a process that was killed, the file is all that stays.
        drop(LockFile::hold_now(&path).unwrap());
    }
}
