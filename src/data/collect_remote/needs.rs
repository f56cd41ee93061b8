//! Which packs roots and claims need.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Digest;
use crate::objects::gc_record::RootName;

use super::error::CollectRemoteError;
use super::moved::keeps;
use super::survey::Survey;

/// What is needed.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// The packs that must stay, each with the name of one object that needs it.
    pub(super) packs: BTreeMap<Digest, String>,
    /// Roots that are whole, in packs that no record condemns.
    pub(super) settled: BTreeSet<RootName>,
    /// Roots that are whole; some of their packs may be condemned.
    pub(super) whole: BTreeSet<RootName>,
}

impl Needs {
    /// What the roots need, and the claims of sessions from the epoch `living` on.
    ///
    /// # Errors
    ///
    /// [`CollectRemoteError::PackMissing`] for a root that may be relied on.
    pub(super) fn of(survey: &Survey, living: u64) -> Result<Self, CollectRemoteError> {
        let mut needs = Self::default();
        for root in &survey.roots {
            let object = root.object();
            let name = root.name;
            let is_trusted = survey.records.trusts(name.repository, name.root, name.session);
            let (mut is_whole, mut is_settled) = (root.packs.is_some(), true);
            for pack in root.packs.as_ref().unwrap_or(&root.meta) {
                match keeps(survey, pack) {
                    Some(keeps) => {
                        needs.packs.extend(keeps.packs.into_iter().map(|pack| (pack, object.clone())));
                        is_settled &= keeps.is_settled;
                    }
                    None if is_trusted => {
                        return Err(CollectRemoteError::PackMissing { pack: pack.id, needed_by: object });
                    }
                    None => is_whole = false,
                }
            }
            if is_trusted && !is_whole {
                let pack = root.meta.first().map(|pack| pack.id).unwrap_or_default();
                return Err(CollectRemoteError::PackMissing { pack, needed_by: object });
            }
            if is_whole {
                needs.whole.insert(name);
            }
            if is_whole && is_settled {
                needs.settled.insert(name);
            }
        }
        for claim in survey.claims.iter().filter(|claim| claim.session.epoch >= living) {
            for pack in &claim.packs {
                // The push may put a root that names the old pack: both stay until it has looked again.
                needs.packs.insert(pack.id, claim.object.clone());
                let kept = keeps(survey, pack).map(|keeps| keeps.packs).unwrap_or_default();
                needs.packs.extend(kept.into_iter().map(|pack| (pack, claim.object.clone())));
            }
        }
        Ok(needs)
    }
}
