//! Older versions of the same paths that are on the remote: what a push shares with them need not be sent.

use std::collections::BTreeSet;

use crate::base::Digest;
use crate::objects::root::MAX_BASES;
use crate::objects::{BaseRoot, SessionId};

use super::known::Known;
use super::plan::{RootToSend, nodes_of};
use super::push::{Push, Wish};
use super::standing::read_record;
use super::survey::{Collected, Roots};
use super::{Knowledge, TransferError};

/// The wishes' roots, and the nearest bases of those that seem new: whether these are still there is asked together.
pub(super) fn ids_of(wishes: &[Wish], knowledge: &Knowledge) -> BTreeSet<Digest> {
    let new = wishes.iter().filter(|wish| !knowledge.has_root(&wish.root.id));
    let bases = new.filter_map(|wish| base_of(wish, knowledge));
    wishes.iter().map(|wish| wish.root.id).chain(bases).collect()
}

/// The nearest base of a wish that was seen on the remote.
fn base_of(wish: &Wish, knowledge: &Knowledge) -> Option<Digest> {
    wish.bases.iter().find(|base| knowledge.has_root(base)).copied()
}

/// Learns from older versions of the same paths that are on the remote. Returns which were of use, for the records.
pub(super) fn learn_bases(
    push: &Push<'_>,
    collected: &Collected,
    listed: &Roots,
    knowledge: &Knowledge,
    known: &mut Known<'_>,
    send: &[&Wish],
    roots: &[RootToSend],
) -> Result<Vec<BaseRoot>, TransferError> {
    let (nodes, paths) = nodes_of(push.store, roots);
    let mut bases = Vec::new();
    let wanted: BTreeSet<_> = send.iter().map(|wish| wish.root.id).collect();
    let candidates: BTreeSet<_> = send.iter().filter_map(|wish| base_of(wish, knowledge)).collect();
    for root in candidates.difference(&wanted).copied().take(MAX_BASES) {
        // The record must be there now: it is what keeps the packs. Of several, the one that was met need not be read.
        let trusted = |session: &SessionId| collected.trusts(push.repository, root, *session);
        let there: Vec<_> = listed.sessions(&root).into_iter().filter(trusted).collect();
        let met = knowledge.session_of(&root).filter(|session| there.contains(session));
        let Some(session) = met.or(there.first().copied()) else { continue };
        if let Some(record) = read_record(push, knowledge, &root, session)? {
            known.learn_from_base(&record, &nodes, &paths)?;
            bases.push(BaseRoot { root, session });
        }
    }
    Ok(bases)
}
