//! Where the items of a pack lie now: in itself, or in the packs that it was folded into.

use std::collections::BTreeSet;

use crate::base::Digest;
use crate::objects::PackRef;
use crate::objects::moves::MAX_MOVE_DEPTH;

use super::survey::Survey;

/// What keeps the items of one pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::data) struct Keeps {
    /// The packs that must stay for it.
    pub(in crate::data) packs: Vec<Digest>,
    /// Whether all of them are there, and nobody may delete them: no record condemns them.
    pub(in crate::data) is_settled: bool,
}

/// What must stay so that the items of `pack` can be read; `None` where they cannot.
pub(in crate::data) fn keeps(survey: &Survey, pack: &PackRef) -> Option<Keeps> {
    let condemned = &survey.records.condemned;
    let is_there = survey.holds(pack);
    let (pack, mut targets) = (pack.id, BTreeSet::new());
    let is_moved = follow(survey, pack, 0, &mut targets);
    let targets: Vec<_> = targets.into_iter().collect();
    let targets_are_safe = is_moved && targets.iter().all(|target| !condemned.contains(target));
    if targets_are_safe {
        return Some(Keeps { packs: targets, is_settled: true });
    }
    match (is_there, is_moved) {
        // Others may be about to delete the targets: the old one stays as well.
        (true, true) => {
            Some(Keeps { packs: [vec![pack], targets].concat(), is_settled: !condemned.contains(&pack) })
        }
        (true, false) => Some(Keeps { packs: vec![pack], is_settled: !condemned.contains(&pack) }),
        (false, true) => Some(Keeps { packs: targets, is_settled: false }),
        (false, false) => None,
    }
}

/// Collects the packs that hold the items of `pack` now. Whether they are all there.
fn follow(survey: &Survey, pack: Digest, depth: u8, found: &mut BTreeSet<Digest>) -> bool {
    let Some(moves) = survey.moves.get(&pack).filter(|_| depth < MAX_MOVE_DEPTH) else { return false };
    moves.targets.iter().all(|target| {
        if survey.holds(target) {
            found.insert(target.id);
            return true;
        }
        follow(survey, target.id, depth + 1, found)
    })
}
