//! Where everything is, and what would be lost.
//!
//! What a person wants to know of a tool that holds the only copy of a year's data: for each path, is the work tree what
//! the pointer says; is the content in the store; is it on a remote; and in one line, what is lost if this disk dies. All
//! of it is told without a network, from what pushes and fetches noted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::base::{Advice, Digest, Failure, Progress, RepoPath, typed};
use crate::data::content::{Presence, WholeRoots};
use crate::data::remotes::{self, RemotesError};
use crate::data::root::RootName;
use crate::data::tracked::{Tracked, TrackedError, tracked};
use crate::data::transfer::Knowledge;
use crate::data::versions::{self, Version, VersionsError};
use crate::data::workspace::{Workspace, WorkspaceError};
use crate::data::worktree::{
    Interrupted, PathRecord, PathState, Snapshot, SnapshotError, WorktreeRecord, compare,
};
use crate::git::GitError;
use crate::objects::pointer::{Pointer, PointerKind};
use crate::objects::shape::Shape;
use crate::objects::tree::TreeNode;
use crate::storage::store::Store;

/// The state of one tracked path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathStatus {
    /// The path of the data.
    pub path: RepoPath,
    /// The version that its pointer names.
    pub version: RootName,
    /// Files of that version.
    pub files: u64,
    /// Rows, for a table.
    pub rows: Option<u64>,
    /// What the work tree holds of it.
    pub worktree: PathState,
    /// The checkout of it that was cut short, if files of several versions lie there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Unfinished>,
    /// Files, by path from the top, that hold other bytes than were written although nobody wrote to them since, as a power
    /// cut leaves them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<String>,
    /// What the store holds of it.
    pub store: Presence,
    /// The remotes that hold it whole, as far as is known here.
    pub remotes: Vec<String>,
}

/// A checkout that was cut short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// The version that it went to.
    pub to: Digest,
    /// Files of that version that are here.
    pub here: u64,
    /// Files of it that were wanted; none where the path was to be removed.
    pub of: u64,
    /// The command that brings the path in step with its pointer.
    pub finish: String,
}

impl Unfinished {
    fn new(path: &RepoPath, interrupted: &Interrupted) -> Self {
        let Interrupted { to, parts, here, of, .. } = interrupted;
        let mut finish = String::from("git mldata checkout");
        for part in parts {
            finish += &format!(" {}", typed(format!("{path}/{}", String::from_utf8_lossy(part))));
        }
        if parts.is_empty() {
            finish += &format!(" {}", typed(path));
        }
        Self { to: *to, here: *here, of: *of, finish }
    }
}

/// What would be lost if this disk died.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Loss {
    /// Bytes of versions that are on no remote: those that pointers name now, older ones in commits, and those of runs.
    pub versions: u64,
    /// Bytes of modified files that were not added.
    pub modified: u64,
    /// Paths with either.
    pub paths: BTreeSet<RepoPath>,
}

/// Where everything is.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The branch, if one is checked out.
    pub branch: Option<String>,
    /// The remote that is meant where none is named.
    pub remote: Option<String>,
    /// One for each tracked path, in order.
    pub paths: Vec<PathStatus>,
    /// What would be lost.
    pub loss: Loss,
    /// Pointers that cannot be used.
    #[serde(skip)]
    pub faults: Vec<TrackedError>,
}

