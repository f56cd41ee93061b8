//! Chunks as they are stored, on their way into packs of a remote.
//!
//! They go as they are stored: nothing is compressed again. Each is looked at first, on all cores, for a damaged chunk must
//! not spread; while the chunks of one batch are put into packs, in order, those of the next one are read.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::base::Digest;
use crate::objects::FooterEntry;
use crate::storage::store::{ItemReader, Store, StoreError, Stored};

/// Chunks that one worker reads, some MB.
const RUN: usize = 64;

/// Takes a chunk and its stored form.
type Put<'a, E> = &'a mut dyn FnMut(&FooterEntry, &[u8]) -> Result<(), E>;

/// Chunks side by side, in memory that is used again.
struct Run {
    reader: ItemReader,
    chunks: Vec<FooterEntry>,
    stored: Vec<u8>,
}

impl Run {
    fn read(&mut self, ids: &[Digest], elsewhere: &HashMap<Digest, Stored>) -> Result<(), StoreError> {
        self.chunks.clear();
        self.stored.clear();
        for id in ids {
            let (chunk, stored) = match elsewhere.get(id) {
                Some(stored) => (stored.entry(id), &stored.bytes[..]),
                None => self.reader.read_stored(id)?,
            };
            self.stored.extend_from_slice(stored);
            self.chunks.push(chunk);
        }
        Ok(())
    }

    fn put<E>(&self, put: Put<'_, E>) -> Result<(), E> {
        let mut rest = &self.stored[..];
        for chunk in &self.chunks {
            let (stored, others) = rest.split_at(chunk.stored as usize);
            rest = others;
            put(chunk, stored)?;
        }
        Ok(())
    }
}

/// Hands the chunks `ids` to `put`, in order, each verified and as it is stored: `elsewhere`, or else in the store.
///
/// # Errors
///
/// [`StoreError`] for a chunk that is missing or damaged; what `put` says.
pub(super) fn each_stored<E: From<StoreError>>(
    store: &Store,
    elsewhere: &HashMap<Digest, Stored>,
    ids: &[Digest],
    put: Put<'_, E>,
) -> Result<(), E> {
    let run = || Run { reader: store.reader(), chunks: Vec::new(), stored: Vec::new() };
    let batch = || -> Vec<Run> { (0..2 * rayon::current_num_threads()).map(|_| run()).collect() };
    let (mut now, mut next) = (batch(), batch());
    let mut batches = ids.chunks(RUN * now.len());
    let mut ready = 0;
    loop {
        let ids = batches.next().unwrap_or_default();
        let mut read = Ok(());
        // The caller's own thread puts: what it puts may have to wait until packs are sent.
        let done = rayon::in_place_scope(|scope| {
            scope.spawn(|_| {
                read = ids.par_chunks(RUN).zip(&mut next).try_for_each(|(ids, run)| run.read(ids, elsewhere));
            });
            now[..ready].iter().try_for_each(|run| run.put(put))
        });
        done?;
        read?;
        if ids.is_empty() {
            return Ok(());
        }
        ready = ids.len().div_ceil(RUN);
        std::mem::swap(&mut now, &mut next);
    }
}
