//! One path, brought in step with a version.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;

use serde::Serialize;

use crate::base::{Digest, Progress, RepoPath};
use crate::data::compose::is_within;
use crate::data::content::{WalkError, holds_content};
use crate::data::kept::Kept;
use crate::data::remotes::is_only_copy;
use crate::data::root::RootName;
use crate::data::workspace::Workspace;
use crate::data::worktree::{
    FileRecord, Files, FilesBuilder, Fingerprint, PathRecord, WorktreeRecord, located, snapshot,
};
use crate::objects::tree::EntryKind;
use crate::storage::store::Store;

use super::apply::{ApplyError, Site, apply};
use super::copies::keep_copy;
use super::error::CheckoutError;
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
    if record.is_switched_by_another(path) {
        return Err(CheckoutError::Running(path.clone()));
    }
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
    if !plan.modified.is_empty() && record.is_switched_by_another(path) {
        return Err(CheckoutError::Running(path.clone()));
    }
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
fn result(
    version: &Files,
    disk: &Files,
    kept: &[(Range<usize>, usize)],
    written: &[(usize, Fingerprint)],
) -> Files {
    let mut files = FilesBuilder::default();
    let mut written = written.iter().peekable();
    let mut take_written = |end: usize, files: &mut FilesBuilder| {
        while let Some((place, stat)) = written.next_if(|(place, _)| *place < end) {
            let file = FileRecord { fingerprint: *stat, ..version.record_at(*place) };
            files.push(version.name_at(*place), &file);
        }
    };
    for (places, at) in kept {
        take_written(places.start, &mut files);
        files.extend(disk, *at..at + places.len());
    }
    take_written(version.len(), &mut files);
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

/// The files of a version; those that it has in common with what was materialised last are not looked at. Where only parts are wanted, directories of which nothing is wanted nor here are not looked
/// into.
fn version_files(
    store: &Store,
    root: &RootName,
    known: Option<&PathRecord>,
    wanted: Wanted<'_>,
) -> Result<Files, WalkError> {
    let Wanted::Below(parts) = wanted else { return root.files_beside(store, known) };
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

/// What the store lacks of what is to be written.
pub(super) fn missing(workspace: &Workspace, plan: &Plan) -> Option<Outcome> {
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

/// Leaves this much of a disk free, in bytes.
const SPARE: u64 = 16 << 20;

/// Refuses to begin what cannot end.
pub(super) fn check_space(workspace: &Workspace, path: &RepoPath, needed: u64) -> Result<(), CheckoutError> {
    match crate::storage::durable::free_space(workspace.top()) {
        Ok(free) if needed > 0 && needed.saturating_add(SPARE) > free => {
            Err(CheckoutError::NoSpace { path: path.clone(), needed, free })
        }
        _ => Ok(()),
    }
}
