//! Copies of files that are to be replaced, so that they can be had again.

use std::collections::BTreeMap;

use crate::base::{Progress, RepoPath};
use crate::data::content::{self, Intake};
use crate::data::kept::{self, Kept};
use crate::data::root::RootName;
use crate::data::workspace::Workspace;
use crate::data::worktree::{FileRecord, Files, WorktreeRecord, located, snapshot};
use crate::objects::item::ItemKind;
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeEntry};

use super::apply::{Site, apply};
use super::error::CheckoutError;
use super::path::{Outcome, check_space, missing};
use super::plan::{Wanted, plan};

/// Stores the modified files and notes them; only these very files may be replaced afterwards.
///
/// # Errors
///
/// [`CheckoutError`].
pub(super) fn keep_copy(
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
