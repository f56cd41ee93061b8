//! The chunks that a fetch has to bring for one version, and the files that they are of.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::{Digest, Progress};
use crate::objects::{ItemKind, Place};
use crate::storage::remote_reader::{Fetched as FetchedItem, ReadError, RemoteReader, Wanted};
use crate::storage::store::Store;

use super::TransferError;
use super::descend::Take;
use super::fetch::Fetch;
use super::tables::Tables;

/// Chunks that are to be brought.
#[derive(Default)]
pub(super) struct Lacking {
    /// Where each lies, and the first file that it was met in.
    chunks: HashMap<Digest, (Place, usize)>,
    /// How many files were met.
    files: usize,
}

impl Lacking {
    /// A file is met; its number.
    pub(super) fn meet_file(&mut self) -> usize {
        self.files += 1;
        self.files - 1
    }

    /// A chunk of the file with this number is to be brought from `place`.
    pub(super) fn take(&mut self, id: Digest, place: Place, file: usize) {
        self.chunks.entry(id).or_insert((place, file));
    }

    /// Brings what the store lacks of them; where something does not lie where it was thought to, from where the tables of
    /// the packs say that it lies.
    ///
    /// # Errors
    ///
    /// [`TransferError`]; what was brought until then stays.
    pub(super) fn bring(
        mut self,
        fetch: &Fetch<'_>,
        reader: &RemoteReader,
        tables: &mut Tables<'_>,
        take: Take<'_>,
    ) -> Result<(), TransferError> {
        self.leave_out_of(fetch.store);
        match self.read(fetch.progress, reader, take) {
            Err(error) if is_wrong_place(&error) => {
                self.leave_out_of(fetch.store);
                for (id, (place, _)) in &mut self.chunks {
                    *place = tables.find(*id)?.ok_or(TransferError::Unlocated { id: *id })?;
                }
                self.read(fetch.progress, reader, take)
            }
            read => read,
        }
    }

    /// Leaves out chunks that come with other versions; whether there were some.
    pub(super) fn leave_out(&mut self, others: &HashSet<Digest>) -> bool {
        let before = self.chunks.len();
        self.chunks.retain(|id, _| !others.contains(id));
        self.chunks.len() < before
    }

    /// The chunks.
    pub(super) fn ids(&self) -> impl Iterator<Item = Digest> {
        self.chunks.keys().copied()
    }

    /// Their bytes as stored, and how many files they are of.
    pub(super) fn amount(&self) -> (u64, u64) {
        let bytes = self.chunks.values().map(|(place, _)| u64::from(place.stored)).sum();
        let files: HashSet<_> = self.chunks.values().map(|(_, file)| file).collect();
        (bytes, files.len() as u64)
    }

    /// Where the chunks lie.
    pub(super) fn into_places(self) -> HashMap<Digest, Place> {
        self.chunks.into_iter().map(|(id, (place, _))| (id, place)).collect()
    }

    fn leave_out_of(&mut self, store: &Store) {
        self.chunks.retain(|id, _| !store.contains(id));
    }

    fn read(&self, progress: &Progress, reader: &RemoteReader, take: Take<'_>) -> Result<(), TransferError> {
        let left: Vec<AtomicU64> = (0..self.files).map(|_| AtomicU64::new(0)).collect();
        let mut wanted = Vec::with_capacity(self.chunks.len());
        for (id, (place, file)) in &self.chunks {
            wanted.push((Wanted { id: Some(*id), kind: ItemKind::Chunk, place: *place }, *file));
            left[*file].fetch_add(1, Ordering::Relaxed);
        }
        let (wanted, file_of): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
        reader.read_each(&wanted, &|number, fetched: FetchedItem<'_>| {
            progress.advance(fetched.stored.len() as u64);
            if left[file_of[number]].fetch_sub(1, Ordering::Relaxed) == 1 {
                progress.advance_files(1);
            }
            take(wanted[number].id.unwrap_or_default(), fetched)
        })
    }
}

/// Whether another place may help: the pack is not there, or something else lies in it.
pub(super) fn is_wrong_place(error: &TransferError) -> bool {
    matches!(error, TransferError::Read(error) if !matches!(error, ReadError::Remote(_)))
}
