//! The new version of a directory, from what is on the disk and what was never brought here.
//!
//! Absent is not deleted. A clone may hold only a part of a directory (`git mldata pull data/images/cats`), and adding
//! what it holds must not drop the rest. So a path of the last version is dropped only with a proof: this worktree wrote
//! or added it (its record says so), and it is gone. Without a record there is no proof, and nothing is dropped unless
//! the user says that all that is to remain is here.
//!
//! Old is not an edit. Where the pointer moved on and the data did not (a pull without its data), adding the directory
//! must not take the news back: what was changed here since the record is united with what the pointer names, file by
//! file, as Git merges: what only one side changed is taken from that side, what both changed otherwise is refused by name.

//!
//! Equal is not looked at. Where the record holds all of its version, the new one can differ from what the pointer names only
//! where the disk differs from the record, or the pointer from the version of the record: both are told without a look at
//! subtrees that are the same, and only these names are decided about.

mod concern;
mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::base::RepoPath;
use crate::data::content::{
    ChangeError, PutNode, WriteError, flatten_where, is_empty_directory, store_changes, store_tree,
};
use crate::data::root::RootName;
use crate::data::worktree::{FileRecord, Files, PathRecord};
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeEntry, TreeSummary};
use crate::storage::store::Store;

pub use error::{ComposeError, listed};

use concern::Concern;

/// What is on the disk of one tracked directory, in the parts that are to be added.
#[derive(Debug, Clone, Copy)]
pub struct OnDisk<'a> {
    /// The directory.
    pub path: &'a RepoPath,
    /// Paths below it that are to be added with all below them; the empty path stands for the whole.
    pub scopes: &'a [Vec<u8>],
    /// What lies on the disk within these scopes.
    pub files: &'a Files,
    /// A switch was cut short: they are of several versions, as the record says.
    pub mixed: bool,
}

/// What counts where the disk and the pointer say something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// The disk; what is not here is dropped.
    DiskAlone,
    /// The disk; what is not here is kept.
    Disk,
    /// What was changed since the record: files that were changed here as they are here, all others as the pointer names
    /// them, whatever older version of them is here.
    Changes,
}

/// The leaves of the new version, and how many files of it are not on the disk.
#[derive(Debug, Default)]
pub struct Composed {
    /// Files, links and empty directories that are taken over from the last version, by path below; directories of which
    /// nothing is here as they were.
    pub taken_over: BTreeMap<Vec<u8>, TreeEntry>,
    /// What is on the disk and not in the version: older files, and empty directories in which something is taken over.
    left_out: BTreeSet<Vec<u8>>,
    /// Files that were taken over unseen from the last version.
    pub absent: u64,
    /// Files here that are of an older version, and unmodified: of them the last version is kept.
    pub behind: u64,
    /// The leaves of the last version, as far as they were looked at.
    pub before: BTreeMap<Vec<u8>, TreeEntry>,
    /// The names at which the new version may differ from the last one; `None` where that is not known.
    concerned: Option<BTreeSet<Vec<u8>>>,
}

impl Composed {
    /// The leaves of the new version in order: the `files` on the disk and what is taken over.
    pub fn leaves<'a>(&'a self, files: &'a Files) -> impl Iterator<Item = (&'a [u8], TreeEntry)> {
        let mut here = files.iter().filter(|(name, _)| !self.left_out.contains(*name)).peekable();
        let mut elsewhere = self.taken_over.iter().peekable();
        std::iter::from_fn(move || {
            let first = match (here.peek(), elsewhere.peek()) {
                (Some((here, _)), Some((elsewhere, _))) => *here < elsewhere.as_slice(),
                (here, _) => here.is_some(),
            };
            if first {
                return here.next().map(|(name, file)| (name, file.leaf()));
            }
            elsewhere.next().map(|(name, entry)| (name.as_slice(), entry.clone()))
        })
    }

    /// Whether all of the last version is on the disk as the record says, but for what changed.
    pub const fn is_change(&self) -> bool {
        self.concerned.is_some()
    }

    /// Puts the nodes of the new version of the directory at `path` into the store: with `base`, the last version, only
    /// those on the way to what changed. Of `base` all nodes must be in the store then, now and later.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn store(
        &self,
        path: &Path,
        store: &Store,
        base: Option<&RootName>,
        files: &Files,
        put: PutNode<'_>,
    ) -> Result<TreeSummary, WriteError> {
        if let (Some(base), Some(names)) = (base, &self.concerned) {
            let changes: Vec<_> = names.iter().map(|name| (name.clone(), self.leaf(name, files))).collect();
            match store_changes(path, store, base.id, &changes, put) {
                Ok(tree) => return Ok(tree),
                Err(ChangeError::Write(error)) => return Err(error),
                // What cannot be read is made anew.
                Err(ChangeError::Walk(_)) => {}
            }
        }
        store_tree(path, self.leaves(files), put)
    }

    /// The leaf of this name in the new version.
    fn leaf(&self, name: &[u8], files: &Files) -> Option<TreeEntry> {
        let here = || files.get(name).filter(|_| !self.left_out.contains(name));
        self.taken_over.get(name).cloned().or_else(|| here().map(|file| file.leaf()))
    }

    /// Whether the version is just what lies on the disk.
    pub fn is_on_disk(&self) -> bool {
        self.taken_over.is_empty() && self.left_out.is_empty()
    }
}

