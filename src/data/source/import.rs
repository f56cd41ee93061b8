//! Data from elsewhere, for the first time: `import url`, `import repo`, `get`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::{Progress, RepoPath};
use crate::data::add::{AddSummary, Arrival, take_over};
use crate::data::workspace::Workspace;
use crate::storage::durable;

use super::address::{Address, repository_kept};
use super::bring::{Asking, bring};
use super::lender::Lender;
use super::{Source, SourceError};

/// What came from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Where it is now.
    pub path: PathBuf,
    /// Where it came from, as the pointer says it.
    pub from: String,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The commit of the other repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether parameters of the address were left out of the pointer, because they look like secrets.
    pub shortened: bool,
    /// What adding it did; `None` where nothing was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<AddSummary>,
}

/// How to bring something for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportOptions {
    /// A file that lies there is replaced.
    pub force: bool,
    /// Ask, tell what would come, and bring nothing.
    pub dry_run: bool,
}

/// Brings the file at an address to `path` and tracks it.
///
/// # Errors
///
/// [`SourceError`]; what lies at `path` is untouched then.
pub fn import_url(
    workspace: &Workspace,
    url: &str,
    path: &RepoPath,
    options: ImportOptions,
    progress: &Progress,
) -> Result<Imported, SourceError> {
    let address = Address::of(url);
    let force = options.force;
    let target = free_place(workspace, path, force)?;
    if options.dry_run {
        let asking = Asking { known: None, named_by_user: true };
        let source = bring(workspace, &address, asking, None, progress)?;
        let Some(Source::Url { size, .. }) = source else { return Err(SourceError::NotFound(address.kept)) };
        let (path, from, bytes) = (PathBuf::from(path.as_str()), address.kept, size.unwrap_or(0));
        let shortened = address.shortened;
        return Ok(Imported { path, from, files: 1, bytes, commit: None, shortened, added: None });
    }
    let temporaries = workspace.repository().temporaries()?;
    let mut aside = durable::create_temp(temporaries.for_target(&target))?;
    let asking = Asking { known: None, named_by_user: true };
    let source = bring(workspace, &address, asking, Some(aside.as_file_mut()), progress)?;
    let source = source.ok_or_else(|| SourceError::NotFound(address.kept.clone()))?;
    let failed = |source: io::Error| SourceError::Write { path: target.clone(), source };
    let bytes = aside.as_file().metadata().map_err(failed)?.len();
    if let Some(folder) = target.parent() {
        durable::create_folders(folder)?;
    }
    let shown = if force { aside.persist(&target) } else { aside.persist_noclobber(&target) };
    shown.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => SourceError::Exists(target.clone()),
        _ => failed(error.error),
    })?;
    let added = Some(track(workspace, path, &source, progress)?);
    let (path, from) = (PathBuf::from(path.as_str()), address.kept);
    Ok(Imported { path, from, files: 1, bytes, commit: None, shortened: address.shortened, added })
}

/// Brings the data at `there` of another repository to `path` and tracks it.
///
/// # Errors
///
/// [`SourceError`]; what lies at `path` is untouched then.
pub fn import_repo(
    workspace: &Workspace,
    url: &str,
    there: &RepoPath,
    revision: Option<&str>,
    path: &RepoPath,
    dry_run: bool,
    progress: &Progress,
) -> Result<Imported, SourceError> {
    let target = free_place(workspace, path, false)?;
    let lender = Lender::open(url, revision, true)?;
    let lent = lender.find(there)?;
    if dry_run {
        let (files, bytes) = lender.amount(&lent);
        let (path, from, commit) =
            (PathBuf::from(path.as_str()), repository_kept(url), Some(lender.commit()));
        return Ok(Imported { path, from, files, bytes, commit, shortened: false, added: None });
    }
    let (files, bytes) = lender.write(&lent, target, false, progress)?;
    let source = Source::Repo {
        repo: repository_kept(url),
        path: there.to_string(),
        rev: revision.map(str::to_owned),
        commit: Some(lender.commit()),
    };
    let added = Some(track(workspace, path, &source, progress)?);
    let (path, from) = (PathBuf::from(path.as_str()), repository_kept(url));
    Ok(Imported { path, from, files, bytes, commit: Some(lender.commit()), shortened: false, added })
}

/// Writes the data at `there` of another repository to `to` as plain files; no repository is needed here. Into `to` where
/// that is a folder.
///
/// # Errors
///
/// [`SourceError`].
pub fn get(
    url: &str,
    there: &RepoPath,
    revision: Option<&str>,
    to: &Path,
    force: bool,
    progress: &Progress,
) -> Result<Imported, SourceError> {
    let target = if to.is_dir() { to.join(there.name()) } else { to.to_owned() };
    if !force && target.symlink_metadata().is_ok() {
        return Err(SourceError::Exists(target));
    }
    let lender = Lender::open(url, revision, true)?;
    let lent = lender.find(there)?;
    let (files, bytes) = lender.write(&lent, target.clone(), force, progress)?;
    let (from, commit) = (repository_kept(url), Some(lender.commit()));
    Ok(Imported { path: target, from, files, bytes, commit, shortened: false, added: None })
}

/// Where the data at `path` goes: nothing may lie there, unless a file may be replaced.
fn free_place(workspace: &Workspace, path: &RepoPath, force: bool) -> Result<PathBuf, SourceError> {
    workspace.repository().refuse_beyond_link(path)?;
    let target = path.under(workspace.top());
    match fs::symlink_metadata(&target) {
        Ok(there) if !force || there.is_dir() => Err(SourceError::Exists(target)),
        _ => Ok(target),
    }
}

/// Tracks what came, with its source.
///
/// # Errors
///
/// [`SourceError::Add`].
pub(super) fn track(
    workspace: &Workspace,
    path: &RepoPath,
    source: &Source,
    progress: &Progress,
) -> Result<AddSummary, SourceError> {
    let arrival = Arrival { source: Some(source.table()), from_git: false };
    Ok(take_over(workspace, &BTreeMap::from([(path.clone(), arrival)]), progress)?)
}
