//! One path, brought in step with a version.

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

use crate::base::{Advice, Bytes, Digest, Progress, RepoPath, typed};
use crate::data::compose::is_within;
use crate::data::content::{self, Intake, WalkError, WriteError, holds_content};
use crate::data::kept::{self, Kept, KeptError};
use crate::data::remotes::is_only_copy;
use crate::data::root::RootName;
use crate::data::workspace::Workspace;
use crate::data::worktree::{
    FileRecord, Files, FilesBuilder, Fingerprint, PathRecord, SnapshotError, WorktreeRecord, located,
    snapshot,
};
use crate::git::GitError;
use crate::objects::item::ItemKind;
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeEntry};
use crate::storage::durable::DurableError;
use crate::storage::store::{Store, StoreError};

use super::apply::{ApplyError, Site, apply};
use super::plan::{Plan, Wanted, plan};

/// How modified files are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modified {
    /// They stay, and the path is left as it is.
    Refuse,
    /// A copy of them is kept, then they are replaced.
    KeepCopy,
}

/// How to check out.
#[derive(Debug, Clone, Copy)]
pub struct CheckoutOptions {
    /// What happens to modified files.
    pub modified: Modified,
    /// Whether links may lead out of the tracked path.
    pub outside_links: bool,
}

/// What a checkout did at one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is as the version says.
    Done {
        /// Files written.
        written: u64,
        /// Their bytes.
        bytes: u64,
        /// Files removed.
        removed: u64,
        /// The copy of modified or damaged files that were replaced.
        kept: Option<Kept>,
        /// Files that held other bytes than were written although nobody wrote to them, as a power cut leaves them, by path
        /// from the top of the work tree.
        mended: Vec<String>,
    },
    /// Modified files would be lost; nothing was touched.
    Modified {
        /// The version that they were modified from, if known.
        since: Option<Digest>,
        /// The files, by path from the top of the work tree.
        files: Vec<String>,
    },
    /// The store lacks content; nothing was touched.
    Missing {
        /// Files whose content is missing; `None` when not even the tree is here.
        files: Option<u64>,
        /// Their bytes.
        bytes: u64,
    },
}

/// Why a path could not be checked out.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// What is there cannot be told.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The version cannot be followed.
    #[error("the version of '{path}' cannot be read")]
    Version {
        /// The path.
        path: RepoPath,
        /// Why.
        #[source]
        source: WalkError,
    },
    /// Files cannot be written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A copy of modified files cannot be kept; they were not touched.
    #[error(transparent)]
    Keep(#[from] KeptError),
    /// A copy of modified files cannot be stored; they were not touched.
    #[error(transparent)]
    Copy(#[from] WriteError),
    /// A copy of modified files cannot be made durable; they were not touched.
    #[error("cannot keep a copy of '{path}'; it was not touched")]
    Store {
        /// The path.
        path: RepoPath,
        /// The store's answer.
        #[source]
        source: StoreError,
    },
    /// It cannot be noted where the path goes.
    #[error("cannot note which version '{path}' is to have; nothing was changed")]
    Note {
        /// The path.
        path: RepoPath,
        /// Why.
        #[source]
        source: DurableError,
    },
    /// Not enough space.
    #[error("'{path}' needs {}, and {} are free; nothing was written", Bytes(*needed), Bytes(*free))]
    NoSpace {
        /// The path.
        path: RepoPath,
        /// Bytes to be written.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The version holds a file of Git's own, which data never brings.
    #[error("'{path}' holds '{name}', which would change how Git works; nothing was written")]
    GitFile {
        /// The path.
        path: RepoPath,
        /// The file.
        name: String,
    },
    /// The folder for temporary files cannot be made.
    #[error(transparent)]
    Temporary(#[from] GitError),
}

impl Advice for CheckoutError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Snapshot(error) => error.hints(),
            Self::Version { source, .. } => source.hints(),
            Self::Apply(error) => error.hints(),
            Self::Keep(error) => error.hints(),
            Self::Copy(error) => error.hints(),
            Self::Store { source, .. } => source.hints(),
            Self::Note { source, .. } => source.hints(),
            Self::NoSpace { path, .. } => {
                vec![
                    format!("take a part: git mldata checkout {path}/SUBFOLDER", path = typed(path)),
                    "or free some space".into(),
                ]
            }
            Self::Temporary(error) => error.hints(),
            Self::GitFile { .. } => Vec::new(),
        }
    }
}

