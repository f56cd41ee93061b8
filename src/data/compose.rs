//! The new version of a directory, from what is on the disk and what was never brought here.
//!
//! Absent is not deleted. A clone may hold only a part of a directory (`git mldata pull data/images/cats`), and adding
//! what it holds must not drop the rest. So a path of the last version is dropped only with a proof: this worktree wrote
//! or added it (its record says so), and it is gone. Without a record there is no proof, and nothing is dropped unless
//! the user says that all that is to remain is here.

use std::collections::BTreeMap;

use crate::base::{Advice, RepoPath, typed};
use crate::data::content::{WalkError, flatten_where, is_empty_directory};
use crate::data::root::RootName;
use crate::data::worktree::{FileRecord, PathRecord};
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
pub struct OnDisk<'a> {
    /// The directory.
    pub path: &'a RepoPath,
    /// Paths below it that are to be added with all below them; the empty path stands for the whole.
    pub scopes: &'a [Vec<u8>],
    /// What lies on the disk within these scopes.
    pub files: &'a BTreeMap<Vec<u8>, FileRecord>,
}

/// The leaves of the new version, and how many files of it are not on the disk.
#[derive(Debug)]
pub struct Composed {
    /// Files, links and empty directories by path below; directories of which nothing is here as they were.
    pub leaves: BTreeMap<Vec<u8>, TreeEntry>,
    /// Files that were taken over unseen from the last version.
    pub absent: u64,
    /// The leaves of the last version, as far as they were looked at.
    pub before: BTreeMap<Vec<u8>, TreeEntry>,
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
    let mut leaves: BTreeMap<_, _> =
        disk.files.iter().map(|(name, file)| (name.clone(), file.leaf())).collect();
    let whole = disk.scopes.iter().any(Vec::is_empty);
    let Some(base) = base.filter(|base| base.kind == PointerKind::Tree) else {
        return Ok(Composed { leaves, absent: 0, before: BTreeMap::new() });
    };
    if whole && all {
        return Ok(Composed { leaves, absent: 0, before: BTreeMap::new() });
    }
    // A directory is looked into only if something of it is, was or is to be here.
    let concerns = |path: &[u8]| {
        let on_the_way = |part: &Vec<u8>| part.len() > path.len() && is_within(part, path);
        let here = disk.scopes.iter().any(on_the_way) || has_below(disk.files, path);
        here || record.is_some_and(|record| has_below(&record.files, path))
    };
    let before = flatten_where(store, base.id, &concerns)
        .map_err(|source| ComposeError::Base { path: disk.path.clone(), source })?;
    let of = before.values().map(|entry| entry.files).sum();
    let mut unproven = 0;
    let mut absent = 0;
    for (name, entry) in &before {
        let in_scope = disk.scopes.iter().any(|scope| is_within(name, scope));
        if in_scope && (all || leaves.contains_key(name) || is_replaced(name, &leaves)) {
            continue;
        }
        let deleted = in_scope && record.is_some_and(|record| record.files.contains_key(name));
        if deleted {
            continue;
        }
        if in_scope && record.is_none() {
            unproven += entry.files;
        }
        absent += entry.files;
        leaves.insert(name.clone(), entry.clone());
    }
    if unproven > 0 {
        return Err(ComposeError::NoProof { path: disk.path.clone(), missing: unproven, of });
    }
    drop_directories_that_filled(&mut leaves);
    Ok(Composed { leaves, absent, before })
}

/// Whether any of `files` lies below `path`.
fn has_below<T>(files: &BTreeMap<Vec<u8>, T>, path: &[u8]) -> bool {
    let below = [path, b"/"].concat();
    files.range(below.clone()..).next().is_some_and(|(name, _)| name.starts_with(&below))
}

/// Whether `name` is `scope` or lies below it.
pub fn is_within(name: &[u8], scope: &[u8]) -> bool {
    scope.is_empty() || name == scope || name.strip_prefix(scope).is_some_and(|rest| rest.starts_with(b"/"))
}

/// Whether a file now lies where a folder of `name` was, or a folder where the file `name` was.
fn is_replaced(name: &[u8], leaves: &BTreeMap<Vec<u8>, TreeEntry>) -> bool {
    let file_above = name
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .any(|(at, _)| leaves.get(&name[..at]).is_some_and(|entry| entry.kind != EntryKind::Directory));
    file_above || has_below(leaves, name)
}

/// A directory that was empty on one side may have files on the other.
fn drop_directories_that_filled(leaves: &mut BTreeMap<Vec<u8>, TreeEntry>) {
    let empty = leaves.iter().filter(|(_, entry)| is_empty_directory(entry)).map(|(name, _)| name.clone());
    let filled: Vec<_> = empty.filter(|name| has_below(leaves, name)).collect();
    for name in filled {
        leaves.remove(&name);
    }
}
