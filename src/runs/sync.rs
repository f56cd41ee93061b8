//! Runs are shared by way of a Git remote: fetched, united by being read together, pushed.
//!
//! Each writer pushes its own ref only, and only forward, so writers that sync at once cannot be in each other's way. A plain
//! `git push` and `git fetch` behave as before: nothing here is put into `remote.*.push`.
//!
//! Where many writers (one for each CI job) have left their refs, whoever pushes folds them: one commit on `refs/mlrun/log`
//! whose tree is the union of theirs and whose parents they are; then the refs that did not move meanwhile are deleted.
//! Of two that fold at once one is refused, and nothing is lost.
//!
//! `mlrun.refPrefix` names another place on the server, for hosts that take no refs outside `refs/heads`.

use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::base::RandomId;
use crate::git::{Expected, GitError, ObjectId, PushOptions, PushOutcome, Ref, Repository};
use crate::models::git_remote;

use super::error::RunsError;
use super::flush;
use super::log::{self, OWN_REFS, REMOTE_REFS};
use super::notes;
use super::writer;

/// Above this number of writers a remote's logs are folded.
const MANY_WRITERS: usize = 50;

/// So often a fetch is tried when refs are locked.
const TRIES: u64 = 8;

/// How a sync is made.
#[derive(Debug, Clone, Default)]
pub struct SyncOptions {
    /// The Git remote; `None`: the one that `git fetch` would use.
    pub remote: Option<String>,
    /// Fold the logs of the writers, however few they are.
    pub fold: bool,
}

/// What became of this clone's own log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Shared {
    /// This clone has recorded nothing yet.
    Nothing,
    /// The remote has all of it already.
    UpToDate,
    /// It was sent.
    Sent,
    /// The remote refused it: the runs are recorded here, not shared.
    Refused {
        /// In its own words.
        reason: String,
    },
}

/// What a sync did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// The Git remote.
    pub remote: String,
    /// How many logs of writers changed or came.
    pub received: usize,
    /// This clone's own log.
    pub shared: Shared,
    /// How many logs of writers were folded into one.
    pub folded: usize,
}

/// The refspec by which `git fetch` brings the runs, too.
pub fn fetch_refspec(repository: &Repository, remote: &str) -> String {
    format!("+{}/*:{REMOTE_REFS}{remote}/*", prefix(repository))
}

/// Where the refs are on the servers.
fn prefix(repository: &Repository) -> String {
    let set = repository.setting("mlrun.refPrefix");
    let fits = |name: &String| name.starts_with("refs/") && !name.contains(['*', ':', '^']);
    set.filter(fits).map_or(OWN_REFS.into(), |name| name).trim_end_matches('/').to_owned()
}

/// Fetches the logs of all writers, and pushes the own one.
///
/// # Errors
///
/// [`RunsError::NoRemote`], and Git's when the remote cannot be reached. A refusal is in the report.
pub fn sync(repository: &Repository, options: &SyncOptions) -> Result<SyncReport, RunsError> {
    flush::recover(repository)?;
    let remote = git_remote(repository, options.remote.as_deref()).ok_or(RunsError::NoRemote)?;
    let received = receive(repository, &remote)?;
    let shared = share(repository, &remote)?;
    let live = writers_of(repository, &remote)?.len();
    let mut folded = 0;
    if shared_well(&shared) && (live > MANY_WRITERS || (options.fold && live > 0)) {
        folded = fold(repository, &remote)?;
    }
    if received > 0 {
        notes::refresh(repository)?;
    }
    Ok(SyncReport { remote, received, shared, folded })
}

fn shared_well(shared: &Shared) -> bool {
    !matches!(shared, Shared::Refused { .. })
}

