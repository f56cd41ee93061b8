//! The index: read in the process, written by the `git` program.
//!
//! Reading takes the index that Git means (`GIT_INDEX_FILE` in a hook), without a lock. Writing is left to
//! `git update-index`: it keeps every extension of the index right (cached trees, untracked cache, split and sparse
//! indexes, file-system monitor), runs the filters and takes `index.lock`. It never waits for that; we do, a little while,
//! so that two commands at once both succeed. Inside a hook Git itself may hold it: there we do not.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use gix::bstr::ByteSlice;
use gix::index::entry::{Mode, Stage};

use crate::base::RepoPath;
use crate::git::EntryMode;
use crate::git::GitError;
use crate::git::GitProgram;
use crate::git::ObjectId;
use crate::git::ProgramError;
use crate::git::Repository;

/// How long another process may hold the index before we give up.
const LOCK_WAIT: Duration = Duration::from_secs(2);

impl Repository {
    /// Stages each path as it is in the work tree, as `git add` does: a file that is gone is staged as deleted, a path
    /// that is ignored is staged all the same. Paths are files, not folders.
    ///
    /// # Errors
    ///
    /// [`GitError::IndexLocked`] when another process is writing the index, [`GitError::Program`].
    pub fn stage(&self, paths: &[RepoPath]) -> Result<(), GitError> {
        self.update_index(&["--add", "--remove", "--replace"], paths)
    }

    /// Takes each path out of the index, with all that lies below it; the work tree is not touched. A path that is not
    /// tracked is fine.
    ///
    /// # Errors
    ///
    /// As [`Repository::stage`].
    pub fn unstage(&self, paths: &[RepoPath]) -> Result<(), GitError> {
        let mut tracked = Vec::new();
        for path in paths {
            tracked.extend(self.tracked_below(path)?);
        }
        self.update_index(&["--force-remove"], &tracked)
    }

    /// Stages each of these tracked paths as attributes say that it is kept now, even if its file was not touched.
    ///
    /// # Errors
    ///
    /// As [`Repository::stage`].
    pub fn renormalize(&self, paths: &[RepoPath]) -> Result<(), GitError> {
        if paths.is_empty() {
            return Ok(());
        }
        let list: Vec<u8> =
            paths.iter().flat_map(|path| [path.as_str().as_bytes(), b"\0"].concat()).collect();
        self.work_dir()?;
        self.locking(|| {
            let call = self.program().env("GIT_LITERAL_PATHSPECS", "1");
            let call = call.args(["add", "--renormalize", "--pathspec-from-file=-", "--pathspec-file-nul"]);
            call.input(list.clone())
        })
    }

    fn update_index(&self, options: &[&str], paths: &[RepoPath]) -> Result<(), GitError> {
        if paths.is_empty() {
            return Ok(());
        }
        self.work_dir()?;
        let list: Vec<u8> =
            paths.iter().flat_map(|path| [path.as_str().as_bytes(), b"\0"].concat()).collect();
        self.locking(|| {
            let call = self.program().args(["update-index"]).args(options);
            call.args(["-z", "--stdin"]).input(list.clone())
        })
    }

