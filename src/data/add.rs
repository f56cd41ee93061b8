//! Takes data into the store and writes its pointer.
//!
//! What a demanding user expects: the data itself is never moved, changed or read twice without need; when something
//! fails, nothing is half done and the message names the file; a second `add` costs what changed; a directory of which
//! only a part is here keeps the rest; pointer and ignore line are staged, as `git add` stages.
//!
//! Order: contents into packs, packs durable, then pointers, then ignore lines, then the index, last the record.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::base::{Advice, Bytes, Digest, Failure, PathError, Progress, RepoPath, typed};
use crate::data::compose::{ComposeError, Composed, OnDisk, compose, is_within};
use crate::data::content::{self, ContentReader, Intake, WriteError, holds_content};
use crate::data::root::RootName;
use crate::data::shape;
use crate::data::tracked::{self, TrackedError};
use crate::data::workspace::{Workspace, WorkspaceError};
use crate::data::worktree::{
    FileRecord, Files, PathRecord, Reading, ScanError, SnapshotError, Survey, WorktreeRecord,
};
use crate::git::{GitError, pointer_file};
use crate::objects::item::ItemKind;
use crate::objects::pointer::{Pointer, PointerKind};
use crate::objects::shape::Shape;
use crate::objects::tree::EntryKind;
use crate::storage::durable::{self, DurableError};
use crate::storage::store::{Store, StoreError};

/// How to add.
#[derive(Debug, Clone, Copy)]
pub struct AddOptions {
    /// What is not here of a directory is to be dropped.
    pub all: bool,
    /// A path that Git's history tracks gets a pointer beside it all the same.
    pub sidecar: bool,
    /// Stage pointers and ignore lines.
    pub stage: bool,
}

/// What became of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Added {
    /// The tracked path.
    pub path: RepoPath,
    /// A file or a tree.
    pub kind: PointerKind,
    /// Files of the new version.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The new version.
    pub version: Digest,
    /// The version that the pointer named before.
    pub before: Option<Digest>,
    /// Files of the version that are not here and were taken over unseen.
    pub absent: u64,
    /// The version from which the data was edited, where that is not the one that the pointer named.
    pub edited_from: Option<Digest>,
}

/// What an add did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddSummary {
    /// One for each tracked path, in order.
    pub added: Vec<Added>,
    /// What was staged.
    pub staged: Vec<RepoPath>,
    /// Bytes by which the store grew.
    pub stored: u64,
}