/// Fetches the logs that `remote` has; how many changed or came.
///
/// # Errors
///
/// Git's.
pub fn receive(repository: &Repository, remote: &str) -> Result<usize, RunsError> {
    let copies = format!("{REMOTE_REFS}{remote}/");
    let before = repository.refs_below(&copies)?;
    // Nothing is pruned: what a server has lost is still here.
    let fetch = || repository.fetch(remote, &[fetch_refspec(repository, remote)], false);
    // Another process of this clone may be writing the same copies: then it has what we want, too.
    let locked = |error: &GitError| error.to_string().contains("lock");
    let mut fetched = fetch();
    for attempt in 1..TRIES {
        if !fetched.as_ref().is_err_and(locked) {
            break;
        }
        thread::sleep(Duration::from_millis(50 * attempt));
        fetched = fetch();
    }
    fetched?;
    let after = repository.refs_below(&copies)?;
    let received = after.iter().filter(|found| log::is_log(&found.name) && !before.contains(found)).count();
    drop_folded(repository, remote)?;
    Ok(received)
}

/// Copies of logs that are part of the remote's fold need not be read.
fn drop_folded(repository: &Repository, remote: &str) -> Result<(), RunsError> {
    let Some(fold) = repository.find_ref(&format!("{REMOTE_REFS}{remote}/log"))? else { return Ok(()) };
    for found in writers_of(repository, remote)? {
        if repository.is_ancestor(found.target, fold)? {
            match repository.delete_ref(&found.name, Expected::At(found.target)) {
                Ok(()) | Err(GitError::RefMoved { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Whether `remote` (a name or a URL) lacks something of this clone's own log, as far as is known here.
///
/// # Errors
///
/// [`RunsError`].
pub fn has_news(repository: &Repository, remote: &str) -> Result<bool, RunsError> {
    flush::recover(repository)?;
    let own = log::log_ref(&writer::writer(repository)?);
    let tip = repository.find_ref(&own)?;
    tip.map_or(Ok(false), |tip| Ok(!remote_has(repository, remote, &own, tip)?))
}

/// Pushes this clone's own log to `remote`, the name of a Git remote or, for a pre-push hook, a URL.
///
/// # Errors
///
/// Those of the repository; what the remote says is in the answer.
pub fn share(repository: &Repository, remote: &str) -> Result<Shared, RunsError> {
    let own = log::log_ref(&writer::writer(repository)?);
    let Some(tip) = repository.find_ref(&own)? else { return Ok(Shared::Nothing) };
    if remote_has(repository, remote, &own, tip)? {
        return Ok(Shared::UpToDate);
    }
    match push_own(repository, remote, &own)? {
        Some(PushOutcome::Refused(reason))
            if reason.contains("fetch first") || reason.contains("fast-forward") =>
        {
            // A copy of this clone has pushed under the same id: from here on it writes under another one.
            let renewed = log::log_ref(&writer::renew(repository)?);
            repository.create_ref(&renewed, tip, "the clone was copied")?;
            repository.delete_ref(&own, Expected::At(tip))?;
            let pushed = push_own(repository, remote, &renewed)?;
            outcome(repository, remote, &renewed, tip, pushed)
        }
        pushed => outcome(repository, remote, &own, tip, pushed),
    }
}

/// Whether the last look at the remote showed all of the own log there.
fn remote_has(repository: &Repository, remote: &str, own: &str, tip: ObjectId) -> Result<bool, RunsError> {
    let Some(name) = name_of(repository, remote) else { return Ok(false) };
    if repository.find_ref(&copy_of(&name, own))? == Some(tip) {
        return Ok(true);
    }
    let fold = repository.find_ref(&format!("{REMOTE_REFS}{name}/log"))?;
    Ok(fold.map(|fold| repository.is_ancestor(tip, fold)).transpose()?.unwrap_or(false))
}

/// The name of the Git remote that is meant by a name or a URL; none for a URL of no remote.
fn name_of(repository: &Repository, remote: &str) -> Option<String> {
    let remotes = repository.remotes();
    let known = remotes.into_iter().find(|known| known.name == remote || known.push_url == remote);
    known.map(|known| known.name)
}

/// The name of the copy of an own ref as the remote had it.
fn copy_of(remote: &str, own: &str) -> String {
    format!("{REMOTE_REFS}{remote}/{}", own.strip_prefix(OWN_REFS).unwrap_or(own))
}

fn push_own(repository: &Repository, remote: &str, own: &str) -> Result<Option<PushOutcome>, RunsError> {
    let there = format!("{}/{}", prefix(repository), own.strip_prefix(OWN_REFS).unwrap_or(own));
    match repository.push(remote, &[format!("{own}:{there}")], &PushOptions::default()) {
        Ok(pushed) => Ok(pushed.into_iter().next().map(|pushed| pushed.outcome)),
        Err(GitError::Program(error)) => Ok(Some(PushOutcome::Refused(error.to_string()))),
        Err(error) => Err(error.into()),
    }
}

fn outcome(
    repository: &Repository,
    remote: &str,
    own: &str,
    tip: ObjectId,
    pushed: Option<PushOutcome>,
) -> Result<Shared, RunsError> {
    let shared = match pushed {
        Some(PushOutcome::Refused(reason)) => return Ok(Shared::Refused { reason }),
        Some(PushOutcome::Same) => Shared::UpToDate,
        _ => Shared::Sent,
    };
    if let Some(name) = name_of(repository, remote) {
        repository.update_ref(&copy_of(&name, own), tip, Expected::Anything, "pushed")?;
    }
    Ok(shared)
}

/// The logs of single writers that `remote` had.
fn writers_of(repository: &Repository, remote: &str) -> Result<Vec<Ref>, RunsError> {
    let below = format!("{REMOTE_REFS}{remote}/w/");
    let refs = repository.refs_below(&below)?;
    let writer =
        |found: &Ref| found.name.strip_prefix(&below).is_some_and(|id| id.parse::<RandomId>().is_ok());
    Ok(refs.into_iter().filter(writer).collect())
}

/// Folds the logs that `remote` had into one; how many. Where somebody else was faster, none.
fn fold(repository: &Repository, remote: &str) -> Result<usize, RunsError> {
    let place = prefix(repository);
    let copy = format!("{REMOTE_REFS}{remote}/log");
    let writers = writers_of(repository, remote)?;
    let tips: Vec<_> =
        repository.find_ref(&copy)?.into_iter().chain(writers.iter().map(|found| found.target)).collect();
    let mut trees = Vec::with_capacity(tips.len());
    let mut lamport = 0;
    for tip in &tips {
        trees.push(repository.commit_info(*tip)?.tree);
        lamport = lamport.max(log::time_of(repository, *tip)?);
    }
    let tree = repository.unite_trees(&trees)?;
    let subject = format!("Fold the logs of {} writers", writers.len());
    let commit = log::write_commit(repository, tree, &tips, &subject, lamport)?;
    let pushed = repository.push(remote, &[format!("{commit}:{place}/log")], &PushOptions::default());
    let taken = |outcome: &PushOutcome| matches!(outcome, PushOutcome::New | PushOutcome::Updated);
    if !pushed.is_ok_and(|pushed| pushed.iter().any(|pushed| taken(&pushed.outcome))) {
        return Ok(0);
    }
    repository.update_ref(&copy, commit, Expected::Anything, &subject)?;
    let there = |found: &Ref| format!("{place}/w/{}", found.name.rsplit('/').next().unwrap_or_default());
    let options = PushOptions {
        leases: writers.iter().map(|found| (there(found), Some(found.target))).collect(),
        ..PushOptions::default()
    };
    let deletions: Vec<_> = writers.iter().map(|found| format!(":{}", there(found))).collect();
    // A host that deletes nothing keeps refs that are in the fold: no harm.
    let _kept = repository.push(remote, &deletions, &options);
    drop_folded(repository, remote)?;
    Ok(writers.len())
}
