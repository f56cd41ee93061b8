//! Reading data at a revision, without checking it out: `cat` and `ls`.

use std::io::Write;

use serde::Serialize;

use crate::base::{Advice, Digest, Failure, PathError, Progress, RepoPath, typed};
use crate::data::content::{ReadError, WalkError, copy_content, directory, entry_at, read_range};
use crate::data::root::RootName;
use crate::data::tracked::{self, TrackedError};
use crate::data::workspace::Workspace;
use crate::git::{GitError, PointerAt, Pointers};
use crate::objects::pointer::{Pointer, PointerKind};
use crate::objects::tree::{EntryKind, TreeEntry};
use crate::storage::store::Store;

/// A path of the work tree, or of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The revision; `None` for the pointers of the work tree.
    pub revision: Option<String>,
    /// The path; `None` for the top.
    pub path: Option<RepoPath>,
}

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The path from the top of the work tree, lossy where it is not UTF-8.
    pub path: String,
    /// `file`, `directory` or `link`.
    pub kind: &'static str,
    /// Bytes.
    pub size: u64,
    /// Files and links, 1 for these themselves.
    pub files: u64,
    /// Content id, or id of the tree.
    pub id: Digest,
}

/// Why data cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AtError {
    /// Nothing is tracked there.
    #[error("there is no data at '{path}'{}", revision.as_ref().map(|at| format!(" in '{at}'")).unwrap_or_default())]
    Absent {
        /// The path.
        path: String,
        /// The revision, if one was named.
        revision: Option<String>,
    },
    /// It is a directory.
    #[error("'{0}' is a directory")]
    Directory(String),
    /// The store lacks what is wanted.
    #[error("the content of '{path}' is not in the store")]
    Missing {
        /// The path.
        path: String,
        /// The revision, if one was named.
        revision: Option<String>,
        /// What is missing.
        #[source]
        source: Box<ReadError>,
    },
    /// A range begins beyond the end.
    #[error("'{path}' has {size} bytes, and byte {first} was asked for")]
    Range {
        /// The path.
        path: String,
        /// The first byte that was asked for.
        first: u64,
        /// Its size in bytes.
        size: u64,
    },
    /// It is damaged.
    #[error("cannot read '{path}'")]
    Read {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: Box<ReadError>,
    },
    /// A pointer.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// A name.
    #[error(transparent)]
    Name(#[from] PathError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Advice for AtError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Absent { revision, .. } => {
                let at = revision.as_ref().map(|at| format!(" {at}:")).unwrap_or_default();
                vec![format!("git mldata ls{at}      shows what there is")]
            }
            Self::Directory(path) => vec![format!("git mldata ls {path}", path = typed(path))],
            Self::Missing { path, revision: None, .. } => {
                vec![format!("git mldata fetch {path}", path = typed(path))]
            }
            Self::Missing { path, revision: Some(revision), .. } => {
                vec![format!("git mldata fetch --at {} {}", typed(revision), typed(path))]
            }
            Self::Read { source, .. } => source.hints(),
            Self::Tracked(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Name(_) | Self::Range { .. } => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Git(error) => error.failure(),
            Self::Range { .. } => Failure::WrongUse,
            _ => Failure::CouldNotDo,
        }
    }
}

/// The pointers of the work tree, or of a revision.
///
/// # Errors
///
/// [`AtError::Git`] for an unknown revision.
pub fn pointers(workspace: &Workspace, revision: Option<&str>) -> Result<Pointers, AtError> {
    let repository = workspace.repository();
    Ok(match revision {
        None => repository.work_tree_pointers()?,
        Some(revision) => repository.commit_pointers(repository.resolve_commit(revision)?)?,
    })
}

fn absent(at: &At) -> AtError {
    let path = at.path.as_ref().map(ToString::to_string).unwrap_or_default();
    AtError::Absent { path, revision: at.revision.clone() }
}

fn unreadable(at: &At, source: ReadError) -> AtError {
    let (path, missing) = (shown(at), source.is_missing());
    let source = Box::new(source);
    match missing {
        true => AtError::Missing { path, revision: at.revision.clone(), source },
        false => AtError::Read { path, source },
    }
}