/// Why nothing was added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// There is nothing at the path.
    #[error("'{0}' does not exist; nothing was added")]
    Absent(RepoPath),
    /// Git itself tracks the path.
    #[error("'{0}' is tracked by Git; nothing was added")]
    TrackedByGit(RepoPath),
    /// Some commit tracks the path: Git would overwrite the data, which it ignores, without a word.
    #[error(
        "'{0}' is in Git's history: a checkout of an older commit would overwrite the data; nothing was added"
    )]
    InHistory(RepoPath),
    /// A pointer inside a directory that is to be tracked as a whole.
    #[error("'{inner}' is tracked on its own, inside '{path}'; nothing was added")]
    Nested {
        /// The directory.
        path: RepoPath,
        /// What is tracked in it.
        inner: RepoPath,
    },
    /// Not enough space.
    #[error("{} to store, {} free on the disk of the store, {} of which stay free; nothing was added", Bytes(*needed), Bytes(*free), Bytes(SPARE))]
    NoSpace {
        /// Bytes that may have to be stored.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The name cannot have a pointer.
    #[error(transparent)]
    Name(#[from] PathError),
    /// A pointer cannot be read.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// Something there is no data.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A file cannot be read or stored.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The new version cannot be composed.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The nodes of the tree cannot be stored.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The store.
    #[error("cannot store; nothing was added")]
    Store(#[from] StoreError),
    /// The pointer or the record cannot be written.
    #[error("the data is stored, but cannot be named")]
    Durable(#[from] DurableError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for AddError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Absent(path) => {
                vec![format!("if it was deleted on purpose: git mldata rm {path}", path = typed(path))]
            }
            Self::TrackedByGit(path) => vec![format!(
                "git rm --cached -r {path} && git mldata add --sidecar {path}      (the file stays where it is)",
                path = typed(path)
            )],
            Self::InHistory(path) => vec![format!(
                "git mldata add --sidecar {path}      keeps a pointer beside it; take care when you switch to old commits",
                path = typed(path)
            )],
            Self::Nested { inner, .. } => {
                vec![format!("git mldata rm --cached {inner}", inner = typed(inner))]
            }
            Self::Name(_) => Vec::new(),
            Self::NoSpace { .. } => {
                vec!["free some space, or set mldata.storeDir to a folder on a larger disk".into()]
            }
            Self::Tracked(error) => error.hints(),
            Self::Scan(error) => error.hints(),
            Self::Snapshot(error) => error.hints(),
            Self::Compose(error) => error.hints(),
            Self::Write(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::Durable(error) => error.hints(),
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

/// One tracked path and the parts of it that are to be added.
struct Target {
    path: RepoPath,
    scopes: Vec<Vec<u8>>,
    before: Option<Pointer>,
}

impl Target {
    /// Whether the file `name` below it is to be added.
    fn covers(&self, name: &[u8]) -> bool {
        self.scopes.iter().any(|scope| is_within(name, scope))
    }

    /// Whether the pointer has to change: one that stays needs no new shape.
    fn renews(&self, root: &RootName) -> bool {
        !self.before.as_ref().is_some_and(|before| RootName::from(before).is_same(root))
    }
}

/// A new version that is in the store, and what is to be written of it.
struct Version {
    target: Target,
    pointer: Pointer,
    record: PathRecord,
    added: Added,
}

/// Adds `paths` (files or directories, relative to the top).
///
/// # Errors
///
/// [`AddError`]. Until all contents are durable no pointer is touched.
pub fn add(
    workspace: &Workspace,
    paths: &[RepoPath],
    options: AddOptions,
    progress: &Progress,
) -> Result<AddSummary, AddError> {
    let _using = workspace.enter(progress)?;
    let targets = find_targets(workspace, paths)?;
    refuse_what_git_tracks(workspace, &targets, options)?;
    let mut record = workspace.worktree_record()?;
    let surveyed = survey(workspace, targets, &record)?;
    let intake = Intake::new(workspace.store());
    let mut versions = Vec::new();
    for (target, survey) in surveyed {
        versions.push(store_version(workspace, &intake, &record, target, survey, options.all, progress)?);
    }
    intake.sync()?;
    let staged = name_versions(workspace, &versions, options.stage)?;
    let mut added = Vec::new();
    for version in versions {
        record.set(version.target.path, version.record);
        added.push(version.added);
    }
    record.save(false)?;
    Ok(AddSummary { added, staged, stored: intake.stored() })
}

/// Stores what lies at `path` now and names it nowhere: pointer, index and record stay as they are. Of a tracked directory
/// of which only a part is here, the rest is taken over from its pointer.
///
/// # Errors
///
/// [`AddError`].
pub fn store(workspace: &Workspace, path: &RepoPath, progress: &Progress) -> Result<RootName, AddError> {
    if fs::symlink_metadata(path.under(workspace.top())).is_err() {
        return Err(AddError::Absent(path.clone()));
    }
    let _using = workspace.enter(progress)?;
    let before = tracked::read(workspace, path)?;
    let target = Target { path: path.clone(), scopes: vec![Vec::new()], before };
    let record = workspace.worktree_record()?;
    let intake = Intake::new(workspace.store());
    let mut root = None;
    for (target, survey) in survey(workspace, vec![target], &record)? {
        let version = store_version(workspace, &intake, &record, target, survey, false, progress)?;
        root = Some(RootName::from(&version.pointer));
    }
    intake.sync()?;
    root.ok_or_else(|| AddError::Absent(path.clone()))
}

/// Which tracked paths are meant: a path may be tracked, lie inside what is tracked, or be new.
fn find_targets(workspace: &Workspace, paths: &[RepoPath]) -> Result<Vec<Target>, AddError> {
    let mut targets: BTreeMap<RepoPath, Target> = BTreeMap::new();
    for path in paths {
        let path = tracked::without_suffix(path);
        let (tracked_path, below) =
            tracked::enclosing(workspace, &path)?.unwrap_or((path.clone(), String::new()));
        let before = tracked::read(workspace, &tracked_path)?;
        let target = targets.entry(tracked_path.clone());
        let target = target.or_insert_with(|| Target { path: tracked_path, scopes: Vec::new(), before });
        target.scopes.push(below.into_bytes());
        if fs::symlink_metadata(path.under(workspace.top())).is_err() {
            return Err(AddError::Absent(path));
        }
    }
    Ok(targets.into_values().collect())
}

fn refuse_what_git_tracks(
    workspace: &Workspace,
    targets: &[Target],
    options: AddOptions,
) -> Result<(), AddError> {
    let repository = workspace.repository();
    let new: Vec<_> = targets.iter().filter(|target| target.before.is_none()).collect();
    for target in &new {
        let below = repository.tracked_below(&target.path)?;
        if let Some(inner) = below.iter().find(|inner| inner.as_str().ends_with(".mld")) {
            let inner = tracked::without_suffix(inner);
            return Err(AddError::Nested { path: target.path.clone(), inner });
        }
        if !below.is_empty() {
            return Err(AddError::TrackedByGit(target.path.clone()));
        }
    }
    if !options.sidecar {
        let paths: Vec<_> = new.iter().map(|target| target.path.clone()).collect();
        if let Some(path) = repository.tracked_in_history(&paths)?.into_iter().next() {
            return Err(AddError::InHistory(path));
        }
    }
    Ok(())
}

/// Leaves this much of the disk free, in bytes.
const SPARE: u64 = 16 << 20;

/// Looks at what lies at all targets, and compares what may have to be stored with what is free, before the first byte.
fn survey(
    workspace: &Workspace,
    targets: Vec<Target>,
    record: &WorktreeRecord,
) -> Result<Vec<(Target, Survey)>, AddError> {
    let store = workspace.store();
    // A content for which a stat vouches is read again when the store lacks it.
    let stored =
        |file: &FileRecord| file.kind == EntryKind::Directory || holds_content(store, file.id, file.manifest);
    let mut surveyed = Vec::new();
    for target in targets {
        let known = record.get(&target.path);
        let covers = |name: &[u8]| target.covers(name);
        let survey = Survey::take(workspace.top(), &target.path, known, &covers, &stored)?;
        let survey = survey.ok_or_else(|| AddError::Absent(target.path.clone()))?;
        surveyed.push((target, survey));
    }
    let needed = surveyed.iter().map(|(_, survey)| survey.unread_bytes()).sum::<u64>();
    let free = durable::free_space(workspace.common_dir())?;
    if needed > 0 && needed.saturating_add(SPARE) > free {
        return Err(AddError::NoSpace { needed, free });
    }
    Ok(surveyed)
}

fn store_version(
    workspace: &Workspace,
    intake: &Intake,
    worktree: &WorktreeRecord,
    target: Target,
    survey: Survey,
    all: bool,
    progress: &Progress,
) -> Result<Version, AddError> {
    let store = workspace.store();
    let known = worktree.get(&target.path);
    let files = survey.read(worktree, known, Reading::Into(intake), progress)?.files;
    refuse_vanished(&target, &files)?;
    let made = match files.get(b"") {
        Some(file) => file_version(store, &target, &file),
        None => tree_version(workspace, intake, &target, &files, known, all)?,
    };
    let Made { root, shape, absent, count } = made;
    let base = target.before.as_ref().map(RootName::from);
    let edited_from =
        known.map(|known| known.root).filter(|from| base.is_some_and(|base| !base.is_same(from)));
    let added = Added {
        path: target.path.clone(),
        kind: root.kind,
        files: count,
        bytes: root.size,
        version: root.id,
        before: base.map(|base| base.id),
        absent,
        edited_from: edited_from.map(|from| from.id),
    };
    let pointer = new_pointer(&root, shape, target.before.as_ref());
    // Where only a part was added to data of another version, the rest is still of that version.
    let whole = target.scopes.iter().any(Vec::is_empty);
    let complete = whole && absent == 0;
    let root = edited_from.filter(|_| !whole).unwrap_or(root);
    let record = PathRecord { root, files: recorded(files, &target, known), complete };
    Ok(Version { target, pointer, record, added })
}

/// A new version that is in the store.
struct Made {
    root: RootName,
    shape: Option<Shape>,
    /// Files of it that are not here.
    absent: u64,
    /// All its files.
    count: u64,
}

fn file_version(store: &Store, target: &Target, file: &FileRecord) -> Made {
    let (id, manifest, size) = (file.id, file.manifest, file.fingerprint.size);
    let root = RootName { kind: PointerKind::File, id, manifest, size };
    let content = target.renews(&root).then(|| ContentReader::open(store, id, manifest, size).ok()).flatten();
    let shape = content.and_then(|content| shape::of_file(&target.path, content));
    Made { root, shape, absent: 0, count: 1 }
}

fn tree_version(
    workspace: &Workspace,
    intake: &Intake,
    target: &Target,
    files: &Files,
    known: Option<&PathRecord>,
    all: bool,
) -> Result<Made, AddError> {
    let base = target.before.as_ref().map(RootName::from);
    let disk = OnDisk { path: &target.path, scopes: &target.scopes, files };
    let composed = compose(workspace.store(), &disk, base.as_ref(), known, all)?;
    let start = target.path.under(workspace.top());
    let mut put = |id, node: &[u8]| intake.put(id, ItemKind::Tree, node);
    let tree = content::store_tree(&start, composed.leaves(files), &mut put)?;
    let root = RootName { kind: PointerKind::Tree, id: tree.id, manifest: None, size: tree.size };
    let shape = target.renews(&root).then(|| tree_shape(&composed, files, target.before.as_ref()));
    Ok(Made { root, shape: shape.flatten(), absent: composed.absent, count: tree.files })
}

/// A part that was there when it was named and is gone now was moved away meanwhile, not deleted.
fn refuse_vanished(target: &Target, files: &Files) -> Result<(), AddError> {
    let is_gone = |scope: &&Vec<u8>| !scope.is_empty() && !files.contains(scope) && !files.has_below(scope);
    match target.scopes.iter().find(is_gone) {
        None => Ok(()),
        Some(scope) => {
            let path = format!("{}/{}", target.path, String::from_utf8_lossy(scope));
            Err(AddError::Absent(RepoPath::new(path)?))
        }
    }
}

/// The shape of a tree: from its leaves, or where not all of them are known, from what differs from the last version.
fn tree_shape(composed: &Composed, files: &Files, before: Option<&Pointer>) -> Option<Shape> {
    shape::of_tree(composed.leaves(files)).or_else(|| {
        let before = before?.shape.as_ref()?;
        let leaves = composed.leaves(files).map(|(name, entry)| (name.to_owned(), entry)).collect();
        shape::of_changed_tree(before, &composed.before, &leaves)
    })
}

/// What this worktree holds after the add: what was added, and what was recorded outside of it.
fn recorded(files: Files, target: &Target, known: Option<&PathRecord>) -> Files {
    match known.filter(|_| !target.scopes.iter().any(Vec::is_empty)) {
        Some(known) => known.files.filter(|name| !target.covers(name)).overlaid(&files),
        None => files,
    }
}

/// The pointer of a version. One that names the same content stays as it is, shape and unknown keys included.
fn new_pointer(root: &RootName, shape: Option<Shape>, before: Option<&Pointer>) -> Pointer {
    let mut pointer = match root.kind {
        PointerKind::File => Pointer::file(root.id, root.size, root.manifest),
        PointerKind::Tree => Pointer::tree(root.id, root.size),
    };
    match before {
        Some(before) if before.same_content(&pointer) => before.clone(),
        _ => {
            pointer.unknown = before.map(|before| before.unknown.clone()).unwrap_or_default();
            pointer.with_shape(shape)
        }
    }
}

/// Writes pointers and ignore lines, and stages them.
fn name_versions(
    workspace: &Workspace,
    versions: &[Version],
    stage: bool,
) -> Result<Vec<RepoPath>, AddError> {
    let repository = workspace.repository();
    let mut written = Vec::new();
    for version in versions {
        let path = pointer_file(&version.target.path)?;
        if version.target.before.as_ref() != Some(&version.pointer) {
            write_pointer(workspace.top(), &path, &version.pointer)?;
        }
        written.push(path);
    }
    let paths: Vec<_> = versions.iter().map(|version| version.target.path.clone()).collect();
    written.extend(repository.ignore(&paths)?);
    if !stage {
        return Ok(Vec::new());
    }
    repository.stage(&written)?;
    Ok(written)
}

/// Replaces the pointer at `path`.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_pointer(top: &Path, path: &RepoPath, pointer: &Pointer) -> Result<(), DurableError> {
    durable::write_atomically(&path.under(top), pointer.to_text().as_bytes())
}
