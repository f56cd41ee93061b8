//! After Git wrote the work tree: contents in the places of pointers, from the store alone.
//!
//! Not while a rebase is under way: Git holds the index in memory then, and takes what it finds changed for an edit of the
//! user's. The hook that ends a rebase is the exception.

use std::fs;
use std::path::PathBuf;

use super::materialise::{MaterialiseError, Materialised, materialise, waiting};
use crate::base::{Digest, Progress, RepoPath};
use crate::data::workspace::Workspace;
use crate::git::RebaseState;
use crate::storage::durable;

/// What a hook has to tell.
#[derive(Debug, Default)]
pub struct FollowedInPlace {
    /// What was done.
    pub done: Materialised,
    /// Whether what is missing was not told before.
    pub is_news: bool,
}

/// Brings contents to where pointers lie that are tracked in place. `ends_rebase`: the hook is the one that Git runs when a
/// rebase is done.
///
/// # Errors
///
/// [`MaterialiseError`].
pub fn follow(
    workspace: &Workspace,
    ends_rebase: bool,
    progress: &Progress,
) -> Result<FollowedInPlace, MaterialiseError> {
    let repository = workspace.repository();
    let is_free = ends_rebase || repository.rebase_state() == RebaseState::None;
    if !is_free || repository.is_sequencing() {
        return Ok(FollowedInPlace::default());
    }
    let done = materialise(workspace, waiting(workspace, &[])?, false, progress)?;
    let is_news = remember(workspace, &done.missing);
    Ok(FollowedInPlace { done, is_news })
}

/// Notes what is missing; whether that is news. What cannot be noted is told once more.
fn remember(workspace: &Workspace, missing: &[(RepoPath, u64)]) -> bool {
    let note: PathBuf = workspace.git_dir().join("ml").join("missing-in-place");
    let text = missing.iter().map(|(path, bytes)| format!("{path} {bytes}\n")).collect::<String>();
    let now = Digest::of(text.as_bytes()).to_string();
    if missing.is_empty() {
        // There may be no such note.
        let _gone = fs::remove_file(&note);
        return false;
    }
    if fs::read_to_string(&note).is_ok_and(|before| before == now) {
        return false;
    }
    let _noted = durable::write_derived(&note, now.as_bytes());
    true
}
