//! What hooks need to know of the last time: whether anything moved since, and what was said already.
//!
//! One file, `ml/followed` in the worktree's own Git directory. It is derived: without it a hook takes longer once and says
//! once more what it said before.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::{Digest, RepoPath};
use crate::data::worktree::WorktreeRecord;
use crate::git::Pointers;
use crate::storage::durable::{self, DurableError};

/// What is remembered from one hook to the next.
#[derive(Debug)]
pub struct Memory {
    file: PathBuf,
    before: Remembered,
    now: Remembered,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    /// Pointers and record, as they were when all was in step as far as it can be.
    stamp: Option<Digest>,
    /// The paths that this worktree had written or added: their pointers may lie beside the index.
    paths: BTreeSet<String>,
    /// What was said of which path and still holds.
    told: BTreeMap<String, String>,
}

impl Memory {
    /// What is remembered in the worktree whose own Git directory this is.
    pub fn open(git_dir: &Path) -> Self {
        let file = git_dir.join("ml").join("followed");
        let read = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { file, before: read.unwrap_or_default(), now: Remembered::default() }
    }

    /// The paths that had been written or added.
    pub fn paths(&self) -> BTreeSet<RepoPath> {
        self.before.paths.iter().filter_map(|path| RepoPath::new(path.as_str()).ok()).collect()
    }

    /// Whether nothing moved since.
    pub fn is_in_step(&self, stamp: Digest) -> bool {
        self.before.stamp == Some(stamp)
    }

    /// Whether this was said of the path the last time.
    pub fn was_told(&self, path: &str, what: &str) -> bool {
        self.before.told.get(path).is_some_and(|told| told == what)
    }

    /// Notes what holds of a path; whether it is to be said, for it was not said before.
    pub fn tell(&mut self, path: &str, what: &str) -> bool {
        self.now.told.insert(path.to_owned(), what.to_owned());
        !self.was_told(path, what)
    }

    /// Keeps what was noted, for the next time. Where nothing was ever followed there is nothing to keep.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn save(mut self, record: &WorktreeRecord, stamp: Digest) -> Result<(), DurableError> {
        self.now.paths = record.paths().map(|(path, _)| path.to_string()).collect();
        if self.before.stamp.is_none() && self.now.paths.is_empty() && self.now.told.is_empty() {
            return Ok(());
        }
        self.now.stamp = Some(stamp);
        if self.now == self.before {
            return Ok(());
        }
        durable::write_derived(&self.file, &serde_json::to_vec(&self.now).unwrap_or_default())
    }
}

/// Tells apart any two states of pointers and record.
pub fn stamp(git_dir: &Path, pointers: &Pointers) -> Digest {
    let mut text = format!("{:?}\n", WorktreeRecord::fingerprint(git_dir));
    for at in &pointers.good {
        text += &format!("{} {:?} {}\n", at.path, at.pointer.kind, at.pointer.id);
    }
    for bad in &pointers.bad {
        text += &format!("{} {}\n", bad.file, bad.fault);
    }
    Digest::of(text.as_bytes())
}
