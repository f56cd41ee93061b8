//! What is dead, what is condemned now, and the record that says so.

use std::collections::BTreeSet;

use crate::base::{Digest, RandomId};
use crate::objects::gc_record::RootName;
use crate::objects::{Certificate, GcRecord, RecordName};

use super::error::CollectRemoteError;
use super::needs::Needs;
use super::survey::{Survey, names};

/// What a collection concludes from its survey.
pub(super) struct Verdict {
    /// Condemned at least a grace ago, and nobody needs them: to be deleted.
    pub(super) dead: BTreeSet<Digest>,
    /// Condemned, but needed: they stay.
    pub(super) kept: BTreeSet<Digest>,
    /// Condemned, and their time is not over.
    pub(super) waiting: BTreeSet<Digest>,
    /// Condemned now.
    pub(super) condemn: BTreeSet<Digest>,
    /// Sessions of a lower epoch are dead from now on.
    pub(super) floor: u64,
    /// The floor of the records that were acted upon: claims below it count no more.
    pub(super) old_floor: u64,
    /// The roots that are certified now.
    pub(super) certified: BTreeSet<RootName>,
    /// Roots that were deleted on purpose, as far as a certificate still names them.
    pub(super) forgotten: BTreeSet<RootName>,
    /// Records that a newer one stands for.
    pub(super) outdated: Vec<RecordName>,
}

impl Verdict {
    /// Concludes; `gone` are roots of which the user says that they may be missing.
    ///
    /// # Errors
    ///
    /// [`CollectRemoteError::PackMissing`].
    pub(super) fn of(survey: &Survey, gone: BTreeSet<RootName>) -> Result<(Self, Needs), CollectRemoteError> {
        let grace = survey.grace();
        let records = survey.records.records();
        let acted = |name: &RecordName| {
            survey.before.get(name).is_some_and(|modified| survey.is_older(*modified, grace))
        };
        let old: Vec<_> =
            records.iter().filter(|(name, _)| acted(name)).map(|(_, met)| &met.record).collect();
        let old_floor = old.iter().map(|record| record.floor).max().unwrap_or_default();
        let needs = Needs::of(survey, old_floor)?;
        let there = |pack: &&Digest| survey.packs.contains_key(*pack);
        let ripe: BTreeSet<_> =
            old.iter().flat_map(|record| &record.condemned).filter(there).copied().collect();
        let (kept, dead): (BTreeSet<_>, BTreeSet<_>) =
            ripe.iter().copied().partition(|pack| needs.packs.contains_key(pack));
        let condemned = survey.records.condemned.iter().filter(there).copied();
        let waiting = condemned.filter(|pack| !ripe.contains(pack)).collect();
        let unneeded = survey.packs.iter().filter(|(pack, listed)| {
            !survey.records.condemned.contains(*pack)
                && !needs.packs.contains_key(*pack)
                && survey.is_older(listed.modified, grace)
        });
        let condemn = unneeded.map(|(pack, _)| *pack).collect();
        let is_weekly = |name: &&RecordName| {
            survey.before.get(*name).is_some_and(|modified| survey.is_older(*modified, survey.session_life()))
        };
        let weekly = records.keys().filter(is_weekly).map(|name| name.epoch).max().unwrap_or_default();
        let mut certified = needs.settled.clone();
        // What was whole once stays certified while it is there: gc has counted it since.
        certified.extend(survey.records.certified().intersection(&needs.whole));
        let mut forgotten = survey.forgotten();
        forgotten.extend(gone);
        let floor = survey.records.floor.max(weekly);
        let outdated = outdated(survey, &acted);
        let verdict = Self { dead, kept, waiting, condemn, floor, old_floor, certified, forgotten, outdated };
        Ok((verdict, needs))
    }

