//! Takes data into the store and writes its pointer.
//!
//! What a demanding user expects: the data itself is never moved, changed or read twice without need; when something
//! fails, nothing is half done and the message names the file; a second `add` costs what changed; a directory of which
//! only a part is here keeps the rest; pointer and ignore line are staged, as `git add` stages.
//!
//! Order: contents into packs, packs durable, then pointers, then ignore lines, then the index, last the record.

mod error;
mod version;

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

use crate::base::{Digest, Progress, RepoPath};
use crate::data::compose::Taking;
use crate::data::content::{Intake, WholeRoots, holds_content};
use crate::data::root::RootName;
use crate::data::tracked;
use crate::data::workspace::Workspace;
use crate::data::worktree::{FileRecord, Survey, WorktreeRecord};
use crate::git::{Temporaries, pointer_file};
use crate::objects::pointer::{Pointer, PointerKind};
use crate::objects::tree::EntryKind;
use crate::storage::durable::{self, DurableError};

pub use error::AddError;

use error::SPARE;
use version::{Site, Target, Version, store_version};

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
    /// Files here that are of an older version, and unmodified: of them what the pointer named is kept.
    pub behind: u64,
    /// The version from which the data was edited, where that is not the one that the pointer named, and its changes were
    /// not united with those.
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
    let mut whole = WholeRoots::open(workspace.store());
    let surveyed = survey(workspace, targets, &record, &whole)?;
    let intake = Intake::new(workspace.store());
    let taking = if options.all { Taking::DiskAlone } else { Taking::Changes };
    let site = Site { workspace, intake: &intake, record: &record, whole: &whole, taking };
    let mut versions = Vec::new();
    for (target, survey) in surveyed {
        versions.push(store_version(&site, target, survey, progress)?);
    }
    intake.sync()?;
    let staged = name_versions(workspace, &versions, options.stage)?;
    let mut added = Vec::new();
    for version in versions {
        let before = version.target.before.as_ref().map(RootName::from);
        if version.added.absent == 0 || before.is_some_and(|before| whole.has(&before)) {
            whole.note(&RootName::from(&version.pointer));
        }
        record.set(version.target.path, version.record);
        added.push(version.added);
    }
    record.save(false)?;
    // Not being able to note it costs the next command some time, nothing else.
    let _ = whole.save();
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
    let whole = WholeRoots::open(workspace.store());
    let taking = Taking::Disk;
    let site = Site { workspace, intake: &intake, record: &record, whole: &whole, taking };
    let mut root = None;
    for (target, survey) in survey(workspace, vec![target], &record, &whole)? {
        let version = store_version(&site, target, survey, progress)?;
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

/// Looks at what lies at all targets, and compares what may have to be stored with what is free, before the first byte.
fn survey(
    workspace: &Workspace,
    targets: Vec<Target>,
    record: &WorktreeRecord,
    whole: &WholeRoots<'_>,
) -> Result<Vec<(Target, Survey)>, AddError> {
    let store = workspace.store();
    let mut surveyed = Vec::new();
    for target in targets {
        let known = record.get(&target.path);
        // A content for which a stat vouches is read again when the store lacks it.
        let all_stored = known.is_some_and(|known| known.complete && whole.has(&known.root));
        let stored = |file: &FileRecord| {
            all_stored || file.kind == EntryKind::Directory || holds_content(store, file.id, file.manifest)
        };
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

/// Writes pointers and ignore lines, and stages them.
fn name_versions(
    workspace: &Workspace,
    versions: &[Version],
    stage: bool,
) -> Result<Vec<RepoPath>, AddError> {
    let repository = workspace.repository();
    let mut written = Vec::new();
    let temporaries = repository.temporaries()?;
    for version in versions {
        let path = pointer_file(&version.target.path)?;
        if version.target.before.as_ref() != Some(&version.pointer) {
            write_pointer(workspace, &temporaries, &path, &version.pointer)?;
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
pub fn write_pointer(
    workspace: &Workspace,
    temporaries: &Temporaries,
    path: &RepoPath,
    pointer: &Pointer,
) -> Result<(), DurableError> {
    let target = path.under(workspace.top());
    durable::write_through(temporaries.for_target(&target), &target, pointer.to_text().as_bytes())
}