/// Why the state cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// A pointer.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// A file of the work tree.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The remotes' settings.
    #[error(transparent)]
    Remotes(#[from] RemotesError),
    /// The commits.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for StatusError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Tracked(error) => error.hints(),
            Self::Snapshot(error) => error.hints(),
            Self::Remotes(error) => error.hints(),
            Self::Versions(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
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

/// The state of all tracked paths, or of those at, above or below `paths`. What is lost is told of `further`, too: versions
/// that no pointer names, and that layers above know of.
///
/// # Errors
///
/// [`StatusError`].
pub fn status(
    workspace: &Workspace,
    paths: &[RepoPath],
    further: &[Version],
    progress: &Progress,
) -> Result<Status, StatusError> {
    let remotes = remotes::list(workspace)?;
    let known: Vec<_> = remotes
        .iter()
        .map(|remote| (&remote.name, Knowledge::open(workspace.common_dir(), &remote.name, &remote.url)))
        .collect();
    let holders = |root: &Digest| -> Vec<String> {
        known
            .iter()
            .filter(|(_, knowledge)| knowledge.has_root(root))
            .map(|(name, _)| (*name).clone())
            .collect()
    };
    let mut record = workspace.worktree_record(progress)?;
    let mut found = Vec::new();
    let mut loss = Loss::default();
    let mut unsafe_roots: BTreeMap<Digest, u64> = BTreeMap::new();
    let mut whole = WholeRoots::open(workspace.store());
    let tracked = tracked(workspace, paths)?;
    let unchanged = workspace.repository().unchanged_in_place()?;
    for Tracked { path, pointer, in_place } in tracked.paths {
        let version = RootName::from(&pointer);
        let (files, rows) = counts(workspace.store(), &pointer);
        let (worktree, snapshot) = match unchanged.contains(&path) {
            true => (PathState::Same, None),
            false => compare(workspace.store(), workspace.top(), &path, &record, &version, files, progress)?,
        };
        let damaged = damaged(&mut record, &path, snapshot.as_ref());
        // What Git itself keeps in step is no matter of the record.
        if !in_place {
            remember(&mut record, &path, &version, worktree, snapshot);
        }
        let remotes = holders(&version.id);
        if let PathState::Modified { changes, .. } = &worktree {
            loss.modified += changes.bytes;
            loss.paths.insert(path.clone());
        }
        let store = whole.presence(&version);
        if remotes.is_empty() && version.size > 0 && store != Presence::None {
            unsafe_roots.insert(version.id, version.size);
            loss.paths.insert(path.clone());
        }
        let interrupted = record.interrupted(&path).map(|interrupted| Unfinished::new(&path, interrupted));
        found.push(PathStatus { path, version, files, rows, worktree, interrupted, damaged, store, remotes });
    }
    if paths.is_empty() {
        for older in versions::unpushed(workspace)?.into_iter().chain(further.iter().cloned()) {
            if holders(&older.root.id).is_empty() && whole.presence(&older.root) == Presence::Whole {
                unsafe_roots.insert(older.root.id, older.root.size);
                loss.paths.insert(older.path);
            }
        }
    }
    loss.versions = unsafe_roots.values().sum();
    // Not being able to note what was read costs the next look some time, nothing else.
    let _ = record.save(true);
    let _ = whole.save();
    let remote = remotes.into_iter().find(|remote| remote.default).map(|remote| remote.name);
    Ok(Status {
        branch: workspace.repository().head_branch()?,
        remote,
        paths: found,
        loss,
        faults: tracked.faults,
    })
}

/// Files and rows of a version, by the shape of its pointer; where a tree has none, by its top node.
pub fn counts(store: &Store, pointer: &Pointer) -> (u64, Option<u64>) {
    match (&pointer.shape, pointer.kind) {
        (Some(Shape::Tree { files, .. }), _) => (*files, None),
        (Some(Shape::Table { rows, .. }), _) => (1, Some(*rows)),
        (None, PointerKind::File) => (1, None),
        (None, PointerKind::Tree) => {
            let top = store.read(&pointer.id).ok().and_then(|node| TreeNode::decode(&node).ok());
            (top.map_or(0, |top| top.summary().files), None)
        }
    }
}

/// The damaged files of a path, by path from the top. Where there is none, the record vouches for all of it.
fn damaged(record: &mut WorktreeRecord, path: &RepoPath, snapshot: Option<&Snapshot>) -> Vec<String> {
    let Some(found) = snapshot.map(|snapshot| &snapshot.files) else { return Vec::new() };
    record.note_seen(path, found);
    let names = record.damaged(path, found).into_iter();
    let shown = |name: Vec<u8>| match name.as_slice() {
        b"" => path.to_string(),
        name => format!("{path}/{}", String::from_utf8_lossy(name)),
    };
    names.map(shown).collect()
}

/// Notes ids that had to be read although nothing changed, so that the next look costs only stats.
fn remember(
    record: &mut WorktreeRecord,
    path: &RepoPath,
    version: &RootName,
    state: PathState,
    snapshot: Option<Snapshot>,
) {
    let Some(snapshot) = snapshot.filter(|snapshot| snapshot.read > 0) else { return };
    let root = match state {
        PathState::Same | PathState::Partial { .. } => *version,
        PathState::Stale { .. } => match record.get(path) {
            Some(known) => known.root,
            None => return,
        },
        PathState::Absent | PathState::Mixed | PathState::Modified { .. } => return,
    };
    let complete = match record.get(path) {
        Some(known) if known.root.is_same(&root) => known.complete,
        // What is here was compared with what the pointer names.
        _ => state == PathState::Same,
    };
    record.set(path.clone(), PathRecord { root, files: snapshot.files, complete });
}
