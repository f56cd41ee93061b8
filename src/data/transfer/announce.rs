//! What a push announces before it names anything, and the look whether it may go on.

use std::collections::BTreeSet;

use crate::base::Digest;
use crate::objects::root::MAX_COMMITS;
use crate::objects::{BaseRoot, IndexBuilder, PackRef, RootRecord, SessionId, layout};
use crate::storage::remote::Remote;

use super::assemble::{Assembled, Top};
use super::push::{Push, Wish};
use super::survey::Collected;
use super::{Knowledge, TransferError};

/// Steps 4 and 5: the index of the new packs, and what the roots will name.
///
/// # Errors
///
/// When one cannot be put.
pub(super) fn put_index_and_claims(
    remote: &Remote,
    knowledge: &Knowledge,
    epoch: u64,
    session: SessionId,
    assembled: &Assembled,
    drafts: &[RootRecord],
) -> Result<(), TransferError> {
    let claims = || -> Result<(), TransferError> {
        for (number, draft) in (assembled.claims..).zip(drafts) {
            remote.put(&layout::claim_name(&session, number), draft.encode_claim()?)?;
        }
        Ok(())
    };
    let index = || -> Result<(), TransferError> {
        let mut builder = IndexBuilder::new(epoch);
        for (pack, footer) in &assembled.packs {
            builder.add(*pack, footer);
            let hooks = assembled.hooks.iter().filter(|(_, holder)| holder == pack);
            hooks.for_each(|(chunk, pack)| builder.add_hook(chunk, *pack));
            if builder.is_full() {
                put_index(remote, knowledge, std::mem::replace(&mut builder, IndexBuilder::new(epoch)))?;
            }
        }
        if builder.is_empty() { Ok(()) } else { put_index(remote, knowledge, builder) }
    };
    let (index, claims) = rayon::join(index, claims);
    index.and(claims)
}

/// Puts an index object, and keeps a copy: the next push need not get what this one put.
fn put_index(remote: &Remote, knowledge: &Knowledge, builder: IndexBuilder) -> Result<(), TransferError> {
    let (name, bytes) = builder.finish().encode()?;
    let object = layout::index_name(&name);
    remote.put(&object, bytes.clone())?;
    Ok(knowledge.keep_index(&object, &bytes)?)
}

/// Step 6: whether everything that the drafts name is still uncondemned and there: the new packs, those that are reused,
/// and those `kept` of roots that are renewed. What is not is noted in `refused`.
pub(super) fn settled(
    remote: &Remote,
    collected: &mut Collected,
    refused: &mut BTreeSet<Digest>,
    session: SessionId,
    kept: &BTreeSet<Digest>,
    assembled: &Assembled,
    vouched: &BTreeSet<PackRef>,
) -> Result<bool, TransferError> {
    collected.refresh(remote)?;
    if session.epoch < collected.floor {
        return Ok(false);
    }
    let own: BTreeSet<_> = assembled.packs.iter().map(|(pack, _)| pack.id).collect();
    let reused = assembled.reused.iter().map(|pack| pack.id);
    let mut claimed = own.iter().chain(kept).copied().chain(reused);
    if claimed.any(|pack| collected.condemned.contains(&pack)) {
        return Ok(false);
    }
    for pack in assembled.reused.difference(vouched).filter(|pack| !own.contains(&pack.id)) {
        let found = remote.stat(&layout::pack_name(&pack.id))?;
        if found.is_none_or(|found| found.size != u64::from(pack.size)) {
            refused.insert(pack.id);
        }
    }
    Ok(refused.is_empty() || assembled.reused.iter().all(|pack| !refused.contains(&pack.id)))
}

/// The records of the roots, as they will be put once the last look at gc allows it.
pub(super) fn drafts(
    push: &Push<'_>,
    session: SessionId,
    send: &[&Wish],
    bases: &[BaseRoot],
    assembled: &Assembled,
) -> Vec<RootRecord> {
    let draft = |(wish, top): (&&Wish, &Top)| RootRecord {
        repository: push.repository,
        home: push.home,
        session,
        kind: wish.root.kind,
        root: wish.root.id,
        manifest: wish.root.manifest,
        bytes: wish.root.size,
        files: top.files,
        bases: bases.to_vec(),
        commits: wish.commits.iter().take(MAX_COMMITS).cloned().collect(),
        top: top.place,
        top_copy: top.copy.clone(),
        locator: top.locator,
        locator_copy: top.locator_copy.clone(),
        packs: assembled.set.clone(),
        meta_packs: assembled.meta.clone(),
        profiles: None,
        extensions: Vec::new(),
    };
    send.iter().zip(&assembled.tops).map(draft).collect()
}
