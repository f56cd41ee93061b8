//! What the work tree has that no commit has, and what Git is in the middle of.

use std::fs;

use serde::Serialize;

use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Repository;

/// The files by which the work tree differs from the commit that is checked out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WorkTreeState {
    /// Tracked files that were changed, added, deleted or left unmerged, staged or not, sorted.
    pub changed: Vec<String>,
    /// Files that are neither tracked nor ignored, sorted; another repository is named with a slash at its end.
    pub untracked: Vec<String>,
}

impl WorkTreeState {
    /// Whether a tracked file differs.
    pub fn is_dirty(&self) -> bool {
        !self.changed.is_empty()
    }
}

/// How far a rebase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RebaseState {
    /// There is none.
    None,
    /// Commits are still to be picked: what is checked out now will not stay.
    UnderWay,
    /// It applies patches (`git rebase --apply`): Git checks the base out before it begins, and each patch is a step of its
    /// own.
    Patching,
    /// All is picked, and Git is about to end it.
    Ending,
}

/// The words that begin a step of a rebase, long and short (`noop`, which does nothing, is none).
const STEPS: [&str; 23] = [
    "pick",
    "p",
    "revert",
    "edit",
    "e",
    "reword",
    "r",
    "fixup",
    "f",
    "squash",
    "s",
    "exec",
    "x",
    "break",
    "b",
    "label",
    "l",
    "reset",
    "t",
    "merge",
    "m",
    "update-ref",
    "u",
];

impl Repository {
    /// What differs from the commit that is checked out, as `git status` tells it. The index is not written.
    ///
    /// # Errors
    ///
    /// [`GitError::Bare`], [`GitError::Program`].
    pub fn work_tree_state(&self) -> Result<WorkTreeState, GitError> {
        self.work_dir()?;
        let call = self.program().env("GIT_OPTIONAL_LOCKS", "0");
        let answer =
            call.args(["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"]).run()?;
        let mut state = WorkTreeState::default();
        for line in answer.split(|byte| *byte == 0).filter(|line| line.len() > 3) {
            let path = String::from_utf8_lossy(&line[3..]).into_owned();
            if line.starts_with(b"??") { &mut state.untracked } else { &mut state.changed }.push(path);
        }
        state.changed.sort();
        state.untracked.sort();
        Ok(state)
    }

    /// How far a rebase is. `git am`, which uses the same folder as a rebase by patches, is none.
    pub fn rebase_state(&self) -> RebaseState {
        let patches = self.git_dir().join("rebase-apply");
        if patches.exists() {
            return if patches.join("applying").exists() { RebaseState::None } else { RebaseState::Patching };
        }
        let folder = self.git_dir().join("rebase-merge");
        if !folder.exists() {
            return RebaseState::None;
        }
        let todo = fs::read_to_string(folder.join("git-rebase-todo")).unwrap_or_default();
        let is_step = |line: &str| line.split_whitespace().next().is_some_and(|word| STEPS.contains(&word));
        if todo.lines().any(is_step) { RebaseState::UnderWay } else { RebaseState::Ending }
    }

    /// Whether Git is in the middle of several commits that it picks or reverts.
    pub fn is_sequencing(&self) -> bool {
        self.git_dir().join("sequencer").exists()
    }

    /// The commit that `git cherry-pick` is about to repeat, if it is.
    pub fn picked_commit(&self) -> Option<ObjectId> {
        let text = fs::read_to_string(self.git_dir().join("CHERRY_PICK_HEAD")).ok()?;
        text.trim().parse().ok()
    }

    /// The commits that `git merge --squash` has put into the work tree, if it has.
    pub fn squashed_commits(&self) -> Vec<ObjectId> {
        let text = fs::read_to_string(self.git_dir().join("SQUASH_MSG")).unwrap_or_default();
        text.lines().filter_map(|line| line.strip_prefix("commit ")?.trim().parse().ok()).collect()
    }
}
