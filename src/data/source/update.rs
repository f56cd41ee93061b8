//! Data from elsewhere, again: `update`.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::base::{Digest, Progress, RepoPath};
use crate::data::add::SOURCE;
use crate::data::remotes;
use crate::data::root::RootName;
use crate::data::status::counts;
use crate::data::tracked::{self, Tracked};
use crate::data::workspace::Workspace;
use crate::data::worktree::{PathState, compare};
use crate::storage::durable;

use super::address::Address;
use super::bring::{Asking, bring};
use super::import::track;
use super::lender::Lender;
use super::{Source, SourceError};

/// What became of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Update {
    /// The tracked path.
    pub path: RepoPath,
    /// Where it came from.
    pub from: String,
    /// Whether there was something new.
    pub state: UpdateState,
    /// The version before.
    pub before: Digest,
    /// The version now.
    pub version: Digest,
}

/// Whether there was something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateState {
    /// Nothing.
    Unchanged,
    /// There is something, and it would be brought.
    Outdated,
    /// There was something, and it is here.
    Updated,
}

/// Brings what is new of the tracked paths that came from elsewhere: of `paths`, or of all. With `dry_run` it is only asked
/// for.
///
/// # Errors
///
/// [`SourceError`]; what was updated before stays.
pub fn update(
    workspace: &Workspace,
    paths: &[RepoPath],
    dry_run: bool,
    progress: &Progress,
) -> Result<Vec<Update>, SourceError> {
    let found = tracked::tracked(workspace, paths)?;
    if let Some(fault) = found.faults.into_iter().next() {
        return Err(fault.into());
    }
    let mut done = Vec::new();
    for item in found.paths {
        let source = item.pointer.unknown.get(SOURCE).and_then(|value| value.as_table()).and_then(Source::of);
        match source {
            Some(source) => {
                done.push(update_one(workspace, &item, &source, !paths.is_empty(), dry_run, progress)?)
            }
            None if paths.is_empty() => {}
            None => return Err(SourceError::NoSource(item.path)),
        }
    }
    Ok(done)
}

fn update_one(
    workspace: &Workspace,
    item: &Tracked,
    source: &Source,
    named_by_user: bool,
    dry_run: bool,
    progress: &Progress,
) -> Result<Update, SourceError> {
    let place = source.shown();
    let is_local = place.starts_with("file://") || !place.contains(':');
    if is_local && !named_by_user {
        return Err(SourceError::Local { path: item.path.clone(), place: place.to_owned() });
    }
    let made = match source {
        Source::Url { .. } => from_url(workspace, item, source, dry_run, progress)?,
        Source::Repo { .. } => from_repo(workspace, item, source, is_local, dry_run, progress)?,
    };
    let (path, from, before) = (item.path.clone(), place.to_owned(), item.pointer.id);
    Ok(match made {
        New::Nothing => Update { path, from, state: UpdateState::Unchanged, before, version: before },
        New::There => Update { path, from, state: UpdateState::Outdated, before, version: before },
        New::Here(version) => {
            let state = if version == before { UpdateState::Unchanged } else { UpdateState::Updated };
            Update { path, from, state, before, version }
        }
    })
}

/// What there was.
enum New {
    Nothing,
    There,
    Here(Digest),
}

fn from_url(
    workspace: &Workspace,
    item: &Tracked,
    source: &Source,
    dry_run: bool,
    progress: &Progress,
) -> Result<New, SourceError> {
    let address = Address::of(source.shown());
    // A pointer comes with a clone: no password goes where it leads.
    let asking = Asking { known: Some(source), named_by_user: false };
    if dry_run {
        let new = bring(workspace, &address, asking, None, progress)?;
        return Ok(if new.is_some() { New::There } else { New::Nothing });
    }
    let temporaries = workspace.repository().temporaries()?;
    let target = item.path.under(workspace.top());
    let mut aside = durable::create_temp(temporaries.for_target(&target))?;
    let Some(new) = bring(workspace, &address, asking, Some(aside.as_file_mut()), progress)? else {
        return Ok(New::Nothing);
    };
    refuse_edited(workspace, item, progress)?;
    let aside = aside.into_temp_path();
    swap(&aside, &target)?;
    Ok(New::Here(added_version(workspace, item, &new, progress)?))
}

fn from_repo(
    workspace: &Workspace,
    item: &Tracked,
    source: &Source,
    is_local: bool,
    dry_run: bool,
    progress: &Progress,
) -> Result<New, SourceError> {
    let Source::Repo { repo, path, rev, commit } = source else { return Ok(New::Nothing) };
    let lender = Lender::open(repo, rev.as_deref(), is_local)?;
    if *commit == Some(lender.commit()) {
        return Ok(New::Nothing);
    }
    let lent = lender.find(&RepoPath::new(path.clone())?)?;
    if RootName::from(&lent.pointer).is_same(&RootName::from(&item.pointer)) {
        return Ok(New::Nothing);
    }
    if dry_run {
        return Ok(New::There);
    }
    let temporaries = workspace.repository().temporaries()?;
    let target = item.path.under(workspace.top());
    let failed = |source| SourceError::Write { path: target.clone(), source };
    let made = tempfile::Builder::new().tempdir_in(temporaries.for_target(&target));
    let aside = made.map_err(failed)?;
    let new = aside.path().join("new");
    lender.write(&lent, new.clone(), false, progress)?;
    refuse_edited(workspace, item, progress)?;
    if target.symlink_metadata().is_ok() {
        fs::rename(&target, aside.path().join("old")).map_err(failed)?;
    }
    swap(&new, &target)?;
    let (repo, path, rev, commit) = (repo.clone(), path.clone(), rev.clone(), Some(lender.commit()));
    let source = Source::Repo { repo, path, rev, commit };
    Ok(New::Here(added_version(workspace, item, &source, progress)?))
}

/// Puts the new data in its place.
fn swap(new: &Path, target: &Path) -> Result<(), SourceError> {
    if let Some(folder) = target.parent() {
        durable::create_folders(folder)?;
    }
    let failed = |source: io::Error| SourceError::Write { path: target.to_owned(), source };
    fs::rename(new, target).map_err(failed)
}

/// The version that is tracked when what is here now was added.
fn added_version(
    workspace: &Workspace,
    item: &Tracked,
    source: &Source,
    progress: &Progress,
) -> Result<Digest, SourceError> {
    let added = track(workspace, &item.path, source, progress)?;
    Ok(added.added.first().map_or(item.pointer.id, |added| added.version))
}

/// What was edited, or lies nowhere else, is not replaced.
fn refuse_edited(workspace: &Workspace, item: &Tracked, progress: &Progress) -> Result<(), SourceError> {
    let record = workspace.worktree_record(progress)?;
    let (files, _) = counts(workspace.store(), &item.pointer);
    let root = RootName::from(&item.pointer);
    let (state, found) =
        compare(workspace.store(), workspace.top(), &item.path, &record, &root, files, progress)?;
    if matches!(state, PathState::Modified { .. }) {
        return Err(SourceError::Modified(item.path.clone()));
    }
    let files = found.map(|found| found.files).unwrap_or_default();
    match remotes::is_only_copy(workspace, &root, files.records()) {
        true => Err(SourceError::OnlyCopy(item.path.clone())),
        false => Ok(()),
    }
}
