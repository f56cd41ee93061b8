//! A collection from its first request to its last.

use std::time::SystemTime;

use serde::Serialize;

use crate::base::{Digest, Progress};
use crate::data::remotes;
use crate::data::transfer::{Knowledge, With};
use crate::data::workspace::Workspace;
use crate::objects::layout;
use crate::storage::remote::Remote;

use super::error::CollectRemoteError;
use super::survey::Survey;
use super::verdict::Verdict;
use super::{delete, fold, reindex, stops};

/// What is to be collected, and how.
pub struct CollectRemote<'a> {
    /// The remote.
    pub remote: &'a Remote,
    /// Look and tell, change nothing.
    pub dry_run: bool,
    /// The time, instead of that of the service: for tests.
    pub now: Option<SystemTime>,
    /// Names of records that may be missing or cannot be understood, and do not stop the collection.
    pub force_records: &'a [String],
    /// How far it is.
    pub progress: &'a Progress,
}

/// Some packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Amount {
    /// Their count.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a collection did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Collected {
    /// Nothing was changed.
    pub dry_run: bool,
    /// Root records: what is kept.
    pub roots: u64,
    /// All packs that were there.
    pub packs: Amount,
    /// Condemned now: nobody needs them, and they are older than the grace.
    pub condemned: Amount,
    /// Condemned before; their grace is not over.
    pub waiting: Amount,
    /// Condemned before, and still needed.
    pub kept: Amount,
    /// Deleted.
    pub deleted: Amount,
    /// Packs that were copied into others.
    pub folded: Amount,
    /// Index objects that were made anew.
    pub indexes: u64,
    /// Claims of dead sessions, and records that newer ones stand for, which went.
    pub records: u64,
    /// Uploads that never ended, of which the remains went.
    pub unfinished: u64,
    /// The hours that a condemned pack waits.
    pub grace_hours: u32,
    /// Objects that are not ours: left alone.
    pub foreign: Vec<String>,
}

/// Collects a remote of a workspace. To change one asks for the same trust as to send data to it.
///
/// # Errors
///
/// [`CollectRemoteError`].
pub fn collect_remote(
    workspace: &Workspace,
    remote: Option<&str>,
    dry_run: bool,
    now: Option<SystemTime>,
    force_records: &[String],
    progress: &Progress,
) -> Result<With<Collected>, CollectRemoteError> {
    let settings = remotes::find(workspace, remote)?;
    let (connection, mut knowledge) = match dry_run {
        true => remotes::open(workspace, &settings)?,
        false => remotes::open_to_send(workspace, &settings)?,
    };
    let going = CollectRemote { remote: &connection, dry_run, now, force_records, progress };
    let done = collect(&going, &mut knowledge)?;
    Ok(With { remote: settings.name, done })
}

/// Collects a remote.
///
/// # Errors
///
/// [`CollectRemoteError`]; after any of them, and after a kill at any point, everything that a root names exists.
pub fn collect(
    collect: &CollectRemote<'_>,
    knowledge: &mut Knowledge,
) -> Result<Collected, CollectRemoteError> {
    let remote = collect.remote;
    let mut survey = Survey::take(collect, knowledge)?;
    stops::unreadable(&survey, collect.force_records)?;
    let gone = stops::missing_roots(&mut survey, remote, collect.force_records)?;
    let (verdict, needs) = Verdict::of(&survey, gone)?;
    stops::gone_claims(&survey, verdict.old_floor)?;
    stops::unknown_packs(&survey, collect.force_records)?;
    let to_fold = fold::to_fold(&survey, &verdict, &needs);
    let to_renew = reindex::to_renew(&survey, &verdict);
    let mut done = told(collect, &survey, &verdict, &to_fold);
    done.indexes = to_renew.len() as u64;
    if collect.dry_run {
        return Ok(done);
    }
    if let Some(record) = verdict.record(&survey) {
        let (name, bytes) = record.encode()?;
        remote.put(&layout::gc_name(&name), bytes)?;
    }
    if !to_renew.is_empty() {
        reindex::reindex(remote, &survey, &verdict, &to_renew)?;
    }
    delete::packs(remote, &verdict, collect.progress)?;
    delete::claims_and_records(remote, &survey, &verdict)?;
    delete::unfinished(remote, &survey)?;
    fold::fold(remote, &mut survey, &to_fold, collect.progress)?;
    knowledge.save().map_err(crate::data::transfer::TransferError::from)?;
    Ok(done)
}

fn told(collect: &CollectRemote<'_>, survey: &Survey, verdict: &Verdict, folded: &[Digest]) -> Collected {
    let amount = |packs: &mut dyn Iterator<Item = &Digest>| {
        let mut amount = Amount::default();
        for listed in packs.filter_map(|pack| survey.packs.get(pack)) {
            amount.packs += 1;
            amount.bytes += listed.size;
        }
        amount
    };
    Collected {
        dry_run: collect.dry_run,
        roots: survey.roots.len() as u64,
        packs: amount(&mut survey.packs.keys()),
        condemned: amount(&mut verdict.condemn.iter()),
        waiting: amount(&mut verdict.waiting.iter()),
        kept: amount(&mut verdict.kept.iter()),
        deleted: amount(&mut verdict.dead.iter()),
        folded: amount(&mut folded.iter()),
        indexes: 0,
        records: (delete::dead_claims(survey, verdict).len() + verdict.outdated.len()) as u64,
        unfinished: survey.unfinished.len() as u64,
        grace_hours: survey.config.0.grace_h,
        foreign: survey.foreign.clone(),
    }
}
