//! Push: what a remote lacks of some roots, sent so that nothing named can ever be missing.
//!
//! The steps, in the order on which safety rests (found by exhaustive interleaving of writers, collectors and forgetters;
//! no clock decides, and any agent may sleep for ever between two steps):
//!
//! 1. List `gc/`, the roots and `index/`; read what is new. The session is named after the highest epoch seen. Who does
//!    not know the format, or a must-understand flag, stops here.
//! 2. A trusted record of the same root that is younger than 7 days: nothing to do for it. An older one is renewed: step 5
//!    with a record that relies on all of its packs.
//! 3. Plan: chunks are reused only from packs that no record condemns. A condemned name never enters a new root.
//! 4. Put packs, then the index object: it names only packs that are whole, and no name is ever used twice.
//! 5. Put claims: drafts of the root records, with every pack that they will name. What a root will name is visible before
//!    the last look. A long push puts earlier ones on its way, for what it has sent until then.
//! 6. List `gc/` again. Own session below the floor: back to 1, under a new session. A claimed pack condemned: back to 3
//!    without it. A reused pack that no trusted root vouches for is asked for: wrong or absent counts as condemned.
//! 7. Put the roots, without any retry: a delayed one must not come after the second look.
//! 8. List `gc/`: own session condemned meanwhile: delete the own roots and go back to 1. Else success, and only now may
//!    Git move refs. The claims stay; gc removes them.
//!
//! Nothing to do costs 2 requests; a small push 10, and one more where the mirror of the index proves nothing.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::base::{Digest, Progress, RandomId, RepoPath, Unit};
use crate::data::root::RootName;
use crate::objects::layout;
use crate::objects::root::{MAX_BASES, MAX_COMMITS};
use crate::objects::{BaseRoot, Home, Index, RootRecord, SessionId};
use crate::storage::remote::Remote;
use crate::storage::remote_reader::RemoteReader;
use crate::storage::store::Store;

use super::announce::{put_index_and_claims, settled};
use super::assemble::{Assembled, RootToSend, assemble, nodes_of, plan};
use super::known::Known;
use super::standing::{Sorted, read_record, sort};
use super::survey::{Collected, Roots, config_for_writing, refresh_index};
use super::{Knowledge, TransferError};

/// A push begins anew at most so many times.
const MOST_TRIES: u32 = 5;

/// One version that is to be on the remote.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The path of the data.
    pub path: RepoPath,
    /// The version.
    pub root: RootName,
    /// Commits that name it.
    pub commits: Vec<String>,
    /// Older versions of the path, the nearest first: what they share need not be sent.
    pub bases: Vec<Digest>,
}

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Pushed {
    /// Versions that are now on the remote and were not.
    pub sent: Vec<PushedVersion>,
    /// Versions whose record was renewed.
    pub renewed: u64,
    /// Versions that were there.
    pub known: u64,
    /// Packs sent.
    pub packs: u64,
    /// Bytes sent in them.
    pub bytes: u64,
    /// Versions that neither this store nor the remote has: nobody can send them from here.
    pub missing: Vec<PushedVersion>,
}

/// A version and its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushedVersion {
    /// The path of the data.
    pub path: RepoPath,
    /// The version.
    pub root: Digest,
    /// Bytes of its contents.
    pub size: u64,
}

impl From<&Wish> for PushedVersion {
    fn from(wish: &Wish) -> Self {
        Self { path: wish.path.clone(), root: wish.root.id, size: wish.root.size }
    }
}

/// Where and as what a push goes.
pub struct Push<'a> {
    /// The store that has the data.
    pub store: &'a Store,
    /// The remote.
    pub remote: &'a Remote,
    /// The repository's random id.
    pub repository: RandomId,
    /// The Git remote that the commits go to.
    pub home: Home,
    /// Plan and tell, send nothing.
    pub dry_run: bool,
    /// How far it is.
    pub progress: &'a Progress,
}

