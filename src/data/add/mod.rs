//! Takes data into the store and writes its pointer.
//!
//! What a demanding user expects: the data itself is never moved, changed or read twice without need; when something
//! fails, nothing is half done and the message names the file; a second `add` costs what changed; a directory of which
//! only a part is here keeps the rest; pointer and ignore line are staged, as `git add` stages.
//!
//! Order: contents into packs, packs durable, then pointers, then ignore lines, then the index, last the record. Several
//! commands may add at once: all but the reading of data, which takes long, they do one after the other, and who finds that
//! the pointer which his version came from was written meanwhile makes another version from the new one.

mod arrival;
mod error;
mod in_place;
mod version;

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

use crate::base::{Digest, Progress, RepoPath};
use crate::data::compose::Taking;
use crate::data::content::{Intake, WholeRoots, WriteError, holds_content};
use crate::data::remotes;
use crate::data::root::RootName;
use crate::data::tracked;
use crate::data::transfer::{push_sent_ahead, send_ahead};
use crate::data::workspace::Workspace;
use crate::data::worktree::{FileRecord, PathRecord, ScanError, SnapshotError, Survey, WorktreeRecord};
use crate::git::{Temporaries, pointer_file};
use crate::objects::pointer::{Pointer, PointerKind, SUFFIX};
use crate::objects::tree::EntryKind;
use crate::storage::durable::{self, DurableError};

pub use arrival::{Arrival, SOURCE, take_over};
pub use error::AddError;

use error::SPARE;
use version::{Site, Target, Version, store_version};

/// How often a version is made anew because its pointer was written meanwhile.
const TRIES: u32 = 10;

/// How to add.
#[derive(Debug, Clone, Copy)]
pub struct AddOptions {
    /// What is not here of a directory is to be dropped.
    pub all: bool,
    /// A path that Git's history tracks gets a pointer beside it all the same.
    pub sidecar: bool,
    /// A file that Git's history tracks is tracked in place from now on; otherwise it is refused.
    pub in_place: bool,
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
    /// Pairs of new files or folders, by path from the top, whose names are one where case or the form of letters does not
    /// count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub colliding: Vec<(String, String)>,
    /// Whether the pointer lies under the path itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub in_place: bool,
}

/// What an add did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AddSummary {
    /// One for each tracked path, in order.
    pub added: Vec<Added>,
    /// What was staged.
    pub staged: Vec<RepoPath>,
    /// Bytes by which the store grew.
    pub stored: u64,
    /// Bytes of files that the store keeps as clones, which share their blocks with the files.
    pub cloned: u64,
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
    let (in_place, beside) = in_place::split(workspace, paths, options)?;
    let mut summary = match beside.as_slice() {
        [] => AddSummary::default(),
        beside => add_beside(workspace, beside, options, progress)?,
    };
    if !in_place.is_empty() {
        in_place::add_in_place(workspace, &in_place, options, &mut summary)?;
    }
    Ok(summary)
}

fn add_beside(
    workspace: &Workspace,
    paths: &[RepoPath],
    options: AddOptions,
    progress: &Progress,
) -> Result<AddSummary, AddError> {
    let intake = match workspace.repository().setting_switch("mldata.reflink") {
        Some(false) => Intake::new(workspace.store()),
        _ => Intake::cloning(workspace.store()),
    };
    let once = || add_through(workspace, &intake, paths, options.into(), &mut |_| Ok(()), progress);
    for _ in 1..TRIES {
        match once() {
            Err(AddError::PointerMoved(_)) => {}
            done => return done,
        }
    }
    once()
}

/// As [`add`], for a disk that cannot hold the data twice: new chunks go to the remote `remote` while they are read, and
/// pointers are written when the versions are on it.
///
/// # Errors
///
/// [`AddError`]; [`AddError::Transfer`] when the remote does not take them.
pub fn add_to(
    workspace: &Workspace,
    remote: &str,
    paths: &[RepoPath],
    options: AddOptions,
    progress: &Progress,
) -> Result<AddSummary, AddError> {
    send_ahead(workspace, remote, |ahead| {
        let intake = Intake::sending_chunks(workspace.store(), ahead);
        let mut publish = |versions: &mut Vec<Version>| {
            ahead.finish()?;
            let named = versions.iter().map(Version::as_named).collect();
            push_sent_ahead(workspace, remote, named, progress)?;
            Ok(())
        };
        add_through(workspace, &intake, paths, options.into(), &mut publish, progress)
    })
}

