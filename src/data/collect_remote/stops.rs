//! What stops a collection: signs that it does not see all of the remote, or does not understand it.

use std::collections::BTreeSet;

use crate::objects::gc_record::RootName;
use crate::objects::layout;
use crate::storage::remote::Remote;

use super::error::CollectRemoteError;
use super::survey::{Survey, names};

/// Roots of the newest certificate that are gone although nobody forgot them. Those that were given in `forced` are
/// returned; any other stops.
///
/// # Errors
///
/// [`CollectRemoteError::RootsMissing`].
pub(super) fn missing_roots(
    survey: &mut Survey,
    remote: &Remote,
    forced: &[String],
) -> Result<BTreeSet<RootName>, CollectRemoteError> {
    let listed = names(&survey.roots);
    let object = |root: &RootName| layout::root_name(&root.repository, &root.root, &root.session);
    let unreadable = |root: &RootName| survey.unreadable.contains(&object(root));
    let mut missing: BTreeSet<_> = survey.records.certified().difference(&listed).copied().collect();
    missing.retain(|root| !unreadable(root));
    if missing.is_empty() {
        return Ok(missing);
    }
    // Whoever forgot them says so before, but perhaps after the records were listed.
    survey.records.refresh(remote)?;
    let forgotten =
        |root: &RootName| survey.records.records().values().any(|met| met.record.forgotten.contains(root));
    missing.retain(|root| !forgotten(root));
    let objects: Vec<_> = missing.iter().map(object).filter(|name| !forced.contains(name)).collect();
    if objects.is_empty() {
        return Ok(missing);
    }
    let mut listing_is_short = false;
    for object in &objects {
        listing_is_short |= remote.stat(object)?.is_some();
    }
    Err(CollectRemoteError::RootsMissing { objects, listing_is_short })
}

/// Stops for what cannot be understood, unless it was given in `forced`.
///
/// # Errors
///
/// [`CollectRemoteError::Unreadable`].
pub(super) fn unreadable(survey: &Survey, forced: &[String]) -> Result<(), CollectRemoteError> {
    let objects: Vec<_> = survey.unreadable.iter().filter(|name| !forced.contains(*name)).cloned().collect();
    if objects.is_empty() { Ok(()) } else { Err(CollectRemoteError::Unreadable { objects }) }
}

/// Stops where a claim that counts went between the listing and the reading: another collection has gone on for weeks
/// while this one slept. Its push may have put the root after roots were listed here.
///
/// # Errors
///
/// [`CollectRemoteError::ClaimsGone`].
pub(super) fn gone_claims(survey: &Survey, living: u64) -> Result<(), CollectRemoteError> {
    let counted = survey.gone_claims.iter().filter(|(session, _)| session.epoch >= living);
    let objects: Vec<_> = counted.map(|(_, object)| object.clone()).collect();
    if objects.is_empty() { Ok(()) } else { Err(CollectRemoteError::ClaimsGone { objects }) }
}

/// Stops where an index that writers believe names a pack that is neither there nor condemned: then the listing of packs
/// is not complete, or somebody deleted by hand.
///
/// # Errors
///
/// [`CollectRemoteError::PackUnknown`].
pub(super) fn unknown_packs(survey: &Survey, forced: &[String]) -> Result<(), CollectRemoteError> {
    let living = survey.indexes.iter().filter(|(name, _)| name.epoch >= survey.records.floor);
    for (name, index) in living {
        let object = layout::index_name(name);
        let unknown = |pack: &&crate::objects::PackRef| {
            !survey.packs.contains_key(&pack.id) && !survey.records.condemned.contains(&pack.id)
        };
        if let Some(pack) = index.packs().iter().map(|(pack, _)| pack).find(unknown)
            && !forced.contains(&object)
        {
            return Err(CollectRemoteError::PackUnknown { pack: pack.id, index: object });
        }
    }
    Ok(())
}