/// Brings `path` in step with `root`, as far as `wanted` says. The caller saves the record.
///
/// # Errors
///
/// [`CheckoutError`]; what is missing or modified is an [`Outcome`], not an error.
pub fn checkout_path(
    workspace: &Workspace,
    record: &mut WorktreeRecord,
    path: &RepoPath,
    root: &RootName,
    wanted: Wanted<'_>,
    options: CheckoutOptions,
    progress: &Progress,
) -> Result<Outcome, CheckoutError> {
    let version = match version_files(workspace.store(), root, record.get(path), wanted) {
        Ok(version) => version,
        Err(error) if error.is_missing() => return Ok(Outcome::Missing { files: None, bytes: root.size }),
        Err(source) => return Err(CheckoutError::Version { path: path.clone(), source }),
    };
    refuse_git_files(path, &version)?;
    let top = workspace.top();
    let known = record.get(path);
    let found = snapshot(top, path, record, known, progress)?;
    let mut disk = found.map(|found| found.files).unwrap_or_default();
    let mut plan = plan(&version, &disk, known, wanted);
    plan.tell_damaged(&record.damaged(path, &disk));
    if let Some(missing) = missing(workspace, &plan) {
        return Ok(missing);
    }
    spare_only_copies(workspace, &mut plan, &disk, known);
    if !plan.modified.is_empty() && options.modified == Modified::Refuse {
        return Ok(refused(path, &plan, known));
    }
    let mended = plan.damaged.keys().map(|name| shown(path, name)).collect();
    let replaced: BTreeMap<_, _> = plan.modified.iter().chain(&plan.damaged).collect();
    let kept = match replaced.is_empty() {
        true => None,
        false => Some(keep_copy(workspace, path, &replaced, &mut disk)?),
    };
    let bytes = plan.write.bytes();
    check_space(workspace, path, bytes)?;
    let (written, removed) = (plan.write.len() as u64, plan.remove.len() as u64);
    if written + removed > 0 {
        let parts = parts(wanted, known, &version);
        let noted = record.begin_switch(path, *root, parts);
        noted.map_err(|source| CheckoutError::Note { path: path.clone(), source })?;
    }
    let temporaries = workspace.repository().temporaries()?;
    let target = path.under(top);
    let outside_links = options.outside_links;
    let (store, found) = (workspace.store(), &disk);
    let site = Site { top, path, temporary: temporaries.for_target(&target), store, outside_links, found };
    let applied = apply(&site, &plan, progress);
    if let Some(error) = applied.failed {
        // What was done is noted: a file that is gone because of this was not deleted by anybody.
        if let Some(known) = record.get(path).cloned() {
            let files = known.files.filter(|name| !applied.removed.contains(name));
            let files = files.overlaid(&result(&version, &disk, &[], &applied.written));
            record.set(path.clone(), PathRecord { root: known.root, files, complete: false });
        }
        return Err(error.into());
    }
    let files = result(&version, &disk, &plan.keep, &applied.written);
    let complete = matches!(wanted, Wanted::All) && files.len() == version.len();
    record.end_switch(path);
    record.set(path.clone(), PathRecord { root: *root, files: files.clone(), complete });
    record.note_seen(path, &files);
    Ok(Outcome::Done { written, bytes, removed, kept, mended })
}

/// What lies there afterwards: files that were kept as they were on the disk, and files that were written with their stats;
/// both by their places in the version, in order.
fn result(version: &Files, disk: &Files, kept: &[(usize, usize)], written: &[(usize, Fingerprint)]) -> Files {
    let mut files = FilesBuilder::default();
    files.reserve(kept.len() + written.len());
    let (mut kept, mut written) = (kept.iter().peekable(), written.iter().peekable());
    for place in 0..version.len() {
        let stat = if let Some((_, at)) = kept.next_if(|(kept, _)| *kept == place) {
            disk.record_at(*at).fingerprint
        } else if let Some((_, stat)) = written.next_if(|(written, _)| *written == place) {
            *stat
        } else {
            continue;
        };
        files.push(version.name_at(place), &FileRecord { fingerprint: stat, ..version.record_at(place) });
    }
    files.finish()
}