    /// Runs a call that takes `index.lock`.
    fn locking(&self, call: impl Fn() -> GitProgram) -> Result<(), GitError> {
        let in_hook = std::env::var_os("GIT_INDEX_FILE").is_some();
        let begun = Instant::now();
        loop {
            match call().run() {
                Ok(_) => return Ok(()),
                Err(ProgramError::Failed { said, .. }) if said.contains("index.lock': File exists") => {
                    if in_hook || begun.elapsed() > LOCK_WAIT {
                        return Err(GitError::IndexLocked { path: locked(self.index_path()) });
                    }
                    thread::sleep(LOCK_WAIT / 40);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether the index has `path`, as a file or as a folder of files.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`].
    pub fn is_tracked(&self, path: &RepoPath) -> Result<bool, GitError> {
        Ok(!self.tracked_below(path)?.is_empty())
    }

    /// Whether `path` lies in a folder that a sparse checkout left out, and of which the index has but one entry: what is
    /// in it is tracked, and not here.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`].
    pub fn is_left_out(&self, path: &RepoPath) -> Result<bool, GitError> {
        let index = self.read_index()?;
        let mut folders = index.entries().iter().filter(|entry| entry.mode == Mode::DIR);
        Ok(index.is_sparse()
            && folders.any(|entry| path.as_str().as_bytes().starts_with(entry.path(&index).as_ref())))
    }

    /// The files of the index at and below `path`. Names that are no UTF-8 are left out.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`].
    pub fn tracked_below(&self, path: &RepoPath) -> Result<Vec<RepoPath>, GitError> {
        let index = self.read_index()?;
        let entries = index.prefixed_entries(path.as_str().into()).unwrap_or_default();
        let names = entries.iter().filter_map(|entry| entry.path(&index).to_str().ok());
        let below = |found: &RepoPath| found.below(path).is_some();
        let mut paths: Vec<_> = names.filter_map(|name| RepoPath::new(name).ok()).filter(below).collect();
        paths.dedup();
        Ok(paths)
    }

    /// What the index has at `path`; `None` when it has nothing or a conflict.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`].
    pub fn staged_entry(&self, path: &RepoPath) -> Result<Option<(EntryMode, ObjectId)>, GitError> {
        let index = self.read_index()?;
        let entry = index.entry_by_path_and_stage(path.as_str().into(), Stage::Unconflicted);
        Ok(entry.and_then(|entry| {
            let mode = EntryMode::from_gix(entry.mode.to_tree_entry_mode()?.kind());
            Some((mode, ObjectId(entry.id)))
        }))
    }

    /// Those of `paths` that some commit of a branch, tag or remote-tracking branch has: Git would overwrite the ignored
    /// data there without a word when such a commit is checked out.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`].
    pub fn tracked_in_history(&self, paths: &[RepoPath]) -> Result<Vec<RepoPath>, GitError> {
        if paths.is_empty() || !self.any_commit_has(paths)? {
            return Ok(Vec::new());
        }
        if let [only] = paths {
            return Ok(vec![only.clone()]);
        }
        let (left, right) = paths.split_at(paths.len() / 2);
        Ok([self.tracked_in_history(left)?, self.tracked_in_history(right)?].concat())
    }

    fn any_commit_has(&self, paths: &[RepoPath]) -> Result<bool, GitError> {
        let call = self.program().env("GIT_LITERAL_PATHSPECS", "1");
        let call = call.args(["rev-list", "--max-count=1", "--branches", "--tags", "--remotes"]);
        let call = call.args(self.head_commit()?.map(|_| "HEAD")).args(["--"]);
        Ok(!call.args(paths.iter().map(RepoPath::as_str)).text()?.is_empty())
    }

    /// The index as it is now; without entries when there is no file.
    pub(super) fn read_index(&self) -> Result<Arc<gix::index::File>, GitError> {
        let path = self.index_path();
        let now = Version::of(&path);
        let mut cached = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((version, index)) = &*cached
            && *version == now
        {
            return Ok(Arc::clone(index));
        }
        let index = match now {
            Some(_) => self.gix.open_index(),
            None => {
                Ok(gix::index::File::from_state(gix::index::State::new(self.gix.object_hash()), path.clone()))
            }
        };
        let index = Arc::new(index.map_err(|error| GitError::Index { path, source: error.into() })?);
        *cached = Some((now, Arc::clone(&index)));
        Ok(index)
    }
}

/// The index that was read last, and which one it was.
pub(super) type CachedIndex = Arc<Mutex<Option<(Option<Version>, Arc<gix::index::File>)>>>;

/// Which index it is. Git replaces the whole file each time, so its number in the file system tells more than the time,
/// which is coarse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    modified: Option<SystemTime>,
    size: u64,
    number: u64,
}

impl Version {
    /// `None` when there is no file.
    fn of(path: &Path) -> Option<Self> {
        let meta = path.metadata().ok()?;
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&meta);
        #[cfg(not(unix))]
        let number = 0;
        Some(Self { modified: meta.modified().ok(), size: meta.len(), number })
    }
}

/// The lock of the file at `path`, by Git's naming.
fn locked(path: PathBuf) -> PathBuf {
    let mut name = path.into_os_string();
    name.push(".lock");
    name.into()
}
