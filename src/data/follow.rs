//! Data follows Git: brings the work tree's data in step after Git moved pointers, from the store alone.
//!
//! Called by hooks, so it must be quick when nothing moved, never wait, never write the index, never fail what Git does.
//! The rules, found by simulating fifty commands:
//!
//! - Only paths whose pointer *changed* since this worktree last wrote them are touched. Data that is merely missing is left:
//!   `stash -a` and `pop` would otherwise find it in their way.
//! - Data that equals what was last written is replaced, or removed when Git dropped the pointer. Anything else is left, and
//!   said.
//! - During a rebase all waits until no step is left. A pointer with a merge conflict is left alone.

use std::fs;

use serde::Serialize;

use crate::base::{Advice, Progress, RepoPath};
use crate::data::checkout::{
    self, CheckedOut, CheckoutError, CheckoutOptions, Modified, Outcome, Wanted, checkout_path,
};
use crate::data::content::{Presence, flatten, presence};
use crate::data::root::RootName;
use crate::data::status::StatusError;
use crate::data::workspace::Workspace;
use crate::data::worktree::{PathRecord, PathState, WorktreeRecord, compare};
use crate::git::{Pointers, RebaseState, pointer_file};
use crate::objects::pointer::PointerKind;
use crate::storage::durable::DurableError;

/// What following did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Followed {
    /// Paths that were brought in step, or could not be.
    pub paths: Vec<CheckedOut>,
    /// Paths whose data was removed, for Git dropped their pointers.
    pub removed: Vec<RepoPath>,
    /// Paths whose data is modified and whose pointer Git dropped: left where it is.
    pub orphaned: Vec<RepoPath>,
    /// Pointers with a merge conflict.
    pub unmerged: Vec<RepoPath>,
}

impl Followed {
    /// Whether there is nothing to tell.
    pub fn is_nothing(&self) -> bool {
        self.paths.is_empty()
            && self.removed.is_empty()
            && self.orphaned.is_empty()
            && self.unmerged.is_empty()
    }
}

/// Why data could not follow.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// A path.
    #[error(transparent)]
    Path(#[from] CheckoutError),
    /// What is there cannot be told.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The record.
    #[error("the data is in step, but that cannot be noted")]
    Record(#[from] DurableError),
}

impl Advice for FollowError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Path(error) => error.hints(),
            Self::Status(error) => error.hints(),
            Self::Record(error) => error.hints(),
        }
    }
}

/// Brings data in step with pointers that moved.
///
/// # Errors
///
/// [`FollowError`]; what could be brought in step before it is, and is noted.
pub fn follow(workspace: &Workspace, progress: &Progress) -> Result<Followed, FollowError> {
    let repository = workspace.repository();
    let mut done = Followed::default();
    if repository.rebase_state() == RebaseState::UnderWay {
        return Ok(done);
    }
    let pointers = repository.work_tree_pointers().map_err(StatusError::from)?;
    let mut record = workspace.worktree_record().map_err(StatusError::from)?;
    let unmerged = repository.unmerged_paths().map_err(StatusError::from)?;
    done.unmerged = unmerged.iter().filter(|path| path.as_str().ends_with(".mld")).cloned().collect();
    let mut failed = None;
    for at in &pointers.good {
        let wanted = RootName::from(&at.pointer);
        let is_unmerged =
            done.unmerged.iter().any(|path| path.below(&at.path).is_some() || is_pointer_of(path, &at.path));
        let moved = record.get(&at.path).map(|known| !known.root.is_same(&wanted));
        if is_unmerged || moved == Some(false) {
            continue;
        }
        match bring(workspace, &mut record, &at.path, &wanted, moved.is_some(), progress) {
            Ok(outcome) => done.paths.extend(outcome),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    if failed.is_none() {
        failed = drop_untracked(workspace, &mut record, &pointers, &mut done, progress).err();
    }
    record.save(false)?;
    failed.map_or(Ok(done), Err)
}

fn is_pointer_of(pointer: &RepoPath, data: &RepoPath) -> bool {
    pointer.as_str().strip_suffix(".mld") == Some(data.as_str())
}

/// Brings one path whose pointer moved, or (without a record) is new. `None` where it is to be left without a word.
fn bring(
    workspace: &Workspace,
    record: &mut WorktreeRecord,
    path: &RepoPath,
    wanted: &RootName,
    was_here: bool,
    progress: &Progress,
) -> Result<Option<CheckedOut>, FollowError> {
    let is_there = fs::symlink_metadata(path.under(workspace.top())).is_ok();
    if was_here != is_there {
        // Removed by hand, or never ours: neither is for a hook to decide.
        return Ok(None);
    }
    if !was_here && presence(workspace.store(), wanted) != Presence::Whole {
        return Ok(None);
    }
    let last = record.get(path).map_or(0, |known| match known.root.kind {
        PointerKind::File => 1,
        PointerKind::Tree => {
            flatten(workspace.store(), known.root.id).map_or(usize::MAX, |leaves| leaves.len())
        }
    });
    let how = if was_here { Wanted::AsBefore { last } } else { Wanted::All };
    let options = CheckoutOptions { modified: Modified::Refuse, outside_links: false };
    let outcome = checkout_path(workspace, record, path, wanted, how, options, progress)?;
    Ok(Some(CheckedOut { path: path.clone(), version: *wanted, outcome }))
}

/// Removes unmodified data of paths whose pointer is gone from the work tree and the index.
fn drop_untracked(
    workspace: &Workspace,
    record: &mut WorktreeRecord,
    pointers: &Pointers,
    done: &mut Followed,
    progress: &Progress,
) -> Result<(), FollowError> {
    let gone: Vec<(RepoPath, PathRecord)> = record
        .paths()
        .filter(|(path, _)| pointers.get(path).is_none())
        .map(|(path, known)| (path.clone(), known.clone()))
        .collect();
    for (path, known) in gone {
        let pointer = pointer_file(&path).map_err(|error| StatusError::Git(error.into()))?;
        let still_there = pointer.under(workspace.top()).exists()
            || workspace.repository().is_tracked(&pointer).map_err(StatusError::from)?;
        // Where Git tracks the data itself now, it is Git's.
        if still_there || workspace.repository().is_tracked(&path).map_err(StatusError::from)? {
            continue;
        }
        let count = known.files.len() as u64;
        let (state, _) = compare(workspace.top(), &path, record, &known.root, count, progress)
            .map_err(StatusError::from)?;
        match state {
            PathState::Absent => drop(record.remove(&path)),
            PathState::Modified { .. } => done.orphaned.push(path),
            // Without a copy in the store nothing is removed.
            _ if presence(workspace.store(), &known.root) == Presence::None => {}
            _ => {
                checkout::clear(workspace, &path, &known).map_err(CheckoutError::from)?;
                record.remove(&path);
                done.removed.push(path);
            }
        }
    }
    Ok(())
}

/// The paths among `outcomes` whose content is not here, with the bytes: for the one line that a hook says.
pub fn missing(outcomes: &[CheckedOut]) -> Vec<(&RepoPath, u64)> {
    let missing = outcomes.iter().filter_map(|done| match &done.outcome {
        Outcome::Missing { bytes, .. } => Some((&done.path, *bytes)),
        _ => None,
    });
    missing.collect()
}