fn unwalkable(at: &At, source: WalkError) -> AtError {
    unreadable(at, ReadError::Walk(source))
}

/// The tracked path and pointer that `path` is or lies in, and what remains of it below.
fn enclosing(pointers: &Pointers, path: &RepoPath) -> Option<(RepoPath, Pointer, String)> {
    let path = tracked::without_suffix(path);
    let mut at = Some(path.clone());
    while let Some(candidate) = at {
        if let Some(pointer) = pointers.get(&candidate) {
            let below = path.below(&candidate).unwrap_or_default().to_owned();
            return Some((candidate, pointer.clone(), below));
        }
        at = candidate.parent();
    }
    None
}

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it names; of a part of a tracked directory, that part.
    pub root: RootName,
    /// Whether it is an executable file of a directory.
    pub executable: bool,
    /// Whether it is a link.
    pub is_link: bool,
}

/// What lies at a path of the work tree's pointers or of a revision.
///
/// # Errors
///
/// [`AtError`].
pub fn found_at(workspace: &Workspace, at: &At) -> Result<Found, AtError> {
    let path = at.path.as_ref().ok_or_else(|| absent(at))?;
    let pointers = pointers(workspace, at.revision.as_deref())?;
    let (_, pointer, below) = enclosing(&pointers, path).ok_or_else(|| absent(at))?;
    found_in(workspace.store(), at, &RootName::from(&pointer), below.as_bytes())
}

/// What lies at `below` in the version `root`, which is that of `at` or of a folder above.
///
/// # Errors
///
/// [`AtError`].
pub(in crate::data) fn found_in(
    store: &Store,
    at: &At,
    root: &RootName,
    below: &[u8],
) -> Result<Found, AtError> {
    if below.is_empty() {
        return Ok(Found { root: *root, executable: false, is_link: false });
    }
    if root.kind == PointerKind::File {
        return Err(absent(at));
    }
    let found = entry_at(store, root.id, below).map_err(|source| unwalkable(at, source))?;
    let TreeEntry { kind, executable, id, manifest, size, .. } = found.ok_or_else(|| absent(at))?;
    let is_folder = matches!(kind, EntryKind::Directory | EntryKind::Split);
    let kind_of_root = if is_folder { PointerKind::Tree } else { PointerKind::File };
    let root = RootName { kind: kind_of_root, id, manifest, size };
    Ok(Found { root, executable, is_link: kind == EntryKind::Link })
}

/// The file at a path of the work tree's pointers or of a revision: what it names, and its size.
///
/// # Errors
///
/// [`AtError`].
pub fn file_at(workspace: &Workspace, at: &At) -> Result<RootName, AtError> {
    let found = found_at(workspace, at)?;
    match found.root.kind {
        PointerKind::File => Ok(found.root),
        PointerKind::Tree => Err(AtError::Directory(shown(at))),
    }
}

