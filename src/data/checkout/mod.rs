//! Brings the work tree in step with the pointers.
//!
//! What a demanding user expects: it touches only what differs, never loses an edited file, never writes half a file, and
//! says which bytes it lacks and the command that brings them. `git checkout` refuses to overwrite modified files; so do
//! we, and with `--force` we keep a copy where Git keeps none.

mod apply;
mod aside;
mod copies;
mod error;
mod folders;
mod path;
mod plan;
mod write;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::{Advice, Failure, Progress, RepoPath};
use crate::data::in_place;
use crate::data::kept::{self, KeptError};
use crate::data::root::RootName;
use crate::data::tracked::{self, Tracked, TrackedError};
use crate::data::workspace::{Workspace, WorkspaceError};
use crate::git::GitError;
use crate::storage::durable::DurableError;

pub use apply::ApplyError;
pub use copies::checkout_kept;
pub use error::CheckoutError;
pub use path::{CheckoutOptions, Modified, Outcome, checkout_path, clear};
pub use plan::Wanted;

/// What a checkout did at one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedOut {
    /// The tracked path.
    pub path: RepoPath,
    /// The version that was wanted.
    pub version: RootName,
    /// What was done.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Why a checkout could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutAllError {
    /// A pointer.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// A path.
    #[error(transparent)]
    Path(#[from] CheckoutError),
    /// What is tracked in place.
    #[error(transparent)]
    InPlace(#[from] in_place::MaterialiseError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The kept copies.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The record of what is here.
    #[error("the files are written, but it cannot be noted that they are")]
    Record(#[from] DurableError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A copy has no place to go back to.
    #[error("the copy lay at '{0}', which is no path of this work tree")]
    Place(String),
}

impl Advice for CheckoutAllError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Tracked(error) => error.hints(),
            Self::Path(error) => error.hints(),
            Self::InPlace(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Kept(error) => error.hints(),
            Self::Record(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
            Self::Place(_) => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Workspace(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}

/// Brings all tracked paths, or `paths`, in step with their pointers. A path inside a tracked directory brings that part.
///
/// # Errors
///
/// [`CheckoutAllError`]; what is modified or missing is told in the result.
pub fn checkout(
    workspace: &Workspace,
    paths: &[RepoPath],
    options: CheckoutOptions,
    progress: &Progress,
) -> Result<Vec<CheckedOut>, CheckoutAllError> {
    let tracked = tracked::tracked(workspace, paths)?;
    if let Some(fault) = tracked.faults.into_iter().next() {
        return Err(fault.into());
    }
    let named: Vec<_> = paths.iter().map(tracked::without_suffix).collect();
    let mut record = workspace.worktree_record(progress)?;
    let mut done = Vec::new();
    let mut failed = None;
    let parts_of = |path: &RepoPath| {
        let parts = named.iter().filter_map(|named| named.below(path)).map(|part| part.into());
        let parts: Vec<Vec<u8>> = parts.collect();
        if parts.iter().any(Vec::is_empty) { Vec::new() } else { parts }
    };
    let (in_place, beside): (Vec<_>, Vec<_>) =
        tracked.paths.into_iter().partition(|tracked| tracked.in_place);
    for Tracked { path, pointer, .. } in &beside {
        let version = RootName::from(pointer);
        if record.get(path).is_none_or(|known| !known.root.is_same(&version)) {
            record.expect_switch(path, version, parts_of(path));
        }
    }
    for Tracked { path, pointer, .. } in beside {
        let version = RootName::from(&pointer);
        let parts = parts_of(&path);
        let wanted = if parts.is_empty() { Wanted::All } else { Wanted::Below(&parts) };
        match checkout_path(workspace, &mut record, &path, &version, wanted, options, progress) {
            Ok(outcome) => done.push(CheckedOut { path, version, outcome }),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    // What was written before a failure is noted all the same.
    record.save(false)?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    if !in_place.is_empty() {
        done.extend(checkout_in_place(workspace, paths, progress)?);
        done.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(done)
}

/// Brings contents to where pointers lie that are tracked in place. All else there is Git's own: what is modified, and what
/// was removed.
fn checkout_in_place(
    workspace: &Workspace,
    paths: &[RepoPath],
    progress: &Progress,
) -> Result<Vec<CheckedOut>, CheckoutAllError> {
    let waiting = in_place::waiting(workspace, paths)?;
    let versions: BTreeMap<_, _> = waiting.iter().map(|one| (one.path.clone(), one.version)).collect();
    let done = in_place::materialise(workspace, waiting, true, progress)?;
    if !done.locked.is_empty() {
        return Err(GitError::IndexLocked { path: workspace.repository().index_path() }.into());
    }
    let version = |path: &RepoPath| versions.get(path).copied().unwrap_or_else(RootName::nothing);
    let written = done.written.into_iter().map(|(path, bytes)| {
        let outcome = Outcome::Done { written: 1, bytes, removed: 0, kept: None, mended: Vec::new() };
        CheckedOut { version: version(&path), path, outcome }
    });
    let missing = done.missing.into_iter().map(|(path, bytes)| {
        let outcome = Outcome::Missing { files: Some(1), bytes };
        CheckedOut { version: version(&path), path, outcome }
    });
    Ok(written.chain(missing).collect())
}

/// Brings back the copy whose id begins with `id`, to where it lay.
///
/// # Errors
///
/// [`CheckoutAllError`].
pub fn restore(workspace: &Workspace, id: &str, progress: &Progress) -> Result<CheckedOut, CheckoutAllError> {
    let kept = kept::find(workspace.common_dir(), id)?;
    let path = RepoPath::new(kept.path.clone()).map_err(|_| CheckoutAllError::Place(kept.path.clone()))?;
    let record = workspace.worktree_record(progress)?;
    let outcome = checkout_kept(workspace, &record, &kept, &path, progress)?;
    Ok(CheckedOut { path, version: kept.root(), outcome })
}