/// How to add, and what Git tracked so far.
#[derive(Clone, Copy)]
struct How<'a> {
    options: AddOptions,
    from_git: &'a [RepoPath],
}

impl From<AddOptions> for How<'_> {
    fn from(options: AddOptions) -> Self {
        Self { options, from_git: &[] }
    }
}

/// What is done with versions that are in the store, before anything names them.
type Publish<'a> = &'a mut dyn FnMut(&mut Vec<Version>) -> Result<(), AddError>;

/// Adds what goes through `intake`; `publish` is called before anything names the versions.
fn add_through(
    workspace: &Workspace,
    intake: &Intake<'_>,
    paths: &[RepoPath],
    how: How<'_>,
    publish: Publish<'_>,
    progress: &Progress,
) -> Result<AddSummary, AddError> {
    let options = how.options;
    let _using = workspace.enter(progress)?;
    let (targets, mut record) = {
        let _alone = workspace.hold_pointers()?;
        (find_targets(workspace, paths)?, workspace.worktree_record(progress)?)
    };
    refuse_what_git_tracks(workspace, &targets, how)?;
    let mut whole = WholeRoots::open(workspace.store());
    let surveyed = survey(workspace, targets, &record, &whole)?;
    check_space(workspace, intake, &surveyed)?;
    let taking = if options.all { Taking::DiskAlone } else { Taking::Changes };
    let site = Site { workspace, intake, record: &record, whole: &whole, taking };
    let mut versions = store_versions(&site, surveyed, progress)?;
    intake.sync()?;
    publish(&mut versions)?;
    let _alone = workspace.hold_pointers()?;
    refuse_moved(workspace, &versions)?;
    let staged = name_versions(workspace, &versions, how)?;
    let mut added = Vec::new();
    for version in versions {
        let before = version.target.before.as_ref().map(RootName::from);
        let known = record.get(&version.target.path);
        let is_elsewhere = !intake.fills_the_disk() || relies_on_remote(workspace, &whole, known);
        let is_here = version.added.absent == 0 || before.is_some_and(|before| whole.has(&before));
        if is_here && !is_elsewhere {
            whole.note(&RootName::from(&version.pointer));
        }
        let Version { target: Target { path, .. }, record: known, .. } = version;
        let (files, complete) = (known.files.clone(), known.complete);
        record.set(path.clone(), known);
        if complete {
            record.end_switch(&path);
            record.note_seen(&path, &files);
        }
        added.push(version.added);
    }
    record.save(false)?;
    // Not being able to note it costs the next command some time, nothing else.
    let _ = whole.save();
    Ok(AddSummary { added, staged, stored: intake.stored(), cloned: intake.cloned() })
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
    let record = workspace.worktree_record(progress)?;
    let intake = Intake::new(workspace.store());
    let whole = WholeRoots::open(workspace.store());
    let taking = Taking::Disk;
    let site = Site { workspace, intake: &intake, record: &record, whole: &whole, taking };
    let surveyed = survey(workspace, vec![target], &record, &whole)?;
    check_space(workspace, &intake, &surveyed)?;
    let versions = store_versions(&site, surveyed, progress)?;
    intake.sync()?;
    let version = versions.first().ok_or_else(|| AddError::Absent(path.clone()))?;
    Ok(RootName::from(&version.pointer))
}

