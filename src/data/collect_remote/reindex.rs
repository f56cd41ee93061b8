//! The index without what is gone or condemned, in few objects, of an epoch in which writers still believe it.

use std::collections::BTreeSet;

use crate::base::Digest;
use crate::objects::{IndexBuilder, RecordName, layout};
use crate::storage::remote::Remote;

use super::error::CollectRemoteError;
use super::survey::Survey;
use super::verdict::Verdict;

/// So many index objects are made into few.
const MANY: usize = 32;
/// An object of more packs is left as it is, unless something is wrong with it.
const LARGE: usize = 20_000;

/// The index objects that are to be made anew, oldest first.
pub(super) fn to_renew(survey: &Survey, verdict: &Verdict) -> Vec<RecordName> {
    let is_gone = |pack: &Digest| verdict.dead.contains(pack) || !survey.packs.contains_key(pack);
    let small: Vec<_> = survey.indexes.iter().filter(|(_, index)| index.packs().len() < LARGE).collect();
    let are_many = small.len() >= MANY;
    let needs_it = |name: &RecordName, index: &crate::objects::Index| {
        name.epoch < verdict.floor
            || index.packs().iter().any(|(pack, _)| is_gone(&pack.id))
            || (are_many && index.packs().len() < LARGE)
    };
    survey.indexes.iter().filter(|(name, index)| needs_it(name, index)).map(|(name, _)| *name).collect()
}

/// Puts objects that stand for those in `renew`, and deletes these. How many were put.
///
/// # Errors
///
/// When one cannot be written or deleted.
pub(super) fn reindex(
    remote: &Remote,
    survey: &Survey,
    verdict: &Verdict,
    renew: &[RecordName],
) -> Result<u64, CollectRemoteError> {
    let renewed: BTreeSet<_> = renew.iter().copied().collect();
    let is_kept = |pack: &Digest| {
        survey.packs.contains_key(pack)
            && !survey.records.condemned.contains(pack)
            && !verdict.condemn.contains(pack)
    };
    let still_listed = |name: &RecordName| survey.indexes.contains_key(name);
    // The epoch that was read before the index was.
    let begin = || IndexBuilder::new(survey.epoch);
    let (mut builder, mut put) = (begin(), 0);
    let mut end = |mut builder: IndexBuilder| -> Result<(), CollectRemoteError> {
        builder.retain(is_kept, still_listed);
        if builder.has_no_pack() {
            return Ok(());
        }
        let (name, bytes) = builder.finish().encode()?;
        remote.put(&layout::index_name(&name), bytes)?;
        put += 1;
        Ok(())
    };
    for name in &renewed {
        let Some(index) = survey.indexes.get(name) else { continue };
        builder.consolidate(*name, index);
        if builder.is_full() {
            end(std::mem::replace(&mut builder, begin()))?;
        }
    }
    end(builder)?;
    for name in &renewed {
        remote.delete(&layout::index_name(name))?;
    }
    Ok(put)
}