    /// The record of this run; `None` where there is nothing new to say.
    pub(super) fn record(&self, survey: &Survey) -> Option<GcRecord> {
        let records = survey.records.records();
        let certified_before = survey.records.certified();
        let oldest =
            survey.before.values().find(|modified| survey.is_older(**modified, survey.session_life()));
        let newest = survey.before.values().next_back();
        let may_compact = records.len() > 1
            && oldest.is_some()
            && newest.is_some_and(|modified| survey.is_older(*modified, survey.grace()));
        let is_new = !self.condemn.is_empty()
            || self.floor > survey.records.floor
            || self.certified != *certified_before
            || self.forgotten != survey.forgotten()
            || may_compact;
        if !is_new {
            return None;
        }
        let mut condemned = self.condemn.clone();
        condemned.extend(survey.records.condemned.iter().filter(|pack| self.still_matters(survey, pack)));
        Some(GcRecord {
            epoch: survey.records.epoch + 1,
            nonce: RandomId::generate(),
            config: survey.config.1,
            floor: self.floor,
            certificate: self.certificate(survey),
            condemned,
            forgotten: self.forgotten.clone(),
            extensions: Vec::new(),
        })
    }

    /// Whether a condemnation must be told on. Of a pack that is gone it may be forgotten once every session that could
    /// have begun before it is dead, and never while `moves/` leads from the pack to others.
    fn still_matters(&self, survey: &Survey, pack: &Digest) -> bool {
        let records = survey.records.records();
        survey.packs.contains_key(pack)
            || survey.moves.contains_key(pack)
            || !records
                .iter()
                .any(|(name, met)| name.epoch <= self.floor && met.record.condemned.contains(pack))
    }

    /// The certificate, told once.
    fn certificate(&self, survey: &Survey) -> Certificate {
        let holder = survey.records.records().iter().rev().find(|(_, met)| {
            matches!(&met.record.certificate, Certificate::Here(roots) if *roots == self.certified)
        });
        match holder {
            Some((name, _)) if self.outdated.binary_search(name).is_err() => Certificate::In(*name),
            _ => Certificate::Here(self.certified.clone()),
        }
    }
}

impl Survey {
    /// The roots that records forget, as far as a certificate still names them and they are gone.
    fn forgotten(&self) -> BTreeSet<RootName> {
        let records = self.records.records();
        let certified = |root: &&RootName| {
            records.values().any(
                |met| matches!(&met.record.certificate, Certificate::Here(roots) if roots.contains(*root)),
            )
        };
        let listed = names(&self.roots);
        let all = records.values().flat_map(|met| &met.record.forgotten);
        all.filter(certified).filter(|root| !listed.contains(*root)).copied().collect()
    }
}

/// Records for which a newer one stands: it is a grace old, has declared all sessions dead that could have begun before
/// them, and carries on what still matters of them.
fn outdated(survey: &Survey, acted: &dyn Fn(&RecordName) -> bool) -> Vec<RecordName> {
    let records = survey.records.records();
    let newest = records.iter().rev().find(|(_, met)| met.record.certificate != Certificate::None);
    let holder = newest.map(|(name, met)| match met.record.certificate {
        Certificate::In(holder) => holder,
        _ => *name,
    });
    let refers = |to: &RecordName| {
        records.values().any(|met| matches!(met.record.certificate, Certificate::In(holder) if holder == *to))
    };
    let matters = |pack: &&Digest| survey.packs.contains_key(*pack) || survey.moves.contains_key(*pack);
    let stands_for = |newer: &GcRecord, older: &GcRecord| {
        newer.floor >= older.epoch
            && newer.floor >= older.floor
            && older.condemned.iter().filter(matters).all(|pack| newer.condemned.contains(pack))
    };
    let is_outdated = |name: &RecordName, older: &GcRecord| {
        survey.before.contains_key(name)
            && holder != Some(*name)
            && !refers(name)
            && newest.is_some_and(|(newest, _)| newest > name)
            && records.iter().any(|(newer, met)| {
                newer.epoch > name.epoch && acted(newer) && stands_for(&met.record, older)
            })
    };
    records.iter().filter(|(name, met)| is_outdated(name, &met.record)).map(|(name, _)| *name).collect()
}
