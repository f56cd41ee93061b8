//! Where the pointers are: in the work tree, the index, a commit, between two commits, in history.
//!
//! A pointer file `data/x.csv.mld` stands for the data at `data/x.csv`: that is the path that is told here. A pointer in
//! place lies under the data's own name ([`super::in_place`] says how it is told). Pointers of
//! others are hostile input, so a file that is none, or a name that is never written, is told apart from the rest and
//! stops nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::{ErrorKind, Read};
use std::rc::Rc;

use gix::bstr::ByteSlice;
use gix::index::entry::{Flags, Mode, Stage};

use crate::base::Advice;
use crate::base::PathError;
use crate::base::RepoPath;
use crate::git::EntryMode;
use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Repository;
use crate::objects::Pointer;
use crate::objects::pointer::{MAX_POINTER, PointerError, SUFFIX};

/// A pointer and the data it stands for.
#[derive(Debug, Clone)]
pub struct PointerAt {
    /// The path of the data, without the suffix of pointers.
    pub path: RepoPath,
    /// What it says.
    pub pointer: Pointer,
    /// Whether it lies under the data's own name.
    pub in_place: bool,
}

/// Why a file with the suffix of pointers is none.
#[derive(Debug, thiserror::Error)]
pub enum PointerFault {
    /// Its text.
    #[error(transparent)]
    Text(#[from] PointerError),
    /// Its name.
    #[error(transparent)]
    Name(#[from] PathError),
    /// It is a folder, a link or a submodule.
    #[error("it is no regular file")]
    NotAFile,
    /// A merge left it unresolved.
    #[error("it has a merge conflict")]
    Unmerged,
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] GitError),
}

impl Advice for PointerFault {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Text(error) => error.hints(),
            Self::Unmerged => {
                vec!["git mldata resolve --ours PATH.mld      or --theirs".into()]
            }
            Self::Unreadable(error) => error.hints(),
            Self::Name(_) | Self::NotAFile => Vec::new(),
        }
    }
}

/// A file with the suffix of pointers that is none.
#[derive(Debug)]
pub struct BadPointer {
    /// The path of the file itself, suffix and all.
    pub file: String,
    /// What is wrong with it.
    pub fault: PointerFault,
}

/// The pointers of one place.
#[derive(Debug, Default)]
pub struct Pointers {
    /// The good ones, sorted by path.
    pub good: Vec<PointerAt>,
    /// The others.
    pub bad: Vec<BadPointer>,
}

impl Pointers {
    /// The pointer for the data at `path`.
    pub fn get(&self, path: &RepoPath) -> Option<&Pointer> {
        let place = self.good.binary_search_by(|at| at.path.cmp(path)).ok()?;
        self.good.get(place).map(|at| &at.pointer)
    }

    /// As a map from the paths of the data.
    pub fn into_map(self) -> BTreeMap<RepoPath, Pointer> {
        self.good.into_iter().map(|at| (at.path, at.pointer)).collect()
    }

    pub(super) fn push(&mut self, file: &str, pointer: Result<Pointer, PointerFault>) {
        match data_path(file).map_err(PointerFault::from).and_then(|path| Ok((path, pointer?))) {
            Ok((path, pointer)) => self.good.push(PointerAt { path, pointer, in_place: false }),
            Err(fault) => self.bad.push(BadPointer { file: file.to_owned(), fault }),
        }
    }

    pub(super) fn sorted(mut self) -> Self {
        self.good.sort_by(|a, b| a.path.cmp(&b.path));
        self
    }
}

/// The pointer file of the data at `path`.
///
/// # Errors
///
/// [`PathError`] when the name becomes too long.
pub fn pointer_file(path: &RepoPath) -> Result<RepoPath, PathError> {
    RepoPath::new(format!("{path}{SUFFIX}"))
}

/// The data that the pointer file at `file` stands for.
pub(super) fn data_path(file: &str) -> Result<RepoPath, PathError> {
    RepoPath::new(file)?;
    RepoPath::new(file.strip_suffix(SUFFIX).unwrap_or(file))
}

