//! What a commit must not leave behind: data that changed without `add`.

use serde::Serialize;

use crate::base::{Digest, Progress, RepoPath};
use crate::data::root::RootName;
use crate::data::status::{StatusError, counts};
use crate::data::tracked::TrackedError;
use crate::data::workspace::Workspace;
use crate::data::worktree::{Changes, PathState, compare};

/// A path whose data is not what the index says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotAdded {
    /// The path of the data.
    pub path: RepoPath,
    /// The version that the data was modified from, if known.
    pub since: Option<Digest>,
    /// How.
    pub changes: Changes,
}

/// What a look at the index before a commit found.
#[derive(Debug, Default)]
pub struct Staged {
    /// Data that changed and was not added.
    pub not_added: Vec<NotAdded>,
    /// Pointers that cannot be used.
    pub faults: Vec<TrackedError>,
}

impl Staged {
    /// Whether the commit may go on.
    pub fn is_fine(&self) -> bool {
        self.not_added.is_empty() && self.faults.is_empty()
    }
}

/// Looks at every pointer of the index that Git means (a partial commit has its own). Absent data is not changed data.
///
/// # Errors
///
/// [`StatusError`] when it cannot be told.
pub fn check_staged(workspace: &Workspace, progress: &Progress) -> Result<Staged, StatusError> {
    let pointers = workspace.repository().index_pointers()?;
    let record = workspace.worktree_record()?;
    let mut found = Staged::default();
    for at in pointers.good {
        let wanted = RootName::from(&at.pointer);
        let (files, _) = counts(workspace.store(), &at.pointer);
        let (state, _) = compare(workspace.top(), &at.path, &record, &wanted, files, progress)?;
        if let PathState::Modified { since, changes } = state {
            found.not_added.push(NotAdded { path: at.path, since, changes });
        }
    }
    let faults = pointers.bad.into_iter();
    found.faults = faults.map(|bad| TrackedError::Pointer { file: bad.file, fault: bad.fault }).collect();
    Ok(found)
}