/// Brings `wishes` to the remote.
///
/// # Errors
///
/// [`TransferError`]; after any of them, and after a kill at any point, everything that the remote names exists.
pub fn push(push: &Push<'_>, knowledge: &mut Knowledge, wishes: &[Wish]) -> Result<Pushed, TransferError> {
    let mut collected = Collected::default();
    let mut refused: BTreeSet<Digest> = BTreeSet::new();
    for _ in 0..MOST_TRIES {
        let (gc, roots) = rayon::join(
            || collected.refresh(push.remote),
            || Roots::list(push.remote, push.repository, &ids_of(wishes)),
        );
        gc?;
        let roots = roots?;
        let sorted = sort(push, knowledge, wishes, &roots, &collected, &refused)?;
        for (wish, session) in &sorted.known {
            knowledge.note_root(wish.root.id, *session);
        }
        if sorted.send.is_empty() && sorted.renew.is_empty() {
            knowledge.save()?;
            return Ok(Pushed { known: sorted.known.len() as u64, ..Pushed::default() });
        }
        if let Some(done) = attempt(push, knowledge, &mut collected, &mut refused, &sorted)? {
            return Ok(done);
        }
    }
    Err(TransferError::Unsettled(MOST_TRIES))
}

/// The wishes' roots, and their nearest bases: whether these are still there is asked together.
fn ids_of(wishes: &[Wish]) -> Vec<Digest> {
    let own = wishes.iter().map(|wish| wish.root.id);
    let mut ids: Vec<_> = own.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Steps 3 to 8 once. `None`: gc came in between, begin anew.
fn attempt(
    push: &Push<'_>,
    knowledge: &mut Knowledge,
    collected: &mut Collected,
    refused: &mut BTreeSet<Digest>,
    sorted: &Sorted<'_>,
) -> Result<Option<Pushed>, TransferError> {
    let session = SessionId::begin(collected.epoch);
    let indexes = if push.dry_run { Vec::new() } else { meet(push.remote, knowledge, collected)? };
    let condemned: BTreeSet<_> = collected.condemned.union(refused).copied().collect();
    let reader = RemoteReader::new(push.remote);
    let mut known = Known::new(push.store, &reader, knowledge, &indexes, &condemned);
    let (send, missing) = sendable(push.store, &sorted.send);
    let roots: Vec<_> =
        send.iter().map(|wish| RootToSend { path: wish.path.clone(), root: wish.root }).collect();
    let bases = learn_bases(push, collected, knowledge, &mut known, &send, &roots)?;
    let planned = plan(push.store, &mut known, &roots)?;
    if push.dry_run {
        let sent = send.iter().map(|wish| PushedVersion::from(*wish)).collect();
        let (renewed, known) = (sorted.renew.len() as u64, sorted.known.len() as u64);
        return Ok(Some(Pushed { sent, renewed, known, packs: 0, bytes: planned.bytes, missing }));
    }
    let vouched = known.vouched().clone();
    push.progress.begin("sending", Unit::Bytes, Some(planned.bytes));
    let assembled = assemble(push, knowledge, session, planned, &roots);
    push.progress.end();
    let assembled = assembled?;
    let mut drafts = drafts(push, session, &send, &bases, &assembled);
    let renewed = sorted.renew.iter().map(|(record, _)| record.clone());
    drafts.extend(renewed.map(|record| RootRecord { session, home: push.home, ..record }));
    let kept: BTreeSet<_> = sorted.renew.iter().flat_map(|(_, packs)| packs).map(|pack| pack.id).collect();
    put_index_and_claims(push.remote, collected.epoch, session, &assembled, &drafts)?;
    if !settled(push.remote, collected, refused, session, &kept, &assembled, &vouched)? {
        return Ok(None);
    }
    for draft in &drafts {
        let name = layout::root_name(&draft.repository, &draft.root, &session);
        push.remote.put_once_without_retry(&name, draft.encode()?)?;
    }
    collected.refresh(push.remote)?;
    if session.epoch < collected.floor {
        for draft in &drafts {
            push.remote.delete(&layout::root_name(&draft.repository, &draft.root, &session))?;
        }
        return Ok(None);
    }
    for draft in &drafts {
        knowledge.note_root(draft.root, session);
        knowledge.keep_record(&draft.root, &session, &draft.encode()?)?;
    }
    knowledge.set_epoch(collected.epoch);
    knowledge.save()?;
    let bytes = assembled.packs.iter().map(|(pack, _)| u64::from(pack.size)).sum();
    Ok(Some(Pushed {
        sent: send.iter().map(|wish| PushedVersion::from(*wish)).collect(),
        renewed: sorted.renew.len() as u64,
        known: sorted.known.len() as u64,
        packs: assembled.packs.len() as u64,
        bytes,
        missing,
    }))
}

/// Makes sure which remote this is, and brings the mirror of its index up to date. While an index object of which there
/// is a copy is still listed, the remote is the one that was met; otherwise its configuration is read.
fn meet(
    remote: &Remote,
    knowledge: &mut Knowledge,
    collected: &Collected,
) -> Result<Vec<Index>, TransferError> {
    let listed = remote.list(layout::INDEX)?;
    let met = knowledge.remote().is_some()
        && knowledge.epoch() >= collected.floor
        && collected.config.is_none_or(|config| knowledge.config() == Some(config))
        && listed.iter().any(|object| knowledge.indexes().contains(&object.name));
    if !met {
        if knowledge.epoch() < collected.floor {
            knowledge.forget();
        }
        config_for_writing(remote, knowledge)?;
    }
    refresh_index(remote, knowledge, &listed, collected.floor)
}

/// The wishes that this store can fulfil, and those that it cannot.
fn sendable<'a>(store: &Store, wishes: &[&'a Wish]) -> (Vec<&'a Wish>, Vec<PushedVersion>) {
    let top = |wish: &Wish| wish.root.manifest.unwrap_or(wish.root.id);
    let here = |wish: &&&Wish| wish.root.size == 0 || store.contains(&top(wish));
    let send: Vec<_> = wishes.iter().filter(here).copied().collect();
    let missing = wishes.iter().filter(|wish| !here(wish)).map(|wish| PushedVersion::from(*wish)).collect();
    (send, missing)
}

