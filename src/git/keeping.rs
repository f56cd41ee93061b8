//! Everything by which Git keeps something: refs, reflogs, and of every worktree its index, its files and what Git is in
//! the middle of there.
//!
//! Whoever removes what nobody needs must overlook none of it. So files of Git's own are not taken apart by their
//! meaning: every name of an object that stands in one of them counts. Index and files come before refs and reflogs;
//! since things move the other way, too (`git stash pop`), a caller who removes asks twice and unites the answers.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::index::entry::Mode;

use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Pointers;
use crate::git::Repository;
use crate::git::pointers::PointerAt;
use crate::git::pointers::data_path;
use crate::objects::pointer::SUFFIX;

/// What Git keeps.
#[derive(Debug, Default)]
pub struct Keeping {
    /// Commits from which all history is kept, sorted.
    pub commits: Vec<ObjectId>,
    /// Pointers that lie in an index or a work tree, or in trees that no commit has.
    pub pointers: Vec<PointerAt>,
}

/// Longer files of a rebase are patches, in bytes.
const LONGEST_STATE: u64 = 1 << 20;

impl Repository {
    /// Everything by which this repository keeps something, with all of its worktrees.
    ///
    /// # Errors
    ///
    /// [`GitError`] when a part of it cannot be read: then nothing may be concluded.
    pub fn keeping(&self) -> Result<Keeping, GitError> {
        // The index that this process was given may be another than those of the worktrees.
        let (mut pointers, mut names) = (self.pointers_of(&*self.read_index()?)?, BTreeSet::new());
        if !self.is_bare() {
            pointers.extend(self.work_tree_pointers()?.good);
        }
        for git_dir in self.worktree_dirs()? {
            pointers.extend(self.pointers_of(&self.index_at(&git_dir.join("index"))?)?);
            if let Some(folder) = work_tree_of(&git_dir)? {
                pointers.extend(Self::open(&folder)?.work_tree_pointers()?.good);
            }
            worktree_state(&git_dir, &mut names)?;
            names_below(&git_dir.join("logs"), u64::MAX, &mut names)?;
        }
        names.extend(self.refs_below("refs/")?.into_iter().map(|found| found.target.to_string()));
        names_below(&self.common_dir().join("logs"), u64::MAX, &mut names)?;
        let mut commits = BTreeSet::new();
        for name in names {
            // What is neither there as a commit nor as a tree keeps nothing.
            if let Ok(commit) = self.resolve_commit(&name) {
                commits.insert(commit);
            } else if let Ok(tree) = name.parse()
                && let Ok(found) = self.tree_pointers(tree)
            {
                pointers.extend(found.good);
            }
        }
        Ok(Keeping { commits: commits.into_iter().collect(), pointers })
    }

    /// The Git directories of all worktrees, the main one first.
    fn worktree_dirs(&self) -> Result<Vec<PathBuf>, GitError> {
        let mut folders = vec![self.common_dir().to_owned()];
        for entry in entries(&self.common_dir().join("worktrees"))? {
            // What Git calls prunable has no HEAD.
            if entry.join("HEAD").is_file() {
                folders.push(entry);
            }
        }
        Ok(folders)
    }

    /// The index in this file; an empty one where there is none.
    fn index_at(&self, path: &Path) -> Result<gix::index::File, GitError> {
        let hash = self.gix.object_hash();
        if !path.exists() {
            return Ok(gix::index::File::from_state(gix::index::State::new(hash), path.to_owned()));
        }
        let read = gix::index::File::at(path, hash, false, gix::index::decode::Options::default());
        read.map_err(|error| GitError::Index {
            path: path.to_owned(),
            source: gix::Error::from_error(error).into(),
        })
    }

    /// The pointers of an index, conflicts included.
    fn pointers_of(&self, index: &gix::index::File) -> Result<Vec<PointerAt>, GitError> {
        let mut found = Vec::new();
        for entry in index.entries() {
            let Ok(file) = entry.path(index).to_str() else { continue };
            if entry.mode == Mode::DIR {
                // A sparse index has one entry for all that lies outside the cone.
                found.extend(self.tree_pointers_at(ObjectId(entry.id), file.trim_end_matches('/'))?.good);
            } else if file.ends_with(SUFFIX)
                && let Ok(path) = data_path(file)
                && let Ok(pointer) = self.pointer_blob(true, ObjectId(entry.id))
            {
                found.push(PointerAt { path, pointer, in_place: false });
            }
        }
        let mut in_place = Pointers::default();
        self.add_in_place(index, &mut in_place);
        found.extend(in_place.good);
        Ok(found)
    }
}

/// The top of the work tree that this Git directory belongs to; `None` where there is none, or where it is out of reach.
fn work_tree_of(git_dir: &Path) -> Result<Option<PathBuf>, GitError> {
    let link = git_dir.join("gitdir");
    let text = match fs::read_to_string(&link) {
        // The main one, which may be bare.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let main = Repository::open(git_dir)?;
            return Ok(main.work_dir().ok().filter(|top| top.is_dir()).map(Path::to_owned));
        }
        text => text.map_err(GitError::io("read", &link))?,
    };
    let place = git_dir.join(text.trim_end());
    Ok(place.parent().filter(|_| place.exists()).map(Path::to_owned))
}

/// The names in the files that tell what Git is in the middle of: a merge, a rebase, a bisection.
fn worktree_state(git_dir: &Path, names: &mut BTreeSet<String>) -> Result<(), GitError> {
    for path in entries(git_dir)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_state =
            name == "HEAD" || name.ends_with("_HEAD") || name.starts_with("BISECT_") || name == "AUTO_MERGE";
        if is_state && path.is_file() {
            names_in(&path, names)?;
        }
    }
    for folder in ["rebase-merge", "rebase-apply", "sequencer"] {
        names_below(&git_dir.join(folder), LONGEST_STATE, names)?;
    }
    names_below(&git_dir.join("refs"), LONGEST_STATE, names)
}

/// The names in all files below `folder` that are not longer than `longest`, in bytes.
fn names_below(folder: &Path, longest: u64, names: &mut BTreeSet<String>) -> Result<(), GitError> {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for path in entries(&folder)? {
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => open.push(path),
                Ok(found) if found.is_file() && found.len() <= longest => names_in(&path, names)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Every name of an object in a file; one that is gone has none.
fn names_in(path: &Path, names: &mut BTreeSet<String>) -> Result<(), GitError> {
    /// The digits of a name.
    const LENGTH: usize = 40;
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text.map_err(GitError::io("read", path))?,
    };
    let words = text.split(|byte| !byte.is_ascii_hexdigit()).filter(|word| word.len() == LENGTH);
    let is_nothing = |word: &&[u8]| word.iter().all(|digit| *digit == b'0');
    let words = words.filter(|word| !is_nothing(word)).filter_map(|word| std::str::from_utf8(word).ok());
    for word in words {
        if !names.contains(word) {
            names.insert(word.to_owned());
        }
    }
    Ok(())
}

/// The paths in a folder; none where there is no folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, GitError> {
    let found = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        found => found.map_err(GitError::io("list", folder))?,
    };
    found.map(|entry| entry.map(|entry| entry.path()).map_err(GitError::io("list", folder))).collect()
}
