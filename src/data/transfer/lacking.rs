//! The chunks that a fetch has to bring for one version, and the files that they are of.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::Digest;
use crate::objects::{ItemKind, Place};
use crate::storage::remote_reader::{Fetched as FetchedItem, ReadError, RemoteReader, Wanted};
use crate::storage::store::Store;

use super::TransferError;
use super::descend::Take;
use super::fetch::{Fetch, Want};
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
        want: &Want,
        take: Take<'_>,
    ) -> Result<(), TransferError> {
        self.leave_out_of(fetch.store);
        match self.read(fetch, reader, want, take) {
            Err(error) if is_wrong_place(&error) => {
                self.leave_out_of(fetch.store);
                for (id, (place, _)) in &mut self.chunks {
                    *place = tables.find(*id)?.ok_or(TransferError::Unlocated { id: *id })?;
                }
                self.read(fetch, reader, want, take)
            }
            read => read,
        }
    }

    /// Where the chunks lie.
    pub(super) fn into_places(self) -> HashMap<Digest, Place> {
        self.chunks.into_iter().map(|(id, (place, _))| (id, place)).collect()
    }

    fn leave_out_of(&mut self, store: &Store) {
        self.chunks.retain(|id, _| !store.contains(id));
    }

    fn read(
        &self,
        fetch: &Fetch<'_>,
        reader: &RemoteReader,
        want: &Want,
        take: Take<'_>,
    ) -> Result<(), TransferError> {
        let left: Vec<AtomicU64> = (0..self.files).map(|_| AtomicU64::new(0)).collect();
        let (mut wanted, mut files, mut bytes) = (Vec::with_capacity(self.chunks.len()), 0, 0);
        for (id, (place, file)) in &self.chunks {
            wanted.push((Wanted { id: Some(*id), kind: ItemKind::Chunk, place: *place }, *file));
            bytes += u64::from(place.stored);
            files += u64::from(left[*file].fetch_add(1, Ordering::Relaxed) == 0);
        }
        let (wanted, file_of): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
        let progress = fetch.progress;
        progress.begin_files(&format!("fetching {}", want.path), bytes, files);
        let read = reader.read_each(&wanted, &|number, fetched: FetchedItem<'_>| {
            progress.advance(fetched.stored.len() as u64);
            if left[file_of[number]].fetch_sub(1, Ordering::Relaxed) == 1 {
                progress.advance_files(1);
            }
            take(wanted[number].id.unwrap_or_default(), fetched)
        });
        progress.end();
        read
    }
}

/// Whether another place may help: the pack is not there, or something else lies in it.
pub(super) fn is_wrong_place(error: &TransferError) -> bool {
    matches!(error, TransferError::Read(error) if !matches!(error, ReadError::Remote(_)))
}
