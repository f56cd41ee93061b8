//! All logs that are here, read as one. Nothing is written for it: equal folders of several logs are read once, others are
//! read side by side.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::base::{RandomId, RepoPath};
use crate::data::Workspace;
use crate::git::{EntryMode, GitError, ObjectId, Repository};
use crate::storage::store::Store;

use super::error::RunsError;
use super::layout::{self, RecordName};
use super::log;
use super::record::{CreateRecord, OpBatch, Versioned};
use super::state::Run;

/// Records that are larger are not read.
const LARGEST_BLOB: u64 = 16 << 20;

/// The folders that lie at one place of several logs, without repetitions.
#[derive(Debug, Clone, Default)]
pub struct Folders(Vec<ObjectId>);

/// What lies at one place of several logs.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The folders.
    pub folders: Folders,
    /// The file; of several the one with the smallest id, which is what a union of trees takes.
    pub file: Option<ObjectId>,
}

/// All logs that are here.
pub struct View<'a> {
    repository: &'a Repository,
    top: Folders,
    store: OnceCell<Store>,
}

impl<'a> View<'a> {
    /// The logs as they are now.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn open(repository: &'a Repository) -> Result<Self, RunsError> {
        Self::of_tips(repository, log::tips(repository)?)
    }

    /// The logs that this clone writes, as they are now.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn of_own(repository: &'a Repository) -> Result<Self, RunsError> {
        Self::of_tips(repository, log::tips_below(repository, log::OWN_REFS)?)
    }

    fn of_tips(repository: &'a Repository, tips: Vec<ObjectId>) -> Result<Self, RunsError> {
        let mut trees = Vec::new();
        for tip in tips {
            trees.push(repository.commit_info(tip)?.tree);
        }
        Ok(Self { repository, top: distinct(trees), store: OnceCell::new() })
    }

    /// The log tree `tree` alone.
    pub fn of_tree(repository: &'a Repository, tree: Option<ObjectId>) -> Self {
        Self { repository, top: Folders(tree.into_iter().collect()), store: OnceCell::new() }
    }

    /// The store of the repository.
    pub fn store(&self) -> &Store {
        self.store.get_or_init(|| Workspace::store_of(self.repository))
    }

    /// What `folders` hold, by name; names that are no UTF-8 are none of ours.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn list(&self, folders: &Folders) -> Result<BTreeMap<String, Found>, RunsError> {
        let mut found: BTreeMap<String, Found> = BTreeMap::new();
        for folder in &folders.0 {
            for item in self.repository.read_tree(*folder)? {
                let Ok(name) = String::from_utf8(item.name) else { continue };
                let here = found.entry(name).or_default();
                match item.mode {
                    EntryMode::Folder => here.folders.0.push(item.id),
                    EntryMode::File => here.file = here.file.into_iter().chain([item.id]).min(),
                    _ => {}
                }
            }
        }
        for here in found.values_mut() {
            here.folders = distinct(std::mem::take(&mut here.folders.0));
        }
        Ok(found)
    }

    /// The folders at `path`.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn folders_at(&self, path: &str) -> Result<Folders, RunsError> {
        let path = RepoPath::new(path).map_err(GitError::from)?;
        let mut folders = Vec::new();
        for top in &self.top.0 {
            if let Some((EntryMode::Folder, id)) = self.repository.entry_at(*top, &path)? {
                folders.push(id);
            }
        }
        Ok(distinct(folders))
    }

    /// All files below `path`, at any depth, by name; what two folders have alike comes once.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn files_below(&self, path: &str) -> Result<Vec<(String, ObjectId)>, RunsError> {
        let mut files = Vec::new();
        let mut waiting = vec![self.folders_at(path)?];
        while let Some(folders) = waiting.pop() {
            for (name, found) in self.list(&folders)?.into_iter().rev() {
                files.extend(found.file.map(|file| (name, file)));
                if !found.folders.0.is_empty() {
                    waiting.push(found.folders);
                }
            }
        }
        Ok(files)
    }

    /// The bytes of a file.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn read(&self, file: ObjectId) -> Result<Vec<u8>, RunsError> {
        Ok(self.repository.read_blob(file, LARGEST_BLOB)?)
    }

    /// The record in a file; `path` is for messages.
    ///
    /// # Errors
    ///
    /// [`RunsError::Record`], and those of Git.
    pub fn record<T: Versioned>(&self, file: ObjectId, path: &str) -> Result<T, RunsError> {
        T::from_json(&self.read(file)?).map_err(|source| RunsError::Record { path: path.into(), source })
    }

    /// The ids of all runs.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn run_ids(&self) -> Result<Vec<RandomId>, RunsError> {
        Ok(self.run_folders("")?.into_keys().collect())
    }

    /// The ids of the runs that begin with these hexadecimal digits.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn runs_beginning_with(&self, digits: &str) -> Result<Vec<RandomId>, RunsError> {
        Ok(self.run_folders(digits)?.into_keys().collect())
    }

    /// The folders of the runs whose ids begin with `digits`.
    fn run_folders(&self, digits: &str) -> Result<BTreeMap<RandomId, Folders>, RunsError> {
        let mut runs = BTreeMap::new();
        let part = |from: usize| digits.get(from..(from + 2).min(digits.len())).unwrap_or_default();
        let all = self.folders_at(&format!("{}/runs", layout::VERSION_FOLDER))?;
        for (_, shard) in self.list(&all)?.into_iter().filter(|(name, _)| name.starts_with(part(0))) {
            let inner = self.list(&shard.folders)?;
            for (_, shard) in inner.into_iter().filter(|(name, _)| name.starts_with(part(2))) {
                let named = self.list(&shard.folders)?;
                let named = named.into_iter().filter(|(name, _)| name.starts_with(digits));
                runs.extend(named.filter_map(|(name, found)| Some((name.parse().ok()?, found.folders))));
            }
        }
        Ok(runs)
    }

    /// All runs, those deleted too. A run that this program cannot read is left out: it must not hide the others.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn runs(&self) -> Result<Vec<Run>, RunsError> {
        Ok(self.readable_runs()?.0)
    }

    /// As [`View::runs`], with the number of those left out.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn readable_runs(&self) -> Result<(Vec<Run>, u64), RunsError> {
        let folders = self.run_folders("")?;
        let mut runs = Vec::with_capacity(folders.len());
        let mut unreadable = 0;
        for (id, folders) in folders {
            match self.fold(&id, &folders) {
                Ok(run) => runs.extend(run),
                Err(RunsError::Record { .. }) => unreadable += 1,
                Err(error) => return Err(error),
            }
        }
        Ok((runs, unreadable))
    }

    /// A run; `None` if no log has it, or not yet its beginning.
    ///
    /// # Errors
    ///
    /// [`RunsError::Record`], and those of Git.
    pub fn run(&self, id: &RandomId) -> Result<Option<Run>, RunsError> {
        self.fold(id, &self.folders_at(&layout::run_folder(id))?)
    }

    fn fold(&self, id: &RandomId, folders: &Folders) -> Result<Option<Run>, RunsError> {
        let parts = self.list(folders)?;
        let path = layout::run_folder(id);
        let Some(create) = parts.get("create.json").and_then(|found| found.file) else { return Ok(None) };
        let create: CreateRecord = self.record(create, &format!("{path}/create.json"))?;
        if create.id != *id {
            return Ok(None);
        }
        let ops = parts.get("ops").map(|found| found.folders.clone()).unwrap_or_default();
        let mut batches = Vec::new();
        for (file, found) in self.list(&ops)? {
            let (Some((name, "json")), Some(blob)) = (RecordName::parse(&file), found.file) else { continue };
            batches.push((name, self.record::<OpBatch>(blob, &format!("{path}/ops/{file}"))?));
        }
        Ok(Some(Run::fold(create, batches)))
    }

    /// The tree of the work tree that a run began with.
    ///
    /// # Errors
    ///
    /// Those of Git.
    pub fn code(&self, run: &RandomId) -> Result<Option<ObjectId>, RunsError> {
        let code = self.folders_at(&format!("{}/code", layout::run_folder(run)))?;
        Ok(code.0.first().copied())
    }
}

fn distinct(mut folders: Vec<ObjectId>) -> Folders {
    folders.sort_unstable();
    folders.dedup();
    Folders(folders)
}
