//! The two sides of a diff: which versions each of them names.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::RepoPath;
use crate::data::root::RootName;
use crate::data::status::counts;
use crate::data::tracked::{TrackedError, without_suffix};
use crate::data::workspace::Workspace;
use crate::git::{ObjectId, Pointers};
use crate::objects::pointer::{Pointer, PointerKind};
use crate::objects::tree::{TreeEntry, TreeSummary};
use crate::storage::store::Store;
use crate::tables::Sided;

use super::error::DiffError;
use super::result::SideName;
use super::worktree::OnDisk;

/// Which two sides are compared, the older one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sides {
    /// What the index names, and the data in the work tree.
    WorkTree,
    /// What a commit names, and the data in the work tree.
    SinceCommit(String),
    /// What a commit (HEAD if none is named) and the index name.
    Staged(Option<String>),
    /// What two commits name.
    Commits(String, String),
    /// What the best common ancestor of both and the second of two commits name.
    SinceMergeBase(String, String),
}

/// One version of a tracked path, on one side.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// What it is.
    pub(super) root: RootName,
    /// What the pointer that names it says; `None` for modified data, which no pointer names yet.
    pub(super) pointer: Option<Pointer>,
    /// What lies in the work tree of it.
    pub(super) disk: Option<OnDisk>,
}

impl Version {
    pub(super) fn of_pointer(pointer: Pointer) -> Self {
        Self { root: RootName::from(&pointer), pointer: Some(pointer), disk: None }
    }

    /// Its files and links, as far as that is known without reading contents; else 0.
    pub(super) fn files(&self, store: &Store) -> u64 {
        match (&self.disk, &self.pointer) {
            (Some(OnDisk { made: Some(made), .. }), _) => made.files,
            (_, Some(pointer)) => counts(store, pointer).0,
            _ => counts(store, &Pointer::tree(self.root.id, self.root.size)).0,
        }
    }

    /// The whole as one entry.
    pub(super) fn entry(&self, store: &Store) -> TreeEntry {
        let RootName { id, size, manifest, .. } = self.root;
        match self.root.kind {
            PointerKind::File => TreeEntry::file(Vec::new(), false, id, size, manifest),
            PointerKind::Tree => {
                TreeEntry::directory(Vec::new(), TreeSummary { id, size, files: self.files(store) })
            }
        }
    }
}

/// One side: its name, and the versions that it names.
pub(super) struct Side {
    pub(super) name: SideName,
    pub(super) pointers: BTreeMap<RepoPath, Pointer>,
    pub(super) commit: Option<ObjectId>,
}

impl Side {
    fn new(name: SideName, pointers: Pointers, faults: &mut Faults) -> Self {
        for bad in pointers.bad {
            let path = RepoPath::new(bad.file.as_str()).ok().map(|file| without_suffix(&file));
            faults.found.push((path, TrackedError::Pointer { file: bad.file, fault: bad.fault }));
        }
        let pointers = pointers.good.into_iter().map(|at| (at.path, at.pointer)).collect();
        let commit = match &name {
            SideName::Commit { commit, .. } => Some(*commit),
            _ => None,
        };
        Self { name, pointers, commit }
    }
}

/// Pointers that cannot be used: their paths are compared on no side, for one bad side would make them look removed.
#[derive(Default)]
pub(super) struct Faults {
    found: Vec<(Option<RepoPath>, TrackedError)>,
}

impl Faults {
    /// Takes the paths of bad pointers out of both sides. What is told of them concerns only `wanted` paths.
    pub(super) fn exclude(
        self,
        sides: &mut Sided<Side>,
        wanted: impl Fn(&RepoPath) -> bool,
    ) -> Vec<DiffError> {
        let mut told = BTreeSet::new();
        let mut errors = Vec::new();
        for (path, error) in self.found {
            if let Some(path) = &path {
                sides.before.pointers.remove(path);
                sides.after.pointers.remove(path);
                if !wanted(path) || !told.insert(path.clone()) {
                    continue;
                }
            }
            errors.push(error.into());
        }
        errors
    }
}

impl Sides {
    /// Whether the newer side is the work tree.
    pub(super) fn newer_is_work_tree(&self) -> bool {
        matches!(self, Self::WorkTree | Self::SinceCommit(_))
    }

    /// Reads the pointers of both sides.
    pub(super) fn read(&self, workspace: &Workspace) -> Result<(Sided<Side>, Faults), DiffError> {
        let repository = workspace.repository();
        let mut faults = Faults::default();
        let work_tree = |faults: &mut Faults| -> Result<Side, DiffError> {
            Ok(Side::new(SideName::WorkTree, repository.work_tree_pointers()?, faults))
        };
        let index = |faults: &mut Faults| -> Result<Side, DiffError> {
            Ok(Side::new(SideName::Index, repository.index_pointers()?, faults))
        };
        let commit = |revision: &str, faults: &mut Faults| -> Result<Side, DiffError> {
            let commit = repository.resolve_commit(revision)?;
            let name = SideName::Commit { revision: revision.to_owned(), commit };
            Ok(Side::new(name, repository.commit_pointers(commit)?, faults))
        };
        let faults_ = &mut faults;
        let sides = match self {
            Self::WorkTree => Sided { before: index(faults_)?, after: work_tree(faults_)? },
            Self::SinceCommit(revision) => {
                Sided { before: commit(revision, faults_)?, after: work_tree(faults_)? }
            }
            Self::Staged(None) if repository.head_commit()?.is_none() => {
                let nothing = Side::new(SideName::Nothing, Pointers::default(), faults_);
                Sided { before: nothing, after: index(faults_)? }
            }
            Self::Staged(revision) => {
                let revision = revision.as_deref().unwrap_or("HEAD");
                Sided { before: commit(revision, faults_)?, after: index(faults_)? }
            }
            Self::Commits(one, other) => {
                Sided { before: commit(one, faults_)?, after: commit(other, faults_)? }
            }
            Self::SinceMergeBase(one, other) => {
                let tips = (repository.resolve_commit(one)?, repository.resolve_commit(other)?);
                let base = repository.merge_base(tips.0, tips.1)?;
                let base =
                    base.ok_or_else(|| DiffError::NoMergeBase { one: one.clone(), other: other.clone() })?;
                Sided { before: commit(&base.short(), faults_)?, after: commit(other, faults_)? }
            }
        };
        Ok((sides, faults))
    }
}
