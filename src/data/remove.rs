//! Stops tracking paths: `rm`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::{Advice, Digest, Failure, PathError, Progress, RepoPath, refusal_hints, typed};
use crate::data::add::write_pointer;
use crate::data::compose::is_within;
use crate::data::content::{Intake, WalkError, WriteError, flatten_where, store_tree};
use crate::data::remotes;
use crate::data::root::RootName;
use crate::data::shape;
use crate::data::tracked::{self, TrackedError};
use crate::data::workspace::{Workspace, WorkspaceError};
use crate::data::worktree::{PathRecord, PathState, SnapshotError, compare, located};
use crate::git::{GitError, pointer_file};
use crate::objects::item::ItemKind;
use crate::objects::pointer::{Pointer, PointerKind};
use crate::objects::tree::TreeEntry;
use crate::storage::durable::DurableError;
use crate::storage::store::StoreError;

/// How to remove.
#[derive(Debug, Clone, Copy)]
pub struct RemoveOptions {
    /// The data stays where it is, and Git sees it from now on.
    pub cached: bool,
    /// Modified data is removed too.
    pub force: bool,
    /// Stage what changes.
    pub stage: bool,
    /// Look at everything, tell what would be done, and do nothing.
    pub dry_run: bool,
}

/// What became of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The path that was named.
    pub path: RepoPath,
    /// The version that it had.
    pub version: Digest,
    /// Whether the data was removed from the work tree.
    pub data_removed: bool,
}

/// Why nothing was removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// The data is modified.
    #[error("'{0}' is modified, and its bytes are nowhere else; nothing was removed")]
    Modified(RepoPath),
    /// The store lost the data, and no remote is known to have it.
    #[error("'{0}' is neither in the store nor on a remote, as far as is known; nothing was removed")]
    OnlyCopy(RepoPath),
    /// Nothing lies at that path of a tracked directory.
    #[error("'{path}' is not in the tracked directory '{tracked}'")]
    NotThere {
        /// The path.
        path: RepoPath,
        /// The directory.
        tracked: RepoPath,
    },
    /// A file cannot be removed.
    #[error("cannot remove '{}'", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A pointer.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// What is there cannot be told.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The tree cannot be read.
    #[error("the tree of '{path}' cannot be read")]
    Walk {
        /// The tracked directory.
        path: RepoPath,
        /// Why.
        #[source]
        source: WalkError,
    },
    /// The new tree cannot be stored.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The store.
    #[error("the new tree cannot be stored; nothing was removed")]
    Store(#[from] StoreError),
    /// The pointer or record cannot be written.
    #[error("cannot write what is tracked now")]
    Durable(#[from] DurableError),
    /// A name.
    #[error(transparent)]
    Name(#[from] PathError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for RemoveError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Modified(path) => vec![
                format!(
                    "git mldata rm --cached {path}      keeps the data and only stops tracking it",
                    path = typed(path)
                ),
                format!("git mldata rm --force {path}      removes it", path = typed(path)),
            ],
            Self::OnlyCopy(path) => vec![
                format!("git mldata add {path}      puts it into the store again", path = typed(path)),
                format!("git mldata rm --force {path}      removes it for good", path = typed(path)),
            ],
            Self::NotThere { tracked, .. } => {
                vec![format!("git mldata ls {tracked}", tracked = typed(tracked))]
            }
            Self::Tracked(error) => error.hints(),
            Self::Snapshot(error) => error.hints(),
            Self::Walk { path, source } if source.is_missing() => {
                vec![format!("git mldata fetch {path}", path = typed(path))]
            }
            Self::Walk { source, .. } => source.hints(),
            Self::Write(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
            Self::Io { path, source } => refusal_hints(path, source),
            Self::Name(_) => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Git(error) => error.failure(),
            Self::Workspace(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}

/// Stops tracking `paths`: pointer, ignore line and (unless `cached`) data go together. A path inside a tracked
/// directory is dropped from its tree. What is in the store and on remotes stays.
///
/// # Errors
///
/// [`RemoveError`]; all paths are looked at before the first is touched.
pub fn remove(
    workspace: &Workspace,
    paths: &[RepoPath],
    options: RemoveOptions,
    progress: &Progress,
) -> Result<Vec<Removed>, RemoveError> {
    let record = workspace.worktree_record(progress)?;
    let mut planned = Vec::new();
    for path in paths {
        let path = tracked::without_suffix(path);
        let enclosing = tracked::enclosing(workspace, &path)?;
        let (tracked_path, below) = enclosing.ok_or_else(|| tracked::refused(workspace, path.clone()))?;
        let pointer = tracked::read(workspace, &tracked_path)?;
        let pointer = pointer.ok_or_else(|| TrackedError::NotTracked(path.clone()))?;
        workspace.repository().refuse_beyond_link(&path)?;
        if !options.cached && !options.force {
            refuse_modified(workspace, &record, &tracked_path, &pointer, progress)?;
        }
        planned.push((path, tracked_path, below));
    }
    // Others may have written pointers and noted something meanwhile.
    let _alone = if options.dry_run { None } else { Some(workspace.hold_pointers()?) };
    let mut record = workspace.worktree_record(progress)?;
    let mut removed = Vec::new();
    for (path, tracked_path, below) in planned {
        // What was removed before may have changed it.
        let pointer = tracked::read(workspace, &tracked_path)?;
        let pointer = pointer.ok_or_else(|| TrackedError::NotTracked(path.clone()))?;
        if options.dry_run {
            removed.push(Removed { path, version: pointer.id, data_removed: !options.cached });
            continue;
        }
        if below.is_empty() {
            remove_tracked(workspace, &path, options)?;
            record.remove(&path);
        } else {
            let part = below.into_bytes();
            let root = remove_part(workspace, &tracked_path, &part, &pointer, options)?;
            if let Some(known) = record.get(&tracked_path).cloned() {
                let kept = known.files.filter(|name| !is_within(name, &part));
                // What is here may be of another version than the pointer named.
                let of_pointer = known.root.is_same(&RootName::from(&pointer));
                let complete = of_pointer && known.complete;
                let root = if of_pointer { root } else { known.root };
                record.set(tracked_path, PathRecord { root, files: kept, complete });
            }
        }
        removed.push(Removed { path, version: pointer.id, data_removed: !options.cached });
    }
    if !options.dry_run {
        record.save(false)?;
    }
    Ok(removed)
}

fn refuse_modified(
    workspace: &Workspace,
    record: &crate::data::worktree::WorktreeRecord,
    path: &RepoPath,
    pointer: &Pointer,
    progress: &Progress,
) -> Result<(), RemoveError> {
    let (files, _) = crate::data::status::counts(workspace.store(), pointer);
    let root = RootName::from(pointer);
    let (state, found) = compare(workspace.store(), workspace.top(), path, record, &root, files, progress)?;
    if matches!(state, PathState::Modified { .. }) {
        return Err(RemoveError::Modified(path.clone()));
    }
    let here = record.get(path).map_or(root, |known| known.root);
    let files = found.map(|found| found.files).unwrap_or_default();
    if remotes::is_only_copy(workspace, &here, files.records()) {
        return Err(RemoveError::OnlyCopy(path.clone()));
    }
    Ok(())
}

fn remove_tracked(workspace: &Workspace, path: &RepoPath, options: RemoveOptions) -> Result<(), RemoveError> {
    let repository = workspace.repository();
    if !options.cached {
        remove_data(path.under(workspace.top()))?;
    }
    let pointer = pointer_file(path)?;
    remove_data(pointer.under(workspace.top()))?;
    let mut changed = repository.unignore(std::slice::from_ref(path))?;
    changed.push(pointer);
    if options.stage {
        repository.stage(&changed)?;
    }
    Ok(())
}

fn remove_data(path: PathBuf) -> Result<(), RemoveError> {
    let removed = match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&path),
        Ok(_) => fs::remove_file(&path),
        Err(error) => Err(error),
    };
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RemoveError::Io { path, source }),
        _ => Ok(()),
    }
}

