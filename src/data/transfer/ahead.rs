//! Chunks that go to a remote while they are read: 40 GB of images on a laptop with 30 GB free.
//!
//! What a demanding user expects: the data stays where it is, the disk does not fill, and the pointer is written only when
//! the remote can give every byte back. The chunks go into packs for the remote at once and never onto this disk; the
//! nodes, which are small, stay here. The tables of the packs are noted, so the push that follows finds the chunks there,
//! asks for each of the packs, and puts the root. A stream that is interrupted leaves packs that the next one reuses,
//! unless gc of the remote removes them first; long ones are claimed on the way, as those of any push.

use std::collections::{BTreeSet, HashSet};
use std::mem;
use std::panic;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ScopedJoinHandle};

use crate::base::{Digest, Progress, RepoPath};
use crate::data::content::Elsewhere;
use crate::data::remotes::{self, RemotesError};
use crate::data::root::RootName;
use crate::data::versions::Version;
use crate::data::workspace::Workspace;
use crate::objects::item::EMPTY_CONTENT;
use crate::objects::pointer::PointerKind;
use crate::objects::{FinishedPack, FooterEntry, Home, ItemKind, PackBuilder, SessionId};
use crate::storage::remote::Remote;
use crate::storage::store::{Parcel, StoreError};

use super::delivery::{Delivery, EarlyClaims};
use super::exchange::{PushOptions, ToPush, With, push_these};
use super::plan::RootToSend;
use super::push::{Push, Pushed, meet};
use super::survey::Collected;
use super::{Knowledge, TransferError};

/// A remote that takes chunks before the version is known that they belong to. One thread sends while others read.
pub struct Ahead<'scope> {
    session: SessionId,
    state: Mutex<State<'scope>>,
}

struct State<'scope> {
    /// Chunks that are in packs of the remote, or on their way.
    known: HashSet<Digest>,
    open: PackBuilder<Vec<u8>>,
    /// To the thread that sends; it ends early when it fails.
    packs: Option<SyncSender<FinishedPack<Vec<u8>>>>,
    /// Memory of packs that were sent.
    memory: Receiver<Vec<u8>>,
    sending: Option<ScopedJoinHandle<'scope, Result<(), TransferError>>>,
}

