//! What a run needs of the data: its inputs and outputs, stored and named by their ids.

use crate::base::{Advice, Progress, RepoPath, typed};
use crate::data::add::{AddError, AddOptions, add, store};
use crate::data::{RootName, Workspace};
use crate::models::{ContentKind, ContentRecord};
use crate::objects::pointer::PointerKind;
use crate::runs::{Data, DataFailure};

/// Keeps inputs and outputs in the store of the repository.
pub(super) struct Keeper<'a> {
    /// The repository with its store.
    pub(super) workspace: &'a Workspace,
    /// How far long work is.
    pub(super) progress: &'a Progress,
}

/// There is nothing at the path of an input.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' does not exist")]
struct AbsentError(RepoPath);

impl Advice for AbsentError {
    fn hints(&self) -> Vec<String> {
        vec![format!("git mldata pull {}      if it is tracked data", typed(&self.0))]
    }
}

impl Data for Keeper<'_> {
    fn content_of(&self, path: &RepoPath) -> Result<ContentRecord, DataFailure> {
        match store(self.workspace, path, self.progress) {
            Ok(root) => Ok(content(path, &root)),
            Err(AddError::Absent(path)) => Err(AbsentError(path).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// A path that Git itself tracks gets no pointer: it is kept by its commit, and told by its id like the others.
    fn add_output(&self, path: &RepoPath) -> Result<ContentRecord, DataFailure> {
        let options = AddOptions { all: false, sidecar: false, in_place: false, stage: false };
        match add(self.workspace, std::slice::from_ref(path), options, self.progress) {
            Ok(_) | Err(AddError::TrackedByGit(_) | AddError::InHistory(_)) => self.content_of(path),
            Err(AddError::Absent(path)) => Err(AbsentError(path).into()),
            Err(error) => Err(error.into()),
        }
    }
}

fn content(path: &RepoPath, root: &RootName) -> ContentRecord {
    let kind = match root.kind {
        PointerKind::File => ContentKind::File,
        PointerKind::Tree => ContentKind::Tree,
    };
    ContentRecord { path: path.to_string(), kind, blake3: root.id, size: root.size, manifest: root.manifest }
}
