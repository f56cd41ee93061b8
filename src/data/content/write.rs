//! Links and trees into the store, and what can go wrong there.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::base::{Advice, Digest, lines, one_of_each, refusal_hints};
use crate::data::content::{Intake, is_empty_directory};
use crate::data::worktree::Files;
use crate::objects::item::ItemKind;
use crate::objects::tree::{EntryKind, TreeEntry, TreeError, TreeSummary, build_tree};
use crate::storage::store::StoreError;

/// The identity of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// BLAKE3 of its bytes.
    pub id: Digest,
    /// Its manifest, when it has more than one chunk.
    pub manifest: Option<Digest>,
    /// Bytes.
    pub size: u64,
}

/// Why a content was not stored.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file cannot be read, or vanished.
    #[error("cannot read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The file was written to while it was read.
    #[error("'{}' changed while it was read", .0.display())]
    ChangedWhileRead(PathBuf),
    /// The store refused.
    #[error("cannot store '{}'", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// The store's answer.
        #[source]
        source: StoreError,
    },
    /// The entries make no tree.
    #[error("cannot make a tree of '{}'", path.display())]
    Tree {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: TreeError,
    },
    /// Several files, each for a reason of its own.
    #[error("{} files cannot be taken in:{}", .0.len(), lines(.0))]
    Several(Vec<WriteError>),
}

impl WriteError {
    /// Whether it is about files of the user alone, so that others may still be read.
    pub const fn is_of_file(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::ChangedWhileRead(_) | Self::Several(_))
    }

    /// All of `errors` as one, in order; `None` when there are none.
    pub fn united(errors: Vec<Self>) -> Option<Self> {
        let apart = |error| if let Self::Several(errors) = error { errors } else { vec![error] };
        let mut errors: Vec<_> = errors.into_iter().flat_map(apart).collect();
        if errors.len() > 1 { Some(Self::Several(errors)) } else { errors.pop() }
    }
}

impl Advice for WriteError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::ChangedWhileRead(_) => vec!["try again when the program that writes it has ended".into()],
            Self::Store { source, .. } => source.hints(),
            Self::Read { path, source } => refusal_hints(path, source),
            Self::Tree { .. } => Vec::new(),
            Self::Several(errors) => one_of_each(errors).into_iter().flat_map(Self::hints).collect(),
        }
    }
}

/// Takes the nodes of a tree as they are built.
pub type PutNode<'a> = &'a mut dyn FnMut(Digest, &[u8]) -> Result<(), StoreError>;

/// The target of a link, which is its content.
///
/// # Errors
///
/// [`WriteError::Read`] when there is no link.
pub fn link_target(path: &Path) -> Result<Vec<u8>, WriteError> {
    let target = fs::read_link(path).map_err(|source| WriteError::Read { path: path.to_owned(), source })?;
    Ok(target.into_os_string().into_vec())
}

/// Puts the target of the link at `path` into the store.
///
/// # Errors
///
/// [`WriteError`].
pub fn store_link(path: &Path, intake: &Intake<'_>) -> Result<Content, WriteError> {
    let target = link_target(path)?;
    let id = Digest::of(&target);
    let stored = intake.put(id, ItemKind::Chunk, &target);
    stored.map_err(|source| WriteError::Store { path: path.to_owned(), source })?;
    Ok(Content { id, manifest: None, size: target.len() as u64 })
}

/// Puts the nodes of a tree of these leaves into the store. `leaves` come in order of their paths below the top, their
/// own names empty; empty directories are leaves of kind [`EntryKind::Directory`]. Ids and sizes are taken as given.
///
/// # Errors
///
/// [`WriteError`].
pub fn store_tree<'a>(
    path: &Path,
    leaves: impl IntoIterator<Item = (&'a [u8], TreeEntry)>,
    put: PutNode<'_>,
) -> Result<TreeSummary, WriteError> {
    // Folders that are open, outermost first, with the entries that they have so far.
    let mut open: Vec<(Vec<u8>, Vec<TreeEntry>)> = vec![(Vec::new(), Vec::new())];
    for (name, leaf) in leaves {
        let (folder, file) = match name.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&name[..slash], &name[slash + 1..]),
            None => (&[][..], name),
        };
        while !is_within(folder, &open[open.len() - 1].0) {
            close_folder(path, &mut open, put)?;
        }
        open_folders(folder, &mut open);
        let entry = match leaf.kind {
            EntryKind::Directory if is_empty_directory(&leaf) => {
                TreeEntry::directory(file.to_owned(), build_node(path, Vec::new(), put)?)
            }
            _ => TreeEntry { name: file.to_owned(), ..leaf },
        };
        let top = open.len() - 1;
        open[top].1.push(entry);
    }
    while open.len() > 1 {
        close_folder(path, &mut open, put)?;
    }
    let (_, entries) = open.swap_remove(0);
    build_node(path, entries, put)
}

/// The tree that these files make, without storing anything.
///
/// # Errors
///
/// [`WriteError::Tree`] for entries that make none.
pub fn tree_root_of(path: &Path, files: &Files) -> Result<TreeSummary, WriteError> {
    store_tree(path, files.iter().map(|(name, file)| (name, file.leaf())), &mut |_, _| Ok(()))
}

fn is_within(folder: &[u8], outer: &[u8]) -> bool {
    outer.is_empty() || folder == outer || folder.strip_prefix(outer).is_some_and(|rest| rest[0] == b'/')
}

fn open_folders(folder: &[u8], open: &mut Vec<(Vec<u8>, Vec<TreeEntry>)>) {
    let reached = open[open.len() - 1].0.len();
    let ends = folder.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at > reached);
    let ends: Vec<usize> = ends.map(|(at, _)| at).chain([folder.len()]).collect();
    for end in ends.into_iter().filter(|end| *end > reached) {
        open.push((folder[..end].to_owned(), Vec::new()));
    }
}

fn close_folder(
    path: &Path,
    open: &mut Vec<(Vec<u8>, Vec<TreeEntry>)>,
    put: PutNode<'_>,
) -> Result<(), WriteError> {
    let Some((folder, entries)) = open.pop() else { return Ok(()) };
    let summary = build_node(&path.join(OsStr::from_bytes(&folder)), entries, put)?;
    let name = folder.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_owned();
    let outer = open.len() - 1;
    open[outer].1.push(TreeEntry::directory(name, summary));
    Ok(())
}

/// Puts the nodes of the directory at `path` with these entries.
pub(super) fn build_node(
    path: &Path,
    entries: Vec<TreeEntry>,
    put: PutNode<'_>,
) -> Result<TreeSummary, WriteError> {
    let mut sink = |id, node: Vec<u8>| put(id, &node).map_err(BuildError::Store);
    build_tree(entries, &mut sink).map_err(|error| error.at(path))
}

/// What can go wrong in a directory, before its path is known.
pub(super) enum BuildError {
    Tree(TreeError),
    Store(StoreError),
}

impl BuildError {
    /// The same of the directory at `path`.
    pub fn at(self, path: &Path) -> WriteError {
        let path = path.to_owned();
        match self {
            Self::Tree(source) => WriteError::Tree { path, source },
            Self::Store(source) => WriteError::Store { path, source },
        }
    }
}

impl From<TreeError> for BuildError {
    fn from(error: TreeError) -> Self {
        Self::Tree(error)
    }
}