/// Learns from older versions of the same paths that are on the remote. Returns which were of use, for the records.
fn learn_bases(
    push: &Push<'_>,
    collected: &Collected,
    knowledge: &Knowledge,
    known: &mut Known<'_>,
    send: &[&Wish],
    roots: &[RootToSend],
) -> Result<Vec<BaseRoot>, TransferError> {
    let (nodes, paths) = nodes_of(push.store, roots);
    let mut bases = Vec::new();
    let wanted: BTreeSet<_> = send.iter().map(|wish| wish.root.id).collect();
    let candidates = send.iter().filter_map(|wish| {
        wish.bases.iter().find(|base| knowledge.has_root(base) && !wanted.contains(*base)).copied()
    });
    let candidates: BTreeSet<_> = candidates.collect();
    for root in candidates.into_iter().take(MAX_BASES) {
        let Some(session) = knowledge.session_of(&root) else { continue };
        if !collected.trusts(push.repository, root, session) {
            continue;
        }
        let name = layout::root_name(&push.repository, &root, &session);
        // The record must still be there: it is what keeps the packs.
        if knowledge.record(&root, &session).is_some() && push.remote.stat(&name)?.is_none() {
            continue;
        }
        if let Some(record) = read_record(push, knowledge, &root, session)? {
            known.learn_from_base(&record, &nodes, &paths)?;
            bases.push(BaseRoot { root, session });
        }
    }
    Ok(bases)
}

fn drafts(
    push: &Push<'_>,
    session: SessionId,
    send: &[&Wish],
    bases: &[BaseRoot],
    assembled: &Assembled,
) -> Vec<RootRecord> {
    let draft = |(wish, top): (&&Wish, &super::assemble::Top)| RootRecord {
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