/// Unmodified files may be replaced because they can be had again. Those of which that is not so count as modified.
fn spare_only_copies(workspace: &Workspace, plan: &mut Plan, disk: &Files, known: Option<&PathRecord>) {
    let Some(known) = known else { return };
    let touched = plan.write.iter().map(|(name, _)| name).chain(plan.remove.iter().map(Vec::as_slice));
    let touched = touched.filter(|name| !plan.damaged.contains_key(*name));
    let touched: Vec<_> = touched.filter_map(|name| Some((name.to_owned(), disk.get(name)?))).collect();
    if is_only_copy(workspace, &known.root, touched.iter().map(|(_, file)| *file)) {
        let lost = touched.into_iter().filter(|(_, file)| {
            file.kind != EntryKind::Directory && !holds_content(workspace.store(), file.id, file.manifest)
        });
        plan.modified.extend(lost);
    }
}

/// Removes the files of `known`, which the caller found unmodified, and the folders that are empty then.
///
/// # Errors
///
/// [`ApplyError`].
pub fn clear(workspace: &Workspace, path: &RepoPath, known: &PathRecord) -> Result<(), ApplyError> {
    let (top, store) = (workspace.top(), workspace.store());
    let plan = Plan { remove: known.files.names().map(<[u8]>::to_vec).collect(), ..Plan::default() };
    let start = path.under(top);
    let found = known.files.iter().filter_map(|(name, file)| {
        let metadata = fs::symlink_metadata(located(&start, name)).ok()?;
        Some((name.to_owned(), FileRecord { fingerprint: Fingerprint::of(&metadata), ..file }))
    });
    let found = Files::from(found.collect::<BTreeMap<_, _>>());
    let site = Site { top, path, temporary: top, store, outside_links: false, found: &found };
    if let Some(error) = apply(&site, &plan, &Progress::hidden()).failed {
        return Err(error);
    }
    // The folder itself, if nothing else lies in it.
    let _ = fs::remove_dir(path.under(top));
    Ok(())
}

/// The files of a version. Where only parts are wanted, directories of which nothing is wanted nor here are not looked
/// into.
fn version_files(
    store: &Store,
    root: &RootName,
    known: Option<&PathRecord>,
    wanted: Wanted<'_>,
) -> Result<Files, WalkError> {
    let Wanted::Below(parts) = wanted else { return root.files(store, &|_| true) };
    root.files(store, &|path| {
        let wanted = parts.iter().any(|part| is_within(path, part) || is_within(part, path));
        wanted || known.is_some_and(|known| known.files.contains(path) || known.files.has_below(path))
    })
}

/// Which parts of a version are wanted, in a way that holds whatever is here later; none: all.
fn parts(wanted: Wanted<'_>, known: Option<&PathRecord>, version: &Files) -> Vec<Vec<u8>> {
    match (wanted, known) {
        (Wanted::All, _) | (Wanted::AsBefore { .. }, None) => Vec::new(),
        (Wanted::Below(parts), _) => parts.to_vec(),
        (Wanted::AsBefore { last }, Some(known)) if known.files.len() >= last => Vec::new(),
        // What is here is wanted with any part.
        (Wanted::AsBefore { .. }, Some(known)) => {
            let stays = known.files.names().find(|name| version.contains(name));
            stays.or(known.files.names().next()).map(<[u8]>::to_vec).into_iter().collect()
        }
    }
}

/// Files by which Git itself would be steered.
const GIT_FILES: [&[u8]; 3] = [b".gitattributes", b".gitignore", b".gitmodules"];

fn refuse_git_files(path: &RepoPath, version: &Files) -> Result<(), CheckoutError> {
    let is_git_file = |name: &[u8]| {
        let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        GIT_FILES.iter().any(|file| last.eq_ignore_ascii_case(file))
    };
    match version.names().find(|name| is_git_file(name)) {
        None => Ok(()),
        Some(name) => {
            let name = String::from_utf8_lossy(name).into_owned();
            Err(CheckoutError::GitFile { path: path.clone(), name })
        }
    }
}

fn missing(workspace: &Workspace, plan: &Plan) -> Option<Outcome> {
    let lacks = |file: &FileRecord| {
        file.kind != EntryKind::Directory && !holds_content(workspace.store(), file.id, file.manifest)
    };
    let lacking = plan.write.iter().map(|(_, file)| file).filter(lacks);
    let (files, bytes) = lacking.fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.size()));
    (files > 0).then_some(Outcome::Missing { files: Some(files), bytes })
}

fn refused(path: &RepoPath, plan: &Plan, known: Option<&PathRecord>) -> Outcome {
    let files = plan.modified.keys().map(|name| shown(path, name)).collect();
    Outcome::Modified { since: known.map(|known| known.root.id), files }
}