/// Opens the remote `remote` for chunks that `work` reads, and hands it on. What failed at the remote is the cause of
/// whatever failed behind it.
///
/// # Errors
///
/// [`TransferError`] when the remote cannot be written; what `work` says.
pub fn send_ahead<T, E: From<TransferError>>(
    workspace: &Workspace,
    remote: &str,
    work: impl FnOnce(&Ahead<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let settings = remotes::find(workspace, Some(remote)).map_err(TransferError::from)?;
    let (connection, mut knowledge) =
        remotes::open_to_send(workspace, &settings).map_err(TransferError::from)?;
    let team = remotes::team_file(workspace).map_err(TransferError::from)?;
    let repository = team.repository().ok_or(RemotesError::NotSetUp).map_err(TransferError::from)?;
    let (collected, known) = begin(&connection, &mut knowledge)?;
    let session = SessionId::begin(collected.epoch);
    let (store, home, progress) = (workspace.store(), Home::of(repository, ""), Progress::hidden());
    let push = Push {
        store,
        remote: &connection,
        repository,
        home,
        dry_run: false,
        progress: &progress,
        origin: None,
        verify: None,
    };
    let claims = EarlyClaims::new(&push, session, &[nothing_yet()?], &BTreeSet::new());
    thread::scope(|scope| {
        let mut delivery = Delivery::new(scope, &push, &knowledge, claims, Vec::new());
        // Without a place to wait: what is sent takes the memory of some packs already.
        let (packs, received) = sync_channel(0);
        let (returning, memory) = channel();
        let sending = scope.spawn(move || {
            for pack in received {
                // Whoever does not want it any more has ended.
                let _ = returning.send(delivery.take(pack)?);
            }
            delivery.finish().map(drop)
        });
        let open = PackBuilder::in_memory(session);
        let state = State { known, open, packs: Some(packs), memory, sending: Some(sending) };
        let ahead = Ahead { session, state: Mutex::new(state) };
        let done = work(&ahead);
        ahead.state().join()?;
        done
    })
}

/// What a push begins with, too: what gc said, and which remote this is. And the chunks that are known to be there.
fn begin(
    connection: &Remote,
    knowledge: &mut Knowledge,
) -> Result<(Collected, HashSet<Digest>), TransferError> {
    let mut collected = Collected::default();
    collected.refresh(connection)?;
    meet(connection, knowledge, &collected)?;
    // The push that follows must not take what is noted from here on for something older than the last collection.
    knowledge.set_epoch(collected.epoch);
    knowledge.save()?;
    let packs = knowledge.packs().unwrap_or_default();
    let living = packs.iter().filter(|(pack, _)| !collected.condemned.contains(&pack.id));
    let chunks = living.flat_map(|(_, footer)| &footer.entries).filter(|entry| entry.kind == ItemKind::Chunk);
    let known = chunks.map(|entry| entry.id).collect();
    Ok((collected, known))
}

/// What claims name as long as the root is not known: only their packs count.
fn nothing_yet() -> Result<RootToSend, TransferError> {
    let root = RootName { kind: PointerKind::File, id: EMPTY_CONTENT, manifest: None, size: 0 };
    let path = RepoPath::new("data").map_err(|_| TransferError::Inconsistent)?;
    Ok(RootToSend { path, root })
}

impl<'scope> Ahead<'scope> {
    /// Sends what waits. Afterwards everything that was taken is on the remote.
    ///
    /// # Errors
    ///
    /// [`TransferError`] when something could not be sent.
    pub fn finish(&self) -> Result<(), TransferError> {
        let mut state = self.state();
        // A thread that ended early says why when it is joined.
        let _ = state.end_pack(self.session);
        state.join()
    }

    fn state(&self) -> MutexGuard<'_, State<'scope>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State<'_> {
    fn put(&mut self, session: SessionId, parcel: &Parcel) -> Result<u64, StoreError> {
        let mut grown = 0;
        for (entry, stored) in parcel.items() {
            if !self.known.insert(entry.id) {
                continue;
            }
            if !self.open.fits(1, stored.len()) {
                self.end_pack(session)?;
            }
            let FooterEntry { id, kind, codec, raw, .. } = *entry;
            let pushed = self.open.push(id, kind, codec, stored, raw);
            pushed.map_err(|_| StoreError::BadItem { id, raw, stored: stored.len() })?;
            grown += u64::from(entry.stored);
        }
        Ok(grown)
    }

    fn end_pack(&mut self, session: SessionId) -> Result<(), StoreError> {
        if self.open.is_empty() {
            return Ok(());
        }
        let memory = self.memory.try_recv().unwrap_or_default();
        let full = mem::replace(&mut self.open, PackBuilder::reusing(memory, session));
        let pack = full.finish().map_err(|_| StoreError::Failed)?;
        let packs = self.packs.as_ref().ok_or(StoreError::Failed)?;
        packs.send(pack).map_err(|_| StoreError::Failed)
    }

    /// Waits for the thread that sends.
    fn join(&mut self) -> Result<(), TransferError> {
        self.packs = None;
        let Some(sending) = self.sending.take() else { return Ok(()) };
        sending.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))
    }
}

impl Elsewhere for Ahead<'_> {
    fn has(&self, chunk: &Digest) -> bool {
        self.state().known.contains(chunk)
    }

    fn take(&self, parcel: &Parcel) -> Result<u64, StoreError> {
        self.state().put(self.session, parcel)
    }
}

/// Puts the roots of `versions`, whose chunks went ahead.
///
/// # Errors
///
/// [`TransferError`], also when the remote or this store lacks something: then nothing may name the versions.
pub fn push_sent_ahead(
    workspace: &Workspace,
    remote: &str,
    versions: Vec<Version>,
    progress: &Progress,
) -> Result<With<Pushed>, TransferError> {
    let batch = ToPush { named: versions, beside: &[], older: &[] };
    let pushed = push_these(workspace, Some(remote), batch, PushOptions::default(), progress)?;
    match pushed.done.missing.first() {
        Some(lost) => Err(TransferError::MissingHere { path: lost.path.clone(), id: lost.root }),
        None => Ok(pushed),
    }
}
