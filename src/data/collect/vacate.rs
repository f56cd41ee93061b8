//! Data out of the work tree, without anybody ever taking it for deleted.
//!
//! The record says first that nothing of the path is here, then the files go one by one, each only if it is still the file
//! that was compared. So whoever looks in between sees files that are not recorded, never recorded files that are gone.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::drop::{DropSummary, Refused};
use super::error::CollectError;
use crate::base::{Progress, RepoPath};
use crate::data::root::RootName;
use crate::data::status::counts;
use crate::data::tracked;
use crate::data::workspace::Workspace;
use crate::data::worktree::{FilesBuilder, Fingerprint, PathRecord, PathState, compare, located};
use crate::objects::tree::EntryKind;

/// Removes what lies at `path`, whose pointer names `root`, if it is unmodified and a remote holds the version that it is of.
/// What stays is told in `summary`.
pub(super) fn vacate(
    workspace: &Workspace,
    path: &RepoPath,
    root: &RootName,
    held: &BTreeMap<RootName, String>,
    summary: &mut DropSummary,
    progress: &Progress,
) -> Result<(), CollectError> {
    let Some(pointer) = tracked::read(workspace, path)? else { return Ok(()) };
    if !RootName::from(&pointer).is_same(root) || !held.contains_key(root) {
        return Ok(());
    }
    let mut record = workspace.worktree_record(progress)?;
    let (files, _) = counts(workspace.store(), &pointer);
    let (state, found) = compare(workspace.store(), workspace.top(), path, &record, root, files, progress)?;
    let mut refuse = |why: &str| {
        let (path, version) = (path.clone(), root.id);
        summary.refused.push(Refused { path, version, why: why.to_owned(), not_held: false });
    };
    match state {
        PathState::Absent => return Ok(()),
        PathState::Same | PathState::Partial { .. } => {}
        PathState::Stale { .. } => {
            refuse("the work tree has another version of it: git mldata checkout");
            return Ok(());
        }
        PathState::Mixed => {
            refuse("a checkout of it was interrupted: git mldata checkout");
            return Ok(());
        }
        PathState::Modified { .. } => {
            refuse("it is modified in the work tree");
            return Ok(());
        }
    }
    let Some(found) = found else { return Ok(()) };
    if !summary.dry_run {
        record.set(
            path.clone(),
            PathRecord { root: *root, files: FilesBuilder::default().finish(), complete: false },
        );
        record.save(false)?;
    }
    let start = path.under(workspace.top());
    let mut changed = false;
    for (name, file) in found.files.iter() {
        if file.kind == EntryKind::Directory {
            continue;
        }
        let place = located(&start, name);
        let is_it =
            fs::symlink_metadata(&place).is_ok_and(|now| file.fingerprint.is_still(&Fingerprint::of(&now)));
        if !is_it {
            changed = true;
            continue;
        }
        (summary.files, summary.file_bytes) = (summary.files + 1, summary.file_bytes + file.fingerprint.size);
        if !summary.dry_run {
            fs::remove_file(&place).map_err(|source| CollectError::Remove { path: place, source })?;
        }
    }
    if changed {
        let (path, version) = (path.clone(), root.id);
        summary.refused.push(Refused {
            path,
            version,
            why: "it changed meanwhile".to_owned(),
            not_held: false,
        });
    }
    if !summary.dry_run {
        remove_empty_folders(&start)?;
    }
    Ok(())
}

/// Removes a folder and those below it, as far as nothing is in them.
fn remove_empty_folders(top: &Path) -> Result<(), CollectError> {
    let failed = |path: &Path, source| CollectError::Remove { path: path.to_owned(), source };
    let (mut folders, mut at): (Vec<PathBuf>, usize) = (Vec::new(), 0);
    if fs::symlink_metadata(top).is_ok_and(|found| found.is_dir()) {
        folders.push(top.to_owned());
    }
    while let Some(folder) = folders.get(at).cloned() {
        at += 1;
        for entry in fs::read_dir(&folder).map_err(|source| failed(&folder, source))? {
            let entry = entry.map_err(|source| failed(&folder, source))?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
    for folder in folders.iter().rev() {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            removed => removed.map_err(|source| failed(folder, source))?,
        }
    }
    Ok(())
}