/// Composes the new version. `base` is what the pointer names now, `record` what this worktree last wrote or added.
///
/// # Errors
///
/// [`ComposeError`].
pub fn compose(
    store: &Store,
    disk: &OnDisk<'_>,
    base: Option<&RootName>,
    record: Option<&PathRecord>,
    taking: Taking,
) -> Result<Composed, ComposeError> {
    let whole = disk.scopes.iter().any(Vec::is_empty);
    let Some(base) = base.filter(|base| base.kind == PointerKind::Tree) else {
        return Ok(Composed::default());
    };
    if whole && taking == Taking::DiskAlone {
        return Ok(Composed::default());
    }
    let concern = Concern::of(store, disk, base, record);
    // A directory is looked into only if something of it is, was or is to be here.
    let concerns = |path: &[u8]| {
        let on_the_way = |part: &Vec<u8>| part.len() > path.len() && is_within(part, path);
        let here = disk.scopes.iter().any(on_the_way) || disk.files.has_below(path);
        here || record.is_some_and(|record| record.files.has_below(path))
    };
    let before = match &concern {
        Some(concern) => concern.before.clone(),
        None => flatten_where(store, base.id, &concerns)
            .map_err(|source| ComposeError::Base { path: disk.path.clone(), source })?,
    };
    let is_old = |record: &&PathRecord| disk.mixed || !record.root.is_same(base);
    let stale = record.filter(|record| taking == Taking::Changes && is_old(record));
    let mut union =
        Union { disk, record, stale, taking, composed: Composed::default(), conflicts: Vec::new() };
    match &concern {
        Some(concern) => union.drop_what_the_pointer_dropped(&before, concern.on_disk(disk.files)),
        None => union.drop_what_the_pointer_dropped(&before, disk.files.iter()),
    }
    let unproven = before.iter().map(|(name, entry)| union.take(name, entry)).sum();
    let Union { mut composed, conflicts, .. } = union;
    if unproven > 0 {
        let of = before.values().map(|entry| entry.files).sum();
        return Err(ComposeError::NoProof { path: disk.path.clone(), missing: unproven, of });
    }
    if !conflicts.is_empty() {
        return Err(ComposeError::Conflict { path: disk.path.clone(), names: conflicts });
    }
    composed.drop_directories_that_filled(disk.files);
    composed.absent += concern.as_ref().map_or(0, |concern| concern.elsewhere);
    Ok(Composed { before, concerned: concern.map(|concern| concern.names), ..composed })
}

/// The union of what is on the disk and what the pointer names, while it is made.
struct Union<'a> {
    disk: &'a OnDisk<'a>,
    record: Option<&'a PathRecord>,
    /// The record, if it is of another version than the pointer, or of several, and changes count.
    stale: Option<&'a PathRecord>,
    taking: Taking,
    composed: Composed,
    conflicts: Vec<Vec<u8>>,
}