/// Leaves as a tree is made of them.
fn given(leaves: &BTreeMap<Vec<u8>, TreeEntry>) -> impl Iterator<Item = (&[u8], TreeEntry)> {
    leaves.iter().map(|(name, entry)| (name.as_slice(), entry.clone()))
}

/// Drops a part of a tracked directory: works without the rest being here.
fn remove_part(
    workspace: &Workspace,
    tracked_path: &RepoPath,
    part: &[u8],
    pointer: &Pointer,
    options: RemoveOptions,
) -> Result<RootName, RemoveError> {
    let store = workspace.store();
    let not_there = || RemoveError::NotThere {
        path: RepoPath::new(format!("{tracked_path}/{}", String::from_utf8_lossy(part)))
            .unwrap_or_else(|_| tracked_path.clone()),
        tracked: tracked_path.clone(),
    };
    if pointer.kind == PointerKind::File {
        return Err(not_there());
    }
    // Only the way to the part is looked into: the rest need not be here.
    let on_the_way = |path: &[u8]| path.len() < part.len() && is_within(part, path);
    let leaves = flatten_where(store, pointer.id, &on_the_way)
        .map_err(|source| RemoveError::Walk { path: tracked_path.clone(), source })?;
    let count = leaves.len();
    let mut left = leaves.clone();
    left.retain(|name, _| !is_within(name, part));
    if left.len() == count {
        return Err(not_there());
    }
    let intake = Intake::new(store);
    let start = tracked_path.under(workspace.top());
    let tree = store_tree(&start, given(&left), &mut |id, node| intake.put(id, ItemKind::Tree, node))?;
    intake.sync()?;
    let mut next = Pointer::tree(tree.id, tree.size);
    next.unknown = pointer.unknown.clone();
    let by_difference = || shape::of_changed_tree(pointer.shape.as_ref()?, &leaves, &left);
    let next = next.with_shape(shape::of_tree(given(&left)).or_else(by_difference));
    let file = pointer_file(tracked_path)?;
    let temporaries = workspace.repository().temporaries()?;
    write_pointer(workspace, &temporaries, &file, &next)?;
    if !options.cached {
        let data = located(&start, part);
        // Folders are not kept empty that were not so before. One that something else lies in stays.
        let folders: Vec<_> = data.ancestors().skip(1).take_while(|folder| *folder != start).collect();
        remove_data(data.clone())?;
        let _left = folders.iter().try_for_each(fs::remove_dir);
    }
    if options.stage {
        workspace.repository().stage(&[file])?;
    }
    Ok(RootName::from(&next))
}
