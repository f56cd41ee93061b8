//! One pass over the pointers.

use std::collections::BTreeSet;
use std::fs;

use crate::base::{Advice, Digest, PathError, Progress, RepoPath};
use crate::data::checkout::{self, CheckoutError, CheckoutOptions, Modified, Outcome, Wanted, checkout_path};
use crate::data::content::{Presence, holds_content, presence};
use crate::data::remotes;
use crate::data::root::RootName;
use crate::data::transfer::Knowledge;
use crate::data::workspace::{Workspace, WorkspaceError};
use crate::data::worktree::{PathRecord, PathState, SnapshotError, WorktreeRecord, compare};
use crate::git::{GitError, PointerFault, Pointers, RebaseState, pointer_file};
use crate::objects::pointer::SUFFIX;
use crate::objects::tree::EntryKind;
use crate::storage::durable::DurableError;

use super::memory::{Memory, stamp};

/// What became of one path.
#[derive(Debug)]
pub struct Followed {
    /// The path of the data.
    pub path: RepoPath,
    /// The version that its pointer names; `None` where Git dropped the pointer or it cannot be used.
    pub wanted: Option<RootName>,
    /// What was done.
    pub outcome: FollowOutcome,
}

/// What was done about one path.
#[derive(Debug)]
pub enum FollowOutcome {
    /// Its data is now what the pointer names.
    Brought,
    /// Its data was removed: Git dropped the pointer.
    Removed,
    /// Its data stays as it is.
    Kept {
        /// The version that it was written or added as, and perhaps modified from.
        since: Digest,
        /// Why.
        because: KeptBecause,
    },
    /// The content is not in the store; nothing was touched.
    Missing {
        /// Bytes that are missing.
        bytes: u64,
    },
    /// Its pointer has a merge conflict.
    Unmerged,
    /// Its pointer cannot be used.
    Unusable(PointerFault),
    /// It could not be brought.
    Failed(FollowError),
}

/// Why data stays although its pointer moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptBecause {
    /// It was edited.
    Modified,
    /// Nobody else has its bytes: neither the store nor, as far as is known, a remote.
    OnlyCopy,
}

impl FollowOutcome {
    /// What is remembered of it; `None` where there is nothing left to do.
    fn told(&self, wanted: Option<&RootName>) -> Option<String> {
        let wanted = wanted.map(|wanted| wanted.id.short()).unwrap_or_default();
        match self {
            Self::Brought | Self::Removed => None,
            Self::Kept { .. } => Some(kept_for(&wanted)),
            Self::Missing { .. } => Some("missing".into()),
            Self::Unmerged => Some("unmerged".into()),
            Self::Unusable(fault) => Some(fault.to_string()),
            Self::Failed(error) => Some(error.to_string()),
        }
    }
}

fn kept_for(wanted: &str) -> String {
    format!("kept for {wanted}")
}

/// Why data could not follow.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// A path.
    #[error(transparent)]
    Path(#[from] CheckoutError),
    /// What is there cannot be told.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A name.
    #[error(transparent)]
    Name(#[from] PathError),
    /// The record.
    #[error("the data is in step, but that cannot be noted")]
    Record(#[from] DurableError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for FollowError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Path(error) => error.hints(),
            Self::Snapshot(error) => error.hints(),
            Self::Name(_) => Vec::new(),
            Self::Record(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
        }
    }
}

/// Brings data in step with pointers that moved. Of paths that stay as they are only news is told.
///
/// # Errors
///
/// [`FollowError`] when the pointers or the record cannot be read or noted; what fails at one path is in the answer.
pub fn follow(workspace: &Workspace, progress: &Progress) -> Result<Vec<Followed>, FollowError> {
    let (repository, git_dir) = (workspace.repository(), workspace.git_dir());
    if repository.rebase_state() == RebaseState::UnderWay {
        return Ok(Vec::new());
    }
    let memory = Memory::open(git_dir);
    let pointers = repository.named_pointers(&memory.paths())?;
    if memory.is_in_step(stamp(git_dir, &pointers)) {
        return Ok(Vec::new());
    }
    let record = workspace.worktree_record(progress)?;
    let recorded: BTreeSet<_> = record.paths().map(|(path, _)| path.clone()).collect();
    let pointers = repository.named_pointers(&recorded)?;
    let mut pass = Pass { workspace, record, memory, progress, done: Vec::new() };
    for at in &pointers.good {
        let wanted = RootName::from(&at.pointer);
        let goes_whole = |known: &PathRecord| known.complete && !known.root.is_same(&wanted);
        if pass.record.get(&at.path).is_some_and(goes_whole) {
            pass.record.expect_switch(&at.path, wanted, Vec::new());
        }
    }
    for at in &pointers.good {
        pass.meet_pointer(&at.path, &RootName::from(&at.pointer));
    }
    pass.drop_untracked(&pointers);
    for bad in &pointers.bad {
        pass.meet_fault(&bad.file, &bad.fault);
    }
    pass.record.save(false)?;
    pass.memory.save(&pass.record, stamp(git_dir, &pointers))?;
    Ok(pass.done)
}

struct Pass<'a> {
    workspace: &'a Workspace,
    record: WorktreeRecord,
    memory: Memory,
    progress: &'a Progress,
    done: Vec<Followed>,
}