impl Union<'_> {
    /// Whether the user named the file itself: then it is taken as it is.
    fn is_named(&self, name: &[u8]) -> bool {
        self.disk.scopes.iter().any(|scope| scope == name)
    }

    /// Unmodified files that the last version has no more go; files that were modified meanwhile are conflicts.
    fn drop_what_the_pointer_dropped<'n>(
        &mut self,
        before: &BTreeMap<Vec<u8>, TreeEntry>,
        on_disk: impl Iterator<Item = (&'n [u8], FileRecord)>,
    ) {
        let Some(stale) = self.stale else { return };
        let mut cursor = stale.files.cursor();
        for (name, here) in on_disk.filter(|(name, _)| !before.contains_key(*name)) {
            let old = cursor.seek(name).map(|at| stale.files.record_at(at));
            match old {
                Some(_) if self.is_named(name) => {}
                Some(old) if old.is_same_data(&here) => {
                    self.composed.behind += 1;
                    self.composed.left_out.insert(name.to_owned());
                }
                Some(_) => self.conflicts.push(name.to_owned()),
                None => {}
            }
        }
    }

    /// Decides about one leaf of the last version; how many files must not be dropped without a proof.
    fn take(&mut self, name: &[u8], entry: &TreeEntry) -> u64 {
        let in_scope = self.disk.scopes.iter().any(|scope| is_within(name, scope));
        if !in_scope {
            return self.keep_absent(name, entry);
        }
        let here = self.disk.files.get(name);
        let is_void = here.as_ref().is_some_and(|here| is_empty_for(here, entry));
        if is_void && self.taking != Taking::DiskAlone {
            // Nothing of it was ever brought here: an empty folder in its place says nothing.
            self.composed.left_out.insert(name.to_owned());
            self.keep_absent(name, entry);
            return if self.record.is_none() { entry.files } else { 0 };
        }
        let old = self.record.and_then(|record| record.files.get(name));
        let news = |old: &FileRecord| !old.is_leaf(entry);
        match here {
            Some(here) if self.stale.is_some() && !self.is_named(name) && !here.is_leaf(entry) => {
                match old {
                    Some(old) if old.is_same_data(&here) => {
                        self.composed.behind += 1;
                        self.composed.left_out.insert(name.to_owned());
                        self.composed.taken_over.insert(name.to_owned(), entry.clone());
                    }
                    Some(old) if !news(&old) => {}
                    _ => self.conflicts.push(name.to_owned()),
                }
                0
            }
            Some(_) => 0,
            None if self.taking == Taking::DiskAlone => 0,
            None if self.is_replaced(name) || old.is_some() => {
                // It was deleted, or gave way to something else; the pointer may have brought news of it.
                let conflict = self.stale.is_some() && old.as_ref().is_none_or(news);
                self.conflicts.extend(conflict.then(|| name.to_owned()));
                0
            }
            None => {
                self.keep_absent(name, entry);
                if self.record.is_none() { entry.files } else { 0 }
            }
        }
    }

    fn keep_absent(&mut self, name: &[u8], entry: &TreeEntry) -> u64 {
        self.composed.absent += entry.files;
        self.composed.taken_over.insert(name.to_owned(), entry.clone());
        0
    }

    /// Whether a file now lies where a folder of `name` was, or a folder where the file `name` was.
    fn is_replaced(&self, name: &[u8]) -> bool {
        let files = self.disk.files;
        let is_file = |at: usize| {
            let file = files.get(&name[..at]).filter(|file| file.kind != EntryKind::Directory);
            file.is_some() && !self.composed.left_out.contains(&name[..at])
        };
        let mut ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        ends.any(is_file) || files.has_below(name)
    }
}

/// Whether `here` is an empty folder where the version has a directory that was not looked into.
fn is_empty_for(here: &FileRecord, entry: &TreeEntry) -> bool {
    let both = here.kind == EntryKind::Directory && entry.kind == EntryKind::Directory;
    both && !is_empty_directory(entry)
}

/// Whether any of `leaves` lies below `path`.
fn has_below(leaves: &BTreeMap<Vec<u8>, TreeEntry>, path: &[u8]) -> bool {
    let below = [path, b"/"].concat();
    leaves.range(below.clone()..).next().is_some_and(|(name, _)| name.starts_with(&below))
}

/// Whether `name` is `scope` or lies below it.
pub fn is_within(name: &[u8], scope: &[u8]) -> bool {
    scope.is_empty() || name == scope || name.strip_prefix(scope).is_some_and(|rest| rest.starts_with(b"/"))
}

impl Composed {
    /// A directory that was empty on one side may have files on the other.
    fn drop_directories_that_filled(&mut self, files: &Files) {
        self.taken_over.retain(|name, entry| !(is_empty_directory(entry) && files.has_below(name)));
        let empty = files.iter().filter(|(_, file)| file.kind == EntryKind::Directory);
        let filled = empty.filter(|(name, _)| has_below(&self.taken_over, name));
        self.left_out.extend(filled.map(|(name, _)| name.to_owned()));
    }
}
