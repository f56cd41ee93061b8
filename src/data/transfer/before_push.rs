//! What has to be on a remote before Git moves refs that name it.

use std::collections::{BTreeMap, HashSet};

use crate::base::{Progress, RepoPath};
use crate::data::content::{Presence, presence};
use crate::data::remotes;
use crate::data::root::RootName;
use crate::data::versions::{self, Commits, Version};
use crate::data::workspace::Workspace;
use crate::git::{GitError, RefUpdate, pointer_file};
use crate::objects::pointer::{MAX_IN_PLACE, MAX_POINTER, Pointer};

use super::exchange::{PushOptions, ToPush, With, push_these};
use super::push::Pushed;
use super::{Knowledge, TransferError};

/// What a push of refs needs.
#[derive(Debug, Default)]
pub struct Needed {
    /// Versions that the commits bring, which the other side does not have yet.
    pub new: Vec<Version>,
    /// Versions that the tips of the push name, that are whole here, and that no remote is known to hold: an earlier push
    /// went past the hook.
    pub owed: Vec<Version>,
}

impl Needed {
    /// Whether the remote need not be asked at all.
    pub fn is_nothing(&self) -> bool {
        self.new.is_empty() && self.owed.is_empty()
    }

    /// The paths, each once.
    pub fn paths(&self) -> Vec<RepoPath> {
        let mut paths: Vec<_> =
            self.new.iter().chain(&self.owed).map(|version| version.path.clone()).collect();
        paths.sort();
        paths.dedup();
        paths
    }
}

/// Tells what a push of these refs needs, without any remote being asked.
///
/// # Errors
///
/// [`TransferError`].
pub fn needed_for_push(workspace: &Workspace, updates: &[RefUpdate]) -> Result<Needed, TransferError> {
    let repository = workspace.repository();
    let (tips, hidden) = repository.commits_of_push(updates)?;
    if tips.is_empty() {
        return Ok(Needed::default());
    }
    let new = versions::named(workspace, &Commits::Between { tips: tips.clone(), hidden })?;
    let known: Vec<_> = remotes::list(workspace)?
        .iter()
        .map(|remote| Knowledge::open(workspace.common_dir(), &remote.name, &remote.url))
        .collect();
    let mut seen: HashSet<_> = new.iter().map(|version| version.root.id).collect();
    let mut owed = Vec::new();
    // Where there is no remote at all, nothing can be owed to it.
    for commit in tips.into_iter().filter(|_| !known.is_empty()) {
        for at in repository.commit_pointers(commit)?.good {
            let root = RootName::from(&at.pointer);
            let is_owed = seen.insert(root.id)
                && !known.iter().any(|known| known.has_root(&root.id))
                && presence(workspace.store(), &root) == Presence::Whole;
            if is_owed {
                owed.push(Version { path: at.path, root, commit: Some(commit) });
            }
        }
    }
    Ok(Needed { new, owed })
}

/// Brings what a push of refs needs to the default remote.
///
/// # Errors
///
/// [`TransferError`].
pub fn push_needed(
    workspace: &Workspace,
    needed: &Needed,
    progress: &Progress,
) -> Result<With<Pushed>, TransferError> {
    let named = needed.new.iter().chain(&needed.owed).cloned().collect();
    let older = older_than(workspace, &needed.new)?;
    push_these(
        workspace,
        None,
        ToPush { named, beside: &[], older: &older },
        PushOptions::default(),
        progress,
    )
}

/// The versions of the same paths that lie before the oldest of `new`, which goes from the newest to the oldest.
fn older_than(workspace: &Workspace, new: &[Version]) -> Result<Vec<Version>, TransferError> {
    let repository = workspace.repository();
    let oldest: BTreeMap<_, _> = new.iter().map(|version| (&version.path, version)).collect();
    let mut older = Vec::new();
    for (path, version) in oldest {
        let Some(commit) = version.commit else { continue };
        let parent = repository.commit_info(commit)?.parents.first().copied();
        let Some(parent) = parent.filter(|parent| repository.has_object(*parent)) else { continue };
        let file = pointer_file(path).map_err(GitError::from)?;
        let beside = repository.read_file_at(parent, &file, MAX_POINTER as u64)?;
        // Tracked in place it may be, or raw, and then of any length.
        let in_place = || repository.read_file_at(parent, path, MAX_IN_PLACE as u64).ok().flatten();
        let pointer = beside.or_else(in_place).and_then(|text| Pointer::parse(&text).ok());
        older.extend(pointer.map(|pointer| Version {
            path: path.clone(),
            root: RootName::from(&pointer),
            commit: Some(parent),
        }));
    }
    Ok(older)
}
