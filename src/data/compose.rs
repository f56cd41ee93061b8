//! The new version of a directory, from what is on the disk and what was never brought here.
//!
//! Absent is not deleted. A clone may hold only a part of a directory (`git mldata pull data/images/cats`), and adding
//! what it holds must not drop the rest. So a path of the last version is dropped only with a proof: this worktree wrote
//! or added it (its record says so), and it is gone. Without a record there is no proof, and nothing is dropped unless
//! the user says that all that is to remain is here.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Advice, RepoPath, typed};
use crate::data::content::{WalkError, flatten_where, is_empty_directory};
use crate::data::root::RootName;
use crate::data::worktree::{Files, PathRecord};
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeEntry};
use crate::storage::store::Store;

/// Why a new version cannot be composed.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// Paths of the last version are not here, and nothing tells whether they were deleted or never fetched.
    #[error("{missing} of {of} files of '{path}' are not here, and nothing tells whether they were deleted")]
    NoProof {
        /// The directory.
        path: RepoPath,
        /// Files of the last version that are not here.
        missing: u64,
        /// Files of the last version.
        of: u64,
    },
    /// The last version must be known, and its nodes are not in the store.
    #[error("the last version of '{path}' is not in the store, and it is needed to keep what is not here")]
    Base {
        /// The directory.
        path: RepoPath,
        /// What is missing.
        #[source]
        source: WalkError,
    },
}

impl Advice for ComposeError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoProof { path, .. } => vec![
                format!(
                    "git mldata pull {path}      brings the rest, so that nothing is dropped",
                    path = typed(path)
                ),
                format!(
                    "git mldata add --all {path}      says that what is not here is to be dropped",
                    path = typed(path)
                ),
            ],
            Self::Base { path, source } if source.is_missing() => {
                vec![format!("git mldata fetch {path}", path = typed(path))]
            }
            Self::Base { source, .. } => source.hints(),
        }
    }
}

/// What is on the disk of one tracked directory, in the parts that are to be added.
#[derive(Debug, Clone, Copy)]
pub struct OnDisk<'a> {
    /// The directory.
    pub path: &'a RepoPath,
    /// Paths below it that are to be added with all below them; the empty path stands for the whole.
    pub scopes: &'a [Vec<u8>],
    /// What lies on the disk within these scopes.
    pub files: &'a Files,
}

/// The leaves of the new version, and how many files of it are not on the disk.
#[derive(Debug, Default)]
pub struct Composed {
    /// Files, links and empty directories that are taken over from the last version, by path below; directories of which
    /// nothing is here as they were.
    pub taken_over: BTreeMap<Vec<u8>, TreeEntry>,
    /// Empty directories on the disk in which something of `taken_over` lies.
    filled: BTreeSet<Vec<u8>>,
    /// Files that were taken over unseen from the last version.
    pub absent: u64,
    /// The leaves of the last version, as far as they were looked at.
    pub before: BTreeMap<Vec<u8>, TreeEntry>,
}

impl Composed {
    /// The leaves of the new version in order: the `files` on the disk and what is taken over.
    pub fn leaves<'a>(&'a self, files: &'a Files) -> impl Iterator<Item = (&'a [u8], TreeEntry)> {
        let mut here = files.iter().filter(|(name, _)| !self.filled.contains(*name)).peekable();
        let mut elsewhere = self.taken_over.iter().peekable();
        std::iter::from_fn(move || {
            let first = match (here.peek(), elsewhere.peek()) {
                (Some((here, _)), Some((elsewhere, _))) => *here < elsewhere.as_slice(),
                (here, _) => here.is_some(),
            };
            if first {
                return here.next().map(|(name, file)| (name, file.leaf()));
            }
            elsewhere.next().map(|(name, entry)| (name.as_slice(), entry.clone()))
        })
    }
}

/// Composes the new version. `base` is what the pointer names now, `record` what this worktree last wrote or added, `all`
/// whether the user said that what is not here is to be dropped.
///
/// # Errors
///
/// [`ComposeError`].
pub fn compose(
    store: &Store,
    disk: &OnDisk<'_>,
    base: Option<&RootName>,
    record: Option<&PathRecord>,
    all: bool,
) -> Result<Composed, ComposeError> {
    let whole = disk.scopes.iter().any(Vec::is_empty);
    let Some(base) = base.filter(|base| base.kind == PointerKind::Tree) else {
        return Ok(Composed::default());
    };
    // All of the last version was here: what is not here now was deleted.
    let was_here = record.is_some_and(|record| record.complete && record.root.is_same(base));
    if whole && (all || was_here) {
        return Ok(Composed::default());
    }
    // A directory is looked into only if something of it is, was or is to be here.
    let concerns = |path: &[u8]| {
        let on_the_way = |part: &Vec<u8>| part.len() > path.len() && is_within(part, path);
        let here = disk.scopes.iter().any(on_the_way) || disk.files.has_below(path);
        here || record.is_some_and(|record| record.files.has_below(path))
    };
    let before = flatten_where(store, base.id, &concerns)
        .map_err(|source| ComposeError::Base { path: disk.path.clone(), source })?;
    let of = before.values().map(|entry| entry.files).sum();
    let mut composed = Composed { before, ..Composed::default() };
    let mut unproven = 0;
    for (name, entry) in &composed.before {
        let in_scope = disk.scopes.iter().any(|scope| is_within(name, scope));
        if in_scope && (all || disk.files.contains(name) || is_replaced(name, disk.files)) {
            continue;
        }
        let deleted = in_scope && record.is_some_and(|record| record.files.contains(name));
        if deleted {
            continue;
        }
        if in_scope && record.is_none() {
            unproven += entry.files;
        }
        composed.absent += entry.files;
        composed.taken_over.insert(name.clone(), entry.clone());
    }
    if unproven > 0 {
        return Err(ComposeError::NoProof { path: disk.path.clone(), missing: unproven, of });
    }
    composed.drop_directories_that_filled(disk.files);
    Ok(composed)
}

/// Whether any of `leaves` lies below `path`.
fn has_below(leaves: &BTreeMap<Vec<u8>, TreeEntry>, path: &[u8]) -> bool {
    let below = [path, b"/"].concat();
    leaves.range(below.clone()..).next().is_some_and(|(name, _)| name.starts_with(&below))
}

/// Whether `name` is `scope` or lies below it.
pub fn is_within(name: &[u8], scope: &[u8]) -> bool {
    scope.is_empty() || name == scope || name.strip_prefix(scope).is_some_and(|rest| rest.starts_with(b"/"))
}

/// Whether a file now lies where a folder of `name` was, or a folder where the file `name` was.
fn is_replaced(name: &[u8], files: &Files) -> bool {
    let file_above = name
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .any(|(at, _)| files.get(&name[..at]).is_some_and(|file| file.kind != EntryKind::Directory));
    file_above || files.has_below(name)
}

impl Composed {
    /// A directory that was empty on one side may have files on the other.
    fn drop_directories_that_filled(&mut self, files: &Files) {
        self.taken_over.retain(|name, entry| !(is_empty_directory(entry) && files.has_below(name)));
        let empty = files.iter().filter(|(_, file)| file.kind == EntryKind::Directory);
        let filled = empty.filter(|(name, _)| has_below(&self.taken_over, name));
        self.filled = filled.map(|(name, _)| name.to_owned()).collect();
    }
}