impl Repository {
    /// The pointers in the work tree: those that are tracked, and those that are not yet and that Git does not ignore. Of
    /// what is tracked in place, whose data lies where its pointer would, the index has them.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`], [`GitError::WorkTree`], [`GitError::Bare`].
    pub fn work_tree_pointers(&self) -> Result<Pointers, GitError> {
        let index = self.read_index()?;
        let tracked = index.entries().iter().filter_map(|entry| entry.path(&index).to_str().ok());
        let tracked = tracked.filter(|name| name.ends_with(SUFFIX)).map(str::to_owned);
        let mut files: BTreeSet<String> = tracked.collect();
        files.extend(self.untracked_files(&|name| name.ends_with(SUFFIX))?);
        let mut pointers = self.read_pointer_files(&files);
        self.add_in_place(&index, &mut pointers);
        Ok(pointers.sorted())
    }

    /// The pointers in the work tree that the index names, and those for the data at `further`: no folder is listed, so it
    /// is quick. Pointers of the index with a merge conflict are among the bad ones.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`], [`GitError::Bare`].
    pub fn named_pointers(&self, further: &BTreeSet<RepoPath>) -> Result<Pointers, GitError> {
        self.work_dir()?;
        let index = self.read_index()?;
        let (mut files, mut unmerged) = (BTreeSet::new(), BTreeSet::new());
        for entry in index.entries() {
            if let Ok(name) = entry.path(&index).to_str()
                && name.ends_with(SUFFIX)
            {
                let merged = entry.stage() == Stage::Unconflicted;
                if merged { &mut files } else { &mut unmerged }.insert(name.to_owned());
            }
        }
        files.extend(further.iter().map(|path| format!("{path}{SUFFIX}")));
        files.retain(|file| !unmerged.contains(file));
        let mut pointers = self.read_pointer_files(&files);
        unmerged.iter().for_each(|file| pointers.push(file, Err(PointerFault::Unmerged)));
        Ok(pointers)
    }

    fn read_pointer_files(&self, files: &BTreeSet<String>) -> Pointers {
        let mut pointers = Pointers::default();
        let mut plain_folders = HashSet::new();
        for file in files {
            let reached = self.refuse_linked_folder(file, &mut plain_folders);
            match reached.and_then(|()| self.read_pointer_file(file)) {
                Ok(Some(pointer)) => pointers.push(file, Ok(pointer)),
                Ok(None) => {}
                Err(fault) => pointers.push(file, Err(fault)),
            }
        }
        pointers.sorted()
    }

    /// Refuses a file that is reached through a symbolic link; each folder is looked at once.
    fn refuse_linked_folder(&self, file: &str, plain: &mut HashSet<String>) -> Result<(), PointerFault> {
        let Some((folder, _)) = file.rsplit_once('/') else { return Ok(()) };
        if !plain.contains(folder) {
            self.refuse_beyond_link(&RepoPath::new(file)?)?;
            plain.insert(folder.to_owned());
        }
        Ok(())
    }

    /// The pointer in the work tree for the data at `path`; `None` when there is no such file.
    ///
    /// # Errors
    ///
    /// [`PointerFault`].
    pub fn work_tree_pointer(&self, path: &RepoPath) -> Result<Option<Pointer>, PointerFault> {
        self.read_pointer_file(pointer_file(path)?.as_str())
    }

