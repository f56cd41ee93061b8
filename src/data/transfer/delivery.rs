//! Packs on their way to a remote, and the claims that keep them while a long push goes on.
//!
//! gc condemns packs that no root and no claim names once they are older than its grace. A push that takes longer than
//! that would lose what it sent first; so it claims what it has sent every 15 minutes, or every 256 packs.

use std::collections::{BTreeSet, VecDeque};
use std::panic;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};
use std::vec;

use crate::base::Progress;
use crate::objects::root::MAX_INLINE_PACKS;
use crate::objects::{
    FinishedPack, FooterEntry, ItemKind, PackFooter, PackRef, RootPacks, RootRecord, SessionId, layout,
};
use crate::storage::remote::Remote;

use super::plan::RootToSend;
use super::push::Push;
use super::{Knowledge, TransferError};

/// Packs that are on their way at once, each whole in memory, while the next one is filled.
const IN_FLIGHT: usize = 3;
/// A claim is put at the latest after so many packs.
const CLAIM_PACKS: usize = 256;
/// A claim is put at the latest after this time.
const CLAIM_AFTER: Duration = Duration::from_secs(15 * 60);

/// The claims that a long push puts on its way: drafts of its first root, each with some of the packs.
pub(super) struct EarlyClaims<'a> {
    remote: &'a Remote,
    draft: Option<RootRecord>,
    number: u32,
    unclaimed: Vec<PackRef>,
    sent: usize,
    since: Instant,
}

impl<'a> EarlyClaims<'a> {
    /// Nothing claimed yet; `reused` are packs of the remote that are relied on.
    pub(super) fn new(
        push: &Push<'a>,
        session: SessionId,
        roots: &[RootToSend],
        reused: &BTreeSet<PackRef>,
    ) -> Self {
        let draft = roots.first().map(|first| RootRecord {
            repository: push.repository,
            home: push.home,
            session,
            kind: first.root.kind,
            root: first.root.id,
            manifest: first.root.manifest,
            bytes: first.root.size,
            files: 1,
            bases: Vec::new(),
            commits: Vec::new(),
            top: None,
            top_copy: None,
            locator: None,
            locator_copy: None,
            packs: RootPacks::Inline(Vec::new()),
            meta_packs: Vec::new(),
            profiles: None,
            extensions: Vec::new(),
        });
        let unclaimed = reused.iter().copied().collect();
        Self { remote: push.remote, draft, number: 0, unclaimed, sent: 0, since: Instant::now() }
    }

    /// Takes packs that are on the remote now; claims them and those before when it is time.
    fn take(&mut self, packs: impl IntoIterator<Item = PackRef>) -> Result<(), TransferError> {
        let known = self.unclaimed.len();
        self.unclaimed.extend(packs);
        self.sent += self.unclaimed.len() - known;
        if self.sent < CLAIM_PACKS && self.since.elapsed() < CLAIM_AFTER {
            return Ok(());
        }
        self.claim()
    }

    fn claim(&mut self) -> Result<(), TransferError> {
        let Some(draft) = &self.draft else { return Ok(()) };
        self.unclaimed.sort_unstable();
        self.unclaimed.dedup();
        for packs in self.unclaimed.chunks(MAX_INLINE_PACKS) {
            let claim = RootRecord { packs: RootPacks::Inline(packs.to_vec()), ..draft.clone() };
            self.remote.put(&layout::claim_name(&draft.session, self.number), claim.encode_claim()?)?;
            self.number += 1;
        }
        self.unclaimed.clear();
        (self.sent, self.since) = (0, Instant::now());
        Ok(())
    }
}

/// A pack that was sent, and its memory.
struct Sent {
    pack: PackRef,
    footer: PackFooter,
    memory: Vec<u8>,
}

/// A thread that sends one pack.
type Sending<'scope> = ScopedJoinHandle<'scope, Result<Sent, TransferError>>;

/// Sends packs, some at a time, while others are filled, and keeps what the local store wants of them.
pub(super) struct Delivery<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    remote: &'scope Remote,
    knowledge: &'scope Knowledge,
    progress: &'scope Progress,
    claims: EarlyClaims<'scope>,
    /// Of the chunks that are still to come, in their order: whether a file ends with it.
    ends: vec::IntoIter<bool>,
    /// In the order in which they were filled.
    sending: VecDeque<Sending<'scope>>,
    sent: Vec<(PackRef, PackFooter)>,
    locators: Vec<(FooterEntry, Vec<u8>)>,
}

/// What was delivered.
pub(super) struct Delivered {
    /// The packs, in the order in which they were filled, with their tables.
    pub(super) packs: Vec<(PackRef, PackFooter)>,
    /// Locators in their stored form, for the local store: the next push finds in them what it need not send.
    pub(super) locators: Vec<(FooterEntry, Vec<u8>)>,
    /// Claims that were put on the way.
    pub(super) claims: u32,
}