/// The file `name` of a tracked path, for people.
fn shown(path: &RepoPath, name: &[u8]) -> String {
    match name {
        b"" => path.to_string(),
        name => format!("{path}/{}", String::from_utf8_lossy(name)),
    }
}

/// Stores the modified files and notes them; only these very files may be replaced afterwards.
fn keep_copy(
    workspace: &Workspace,
    path: &RepoPath,
    modified: &BTreeMap<&Vec<u8>, &FileRecord>,
    disk: &mut Files,
) -> Result<Kept, CheckoutError> {
    let store = workspace.store();
    let failed = |source| CheckoutError::Store { path: path.clone(), source };
    let intake = Intake::new(store);
    let start = path.under(workspace.top());
    let (mut leaves, mut looked_at) = (BTreeMap::new(), BTreeMap::new());
    for (name, file) in modified {
        let at = located(&start, name);
        let mut copy = **file;
        match file.kind {
            EntryKind::File => {
                let (content, fingerprint) = content::store_file(&at, &intake, &Progress::hidden())?;
                (copy.id, copy.manifest, copy.fingerprint) = (content.id, content.manifest, fingerprint);
                looked_at.insert((*name).clone(), copy);
            }
            EntryKind::Link => copy.id = content::store_link(&at, &intake)?.id,
            EntryKind::Directory | EntryKind::Split => {}
        }
        leaves.insert((*name).clone(), copy.leaf());
    }
    *disk = disk.overlaid(&Files::from(looked_at));
    let root = match leaves.get(&b""[..]) {
        Some(TreeEntry { id, manifest, size, .. }) => {
            RootName { kind: PointerKind::File, id: *id, manifest: *manifest, size: *size }
        }
        None => {
            let mut put = |id, node: &[u8]| intake.put(id, ItemKind::Tree, node);
            let tree = content::store_tree(
                &start,
                leaves.iter().map(|(name, leaf)| (name.as_slice(), leaf.clone())),
                &mut put,
            )?;
            RootName { kind: PointerKind::Tree, id: tree.id, manifest: None, size: tree.size }
        }
    };
    intake.sync().map_err(failed)?;
    Ok(kept::note(workspace.common_dir(), path, &root, workspace.now())?)
}

/// Leaves this much of a disk free, in bytes.
const SPARE: u64 = 16 << 20;

fn check_space(workspace: &Workspace, path: &RepoPath, needed: u64) -> Result<(), CheckoutError> {
    match crate::storage::durable::free_space(workspace.top()) {
        Ok(free) if needed > 0 && needed.saturating_add(SPARE) > free => {
            Err(CheckoutError::NoSpace { path: path.clone(), needed, free })
        }
        _ => Ok(()),
    }
}

/// Brings a kept copy back to where it lay. What is there now is kept likewise, if it is modified.
///
/// # Errors
///
/// [`CheckoutError`].
pub fn checkout_kept(
    workspace: &Workspace,
    record: &WorktreeRecord,
    kept: &Kept,
    path: &RepoPath,
    progress: &Progress,
) -> Result<Outcome, CheckoutError> {
    let version = kept
        .root()
        .files(workspace.store(), &|_| true)
        .map_err(|source| CheckoutError::Version { path: path.clone(), source })?;
    let known = record.get(path);
    let found = snapshot(workspace.top(), path, record, known, progress)?;
    let mut disk = found.map(|found| found.files).unwrap_or_default();
    let mut plan = plan(&version, &disk, known, Wanted::All);
    plan.remove.clear();
    plan.modified.retain(|name, _| plan.write.get(name).is_some());
    if let Some(missing) = missing(workspace, &plan) {
        return Ok(missing);
    }
    let replaced = match plan.modified.is_empty() {
        true => None,
        false => Some(keep_copy(workspace, path, &plan.modified.iter().collect(), &mut disk)?),
    };
    let bytes = plan.write.bytes();
    check_space(workspace, path, bytes)?;
    let written = plan.write.len() as u64;
    let temporaries = workspace.repository().temporaries()?;
    let target = path.under(workspace.top());
    let (top, store) = (workspace.top(), workspace.store());
    let temporary = temporaries.for_target(&target);
    let site = Site { top, path, temporary, store, outside_links: true, found: &disk };
    if let Some(error) = apply(&site, &plan, progress).failed {
        return Err(error.into());
    }
    // The record keeps saying what was written last *of a version*: so these files show as modified, as they are.
    Ok(Outcome::Done { written, bytes, removed: 0, kept: replaced, mended: Vec::new() })
}
