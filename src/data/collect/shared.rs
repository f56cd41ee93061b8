//! Which clones of the store still share their blocks with a work tree: these cost nothing. The others cost what the content
//! is long, so they are written anew, compressed.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::error::CollectError;
use super::roots::{other_clones, worktree_dirs};
use crate::base::Digest;
use crate::data::workspace::Workspace;
use crate::data::worktree::{Fingerprint, WorktreeRecord, located};
use crate::storage::store::PackOnDisk;

/// The contents of the clones among `packs` that some work tree has, by what was last written or added there; of this work tree it is known
/// whether the file was touched since.
///
/// # Errors
///
/// [`CollectError`].
pub fn shared(
    workspace: &Workspace,
    packs: &[PackOnDisk],
    now: SystemTime,
) -> Result<HashSet<Digest>, CollectError> {
    let clones: HashSet<_> = packs.iter().filter_map(|pack| pack.clone_of).collect();
    let mut found = HashSet::new();
    if clones.is_empty() {
        return Ok(found);
    }
    let mut git_dirs = worktree_dirs(workspace.common_dir());
    git_dirs.retain(|git_dir| git_dir != workspace.git_dir());
    for (_, common_dir) in other_clones(workspace, now)? {
        git_dirs.extend(worktree_dirs(&common_dir));
    }
    add_contents(workspace.git_dir(), Some(workspace.top()), &clones, &mut found);
    git_dirs.iter().for_each(|git_dir| add_contents(git_dir, None, &clones, &mut found));
    Ok(found)
}

fn add_contents(git_dir: &Path, top: Option<&Path>, clones: &HashSet<Digest>, found: &mut HashSet<Digest>) {
    // A damaged record proves nothing: the clone is written anew, and nothing is lost.
    let record = WorktreeRecord::open(git_dir).unwrap_or_default();
    for (path, known) in record.paths() {
        for (name, file) in known.files.iter().filter(|(_, file)| clones.contains(&file.id)) {
            let is_still = |top| {
                let now = fs::symlink_metadata(located(&path.under(top), name));
                now.is_ok_and(|now| file.fingerprint.is_still(&Fingerprint::of(&now)))
            };
            if top.is_none_or(is_still) {
                found.insert(file.id);
            }
        }
    }
}