impl Pass<'_> {
    fn note(&mut self, path: &RepoPath, wanted: Option<RootName>, outcome: FollowOutcome) {
        let told = outcome.told(wanted.as_ref());
        if told.is_none_or(|told| self.memory.tell(path.as_str(), &told)) {
            self.done.push(Followed { path: path.clone(), wanted, outcome });
        }
    }

    /// Whether the path was kept for the same version the last time. Then it is not read again: it may be large.
    fn stays_kept(&mut self, path: &RepoPath, wanted: Option<&RootName>) -> bool {
        let told = kept_for(&wanted.map(|wanted| wanted.id.short()).unwrap_or_default());
        self.memory.was_told(path.as_str(), &told) && !self.memory.tell(path.as_str(), &told)
    }

    fn meet_pointer(&mut self, path: &RepoPath, wanted: &RootName) {
        let known = self.record.get(path);
        let is_there = fs::symlink_metadata(path.under(self.workspace.top())).is_ok();
        let moved = known.is_none_or(|known| !known.root.is_same(wanted));
        // Not ours, or removed by hand: neither is for a hook to decide.
        if known.is_some() != is_there || !moved && self.record.interrupted(path).is_none() {
            return;
        }
        if self.stays_kept(path, Some(wanted)) {
            return;
        }
        match self.bring(path, wanted) {
            Ok(None) => {}
            Ok(Some(outcome)) => self.note(path, Some(*wanted), outcome),
            Err(error) => self.note(path, Some(*wanted), FollowOutcome::Failed(error)),
        }
    }

    /// Brings one path whose pointer moved or is new. `None` where nothing had to be done.
    fn bring(&mut self, path: &RepoPath, wanted: &RootName) -> Result<Option<FollowOutcome>, FollowError> {
        let store = self.workspace.store();
        let mut how = Wanted::All;
        let parts = self.record.interrupted(path).map(|interrupted| interrupted.parts.clone());
        if let Some(known) = self.record.get(path) {
            if !is_recoverable(self.workspace, known) {
                let (since, because) = (known.root.id, KeptBecause::OnlyCopy);
                return Ok(Some(FollowOutcome::Kept { since, because }));
            }
            how = match &parts {
                Some(parts) if parts.is_empty() => Wanted::All,
                Some(parts) => Wanted::Below(parts),
                None if known.complete => Wanted::All,
                None => Wanted::AsBefore { last: self.count(&known.root) },
            };
        } else if presence(store, wanted) != Presence::Whole {
            return Ok(Some(FollowOutcome::Missing { bytes: wanted.size }));
        }
        let options = CheckoutOptions { modified: Modified::Refuse, outside_links: false };
        let since = self.record.get(path).map_or(wanted.id, |known| known.root.id);
        let (workspace, record) = (self.workspace, &mut self.record);
        let outcome = checkout_path(workspace, record, path, wanted, how, options, self.progress)?;
        Ok(match outcome {
            Outcome::Done { written: 0, removed: 0, .. } => None,
            Outcome::Done { .. } => Some(FollowOutcome::Brought),
            Outcome::Modified { .. } => Some(FollowOutcome::Kept { since, because: KeptBecause::Modified }),
            Outcome::Missing { bytes, .. } => Some(FollowOutcome::Missing { bytes }),
        })
    }

    /// How many files a version has.
    fn count(&self, root: &RootName) -> usize {
        root.files(self.workspace.store(), &|_| true).map_or(usize::MAX, |files| files.len())
    }

    fn meet_fault(&mut self, file: &str, fault: &PointerFault) {
        let data = file.strip_suffix(SUFFIX).and_then(|data| RepoPath::new(data).ok());
        let Some(path) = data else { return };
        let outcome = match fault {
            PointerFault::Unmerged => FollowOutcome::Unmerged,
            _ => match self.workspace.repository().work_tree_pointer(&path) {
                Err(fault) => FollowOutcome::Unusable(fault),
                Ok(_) => return,
            },
        };
        self.note(&path, None, outcome);
    }

    /// Removes unmodified data of paths whose pointer is gone from the work tree and the index.
    fn drop_untracked(&mut self, pointers: &Pointers) {
        let without = |(path, known): (&RepoPath, &PathRecord)| {
            pointers.get(path).is_none().then(|| (path.clone(), known.clone()))
        };
        let gone: Vec<_> = self.record.paths().filter_map(without).collect();
        for (path, known) in gone {
            match self.drop_path(&path, &known) {
                Ok(None) => {}
                Ok(Some(outcome)) => self.note(&path, None, outcome),
                Err(error) => self.note(&path, None, FollowOutcome::Failed(error)),
            }
        }
    }

    fn drop_path(
        &mut self,
        path: &RepoPath,
        known: &PathRecord,
    ) -> Result<Option<FollowOutcome>, FollowError> {
        let (repository, top) = (self.workspace.repository(), self.workspace.top());
        let pointer = pointer_file(path)?;
        if pointer.under(top).exists()
            || repository.is_tracked(&pointer)?
            || repository.is_left_out(&pointer)?
        {
            return Ok(None);
        }
        if repository.is_tracked(path)? {
            self.record.remove(path);
            return Ok(None);
        }
        if self.stays_kept(path, None) {
            return Ok(None);
        }
        let count = known.files.len() as u64;
        let (state, _) =
            compare(self.workspace.store(), top, path, &self.record, &known.root, count, self.progress)?;
        let since = known.root.id;
        Ok(match state {
            // What was removed by hand does not come back with its pointer.
            PathState::Absent => None,
            PathState::Modified { .. } => Some(FollowOutcome::Kept { since, because: KeptBecause::Modified }),
            _ if !is_recoverable(self.workspace, known) => {
                Some(FollowOutcome::Kept { since, because: KeptBecause::OnlyCopy })
            }
            _ => {
                let is_whole = known.complete || known.files.len() >= self.count(&known.root);
                let first = known.files.names().next().filter(|_| !is_whole).map(<[u8]>::to_vec);
                let noted = self.record.begin_switch(path, RootName::nothing(), first.into_iter().collect());
                noted.map_err(|source| CheckoutError::Note { path: path.clone(), source })?;
                checkout::clear(self.workspace, path, known).map_err(CheckoutError::from)?;
                self.record.remove(path);
                Some(FollowOutcome::Removed)
            }
        })
    }
}

/// Whether the bytes that were written or added can be had again, when the files are gone.
fn is_recoverable(workspace: &Workspace, known: &PathRecord) -> bool {
    let mut files = known.files.records();
    let stored = files.all(|file| {
        file.kind == EntryKind::Directory || holds_content(workspace.store(), file.id, file.manifest)
    });
    let on_a_remote = || {
        let remotes = remotes::list(workspace).unwrap_or_default();
        remotes.iter().any(|remote| {
            Knowledge::open(workspace.common_dir(), &remote.name, &remote.url).has_root(&known.root.id)
        })
    };
    stored || on_a_remote()
}