/// Puts the new versions of all targets into the store. Of files that cannot be read all are named.
fn store_versions(
    site: &Site<'_>,
    surveyed: Vec<(Target, Survey)>,
    progress: &Progress,
) -> Result<Vec<Version>, AddError> {
    let (mut versions, mut failed) = (Vec::new(), Vec::new());
    for (target, survey) in surveyed {
        match store_version(site, target, survey, progress) {
            Ok(version) => versions.push(version),
            Err(AddError::Snapshot(SnapshotError::Write(error))) if error.is_of_file() => failed.push(error),
            Err(error) => return Err(error),
        }
    }
    WriteError::united(failed).map_or(Ok(versions), |error| Err(SnapshotError::Write(error).into()))
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

fn refuse_what_git_tracks(workspace: &Workspace, targets: &[Target], how: How<'_>) -> Result<(), AddError> {
    let repository = workspace.repository();
    let new: Vec<_> = targets.iter().filter(|target| target.before.is_none()).collect();
    for target in &new {
        let below = repository.tracked_below(&target.path)?;
        if fs::symlink_metadata(target.path.under(workspace.top()).join(".git")).is_ok() {
            return Err(ScanError::NestedRepository(target.path.under(workspace.top())).into());
        }
        let inner = below.iter().filter(|inner| inner.as_str().ends_with(SUFFIX));
        let inner: Vec<_> = inner.map(tracked::without_suffix).collect();
        if !inner.is_empty() {
            return Err(AddError::Nested { path: target.path.clone(), inner });
        }
        let taken_over = how.from_git.contains(&target.path) && below == [target.path.clone()];
        if !below.is_empty() && !taken_over {
            return Err(AddError::TrackedByGit(target.path.clone()));
        }
    }
    let paths: Vec<_> = new.iter().map(|target| target.path.clone()).collect();
    repository.refuse_unignorable(&paths)?;
    if !how.options.sidecar
        && let Some(path) = repository.tracked_in_history(&paths)?.into_iter().next()
    {
        return Err(AddError::InHistory(path));
    }
    Ok(())
}

/// Whether the contents of the version that is here need not be in the store, for a remote holds it.
fn relies_on_remote(workspace: &Workspace, whole: &WholeRoots<'_>, known: Option<&PathRecord>) -> bool {
    let version = known.filter(|known| known.complete && !whole.has(&known.root));
    version.is_some_and(|known| !remotes::holders(workspace, &known.root.id).is_empty())
}

/// Looks at what lies at all targets. Of what is no data all is named.
fn survey(
    workspace: &Workspace,
    targets: Vec<Target>,
    record: &WorktreeRecord,
    whole: &WholeRoots<'_>,
) -> Result<Vec<(Target, Survey)>, AddError> {
    let store = workspace.store();
    let (mut surveyed, mut refused) = (Vec::new(), Vec::new());
    for target in targets {
        let known = record.get(&target.path);
        // A content for which a stat vouches is read again when the store lacks it, and no remote is known to have it.
        let all_stored = known.is_some_and(|known| known.complete && whole.has(&known.root))
            || relies_on_remote(workspace, whole, known);
        let stored = |file: &FileRecord| {
            let is_stored = all_stored
                || file.kind == EntryKind::Directory
                || holds_content(store, file.id, file.manifest);
            is_stored && record.vouches(file)
        };
        let covers = |name: &[u8]| target.covers(name);
        match Survey::take(workspace.top(), &target.path, known, &covers, &stored) {
            Ok(Some(survey)) => surveyed.push((target, survey)),
            Ok(None) => return Err(AddError::Absent(target.path)),
            Err(error) => refused.push(error),
        }
    }
    ScanError::united(refused).map_or(Ok(surveyed), |error| Err(error.into()))
}

/// Compares what may have to be stored with what is free on the disk of the store, before the first byte.
fn check_space(
    workspace: &Workspace,
    intake: &Intake<'_>,
    surveyed: &[(Target, Survey)],
) -> Result<(), AddError> {
    if !intake.fills_the_disk() {
        return Ok(());
    }
    let needed = surveyed.iter().map(|(_, survey)| survey.unread_bytes()).sum::<u64>();
    // The folder of the store may not be there yet.
    let place = workspace.store().path().ancestors().find(|folder| folder.is_dir());
    let free = durable::free_space(place.unwrap_or(workspace.common_dir()))?;
    let is_short = |needed: u64| needed > 0 && needed.saturating_add(SPARE) > free;
    if !is_short(needed) {
        return Ok(());
    }
    let files = surveyed.iter().flat_map(|(_, survey)| survey.unread_files());
    let clones = files.filter(|(path, size)| intake.can_clone(path, *size)).map(|(_, size)| size);
    let needed = needed.saturating_sub(clones.sum());
    if is_short(needed) { Err(AddError::NoSpace { needed, free }) } else { Ok(()) }
}

/// Refuses versions that came from pointers which say something else by now.
fn refuse_moved(workspace: &Workspace, versions: &[Version]) -> Result<(), AddError> {
    for Version { target, pointer, .. } in versions {
        let now = tracked::read(workspace, &target.path)?;
        if now != target.before && now.as_ref() != Some(pointer) {
            return Err(AddError::PointerMoved(target.path.clone()));
        }
    }
    Ok(())
}

/// Writes pointers and ignore lines, and stages them.
fn name_versions(
    workspace: &Workspace,
    versions: &[Version],
    how: How<'_>,
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
    if !how.options.stage {
        return Ok(Vec::new());
    }
    repository.unstage(how.from_git)?;
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
