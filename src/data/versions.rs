//! The versions of data that commits name.

use std::collections::HashSet;

use crate::base::{Advice, Failure, RepoPath};
use crate::data::root::RootName;
use crate::data::workspace::Workspace;
use crate::git::{GitError, ObjectId};

/// One version of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The path of the data.
    pub path: RepoPath,
    /// What it names.
    pub root: RootName,
    /// The newest commit that names it; `None` where only the index or the work tree does.
    pub commit: Option<ObjectId>,
}

/// Why the versions cannot be told.
#[derive(Debug, thiserror::Error)]
#[error("cannot read which versions the commits name")]
pub struct VersionsError(#[from] GitError);

impl Advice for VersionsError {
    fn hints(&self) -> Vec<String> {
        self.0.hints()
    }

    fn failure(&self) -> Failure {
        self.0.failure()
    }
}

/// Which commits count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commits {
    /// Those of HEAD.
    Head,
    /// Those of every branch, tag, remote-tracking branch and stash.
    All,
    /// Those that these have and those do not.
    Between {
        /// Reachable from these.
        tips: Vec<ObjectId>,
        /// Not reachable from these.
        hidden: Vec<ObjectId>,
    },
}

/// Every version that the index or the commits name, newest first, each once.
///
/// # Errors
///
/// [`VersionsError`].
pub fn named(workspace: &Workspace, commits: &Commits) -> Result<Vec<Version>, VersionsError> {
    let repository = workspace.repository();
    let mut versions = Vec::new();
    if !matches!(commits, Commits::Between { .. }) {
        let staged = repository.index_pointers()?.good.into_iter();
        let staged =
            staged.map(|at| Version { path: at.path, root: RootName::from(&at.pointer), commit: None });
        versions.extend(staged);
    }
    let (tips, hidden) = match commits {
        Commits::Head => (repository.head_commit()?.into_iter().collect(), Vec::new()),
        Commits::All => (all_tips(workspace)?, Vec::new()),
        Commits::Between { tips, hidden } => (tips.clone(), hidden.clone()),
    };
    for found in repository.history(&tips, &hidden)? {
        let found = found?;
        let root = RootName::from(&found.pointer);
        versions.push(Version { path: found.path, root, commit: Some(found.commit) });
    }
    let mut seen = HashSet::new();
    versions.retain(|version| seen.insert((version.path.clone(), version.root.id)));
    Ok(versions)
}

/// Every version that the commits of any ref name, each with the newest of them.
///
/// # Errors
///
/// [`VersionsError`].
pub fn committed(workspace: &Workspace) -> Result<Vec<Version>, VersionsError> {
    named(workspace, &Commits::Between { tips: all_tips(workspace)?, hidden: Vec::new() })
}

/// The commits that any ref names.
fn all_tips(workspace: &Workspace) -> Result<Vec<ObjectId>, VersionsError> {
    let repository = workspace.repository();
    let mut tips: Vec<_> = repository.head_commit()?.into_iter().collect();
    for prefix in ["refs/heads/", "refs/tags/", "refs/remotes/", "refs/stash"] {
        for found in repository.refs_below(prefix)? {
            // A tag may name something that is no commit: that has no versions.
            tips.extend(repository.resolve_commit(&found.name).ok());
        }
    }
    tips.sort_unstable();
    tips.dedup();
    Ok(tips)
}

/// The versions in HEAD's commits that no remote-tracking branch has: nobody else can have brought them to a remote.
///
/// # Errors
///
/// [`VersionsError`].
pub fn unpushed(workspace: &Workspace) -> Result<Vec<Version>, VersionsError> {
    let repository = workspace.repository();
    let mut hidden = Vec::new();
    for found in repository.refs_below("refs/remotes/")? {
        hidden.extend(repository.resolve_commit(&found.name).ok());
    }
    let tips = repository.head_commit()?.into_iter().collect();
    named(workspace, &Commits::Between { tips, hidden })
}