impl<'scope, 'env> Delivery<'scope, 'env> {
    /// Nothing delivered yet. Packs are sent by threads of `scope`: the workers that read may be waiting for them. `ends`
    /// tells of each chunk that is to come whether a file ends with it.
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        push: &'scope Push<'_>,
        knowledge: &'scope Knowledge,
        claims: EarlyClaims<'scope>,
        ends: Vec<bool>,
    ) -> Self {
        let (remote, progress) = (push.remote, push.progress);
        let (ends, sending, sent, locators) = (ends.into_iter(), VecDeque::new(), Vec::new(), Vec::new());
        Self { scope, remote, knowledge, progress, claims, ends, sending, sent, locators }
    }

    /// Takes a pack that is whole and begins to send it, when fewer than [`IN_FLIGHT`] are on their way. Gives the memory of
    /// one that was sent, if there is some: fresh memory costs more time than anything else here.
    ///
    /// # Errors
    ///
    /// When a pack that was taken before cannot be sent.
    pub(super) fn take(&mut self, pack: FinishedPack<Vec<u8>>) -> Result<Vec<u8>, TransferError> {
        for (entry, place) in
            pack.footer.places(pack.pack).filter(|(entry, _)| entry.kind == ItemKind::Locator)
        {
            let (from, to) = (place.offset as usize, (place.offset + place.stored) as usize);
            self.locators.extend(pack.out.get(from..to).map(|stored| (*entry, stored.to_vec())));
        }
        let chunks = pack.footer.entries.iter().filter(|entry| entry.kind == ItemKind::Chunk);
        let bytes = chunks.clone().map(|entry| u64::from(entry.stored)).sum();
        let files = self.ends.by_ref().take(chunks.count()).filter(|ends| *ends).count() as u64;
        let is_sent = self.sending.front().is_some_and(ScopedJoinHandle::is_finished);
        let memory =
            if is_sent || self.sending.len() >= IN_FLIGHT { self.settle_first()? } else { Vec::new() };
        let (remote, knowledge, progress) = (self.remote, self.knowledge, self.progress);
        self.sending.push_back(self.scope.spawn(move || {
            let FinishedPack { pack, footer, out } = pack;
            let memory = remote.put(&layout::pack_name(&pack.id), out)?;
            // A push that is interrupted finds here what is up already.
            knowledge.keep_footer(&footer)?;
            knowledge.note_sent(&pack.id)?;
            progress.advance(bytes);
            progress.advance_files(files);
            Ok(Sent { pack, footer, memory })
        }));
        Ok(memory)
    }

    /// Waits for the pack that was begun first; gives its memory.
    fn settle_first(&mut self) -> Result<Vec<u8>, TransferError> {
        let Some(thread) = self.sending.pop_front() else { return Ok(Vec::new()) };
        let Sent { pack, footer, memory } =
            thread.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))?;
        self.claims.take([pack])?;
        self.sent.push((pack, footer));
        Ok(memory)
    }

    /// Waits for the rest.
    ///
    /// # Errors
    ///
    /// When packs cannot be sent.
    pub(super) fn finish(mut self) -> Result<Delivered, TransferError> {
        while !self.sending.is_empty() {
            self.settle_first()?;
        }
        Ok(Delivered { packs: self.sent, locators: self.locators, claims: self.claims.number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Digest, RandomId};
    use crate::data::root::RootName;
    use crate::objects::pointer::PointerKind;
    use crate::objects::{Home, PackBuilder};
    use crate::storage::store::Store;

    #[test]
    fn a_long_push_claims_what_it_has_sent() {
        let (folder, remote) = (tempfile::tempdir().unwrap(), Remote::memory().unwrap());
        let store = Store::open(folder.path());
        let repository = RandomId::generate();
        let home = Home::of(repository, "");
        let progress = Progress::hidden();
        let push = Push {
            store: &store,
            remote: &remote,
            repository,
            home,
            dry_run: false,
            progress: &progress,
            origin: None,
            verify: None,
        };
        let root = RootName { kind: PointerKind::Tree, id: Digest::of(b"t"), manifest: None, size: 9 };
        let path = crate::base::RepoPath::new("data").unwrap();
        let session = SessionId::begin(3);
        let pack = || PackBuilder::in_memory(session).finish().unwrap().pack;
        let reused: BTreeSet<_> = (0..MAX_INLINE_PACKS).map(|_| pack()).collect();
        let mut claims = EarlyClaims::new(&push, session, &[RootToSend { path, root }], &reused);
        let sent: Vec<_> = (0..CLAIM_PACKS).map(|_| pack()).collect();
        claims.take(sent[1..].iter().copied()).unwrap();
        assert!(remote.list(layout::CLAIMS).unwrap().is_empty(), "not yet");
        claims.take([sent[0]]).unwrap();
        let listed = remote.list(layout::CLAIMS).unwrap();
        assert_eq!((listed.len(), claims.number), (2, 2));
        let mut claimed = BTreeSet::new();
        for object in listed {
            let claim = RootRecord::decode_claim(&remote.get(&object.name).unwrap()).unwrap();
            let RootPacks::Inline(packs) = claim.packs else { panic!("packs are told in the claim") };
            claimed.extend(packs);
        }
        assert_eq!(claimed, reused.into_iter().chain(sent).collect(), "what is relied on, and what was sent");
    }
}
