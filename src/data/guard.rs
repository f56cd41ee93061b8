//! What a commit must not leave behind: data that changed without `add`, pointers that cannot be used, and data that went
//! into Git itself.

use serde::Serialize;

use crate::base::{Advice, Digest, Progress, RepoPath, typed};
use crate::data::root::RootName;
use crate::data::status::{StatusError, counts};
use crate::data::tracked::TrackedError;
use crate::data::workspace::Workspace;
use crate::data::worktree::{Changes, PathState, WorktreeRecord, compare};
use crate::git::{EntryMode, GitError, Held, ObjectId, PointerAt, PointerFault, Repository};

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
    /// Pointers that this commit would bring and that cannot be used.
    pub faults: Vec<TrackedError>,
    /// Data that this commit would bring into Git itself, although a pointer stands for it.
    pub raw: Vec<RepoPath>,
    /// Data that this commit would bring into Git itself, although it is tracked in place.
    pub unfiltered: Vec<RepoPath>,
}

impl Staged {
    /// Whether the commit may go on.
    pub fn is_fine(&self) -> bool {
        self.not_added.is_empty()
            && self.faults.is_empty()
            && self.raw.is_empty()
            && self.unfiltered.is_empty()
    }
}

/// What stands against a commit.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// Data changed and was not added.
    #[error(
        "'{path}' was modified{} and not added: the commit would name the old data",
        since.map(|since| format!(" (from {})", since.short())).unwrap_or_default()
    )]
    NotAdded {
        /// The path.
        path: RepoPath,
        /// The version that it was modified from, if known.
        since: Option<Digest>,
    },
    /// Data would go into Git itself.
    #[error("'{0}' is tracked by git mldata, and its data itself is staged in Git")]
    Raw(RepoPath),
    /// Data is in Git itself: the filter did not run.
    #[error("'{path}' is tracked in place, and its data itself is {}", where_(commit.as_ref()))]
    Unfiltered {
        /// The path.
        path: RepoPath,
        /// The commit that has it; `None`: it is staged.
        commit: Option<ObjectId>,
    },
    /// A pointer.
    #[error(transparent)]
    Pointer(#[from] TrackedError),
}

fn where_(commit: Option<&ObjectId>) -> String {
    commit.map_or_else(|| "staged in Git".into(), |commit| format!("in commit {}", commit.short()))
}

impl Advice for GuardError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotAdded { path, .. } => vec![format!("git mldata add {path}", path = typed(path))],
            Self::Raw(path) => vec![format!(
                "git rm -r --cached {path}      (the data stays where it is)",
                path = typed(path)
            )],
            Self::Unfiltered { path, commit: None } => {
                vec![format!("git mldata init && git add --renormalize {path}", path = typed(path))]
            }
            Self::Unfiltered { path, commit: Some(_) } => vec![format!(
                "git mldata init && git add --renormalize {path} && git commit --amend --no-edit      (in the newest commit; in an older one, with git rebase -i)",
                path = typed(path)
            )],
            Self::Pointer(error) => error.hints(),
        }
    }
}

impl From<Staged> for Vec<GuardError> {
    fn from(staged: Staged) -> Self {
        let faults = staged.faults.into_iter().map(GuardError::Pointer);
        let raw = staged.raw.into_iter().map(GuardError::Raw);
        let changed = staged.not_added.into_iter();
        let changed = changed.map(|NotAdded { path, since, .. }| GuardError::NotAdded { path, since });
        let unfiltered = staged.unfiltered.into_iter();
        let unfiltered = unfiltered.map(|path| GuardError::Unfiltered { path, commit: None });
        faults.chain(raw).chain(unfiltered).chain(changed).collect()
    }
}

/// Looks at every pointer of the index that Git means (a partial commit has its own). Absent data is not changed data, nor
/// is data of another version that nobody edited; what HEAD has already is no news of this commit.
///
/// # Errors
///
/// [`StatusError`] when it cannot be told.
pub fn check_staged(workspace: &Workspace, progress: &Progress) -> Result<Staged, StatusError> {
    let pointers = workspace.repository().index_pointers()?;
    let record = workspace.worktree_record(progress)?;
    let mut found = Staged::default();
    let head = Head::open(workspace)?;
    // Of what is tracked in place, Git itself tells what is modified.
    for at in pointers.good.iter().filter(|at| !at.in_place) {
        found.not_added.extend(not_added(workspace, &record, at, progress)?);
        if workspace.repository().is_tracked(&at.path)? && !head.has(&at.path)? {
            found.raw.push(at.path.clone());
        }
    }
    for entry in workspace.repository().in_place_entries(&|_| true)? {
        if let Held::Raw(id) = entry.held
            && !id.is_empty_blob()
            && head.entry(&entry.path)?.is_none_or(|(_, before)| before != id)
        {
            found.unfiltered.push(entry.path);
        }
    }
    for bad in pointers.bad {
        let staged = RepoPath::new(bad.file.as_str()).ok();
        let is_news = match (&staged, &bad.fault) {
            (_, PointerFault::Unmerged) | (None, _) => true,
            (Some(file), _) => workspace.repository().staged_entry(file)? != head.entry(file)?,
        };
        if is_news {
            found.faults.push(TrackedError::Pointer { file: bad.file, fault: bad.fault });
        }
    }
    Ok(found)
}

/// Data that these commits bring into Git itself, although the attributes of each say that it is tracked in place: a clone
/// without the filter stages it without a word. With `hidden`, what those commits have is no news.
///
/// # Errors
///
/// [`GitError`].
pub fn unfiltered(
    repository: &Repository,
    tips: &[ObjectId],
    hidden: &[ObjectId],
) -> Result<Vec<GuardError>, GitError> {
    let found = repository.raw_in_history(tips, hidden)?.into_iter();
    Ok(found.map(|(commit, path)| GuardError::Unfiltered { path, commit: Some(commit) }).collect())
}

fn not_added(
    workspace: &Workspace,
    record: &WorktreeRecord,
    at: &PointerAt,
    progress: &Progress,
) -> Result<Option<NotAdded>, StatusError> {
    let wanted = RootName::from(&at.pointer);
    let (files, _) = counts(workspace.store(), &at.pointer);
    let (state, _) = compare(workspace.store(), workspace.top(), &at.path, record, &wanted, files, progress)?;
    Ok(match state {
        PathState::Modified { since, changes } => Some(NotAdded { path: at.path.clone(), since, changes }),
        _ => None,
    })
}

/// The commit that the new one comes after.
struct Head<'a> {
    workspace: &'a Workspace,
    tree: Option<ObjectId>,
}

impl<'a> Head<'a> {
    fn open(workspace: &'a Workspace) -> Result<Self, StatusError> {
        let repository = workspace.repository();
        let tree = match repository.head_commit()? {
            Some(commit) => Some(repository.commit_info(commit)?.tree),
            None => None,
        };
        Ok(Self { workspace, tree })
    }

    fn entry(&self, path: &RepoPath) -> Result<Option<(EntryMode, ObjectId)>, StatusError> {
        match self.tree {
            Some(tree) => Ok(self.workspace.repository().entry_at(tree, path)?),
            None => Ok(None),
        }
    }

    fn has(&self, path: &RepoPath) -> Result<bool, StatusError> {
        Ok(self.entry(path)?.is_some())
    }
}
