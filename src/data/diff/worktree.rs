//! The data in the work tree as one side of a diff: what `git mldata add` would make of it.

use crate::base::{Progress, RepoPath};
use crate::data::compose::{self, Taking, compose};
use crate::data::content::MadeNodes;
use crate::data::root::RootName;
use crate::data::status::counts;
use crate::data::workspace::Workspace;
use crate::data::worktree::{Files, PathRecord, PathState, SnapshotError, WorktreeRecord, compare};
use crate::objects::pointer::{Pointer, PointerKind};

use super::error::DiffError;
use super::side::Version;

/// What lies in the work tree of a version.
#[derive(Debug, Clone)]
pub(super) struct OnDisk {
    /// Files, links and empty directories by path below; a file itself under the empty path.
    pub(super) files: Files,
    /// The modified directory as a tree, of what is on the disk and what was never brought here.
    pub(super) made: Option<Made>,
    /// It was written from another version than the pointer names.
    pub(super) stale: bool,
}

/// A tree that was made and not stored.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// Its nodes; those of directories that are not here at all may lie in the store or nowhere.
    pub(super) nodes: MadeNodes,
    /// Its files and links.
    pub(super) files: u64,
}

/// The version of `path` in the work tree, where `pointer` is its pointer there. What is absent is as the pointer says.
///
/// # Errors
///
/// [`DiffError::Snapshot`], [`DiffError::Compose`].
pub(super) fn version(
    workspace: &Workspace,
    record: &WorktreeRecord,
    path: &RepoPath,
    pointer: &Pointer,
    progress: &Progress,
) -> Result<Version, DiffError> {
    let named = RootName::from(pointer);
    let (files, _) = counts(workspace.store(), pointer);
    let (state, snapshot) =
        compare(workspace.store(), workspace.top(), path, record, &named, files, progress)?;
    let Some(snapshot) = snapshot else { return Ok(Version::of_pointer(pointer.clone())) };
    let known = record.get(path);
    let stale = known.is_some_and(|known| !known.root.is_same(&named));
    let unmodified = |root, pointer| {
        let disk = OnDisk { files: snapshot.files.clone(), made: None, stale };
        Version { root, pointer, disk: Some(disk) }
    };
    match (state, known) {
        (PathState::Absent | PathState::Same | PathState::Partial { .. }, _) => {
            let mut version = unmodified(named, Some(pointer.clone()));
            version.disk.iter_mut().for_each(|disk| disk.stale = false);
            Ok(version)
        }
        (PathState::Stale { .. }, Some(known)) => Ok(unmodified(known.root, None)),
        _ => modified(workspace, path, &named, known, snapshot.files, stale),
    }
}

/// The version that the files on the disk make, together with those that were never brought here.
fn modified(
    workspace: &Workspace,
    path: &RepoPath,
    named: &RootName,
    known: Option<&PathRecord>,
    files: Files,
    stale: bool,
) -> Result<Version, DiffError> {
    if let Some(file) = files.get(b"") {
        let (id, manifest, size) = (file.id, file.manifest, file.fingerprint.size);
        let root = RootName { kind: PointerKind::File, id, manifest, size };
        return Ok(Version { root, pointer: None, disk: Some(OnDisk { files, made: None, stale }) });
    }
    let scopes = [Vec::new()];
    let on_disk = compose::OnDisk { path, scopes: &scopes, files: &files, mixed: false };
    // Without a record nothing proves that a file was deleted: then none was.
    let nothing_known = PathRecord { root: *named, files: Files::default(), complete: false };
    let known = known.unwrap_or(&nothing_known);
    let composed = compose(workspace.store(), &on_disk, Some(named), Some(known), Taking::Disk)?;
    let mut nodes = MadeNodes::new();
    let mut put = |id, node: &[u8]| {
        nodes.insert(id, node.to_vec());
        Ok(())
    };
    let made = composed.store(&path.under(workspace.top()), workspace.store(), Some(named), &files, &mut put);
    let made = made.map_err(|source| DiffError::Snapshot(SnapshotError::Write(source)))?;
    let root = RootName { kind: PointerKind::Tree, id: made.id, manifest: None, size: made.size };
    let made = Some(Made { nodes, files: made.files });
    Ok(Version { root, pointer: None, disk: Some(OnDisk { files, made, stale }) })
}
