//! Contents where Git has written their pointers.
//!
//! A large file comes into the work tree as its pointer (see the module above); so does one whose content was not here.
//! The content is written aside, verified, and takes the pointer's place under the index lock together with its stat in
//! the index, so that `git status` is clean and asks for nothing. Its time is set two seconds back: Git would look at a file
//! again that is as young as the index. A process that is killed between the two leaves the content in place and the stat
//! of the pointer, which Git would call modified: such a file is found by its size, compared, and only told to the index.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;

use super::is_skipped;
use crate::base::{Advice, Hasher, Progress, RepoPath};
use crate::data::content::{Content, ReadError, holds_content, open_regular, read_content, restore_content};
use crate::data::root::RootName;
use crate::data::workspace::Workspace;
use crate::git::{GitError, Held, InPlaceEntry};
use crate::objects::pointer::{MAX_IN_PLACE, Pointer};

/// So much older than now a file is made.
const BACK: Duration = Duration::from_secs(2);

/// A pointer in the work tree, where content could be.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The path.
    pub path: RepoPath,
    /// What it names.
    pub version: RootName,
    /// The pointer's text, which lies there; `None` where the content lies there and Git was not told.
    text: Option<Vec<u8>>,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Materialised {
    /// Paths whose content is there now, with their bytes.
    pub written: Vec<(RepoPath, u64)>,
    /// Paths whose content is not in the store, with its bytes.
    pub missing: Vec<(RepoPath, u64)>,
    /// Paths that wait because Git itself holds the index.
    pub locked: Vec<RepoPath>,
}

/// Why content could not take its place.
#[derive(Debug, thiserror::Error)]
pub enum MaterialiseError {
    /// The content is damaged.
    #[error("cannot write '{path}'")]
    Content {
        /// The path.
        path: RepoPath,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// The file cannot be written.
    #[error("cannot write '{path}'")]
    File {
        /// The path.
        path: RepoPath,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Advice for MaterialiseError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Content { source, .. } => source.hints(),
            Self::File { path, source } => crate::base::refusal_hints(Path::new(path.as_str()), source),
            Self::Git(error) => error.hints(),
        }
    }
}

/// The pointers in the work tree where content could be, at, above or below `paths`, or all.
///
/// # Errors
///
/// [`GitError`].
pub fn waiting(workspace: &Workspace, paths: &[RepoPath]) -> Result<Vec<Waiting>, GitError> {
    let concerns = |path: &RepoPath| {
        paths.is_empty()
            || paths.iter().any(|named| path.below(named).is_some() || named.below(path).is_some())
    };
    let entries = workspace.repository().in_place_entries(&|size| size as usize <= MAX_IN_PLACE)?;
    let entries = entries.into_iter().filter(|entry| !entry.is_left_out && concerns(&entry.path));
    Ok(entries.filter_map(|entry| waits(workspace, entry)).collect())
}

fn waits(workspace: &Workspace, entry: InPlaceEntry) -> Option<Waiting> {
    let InPlaceEntry { path, held: Held::Pointer { pointer, text }, noted_size, .. } = entry else {
        return None;
    };
    workspace.repository().refuse_beyond_link(&path).ok()?;
    let place = path.under(workspace.top());
    let found = fs::symlink_metadata(&place).ok().filter(Metadata::is_file)?;
    let version = RootName::from(&pointer);
    let is_pointer = |size: u64| size == text.len() as u64;
    if is_pointer(found.len()) && fs::read(&place).ok()? == text {
        return Some(Waiting { path, version, text: Some(text) });
    }
    let is_untold = is_pointer(noted_size.into()) && found.len() == pointer.size;
    (is_untold && holds(&place, &pointer)).then_some(Waiting { path, version, text: None })
}

/// Whether the file at `place` has the content that the pointer names.
fn holds(place: &Path, pointer: &Pointer) -> bool {
    let hashed = || -> io::Result<bool> {
        let (mut file, _) = open_regular(place)?;
        let mut hasher = Hashing(Hasher::new());
        io::copy(&mut file, &mut hasher)?;
        Ok(hasher.0.finish() == pointer.id)
    };
    hashed().unwrap_or(false)
}

struct Hashing(Hasher);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Brings the content of what waits into the work tree, as far as the store has it. `patient`: another process that has the
/// index is waited for, shortly; never so in a hook.
///
/// # Errors
///
/// [`MaterialiseError`]; what was there stays then.
pub fn materialise(
    workspace: &Workspace,
    waiting: Vec<Waiting>,
    patient: bool,
    progress: &Progress,
) -> Result<Materialised, MaterialiseError> {
    let mut done = Materialised::default();
    if is_skipped() || waiting.is_empty() {
        return Ok(done);
    }
    let temporaries = workspace.repository().temporaries()?;
    let mut ready = Vec::new();
    for one in waiting {
        let RootName { id, manifest, size, .. } = one.version;
        if one.text.is_none() {
            ready.push((one, None));
        } else if size > 0 && !holds_content(workspace.store(), id, manifest) {
            done.missing.push((one.path, size));
        } else {
            let place = one.path.under(workspace.top());
            let aside = write_aside(workspace, &one, temporaries.for_target(&place), progress)?;
            ready.push((one, Some(aside)));
        }
    }
    if ready.is_empty() {
        return Ok(done);
    }
    let Some(lock) = workspace.repository().lock_index(patient)? else {
        done.locked = ready.into_iter().map(|(one, _)| one.path).collect();
        return Ok(done);
    };
    let mut stats = BTreeMap::new();
    for (one, aside) in ready {
        let failed = |source| MaterialiseError::File { path: one.path.clone(), source };
        let place = one.path.under(workspace.top());
        if let Some(aside) = aside {
            // Who wrote there meanwhile keeps what was written.
            if fs::read(&place).ok() != one.text {
                continue;
            }
            aside.persist(&place).map_err(|error| failed(error.error))?;
            done.written.push((one.path.clone(), one.version.size));
        }
        let file = File::open(&place).map_err(failed)?;
        stats.insert(one.path.clone(), file.metadata().map_err(failed)?);
    }
    let unknown = lock.write_stats(&stats)?;
    if !unknown.is_empty() {
        // A split index: Git itself writes it, at the price of a look at the content.
        workspace.repository().stage(&unknown)?;
    }
    Ok(done)
}

fn write_aside(
    workspace: &Workspace,
    one: &Waiting,
    folder: &Path,
    progress: &Progress,
) -> Result<NamedTempFile, MaterialiseError> {
    let failed = |source| MaterialiseError::File { path: one.path.clone(), source };
    let unread = |source| match source {
        ReadError::Write(source) => failed(source),
        source => MaterialiseError::Content { path: one.path.clone(), source },
    };
    let RootName { id, manifest, size, .. } = one.version;
    let mut aside = NamedTempFile::new_in(folder).map_err(failed)?;
    if manifest.is_some() {
        let content = Content { id, manifest, size };
        restore_content(workspace.store(), &content, aside.as_file(), None, progress).map_err(unread)?;
    } else if size > 0 {
        let bytes = read_content(workspace.store(), id, None, size).map_err(unread)?;
        aside.write_all(&bytes).map_err(failed)?;
    }
    let place = one.path.under(workspace.top());
    let permissions = fs::symlink_metadata(&place).map_err(failed)?.permissions();
    aside.as_file().set_permissions(permissions).map_err(failed)?;
    let time = SystemTime::now().checked_sub(BACK).unwrap_or(SystemTime::UNIX_EPOCH);
    aside.as_file().set_modified(time).map_err(failed)?;
    Ok(aside)
}
