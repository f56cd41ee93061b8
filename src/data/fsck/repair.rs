//! The repair: whole items are saved from damaged packs, these are set aside, and what was damaged or lost comes from a
//! remote or from the work tree.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use super::check::{Checked, FsckOptions, FsckReport, check};
use super::error::FsckError;
use crate::base::{Advice, Digest, Progress, RepoPath};
use crate::data::content::{Intake, store_tree};
use crate::data::remotes;
use crate::data::transfer::{Want, fetch_versions};
use crate::data::workspace::Workspace;
use crate::data::worktree::{Reading, Survey};
use crate::objects::item::ItemKind;

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Repair {
    /// Damaged or lost items that are here and whole again.
    pub items: u64,
    /// Damaged packs that stay set aside, because not all that was in them is here again.
    pub set_aside: Vec<String>,
    /// What went wrong on the way.
    pub troubles: Vec<String>,
}

/// Checks what the pointers name; with `repair`, brings back what can be brought back, and checks again. Returns what is the
/// matter now, and what the repair did.
///
/// # Errors
///
/// [`FsckError`] when it cannot be told, or when the store is in use and so nothing can be set aside.
pub fn fsck(
    workspace: &Workspace,
    options: &FsckOptions,
    progress: &Progress,
) -> Result<(FsckReport, Option<Repair>), FsckError> {
    let found = check(workspace, options, progress)?;
    if !options.repair || found.report.is_clean() {
        return Ok((found.report, None));
    }
    let mut repair = Repair::default();
    let aside = set_aside(workspace, &found)?;
    bring_back(workspace, &found, &mut repair, progress);
    let now = check(workspace, options, progress)?;
    repair.items = found.bad.difference(&now.bad).count() as u64;
    let damaged: HashSet<Digest> = found.faults.iter().flat_map(|fault| &fault.items).copied().collect();
    let all_known = found.faults.iter().all(|fault| !fault.items.is_empty());
    if all_known && damaged.is_disjoint(&now.bad) && now.report.is_clean() {
        // Everything of them that anybody needs is here again, and lasts.
        for file in aside {
            if let Err(error) = fs::remove_file(&file) {
                repair.troubles.push(format!("cannot remove '{}': {error}", file.display()));
            }
        }
    } else {
        repair.set_aside = aside.iter().map(|file| file.display().to_string()).collect();
    }
    Ok((now.report, Some(repair)))
}

/// Saves the whole items of damaged packs, and sets the packs aside.
fn set_aside(workspace: &Workspace, found: &Checked) -> Result<Vec<PathBuf>, FsckError> {
    if found.faults.is_empty() {
        return Ok(Vec::new());
    }
    let store = workspace.store();
    for fault in &found.faults {
        store.salvage(&fault.pack)?;
    }
    let packs: Vec<_> = found.faults.iter().map(|fault| fault.pack.clone()).collect();
    Ok(store.exclude()?.set_aside(&packs)?)
}

/// Fetches what is damaged or lost, and takes what no remote gave from the work tree.
fn bring_back(workspace: &Workspace, found: &Checked, repair: &mut Repair, progress: &Progress) {
    let wants: Vec<_> = found
        .hurt
        .iter()
        .map(|(path, root, files)| Want {
            path: path.clone(),
            root: *root,
            parts: files.iter().cloned().collect(),
        })
        .collect();
    let has_remotes = remotes::list(workspace).is_ok_and(|remotes| !remotes.is_empty());
    if has_remotes && let Err(error) = fetch_versions(workspace, None, &wants, progress) {
        repair.troubles.push(told("nothing was fetched", &error));
    }
    let is_here = |id: &Digest| workspace.store().contains(id);
    let mut paths: Vec<&RepoPath> = found.hurt.iter().map(|(path, ..)| path).collect();
    paths.dedup();
    for path in paths {
        if found.bad.iter().all(is_here) {
            break;
        }
        if let Err(error) = take_from_work_tree(workspace, path, progress) {
            repair.troubles.push(told(&format!("'{path}' was not read"), &error));
        }
    }
}

/// Puts what lies at `path` into the store, whatever the record says of it; names it nowhere.
fn take_from_work_tree(workspace: &Workspace, path: &RepoPath, progress: &Progress) -> Result<(), FsckError> {
    let _using = workspace.enter(progress)?;
    let Some(survey) = Survey::take(workspace.top(), path, None, &|_| true, &|_| false)? else {
        return Ok(());
    };
    let (record, intake) = (workspace.worktree_record(progress)?, Intake::new(workspace.store()));
    let files = survey.read(&record, None, Reading::Into(&intake), progress)?.files;
    if files.get(b"").is_none() {
        let leaves = files.iter().map(|(name, file)| (name, file.leaf()));
        let mut put = |id, node: &[u8]| intake.put(id, ItemKind::Tree, node);
        store_tree(&path.under(workspace.top()), leaves, &mut put)?;
    }
    Ok(intake.sync()?)
}

fn told(what: &str, error: &dyn Advice) -> String {
    let mut text = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
