//! Ends a conflict of a pointer: merges again, with the word of one side where both changed the same.

use std::fs;
use std::io;

use serde::Serialize;

use crate::base::{Digest, Progress, RepoPath};
use crate::data::add::write_pointer;
use crate::data::checkout::{CheckoutOptions, Modified, Outcome, Wanted, checkout_path};
use crate::data::root::RootName;
use crate::data::workspace::Workspace;
use crate::git::pointer_file;
use crate::objects::pointer::Pointer;
use crate::storage::durable::DurableError;
use crate::tables::merge::{Three, Version};

use super::error::MergeError;
use super::note::note;
use super::pointers::{MergedPointer, PathConflict, merge_pointers};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// The tracked path.
    pub path: RepoPath,
    /// The version that its pointer names now; `None` where the side that counts has deleted it.
    pub version: Option<Digest>,
    /// Conflicts that were decided.
    pub decided: Vec<PathConflict>,
    /// Whether the data in the work tree is that version; else it waits for `git mldata checkout`.
    pub is_here: bool,
}

/// Ends the conflict of `path`. `side`: whose word counts where both changed the same; `None`: only if there is no such
/// place, as after the contents were fetched.
///
/// # Errors
///
/// [`MergeError::Undecided`] where a word is needed; the pointer stays in conflict then.
pub fn resolve(
    workspace: &Workspace,
    path: &RepoPath,
    side: Option<Version>,
    progress: &Progress,
) -> Result<Resolved, MergeError> {
    let repository = workspace.repository();
    let file = pointer_file(path)?;
    let versions = versions(workspace, path)?;
    let merged = merged(workspace, path, &versions, side, progress)?;
    let alone = workspace.hold_pointers()?;
    let Some(MergedPointer { pointer, conflicts }) = merged else {
        let target = file.under(workspace.top());
        if let Err(source) = fs::remove_file(&target)
            && source.kind() != io::ErrorKind::NotFound
        {
            return Err(DurableError::new("remove", &target, 0, source).into());
        }
        repository.stage(&[file])?;
        note(workspace, path, &[])?;
        let decided = Vec::new();
        return Ok(Resolved { path: path.clone(), version: None, decided, is_here: false });
    };
    if side.is_none() && !conflicts.is_empty() {
        note(workspace, path, &conflicts)?;
        return Err(MergeError::Undecided { path: path.clone(), count: conflicts.len() });
    }
    let temporaries = repository.temporaries()?;
    write_pointer(workspace, &temporaries, &file, &pointer)?;
    repository.stage(&[file])?;
    note(workspace, path, &[])?;
    drop(alone);
    let is_here = bring(workspace, path, &RootName::from(&pointer), progress)?;
    Ok(Resolved { path: path.clone(), version: Some(pointer.id), decided: conflicts, is_here })
}

/// What both sides of the conflict of `path` changed, ours standing.
///
/// # Errors
///
/// [`MergeError`].
pub fn conflicts_of(
    workspace: &Workspace,
    path: &RepoPath,
    progress: &Progress,
) -> Result<Vec<PathConflict>, MergeError> {
    let versions = versions(workspace, path)?;
    match (&versions.ours, &versions.theirs) {
        (Some(_), Some(_)) => {
            let merged = merged(workspace, path, &versions, Some(Version::Ours), progress)?;
            Ok(merged.map(|merged| merged.conflicts).unwrap_or_default())
        }
        _ => Ok(Vec::new()),
    }
}

fn versions(workspace: &Workspace, path: &RepoPath) -> Result<Three<Option<Pointer>>, MergeError> {
    let found = workspace.repository().unmerged_pointers(path);
    let found = found.map_err(|fault| MergeError::Pointer { which: "a", path: path.clone(), fault })?;
    let [base, ours, theirs] = found.ok_or_else(|| MergeError::NoConflict(path.clone()))?;
    Ok(Three { base, ours, theirs })
}

/// The merged pointer; `None` where the side that counts has none.
fn merged(
    workspace: &Workspace,
    path: &RepoPath,
    versions: &Three<Option<Pointer>>,
    side: Option<Version>,
    progress: &Progress,
) -> Result<Option<MergedPointer>, MergeError> {
    let Three { base, ours, theirs } = versions;
    match (ours, theirs, side) {
        (Some(ours), Some(theirs), Some(Version::Theirs)) => {
            merge_pointers(workspace, path, base.as_ref(), theirs, ours, progress).map(Some)
        }
        (Some(ours), Some(theirs), _) => {
            merge_pointers(workspace, path, base.as_ref(), ours, theirs, progress).map(Some)
        }
        // One side deleted it, the other changed it.
        (_, _, None) => Err(MergeError::Undecided { path: path.clone(), count: 1 }),
        (ours, theirs, Some(side)) => {
            let chosen = if side == Version::Theirs { theirs } else { ours };
            Ok(chosen.clone().map(|pointer| MergedPointer { pointer, conflicts: Vec::new() }))
        }
    }
}

/// Brings the data in step, where that is possible without a loss; whether it is.
fn bring(
    workspace: &Workspace,
    path: &RepoPath,
    wanted: &RootName,
    progress: &Progress,
) -> Result<bool, MergeError> {
    let mut record = workspace.worktree_record(progress)?;
    let Some(known) = record.get(path) else { return Ok(false) };
    if !known.complete {
        return Ok(false);
    }
    let options = CheckoutOptions { modified: Modified::Refuse, outside_links: false };
    let outcome = checkout_path(workspace, &mut record, path, wanted, Wanted::All, options, progress)?;
    record.save(false)?;
    Ok(matches!(outcome, Outcome::Done { .. }))
}
