//! Moving in from DVC.
//!
//! What a demanding user expects: one command, after which every byte is what DVC had; nothing that was edited is lost; what
//! cannot be found is named, with its checksum; nothing is half moved; pipelines stay. No DVC need be installed, and what is in
//! the work tree is not fetched again. The best peer is DVC itself (`dvc pull`, then `git-annex add`, say); it cannot tell what is
//! damaged in its cache.
//!
//! The order: everything is looked at first; then missing contents are brought, each held against its MD5 before it
//! appears; then all that is whole is added like any data (content durable before a pointer names it); last, DVC's lines in
//! `.gitignore` and its `.dvc` files go. At any kill, the data is DVC's or ours, never nobody's.

mod error;
mod format;
mod objects;
mod plan;
mod project;
mod state;

use std::collections::BTreeMap;

use serde::Serialize;
use toml::{Table, Value};

use crate::base::{Progress, RepoPath};
use crate::data::Workspace;
use crate::data::add::{AddSummary, Arrival, take_over};
use crate::storage::durable;
use crate::storage::web;

pub use error::DvcError;
pub use plan::{MissingObject, Planned};
pub use project::Left;

use plan::Plan;
use project::Out;

/// How to move.
#[derive(Debug, Clone, Default)]
pub struct DvcOptions {
    /// The part of the repository to look at; `None`: all of it.
    pub folder: Option<RepoPath>,
    /// The remote of DVC to read from, instead of those that it would use.
    pub remote: Option<String>,
    /// Leave the `.dvc` files where they are.
    pub keep: bool,
    /// Look at everything, tell what would be done, and do nothing.
    pub dry_run: bool,
}

/// What was moved, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DvcImport {
    /// Data that is tracked by pointers now, and where its bytes came from.
    pub imported: Vec<Planned>,
    /// Contents that were found nowhere.
    pub missing: Vec<MissingObject>,
    /// Data that differs from what DVC names: it was left alone.
    pub modified: Vec<RepoPath>,
    /// What cannot be moved, and why.
    pub left: Vec<Left>,
    /// Remotes of DVC that cannot be used, and why.
    pub unusable: Vec<Left>,
    /// Whether pipelines stay beside.
    pub pipelines: bool,
    /// `.dvc` files that were removed.
    pub removed: Vec<RepoPath>,
    /// What adding it did; `None` where nothing was added.
    pub added: Option<AddSummary>,
}

impl DvcImport {
    /// Whether everything that DVC tracks is ours now.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.modified.is_empty() && self.left.is_empty()
    }
}

/// Moves what DVC tracks.
///
/// # Errors
///
/// [`DvcError`]; what is missing or modified is told in the result.
pub fn import(
    workspace: &Workspace,
    options: &DvcOptions,
    progress: &Progress,
) -> Result<DvcImport, DvcError> {
    let found = project::find(workspace, options.folder.as_ref())?;
    let nothing = found.outs.is_empty() && found.left.is_empty() && found.dvc_files.is_empty();
    if nothing && !found.pipelines {
        return Err(DvcError::NoProject);
    }
    let depots = plan::depots_of(workspace, &found, options.remote.as_deref())?;
    let mut plan = Plan::make(workspace, &found, &depots, progress)?;
    let unusable = depots.values().flat_map(|depots| &depots.unusable);
    let unusable = unusable.map(|(name, why)| Left { path: name.clone(), why: why.clone() }).collect();
    let mut import = DvcImport {
        imported: plan.summary(),
        missing: plan.missing.clone(),
        modified: plan.modified.clone(),
        left: found.left.clone(),
        unusable,
        pipelines: found.pipelines,
        removed: Vec::new(),
        added: None,
    };
    if options.dry_run {
        return Ok(import);
    }
    let free = durable::free_space(workspace.top())?;
    let needed = plan.bytes_to_bring();
    if needed > free {
        return Err(DvcError::NoSpace { needed, free });
    }
    plan.carry_out(workspace, &depots, progress)?;
    (import.imported, import.missing) = (plan.summary(), plan.missing.clone());
    let outs: Vec<&Out> = plan.whole().collect();
    let arrivals: BTreeMap<_, _> = outs.iter().map(|out| (out.path.clone(), arrival(out))).collect();
    if !arrivals.is_empty() {
        import.added = Some(take_over(workspace, &arrivals, progress)?);
    }
    let repository = workspace.repository();
    let _alone = workspace.hold_pointers()?;
    let mut changed = repository.drop_ignore_lines(&arrivals.keys().cloned().collect::<Vec<_>>())?;
    if !options.keep {
        let stays = |file: &RepoPath| {
            let names_more = |out: &Out| out.named_by == *file && !arrivals.contains_key(&out.path);
            found.still_needed.contains(file) || found.outs.values().any(names_more)
        };
        import.removed = found.dvc_files.iter().filter(|file| !stays(file)).cloned().collect();
        for file in &import.removed {
            let path = file.under(workspace.top());
            std::fs::remove_file(&path).map_err(|source| DvcError::Read { path, source })?;
        }
        changed.extend(import.removed.iter().cloned());
    }
    repository.stage(&changed)?;
    Ok(import)
}

/// What is known of where DVC imported it from goes into the pointer.
fn arrival(out: &Out) -> Arrival {
    let text = |text: &String| Value::String(text.clone());
    let source = out.from.as_ref().and_then(|from| {
        let mut source = Table::new();
        let path = from.path.as_ref()?;
        match &from.repo {
            Some(repo) => {
                source.insert("repo".into(), Value::String(web::shown(&repo.url)));
                source.insert("path".into(), text(path));
                source.extend(repo.rev.as_ref().map(|rev| ("rev".to_owned(), text(rev))));
                source.extend(repo.rev_lock.as_ref().map(|commit| ("commit".to_owned(), text(commit))));
            }
            None => {
                source.insert("url".into(), Value::String(web::shown(path)));
                source.extend(from.etag.as_ref().map(|etag| ("etag".to_owned(), text(etag))));
            }
        }
        Some(source)
    });
    Arrival { source, from_git: false }
}
