//! What is needed: the one place where it is gathered.
//!
//! Versions that Git names (see [`crate::git::Keeping`]) in every clone that uses this store, what each worktree last
//! wrote, copies that `checkout --force` took less than 14 days ago, and whatever the caller names beside: what lies in
//! layers above (contents that run logs name).

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::CollectError;
use crate::base::{Digest, RepoPath};
use crate::data::kept::{self, KEPT_DAYS};
use crate::data::root::RootName;
use crate::data::transfer::Knowledge;
use crate::data::workspace::Workspace;
use crate::data::worktree::WorktreeRecord;
use crate::git::{ObjectId, Repository};
use crate::objects::item::ItemKind;

/// A clone that was not heard of for so long, and whose folder is gone, is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(24 * 14);

/// What is needed.
#[derive(Debug, Default)]
pub struct Roots {
    /// Versions, with one path of each.
    pub versions: Vec<(RootName, Option<RepoPath>)>,
    /// Single items.
    pub items: Vec<Digest>,
    /// The commits whose history was read, for each clone.
    commits: Vec<Vec<ObjectId>>,
}

impl Roots {
    /// Gathers what is needed at `now`. Of the history that `before` has, nothing is read again.
    ///
    /// # Errors
    ///
    /// [`CollectError`] when something cannot be read: then nothing may be removed.
    pub fn gather(
        workspace: &Workspace,
        further: &[RootName],
        now: SystemTime,
        before: Option<&Self>,
    ) -> Result<Self, CollectError> {
        let mut roots = Self::default();
        roots.versions.extend(further.iter().map(|root| (*root, None)));
        let clones = other_clones(workspace, now)?;
        let own = std::iter::once((workspace.repository().clone(), workspace.common_dir().to_owned()));
        for (number, (repository, common_dir)) in own.chain(clones).enumerate() {
            let seen = before.and_then(|before| before.commits.get(number)).map(Vec::as_slice);
            roots.add_clone(&repository, &common_dir, now, seen.unwrap_or_default())?;
        }
        let mut seen = HashSet::new();
        roots.versions.retain(|(root, _)| seen.insert((root.kind, root.id, root.manifest)));
        Ok(roots)
    }

    fn add_clone(
        &mut self,
        repository: &Repository,
        common_dir: &Path,
        now: SystemTime,
        seen: &[ObjectId],
    ) -> Result<(), CollectError> {
        let keeping = repository.keeping()?;
        let named = keeping.pointers.into_iter().map(|at| (RootName::from(&at.pointer), Some(at.path)));
        self.versions.extend(named);
        let new: Vec<_> = keeping.commits.iter().filter(|id| !seen.contains(id)).copied().collect();
        if !new.is_empty() {
            for found in repository.history(&new, seen)? {
                let found = found?;
                self.versions.push((RootName::from(&found.pointer), Some(found.path)));
            }
        }
        self.commits.push(keeping.commits);
        for git_dir in worktree_dirs(common_dir) {
            // A damaged record proves nothing; what it names is named elsewhere, too.
            let record = WorktreeRecord::open(&git_dir).unwrap_or_default();
            let written = record.versions().map(|(path, root)| (*root, Some(path.clone())));
            self.versions.extend(written);
        }
        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        for copy in kept::list(common_dir)? {
            if now.saturating_sub(copy.at) <= KEPT_DAYS * 86_400 {
                self.versions.push((copy.root(), RepoPath::new(copy.path.clone()).ok()));
            }
        }
        self.items.extend(locators(common_dir));
        Ok(())
    }
}

/// The Git directories of all worktrees of a clone.
pub fn worktree_dirs(common_dir: &Path) -> Vec<PathBuf> {
    let linked = fs::read_dir(common_dir.join("worktrees")).into_iter().flatten().flatten();
    std::iter::once(common_dir.to_owned()).chain(linked.map(|entry| entry.path())).collect()
}

/// The locators that pushes left here, so that the next one need not fetch them: those in packs of remotes that are known.
fn locators(common_dir: &Path) -> Vec<Digest> {
    let remotes = fs::read_dir(common_dir.join("ml").join("remotes")).into_iter().flatten().flatten();
    let names = remotes.filter_map(|entry| entry.file_name().into_string().ok());
    let known = names.flat_map(|name| Knowledge::open(common_dir, &name, "").packs().unwrap_or_default());
    let entries = known.flat_map(|(_, footer)| footer.entries);
    entries.filter(|entry| entry.kind == ItemKind::Locator).map(|entry| entry.id).collect()
}

/// The other clones that use this store, with their common Git directories.
///
/// # Errors
///
/// [`CollectError`] when one cannot be asked: then nothing may be removed.
pub fn other_clones(
    workspace: &Workspace,
    now: SystemTime,
) -> Result<Vec<(Repository, PathBuf)>, CollectError> {
    let mut found = Vec::new();
    for (note, common_dir) in workspace.noted_clones().map_err(clones_error(workspace))? {
        if common_dir == workspace.common_dir() {
            continue;
        }
        match Repository::open(&common_dir) {
            Ok(repository) => found.push((repository, common_dir)),
            Err(source) => {
                let heard = fs::metadata(&note).and_then(|metadata| metadata.modified());
                let silent = heard.ok().and_then(|heard| now.duration_since(heard).ok());
                let is_gone = !common_dir.exists() && silent.is_some_and(|silent| silent > FORGOTTEN_AFTER);
                if !is_gone {
                    return Err(CollectError::Clone { clone: common_dir, note, source });
                }
            }
        }
    }
    Ok(found)
}

fn clones_error(workspace: &Workspace) -> impl FnOnce(io::Error) -> CollectError {
    let path = workspace.store().path().join("clones");
    move |source| CollectError::Clones { path, source }
}
