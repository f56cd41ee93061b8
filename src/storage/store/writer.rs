//! Putting items into the store.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use super::error::StoreError;
use super::handle::{Store, Stored};
use super::open_pack::{OpenPack, with_offsets_from};
use super::parcel::Parcel;
use super::standing;
use super::users::StoreUse;
use crate::base::{Digest, Progress};
use crate::objects::{Codec, Encoder, FooterEntry, ItemKind, codec, encoder};

/// How many full packs may be on their way to the disk at once.
const SEALED_AT_ONCE: usize = 2;

/// A thread that seals a pack; gives where it lies then.
type Sealing = JoinHandle<Result<PathBuf, StoreError>>;

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It was new.
    New {
        /// Length as stored, in bytes.
        stored: u32,
    },
    /// The store had it.
    Known,
}

/// Puts items into the store; may be shared by threads, which then compress at once. Whoever has many items collects
/// them in a [`Parcel`].
///
/// Nothing that was put may be relied on before [`StoreWriter::sync`] succeeded. When a call fails, what was put since
/// the last sync is not kept, and every further call fails. Dropping syncs, too, but tells nobody whether it worked.
pub struct StoreWriter {
    store: Store,
    /// From the first item on.
    entered: OnceLock<StoreUse>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The open pack and its number in the index.
    open: Option<(OpenPack, u32)>,
    /// Full packs on their way to the disk, and their numbers.
    sealing: VecDeque<(Sealing, u32)>,
    failed: bool,
}

impl fmt::Debug for StoreWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreWriter({})", self.store.path().display())
    }
}

impl StoreWriter {
    pub(super) fn new(store: Store) -> Self {
        Self { store, entered: OnceLock::new(), state: Mutex::default() }
    }

    /// Puts the item `raw`, whose id of this `kind` is `id`; one that the store has is skipped.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be written.
    pub fn put(&self, id: Digest, kind: ItemKind, raw: &[u8]) -> Result<Kept, StoreError> {
        self.store.count_one();
        if self.is_known(&id)? {
            return Ok(Kept::Known);
        }
        let (codec, stored) = codec::encode(raw, encoder::LEVEL);
        self.put_stored(id, kind, codec, &stored, raw.len() as u32)
    }

    /// Puts an item of `raw` bytes in its stored form. The caller has verified that `stored` is the item `id`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be written.
    pub fn put_stored(
        &self,
        id: Digest,
        kind: ItemKind,
        codec: Codec,
        stored: &[u8],
        raw: u32,
    ) -> Result<Kept, StoreError> {
        let entry = FooterEntry { id, stored: stored.len() as u32, raw, codec, kind };
        if stored.len() > kind.longest() || FooterEntry::decode(&entry.encode()).is_err() {
            return Err(StoreError::BadItem { id, raw, stored: stored.len() });
        }
        let mut state = self.ready()?;
        if self.is_known(&id)? {
            return Ok(Kept::Known);
        }
        let appended = self.append_run(&mut state, &[entry], stored);
        if appended.is_err() {
            self.fail(&mut state);
        }
        appended.map(|()| Kept::New { stored: entry.stored })
    }

    /// Begins a pack of its own, so that nothing lands in one that is to go.
    pub(super) fn keep_apart(&self) -> Result<(), StoreError> {
        let own = self.in_index(OpenPack::begin(&self.store.path().join("open"))?);
        self.state().open = Some(own);
        Ok(())
    }

    /// Puts an item that the store has a second time, verified, out of a pack that is to go.
    pub(super) fn copy(&self, id: Digest, item: &Stored) -> Result<(), StoreError> {
        let Stored { kind, codec, raw, .. } = *item;
        let entry = FooterEntry { id, stored: item.bytes.len() as u32, raw, codec, kind };
        let mut state = self.ready()?;
        let appended = self.append_run(&mut state, &[entry], &item.bytes);
        if appended.is_err() {
            self.fail(&mut state);
        }
        appended
    }

    /// Encodes the item `raw`, whose id of this `kind` is `id`, into `parcel`; one that the store has is skipped.
    ///
    /// # Errors
    ///
    /// [`StoreError`] for an item that cannot be.
    pub fn encode(
        &self,
        parcel: &mut Parcel,
        encoder: &mut Encoder,
        id: Digest,
        kind: ItemKind,
        raw: &[u8],
    ) -> Result<(), StoreError> {
        if self.is_known(&id)? { Ok(()) } else { parcel.add(encoder, id, kind, raw) }
    }

    /// Puts what is in `parcel`, which is empty then; gives the bytes by which the store grew.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be written.
    pub fn append(&self, parcel: &mut Parcel) -> Result<u64, StoreError> {
        let mut state = self.ready()?;
        let appended = self.append_parcel(&mut state, parcel);
        parcel.clear();
        if appended.is_err() {
            self.fail(&mut state);
        }
        appended
    }