    fn read_pointer_file(&self, file: &str) -> Result<Option<Pointer>, PointerFault> {
        let path = RepoPath::new(file)?.under(self.work_dir()?);
        let absent =
            |error: &std::io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        let unreadable = |error| PointerFault::Unreadable(GitError::io("read", &path)(error));
        match path.symlink_metadata() {
            Err(error) if absent(&error) => return Ok(None),
            Err(error) => return Err(unreadable(error)),
            Ok(meta) if !meta.is_file() => return Err(PointerFault::NotAFile),
            Ok(_) => {}
        }
        let opened = fs::File::open(&path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        opened.take(MAX_POINTER as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(Some(Pointer::parse(&bytes)?))
    }

    /// The pointers in the index. Those with a merge conflict are among the bad ones.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`].
    pub fn index_pointers(&self) -> Result<Pointers, GitError> {
        let index = self.read_index()?;
        let mut pointers = Pointers::default();
        let mut unmerged = BTreeSet::new();
        for entry in index.entries() {
            let Ok(file) = entry.path(&index).to_str() else { continue };
            if entry.mode == Mode::DIR {
                // A sparse index has one entry for all that lies outside the cone.
                self.collect_tree(ObjectId(entry.id), file.trim_end_matches('/'), &mut pointers)?;
            }
            if !file.ends_with(SUFFIX) || entry.flags.contains(Flags::INTENT_TO_ADD) {
                continue;
            }
            if entry.stage() == Stage::Unconflicted {
                let is_file = matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE);
                pointers.push(file, self.pointer_blob(is_file, ObjectId(entry.id)));
            } else if unmerged.insert(file) {
                pointers.push(file, Err(PointerFault::Unmerged));
            }
        }
        self.add_in_place(&index, &mut pointers);
        Ok(pointers.sorted())
    }

    /// The pointers in a commit.
    ///
    /// # Errors
    ///
    /// Those of reading commits and trees.
    pub fn commit_pointers(&self, commit: ObjectId) -> Result<Pointers, GitError> {
        self.tree_pointers(self.commit_info(commit)?.tree)
    }

    /// The pointers in a tree of Git.
    ///
    /// # Errors
    ///
    /// Those of reading trees.
    pub fn tree_pointers(&self, tree: ObjectId) -> Result<Pointers, GitError> {
        self.tree_pointers_at(tree, "")
    }

    /// The pointers in a tree of Git that lies at `folder`.
    pub(super) fn tree_pointers_at(&self, tree: ObjectId, folder: &str) -> Result<Pointers, GitError> {
        let mut pointers = Pointers::default();
        self.collect_tree(tree, folder, &mut pointers)?;
        Ok(pointers.sorted())
    }

    fn collect_tree(&self, tree: ObjectId, folder: &str, pointers: &mut Pointers) -> Result<(), GitError> {
        self.visit_files(tree, folder, &mut |_, _| true, &mut |met| match met.in_place {
            false => pointers.push(met.file, self.pointer_blob(met.mode.is_file(), met.id)),
            true => pointers.good.extend(self.met_in_place(&met)),
        })
    }

    /// The pointer of a path that attributes say is tracked in place, if there is one.
    pub(super) fn met_in_place(&self, met: &Met<'_>) -> Option<PointerAt> {
        let (pointer, _) = self.pointer_in_place(met.mode, met.id)?;
        Some(PointerAt { path: RepoPath::new(met.file).ok()?, pointer, in_place: true })
    }

    /// Calls `visit` for each entry in the tree `tree`, which lies at `folder`, that has the suffix of pointers or is tracked
    /// in place; trees that `enter` refuses, which is told the stamp of the rules that hold there, are passed over. Submodules
    /// are not entered.
    pub(super) fn visit_files(
        &self,
        tree: ObjectId,
        folder: &str,
        enter: &mut dyn FnMut(ObjectId, u64) -> bool,
        visit: &mut dyn FnMut(Met<'_>),
    ) -> Result<(), GitError> {
        let rules = Rc::new(self.in_place_rules());
        let mut open = vec![(folder.to_owned(), tree, rules)];
        while let Some((folder, tree, rules)) = open.pop() {
            if folder.len() > LONGEST_PATH || !enter(tree, rules.stamp()) {
                continue;
            }
            let items = self.read_tree(tree)?;
            let rules = self.rules_in_tree(&rules, &folder, &items);
            for item in items {
                let Ok(name) = std::str::from_utf8(&item.name) else { continue };
                let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                let (mode, id) = (item.mode, item.id);
                match mode {
                    EntryMode::Folder => open.push((path, id, Rc::clone(&rules))),
                    _ if name.ends_with(SUFFIX) => visit(Met { file: &path, mode, id, in_place: false }),
                    _ if rules.matches(&path) => visit(Met { file: &path, mode, id, in_place: true }),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The pointer in the blob `id`.
    pub(super) fn pointer_blob(&self, is_file: bool, id: ObjectId) -> Result<Pointer, PointerFault> {
        if !is_file {
            return Err(PointerFault::NotAFile);
        }
        let bytes = self.read_blob(id, MAX_POINTER as u64)?;
        Ok(Pointer::parse(&bytes)?)
    }
}

/// What a walk through a tree met.
pub(super) struct Met<'a> {
    /// The path of the file itself.
    pub(super) file: &'a str,
    pub(super) mode: EntryMode,
    pub(super) id: ObjectId,
    /// Whether attributes say that it is tracked in place.
    pub(super) in_place: bool,
}

/// Deeper folders are passed over, in bytes of their path: no file system has them.
const LONGEST_PATH: usize = 4096;
