//! What a remote says about each version that is to be pushed: there, to be renewed, or to be sent.

use std::collections::{BTreeSet, HashSet};

use rayon::prelude::*;

use crate::base::Digest;
use crate::objects::{PackRef, RootRecord, SessionId, layout};
use crate::storage::remote::RemoteErrorKind;
use crate::storage::remote_reader::{ReadError, RemoteReader};

use super::push::{Push, Wish};
use super::survey::{Collected, Roots};
use super::tables::packs_of;
use super::{Knowledge, TransferError};

/// What is to be done about the wishes.
pub(super) struct Sorted<'a> {
    /// Not on the remote.
    pub(super) send: Vec<&'a Wish>,
    /// There, under records that must be written anew, with all packs that they name.
    pub(super) renew: Vec<(RootRecord, Vec<PackRef>)>,
    /// There, with the session that wrote the record.
    pub(super) known: Vec<(&'a Wish, SessionId)>,
}

/// What is to be done about each wish. Only a record of the same home counts as done: forks share the repository's id, and
/// whoever forgets the roots of one home knows nothing of the refs of another.
pub(super) fn sort<'a>(
    push: &Push<'_>,
    knowledge: &Knowledge,
    wishes: &'a [Wish],
    roots: &Roots,
    collected: &Collected,
    refused: &BTreeSet<Digest>,
) -> Result<Sorted<'a>, TransferError> {
    let mut seen = HashSet::new();
    let wishes: Vec<_> = wishes.iter().filter(|wish| seen.insert(wish.root.id)).collect();
    let records: Result<Vec<_>, TransferError> = wishes
        .par_iter()
        .map(|wish| {
            let root = wish.root.id;
            let sessions = roots.sessions(&root);
            let trusted =
                sessions.into_iter().filter(|session| collected.trusts(push.repository, root, *session));
            let mut best = None;
            for session in trusted {
                let Some(record) = read_record(push, knowledge, &root, session)? else { continue };
                let is_done = record.home == push.home && roots.is_young(&root, &session);
                let is_dead =
                    |pack: &PackRef| collected.condemned.contains(&pack.id) || refused.contains(&pack.id);
                // A record of a damaged pack promises what is not there.
                if is_done && refused.is_empty() {
                    best = Some((record, None));
                    break;
                }
                match packs_of(&RemoteReader::new(push.remote), &record) {
                    Ok(packs) if is_done && !packs.iter().any(|pack| refused.contains(&pack.id)) => {
                        best = Some((record, None));
                        break;
                    }
                    Ok(packs) if !packs.iter().any(is_dead) => best = Some((record, Some(packs))),
                    Err(TransferError::Read(ReadError::Remote(error))) => return Err(error.into()),
                    // What cannot be renewed is sent.
                    Ok(_) | Err(_) => {}
                }
            }
            Ok(best)
        })
        .collect();
    let mut sorted = Sorted { send: Vec::new(), renew: Vec::new(), known: Vec::new() };
    for (wish, record) in wishes.into_iter().zip(records?) {
        match record {
            Some((record, None)) => sorted.known.push((wish, record.session)),
            Some((record, Some(packs))) => sorted.renew.push((record, packs)),
            None => sorted.send.push(wish),
        }
    }
    Ok(sorted)
}

/// A root record, from what was met before or from the remote; `None` where it is gone or damaged.
pub(super) fn read_record(
    push: &Push<'_>,
    knowledge: &Knowledge,
    root: &Digest,
    session: SessionId,
) -> Result<Option<RootRecord>, TransferError> {
    if let Some(record) = knowledge.record(root, &session).and_then(|bytes| RootRecord::decode(&bytes).ok()) {
        return Ok(Some(record));
    }
    let name = layout::root_name(&push.repository, root, &session);
    let bytes = match push.remote.get(&name) {
        Err(error) if error.kind() == RemoteErrorKind::NotFound => return Ok(None),
        answer => answer?,
    };
    let record = RootRecord::decode(&bytes).ok();
    let record = record.filter(|record| {
        (record.repository, record.root, record.session) == (push.repository, *root, session)
    });
    if record.is_some() {
        knowledge.keep_record(root, &session, &bytes)?;
    }
    Ok(record)
}