    /// Makes all that was put last, and checks that it is there. Afterwards it may be named.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when something could not be written or is not read back as it was written.
    pub fn sync(&self) -> Result<(), StoreError> {
        let mut state = self.ready()?;
        let synced = self.settle_all(&mut state).and_then(|()| match &mut state.open {
            Some((open, _)) => open.sync(),
            None => Ok(()),
        });
        let was_asked = self.entered.get().is_some();
        let synced =
            synced.and_then(|()| if was_asked { standing::make_last(self.store.path()) } else { Ok(()) });
        if synced.is_err() {
            self.fail(&mut state);
        }
        synced
    }

    /// Whether the store has the item and keeps it.
    fn is_known(&self, id: &Digest) -> Result<bool, StoreError> {
        if self.entered.get().is_none() {
            let _ = self.entered.set(self.store.enter(&Progress::hidden())?);
        }
        Ok(self.store.keeps(id))
    }

    /// What other threads put meanwhile is left out.
    fn append_parcel(&self, state: &mut State, parcel: &Parcel) -> Result<u64, StoreError> {
        let (mut start, mut grown) = ((0, 0), 0);
        loop {
            let (entries, stored, next) = parcel.run(start, |id| !self.store.keeps(id));
            if entries.is_empty() {
                return Ok(grown);
            }
            self.append_run(state, entries, stored)?;
            grown += stored.len() as u64;
            start = next;
        }
    }

    /// Appends items whose stored forms follow each other in `stored`, to one pack or more.
    fn append_run(
        &self,
        state: &mut State,
        mut entries: &[FooterEntry],
        mut stored: &[u8],
    ) -> Result<(), StoreError> {
        while !entries.is_empty() {
            let (mut open, number) = match state.open.take() {
                Some(open) => open,
                None => self.in_index(OpenPack::take_or_begin(&self.store.path().join("open"))?),
            };
            let (items, bytes) = open.room_for(entries);
            if items == 0 {
                self.seal(state, open, number)?;
                continue;
            }
            let (now, later) = entries.split_at(items);
            let appended = open.append(now, &stored[..bytes]);
            state.open = Some((open, number));
            let offset = appended?;
            let mut index = self.store.index_to_change();
            with_offsets_from(offset, now).for_each(|(entry, offset)| index.add_item(number, entry, offset));
            (entries, stored) = (later, &stored[bytes..]);
        }
        Ok(())
    }

    fn in_index(&self, open: OpenPack) -> (OpenPack, u32) {
        let mut index = self.store.index_to_change();
        let (file, path) = open.file();
        let number = index.add_ours(path.to_owned(), file);
        open.items().for_each(|(entry, offset)| index.add_item(number, entry, offset));
        (open, number)
    }

    /// Seals a pack while the next one is filled.
    fn seal(&self, state: &mut State, full: OpenPack, number: u32) -> Result<(), StoreError> {
        while state.sealing.len() >= SEALED_AT_ONCE {
            self.settle_first(state)?;
        }
        let packs = self.store.path().join("packs");
        let failed = |source| StoreError::io("begin to seal a pack in", &packs, 0, source);
        let folder = packs.clone();
        let thread = thread::Builder::new().name("seal".into()).spawn(move || full.seal(&folder));
        state.sealing.push_back((thread.map_err(failed)?, number));
        Ok(())
    }

    fn settle_all(&self, state: &mut State) -> Result<(), StoreError> {
        while !state.sealing.is_empty() {
            self.settle_first(state)?;
        }
        Ok(())
    }

    /// Waits for the pack that was sealed first.
    fn settle_first(&self, state: &mut State) -> Result<(), StoreError> {
        let Some((thread, number)) = state.sealing.pop_front() else { return Ok(()) };
        let sealed = thread.join().unwrap_or(Err(StoreError::Failed));
        self.store.index_to_change().settle(number, sealed.as_deref().ok());
        sealed.map(|_| ())
    }

    /// Forgets what is not safe, on the disk and in the index.
    fn fail(&self, state: &mut State) {
        state.failed = true;
        if let Some((open, number)) = state.open.take() {
            open.give_up();
            self.store.index_to_change().settle(number, None);
        }
        while !state.sealing.is_empty() {
            self.settle_first(state).ok();
        }
        self.store.index_to_change().forget();
    }

    /// The state, if nothing failed so far.
    fn ready(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.state();
        if state.failed { Err(StoreError::Failed) } else { Ok(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StoreWriter {
    fn drop(&mut self) {
        self.sync().ok();
        let Some((open, number)) = self.state().open.take() else { return };
        // From here on its table tells all of it.
        self.store.index_to_change().let_go(number);
        if open.is_empty() {
            open.remove();
        }
    }
}
