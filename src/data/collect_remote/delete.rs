//! The deletions of a collection: packs, claims, records, in this order, and what was never whole.

use rayon::prelude::*;

use crate::base::{Progress, Unit};
use crate::objects::layout;
use crate::storage::remote::Remote;

use super::error::CollectRemoteError;
use super::survey::{Claim, Survey};
use super::verdict::Verdict;

/// Deletes the dead packs.
///
/// # Errors
///
/// When one cannot be deleted; a second run deletes it.
pub(super) fn packs(
    remote: &Remote,
    verdict: &Verdict,
    progress: &Progress,
) -> Result<(), CollectRemoteError> {
    progress.begin("deleting", Unit::Items, Some(verdict.dead.len() as u64));
    let deleted = verdict.dead.par_iter().try_for_each(|pack| {
        remote.delete(&layout::pack_name(pack))?;
        progress.advance(1);
        Ok(())
    });
    progress.end();
    deleted
}

/// The claims of sessions that were dead when the records were written that were acted upon.
pub(super) fn dead_claims<'a>(survey: &'a Survey, verdict: &Verdict) -> Vec<&'a Claim> {
    survey.claims.iter().filter(|claim| claim.session.epoch < verdict.old_floor).collect()
}

/// Deletes claims of dead sessions, and records that a newer one stands for, the oldest first.
///
/// # Errors
///
/// When one cannot be deleted; a second run deletes it.
pub(super) fn claims_and_records(
    remote: &Remote,
    survey: &Survey,
    verdict: &Verdict,
) -> Result<(), CollectRemoteError> {
    for claim in dead_claims(survey, verdict) {
        remote.delete(&claim.object)?;
    }
    for record in &verdict.outdated {
        remote.delete(&layout::gc_name(record))?;
    }
    Ok(())
}

/// Deletes what killed writers left of objects. A writer that slept so long finds nothing to rename, and begins anew.
///
/// # Errors
///
/// When one cannot be deleted; a second run deletes it.
pub(super) fn unfinished(remote: &Remote, survey: &Survey) -> Result<(), CollectRemoteError> {
    survey.unfinished.iter().try_for_each(|object| Ok(remote.delete(&object.name)?))
}