/// The path as messages name it.
fn shown(at: &At) -> String {
    at.path.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// Writes the file at a path into `out`. What was written is verified whole when this returns well.
///
/// # Errors
///
/// [`AtError`].
pub fn cat(workspace: &Workspace, at: &At, out: &mut dyn Write) -> Result<(), AtError> {
    let file = file_at(workspace, at)?;
    copy_content(workspace.store(), file.id, file.manifest, file.size, out, &Progress::hidden())
        .map_err(|source| unreadable(at, source))
}

/// So many bytes of a range are read at once.
const STEP: u64 = 8 << 20;

/// Writes the bytes from `first` to `last` (counted from 0, both included; `None`: to the end) of the file at a path into
/// `out`; only the chunks that hold them are read. A range that goes beyond the end stops there.
///
/// # Errors
///
/// [`AtError`]; [`AtError::Range`] when it begins beyond the end.
pub fn cat_range(
    workspace: &Workspace,
    at: &At,
    first: u64,
    last: Option<u64>,
    out: &mut dyn Write,
) -> Result<(), AtError> {
    let file = file_at(workspace, at)?;
    if first >= file.size {
        return Err(AtError::Range { path: shown(at), first, size: file.size });
    }
    let end = last.map_or(file.size, |last| last.saturating_add(1).min(file.size));
    let mut from = first;
    while from < end {
        let length = STEP.min(end - from);
        let bytes =
            read_range(workspace.store(), &file, from, length).map_err(|source| unreadable(at, source))?;
        out.write_all(&bytes).map_err(|source| unreadable(at, ReadError::Write(source)))?;
        from += length;
    }
    Ok(())
}

/// What lies at a path: a file itself, the entries of a directory, or the tracked paths at or below it. `recursive` goes
/// down to the files.
///
/// # Errors
///
/// [`AtError`].
pub fn ls(workspace: &Workspace, at: &At, recursive: bool) -> Result<Vec<Listed>, AtError> {
    let pointers = pointers(workspace, at.revision.as_deref())?;
    let Some(path) = &at.path else { return list_tracked(workspace, &pointers, at, recursive) };
    let Some((tracked_path, pointer, below)) = enclosing(&pointers, path) else {
        let listed = list_tracked(workspace, &pointers, at, recursive)?;
        return if listed.is_empty() { Err(absent(at)) } else { Ok(listed) };
    };
    if below.is_empty() {
        return match pointer.kind {
            PointerKind::File => Ok(vec![line_of(workspace, &tracked_path, &pointer)]),
            PointerKind::Tree => list_directory(workspace, at, path.as_str(), pointer.id, recursive),
        };
    }
    if pointer.kind == PointerKind::File {
        return Err(absent(at));
    }
    let found = entry_at(workspace.store(), pointer.id, below.as_bytes());
    let entry = found.map_err(|source| unwalkable(at, source))?.ok_or_else(|| absent(at))?;
    match entry.kind {
        EntryKind::Directory => list_directory(workspace, at, path.as_str(), entry.id, recursive),
        _ => Ok(vec![line(path.to_string(), &entry)]),
    }
}

fn list_tracked(
    workspace: &Workspace,
    pointers: &Pointers,
    at: &At,
    recursive: bool,
) -> Result<Vec<Listed>, AtError> {
    let mut listed = Vec::new();
    let wanted = |path: &RepoPath| at.path.as_ref().is_none_or(|below| path.below(below).is_some());
    for PointerAt { path, pointer, .. } in pointers.good.iter().filter(|found| wanted(&found.path)) {
        match pointer.kind {
            PointerKind::Tree if recursive => {
                let of_path = At { path: Some(path.clone()), ..at.clone() };
                listed.extend(list_directory(workspace, &of_path, path.as_str(), pointer.id, true)?);
            }
            _ => listed.push(line_of(workspace, path, pointer)),
        }
    }
    Ok(listed)
}

fn line_of(workspace: &Workspace, path: &RepoPath, pointer: &Pointer) -> Listed {
    let kind = match pointer.kind {
        PointerKind::File => "file",
        PointerKind::Tree => "directory",
    };
    let (files, _) = crate::data::status::counts(workspace.store(), pointer);
    Listed { path: path.to_string(), kind, size: pointer.size, files, id: pointer.id }
}

fn line(path: String, entry: &TreeEntry) -> Listed {
    let kind = match entry.kind {
        EntryKind::File => "file",
        EntryKind::Link => "link",
        EntryKind::Directory | EntryKind::Split => "directory",
    };
    Listed { path, kind, size: entry.size, files: entry.files, id: entry.id }
}

fn list_directory(
    workspace: &Workspace,
    at: &At,
    path: &str,
    id: Digest,
    recursive: bool,
) -> Result<Vec<Listed>, AtError> {
    let mut listed = Vec::new();
    let mut open = vec![(path.to_owned(), id)];
    while let Some((path, id)) = open.pop() {
        let entries = directory(workspace.store(), id).map_err(|source| unwalkable(at, source))?;
        for entry in entries {
            let below = format!("{path}/{}", String::from_utf8_lossy(&entry.name));
            if recursive && entry.kind == EntryKind::Directory {
                open.push((below, entry.id));
            } else {
                listed.push(line(below, &entry));
            }
        }
    }
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listed)
}
