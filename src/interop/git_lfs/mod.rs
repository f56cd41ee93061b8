//! Moving in from Git LFS.
//!
//! What a demanding user expects: one command, after which every byte is what LFS had, in pointers beside the data; what was
//! edited and not staged is left alone; what cannot be had is named; history is not rewritten. `git lfs` need not be
//! installed. Contents come, in this order, from the work tree, from the clone's own store (`.git/lfs/objects`), and from the
//! server or folder that LFS would ask; each is held against its SHA-256. The best peer is `git lfs migrate export`, which
//! rewrites history and needs all contents.

mod error;
mod plan;
mod pointer;
mod server;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::{Progress, RepoPath};
use crate::data::Workspace;
use crate::data::add::{AddSummary, Arrival, take_over};
use crate::git::pointer_file;
use crate::storage::durable;

pub use error::LfsError;
pub use plan::{Lies, LostObject, Moved};

use plan::Plan;

/// How to move.
#[derive(Debug, Clone, Default)]
pub struct LfsOptions {
    /// Which files, as pathspecs of Git; none: all that LFS tracks.
    pub patterns: Vec<String>,
    /// Look at everything, tell what would be done, and do nothing.
    pub dry_run: bool,
}

/// What was moved, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LfsImport {
    /// Data that is tracked by pointers now, and where its bytes came from.
    pub imported: Vec<Moved>,
    /// Contents that cannot be had.
    pub missing: Vec<LostObject>,
    /// Files that differ from what is staged: they were left alone.
    pub modified: Vec<RepoPath>,
    /// Files on a path of LFS whose bytes are in Git itself.
    pub raw: Vec<RepoPath>,
    /// Attribute files that were changed.
    pub attributes: Vec<RepoPath>,
    /// Whether LFS tracks nothing any more.
    pub nothing_left: bool,
    /// What adding it did; `None` where nothing was added.
    pub added: Option<AddSummary>,
}

impl LfsImport {
    /// Whether everything that was meant is ours now.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.modified.is_empty() && self.raw.is_empty()
    }
}

/// Moves what LFS tracks.
///
/// # Errors
///
/// [`LfsError`]; what is missing or modified is told in the result.
pub fn import(
    workspace: &Workspace,
    options: &LfsOptions,
    progress: &Progress,
) -> Result<LfsImport, LfsError> {
    let repository = workspace.repository();
    let files = repository.files_with_attribute("filter", "lfs", &options.patterns)?;
    if files.is_empty() {
        return Err(LfsError::Nothing { named: !options.patterns.is_empty() });
    }
    let mut plan = Plan::make(workspace, files, progress)?;
    if !options.dry_run {
        let (needed, free) = (plan.bytes_to_bring(), durable::free_space(workspace.top())?);
        if needed > free {
            return Err(LfsError::NoSpace { needed, free });
        }
        plan.carry_out(workspace, progress)?;
    }
    let mut import = LfsImport {
        imported: plan.summary(),
        missing: plan.missing.clone(),
        modified: plan.modified.clone(),
        raw: plan.raw.clone(),
        attributes: Vec::new(),
        nothing_left: false,
        added: None,
    };
    let paths: Vec<_> = plan.whole().cloned().collect();
    if options.dry_run || paths.is_empty() {
        return Ok(import);
    }
    let left = repository.files_with_attribute("filter", "lfs", &[])?.into_iter().map(|file| file.path);
    let left: Vec<_> = left.filter(|path| !paths.contains(path)).collect();
    import.nothing_left = left.is_empty();
    // The attributes go first: a pattern such as `data/**` would send our pointers to LFS.
    let edited = repository.drop_lfs_attributes(&paths, &left, options.patterns.is_empty())?;
    match add(workspace, &paths, progress) {
        Ok(added) => import.added = Some(added),
        Err(error) => {
            repository.restore_texts(&edited)?;
            return Err(error);
        }
    }
    import.attributes = edited.into_iter().map(|(file, _)| file).collect();
    repository.stage(&import.attributes)?;
    Ok(import)
}

fn add(workspace: &Workspace, paths: &[RepoPath], progress: &Progress) -> Result<AddSummary, LfsError> {
    let pointers: Result<Vec<_>, _> = paths.iter().map(pointer_file).collect();
    let pointers = pointers.map_err(crate::git::GitError::from)?;
    let caught = workspace.repository().attribute_of("filter", &pointers)?;
    if let Some(at) = caught.iter().position(|value| value == "lfs") {
        return Err(LfsError::Caught(paths[at].clone()));
    }
    let arrival = Arrival { source: None, from_git: true };
    let arrivals: BTreeMap<_, _> = paths.iter().map(|path| (path.clone(), arrival.clone())).collect();
    Ok(take_over(workspace, &arrivals, progress)?)
}
