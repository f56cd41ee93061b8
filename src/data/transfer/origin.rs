//! Where the chunks come from that a push sends: the local store, and for what that lacks another remote.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::base::Digest;
use crate::objects::{ItemKind, Place};
use crate::storage::remote::Remote;
use crate::storage::remote_reader::{Fetched, RemoteReader, Wanted};
use crate::storage::store::{Store, StoreError, Stored};

use super::TransferError;

/// So many chunks are read from another remote at once: at most 48 MiB.
pub(super) const READ_AHEAD: usize = 512;

/// Chunks that another remote has.
pub struct Origin {
    reader: RemoteReader,
    places: HashMap<Digest, Place>,
}

impl Origin {
    /// Chunks that lie at these places of `remote`.
    pub(super) fn new(remote: &Remote, places: HashMap<Digest, Place>) -> Self {
        Self { reader: RemoteReader::new(remote), places }
    }
}

/// The local store, and what may stand in for it.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// The store; it has all nodes.
    pub(super) store: &'a Store,
    /// What it lacks.
    pub(super) origin: Option<&'a Origin>,
}

impl Source<'_> {
    /// Whether the item can be had.
    pub(super) fn contains(&self, id: &Digest) -> bool {
        self.store.contains(id) || self.origin.is_some_and(|origin| origin.places.contains_key(id))
    }

    /// How many bytes the chunk takes as it is stored; `None` where it cannot be had.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub(super) fn stored_bytes(&self, id: &Digest) -> Result<Option<u64>, StoreError> {
        let found = self.store.find(id)?.map(|found| found.stored);
        let elsewhere = || Some(self.origin?.places.get(id)?.stored);
        Ok(found.or_else(elsewhere).map(u64::from))
    }

    /// Those of these chunks that the store lacks, read and verified.
    ///
    /// # Errors
    ///
    /// When one of them is damaged there, or the remote fails.
    pub(super) fn read_elsewhere<'c>(
        &self,
        chunks: impl Iterator<Item = &'c Digest>,
    ) -> Result<HashMap<Digest, Stored>, TransferError> {
        let Some(origin) = self.origin else { return Ok(HashMap::new()) };
        let lacking = chunks.filter(|id| !self.store.contains(id));
        let place = |id: &Digest| Some((*id, *origin.places.get(id)?));
        let wanted: Vec<_> = lacking
            .filter_map(place)
            .map(|(id, place)| Wanted { id: Some(id), kind: ItemKind::Chunk, place })
            .collect();
        let read = Mutex::new(HashMap::new());
        origin.reader.read_each(&wanted, &|number, fetched: Fetched<'_>| {
            let id = wanted[number].id.unwrap_or_default();
            read.lock().unwrap_or_else(PoisonError::into_inner).insert(id, fetched.to_stored());
            Ok::<(), TransferError>(())
        })?;
        Ok(read.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}
