//! What the work tree holds of a version, told without reading what a stat vouches for.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::base::{Digest, Progress, RepoPath};
use crate::data::content::tree_root_of;
use crate::data::root::RootName;
use crate::objects::pointer::{MAX_IN_PLACE, Pointer, PointerKind};
use crate::objects::tree::EntryKind;
use crate::storage::store::Store;

use super::{Beside, PathRecord, Snapshot, SnapshotError, WorktreeRecord, snapshot};

/// How files differ from the version that was last written or added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Changes {
    /// Files that version lacks.
    pub added: u64,
    /// Files with other bytes.
    pub changed: u64,
    /// Files that were here and are gone.
    pub deleted: u64,
    /// Bytes of the added and changed files.
    pub bytes: u64,
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_none(&self) -> bool {
        (self.added, self.changed, self.deleted) == (0, 0, 0)
    }
}

/// The state of one tracked path in the work tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PathState {
    /// Nothing is there.
    Absent,
    /// What the pointer names.
    Same,
    /// Some files of what the pointer names, none of them modified.
    Partial {
        /// Files here.
        here: u64,
        /// Files of the version.
        of: u64,
    },
    /// Unmodified, but of another version than the pointer names.
    Stale {
        /// The version that it is of.
        at: Digest,
    },
    /// Unmodified files of several versions: a checkout was cut short.
    Mixed,
    /// Modified, and not added.
    Modified {
        /// The version that it was modified from, when it is known.
        since: Option<Digest>,
        /// How.
        changes: Changes,
    },
}

/// Compares what lies at `path` with the version that its pointer names. `files` is the number of files of that version.
/// Returns the snapshot beside, for whoever wants to store or record it. Without a record, each file is held against what
/// the version has at its place, as far as the store knows that: what is not here is absent, not deleted.
///
/// # Errors
///
/// [`SnapshotError`] when it cannot be told.
pub fn compare(
    store: &Store,
    top: &Path,
    path: &RepoPath,
    worktree: &WorktreeRecord,
    wanted: &RootName,
    files: u64,
    progress: &Progress,
) -> Result<(PathState, Option<Snapshot>), SnapshotError> {
    if is_pointer_there(&path.under(top), wanted) {
        return Ok((PathState::Absent, None));
    }
    let known = worktree.get(path);
    let Some(found) = snapshot(top, path, worktree, known, progress)? else {
        return Ok((PathState::Absent, None));
    };
    let state = match known {
        Some(known) if worktree.interrupted(path).is_some() => match changes(&found, known) {
            changes if changes.is_none() => PathState::Mixed,
            changes => PathState::Modified { since: Some(known.root.id), changes },
        },
        Some(known) => against_record(&found, known, wanted, files),
        None => against_pointer(store, &found, wanted, files),
    };
    Ok((state, Some(found)))
}

/// Whether what lies at `place` is the text of a pointer to `wanted`: what is tracked in place comes so where its content
/// is not here. No data, then.
fn is_pointer_there(place: &Path, wanted: &RootName) -> bool {
    let is_short = |found: &fs::Metadata| found.is_file() && found.len() <= MAX_IN_PLACE as u64;
    wanted.kind == PointerKind::File
        && fs::symlink_metadata(place).is_ok_and(|found| is_short(&found))
        && fs::read(place)
            .is_ok_and(|text| Pointer::parse(&text).is_ok_and(|there| RootName::from(&there).is_same(wanted)))
}

fn against_record(found: &Snapshot, known: &PathRecord, wanted: &RootName, files: u64) -> PathState {
    let changes = changes(found, known);
    if !changes.is_none() {
        // Modified, but perhaps into just what the pointer names (a merge brought the pointer, a copy the bytes).
        let arrived = !known.root.is_same(wanted) && is_whole(found, wanted);
        let since = Some(known.root.id);
        return if arrived { PathState::Same } else { PathState::Modified { since, changes } };
    }
    if !known.root.is_same(wanted) {
        return PathState::Stale { at: known.root.id };
    }
    let here = files_of(found);
    match wanted.kind {
        PointerKind::Tree if here < files => PathState::Partial { here, of: files },
        PointerKind::Tree | PointerKind::File => PathState::Same,
    }
}

/// How `found` differs from what was recorded.
pub fn changes(found: &Snapshot, known: &PathRecord) -> Changes {
    let mut changes = Changes::default();
    for pair in found.files.beside(&known.files) {
        let new = match pair {
            Beside::Shared(..) => continue,
            Beside::Theirs(_) => {
                changes.deleted += 1;
                continue;
            }
            Beside::Both(new, old)
                if known.files.record_at(old).is_same_data(&found.files.record_at(new)) =>
            {
                continue;
            }
            Beside::Both(new, _) => {
                changes.changed += 1;
                new
            }
            Beside::Ours(new) => {
                changes.added += 1;
                new
            }
        };
        changes.bytes += found.files.record_at(new).size();
    }
    changes
}

/// Files and links, without empty directories.
fn files_of(found: &Snapshot) -> u64 {
    found.files.records().filter(|file| file.kind != EntryKind::Directory).count() as u64
}

/// Whether `found` is just what `wanted` names.
fn is_whole(found: &Snapshot, wanted: &RootName) -> bool {
    match wanted.kind {
        PointerKind::File => found.files.get(b"").is_some_and(|file| file.id == wanted.id),
        PointerKind::Tree => tree_root_of(Path::new(""), &found.files).is_ok_and(|root| root.id == wanted.id),
    }
}

/// Each file against what the pointer names at its place. Where the store does not know that, only the whole can be
/// compared.
fn against_pointer(store: &Store, found: &Snapshot, wanted: &RootName, files: u64) -> PathState {
    if is_whole(found, wanted) {
        return PathState::Same;
    }
    let mut changes = Changes::default();
    let named = match wanted.kind {
        PointerKind::Tree => wanted.files(store, &|folder| found.files.has_below(folder)).ok(),
        PointerKind::File => None,
    };
    for (name, file) in found.files.iter() {
        match named.as_ref().map(|named| named.get(name)) {
            Some(Some(named)) if named.is_same_data(&file) => continue,
            Some(None) => changes.added += 1,
            Some(Some(_)) | None => changes.changed += 1,
        }
        changes.bytes += file.fingerprint.size;
    }
    match changes.is_none() {
        true => PathState::Partial { here: files_of(found), of: files },
        false => PathState::Modified { since: None, changes },
    }
}
