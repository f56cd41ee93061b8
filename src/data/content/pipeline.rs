//! One large file on all cores.
//!
//! What a demanding user expects: a checkpoint of 100 GB is taken in as fast as the disk reads or the cores compress,
//! whichever is slower, in the memory of a small program. A file is one stream, but most of the work on it is not: only
//! reading it, its content id and the order of its chunks in the packs are. So three batches are on their way at any
//! time, and all workers share the work on them:
//!
//! ```text
//! batch n + 1   is read and cut into chunks, and goes into the content id     one worker
//! batch n       its chunks get their ids and are encoded, in runs             all the others
//! batch n - 1   is appended to the open pack, in the order of the content     one worker
//! ```
//!
//! A worker that is done with one takes what is left of another. Ids and cuts do not depend on who did what, nor do the
//! stored bytes. Memory: three batches of [`BATCH`] bytes and what they become, about 50 MiB, whatever the size of the
//! file. Large files are taken in one after the other, so that there is never more than one such set.
//!
//! Where the file system shares blocks, the file is cloned first and the clone is read, so that it cannot change meanwhile. A
//! content of which the store has little is kept as that clone ([`crate::storage::store::CloneDraft`]): then nothing is
//! encoded or written.
//!
//! Peers: restic reads a file with one thread, and chunks and hashes it there; Xet's client does as well. Measured, CPU
//! seconds of a whole `add` that all workers share: a CSV of 1.09 GB 4.0, a checkpoint of 511 MB 1.2, 2 GiB of noise 2.8.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::gather::Observer;
use super::intake::Intake;
use super::lane::read_full;
use super::write::{Content, WriteError};
use crate::base::{Digest, Hasher, Progress};
use crate::objects::Encoder;
use crate::objects::chunker::{MAX_CHUNK, first_cut};
use crate::objects::item::ItemKind;
use crate::objects::manifest::ManifestBuilder;
use crate::storage::store::{CloneDraft, Parcel, StoreError};

/// Bytes of a batch. Shorter files are not worth three batches.
pub(super) const BATCH: usize = 8 << 20;
/// Bytes that are read at once, and hashed while they are in the cache.
const PIECE: usize = 512 << 10;
/// A content is sampled at so many places.
const SAMPLES: u64 = 16;
/// Bytes of a sample: some five chunks that are cut as those of the content are.
const SAMPLE: usize = 512 << 10;
/// After so many cuts within a content, a further one is most likely one of the content, too.
const UNSURE: u32 = 2;
/// Chunks of a run, which one worker encodes.
const RUN: usize = 4;

/// The three batches, for one file after the other.
#[derive(Default)]
pub(super) struct Pipeline {
    batches: [Batch; 3],
}

impl Pipeline {
    /// Takes in the content of the open `file`, which has so many bytes, more than a small content. Without an intake only
    /// ids are made. Not to be called by a task of a parallel iterator: waiting workers would begin others.
    ///
    /// # Errors
    ///
    /// [`WriteError`], also when the file is longer than it should be.
    pub fn take(
        &mut self,
        path: &Path,
        file: &File,
        size: u64,
        intake: Option<&Intake<'_>>,
        observer: Option<&Mutex<dyn Observer>>,
        progress: &Progress,
    ) -> Result<Content, WriteError> {
        let unstored = |source| WriteError::Store { path: path.to_owned(), source };
        let mut draft = intake.map_or(Ok(None), |intake| intake.begin_clone(file, size)).map_err(unstored)?;
        let snapshot = draft.as_ref().map(CloneDraft::file);
        let file = snapshot.as_deref().unwrap_or(file);
        if let (Some(_), Some(intake)) = (&draft, intake) {
            let known = is_mostly_known(file, size, intake);
            if known.map_err(|source| WriteError::Read { path: path.to_owned(), source })? {
                draft = None;
            }
        }
        // What a clone holds is not encoded.
        let encoding = intake.filter(|_| draft.is_none());
        let mut observer = observer.map(|observer| observer.lock().unwrap_or_else(PoisonError::into_inner));
        let observer: Option<&mut dyn Observer> = observer.as_deref_mut().map(|observer| observer as _);
        let mut source = Source::new(path, file, size, observer);
        let mut target = Target { path, intake, draft, progress, manifest: ManifestBuilder::new() };
        let [next, now, last] = &mut self.batches;
        last.used = 0;
        source.fill(now)?;
        let mut encoder = Encoder::default();
        while now.used + last.used > 0 {
            let (mut filled, mut encoded, mut written) = (Ok(()), Ok(()), Ok(()));
            // What cannot be shared begins first, so that no worker is left with it alone in the end.
            rayon::scope(|scope| {
                scope.spawn(|_| written = target.write(last));
                scope.spawn(|_| encoded = now.encode(encoder, encoding));
                filled = source.fill(next);
            });
            written?;
            encoded.map_err(unstored)?;
            filled?;
            if now.used > 0 {
                encoder = Encoder::united(now.runs[..now.used].iter().map(|run| run.encoder));
            }
            std::mem::swap(last, now);
            std::mem::swap(now, next);
        }
        target.finish(source.whole.finish())
    }
}

/// A stretch of the content.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Of which so many are used; the others only keep their memory.
    runs: Vec<Run>,
    used: usize,
}

/// Chunks side by side, and what became of them.
#[derive(Default)]
struct Run {
    /// Where they begin in the batch, and how long each is.
    start: usize,
    lengths: Vec<u32>,
    ids: Vec<Digest>,
    parcel: Parcel,
    encoder: Encoder,
}

impl Batch {
    /// Makes ids and stored forms of all chunks, with the experience of the batches before.
    fn encode(&mut self, encoder: Encoder, intake: Option<&Intake<'_>>) -> Result<(), StoreError> {
        let bytes = &self.bytes;
        self.runs[..self.used].par_iter_mut().enumerate().with_max_len(1).try_for_each(|(number, run)| {
            run.encoder = encoder.at((number * RUN) as u64);
            run.encode(bytes, intake)
        })
    }
}

impl Run {
    fn begin(&mut self, start: usize) {
        self.start = start;
        self.lengths.clear();
        self.ids.clear();
        self.parcel.clear();
    }

    fn encode(&mut self, bytes: &[u8], intake: Option<&Intake<'_>>) -> Result<(), StoreError> {
        let mut rest = &bytes[self.start..];
        for length in &self.lengths {
            let (chunk, others) = rest.split_at(*length as usize);
            rest = others;
            let id = Digest::of(chunk);
            self.ids.push(id);
            if let Some(intake) = intake {
                intake.encode(&mut self.parcel, &mut self.encoder, id, ItemKind::Chunk, chunk)?;
            }
        }
        Ok(())
    }
}

/// Where the bytes come from.
struct Source<'a> {
    path: &'a Path,
    file: &'a File,
    size: u64,
    /// Bytes read so far.
    at: u64,
    /// What was read and is not cut yet.
    carry: Vec<u8>,
    ended: bool,
    whole: Hasher,
    observer: Option<&'a mut dyn Observer>,
}

impl<'a> Source<'a> {
    fn new(path: &'a Path, file: &'a File, size: u64, mut observer: Option<&'a mut dyn Observer>) -> Self {
        if let Some(observer) = &mut observer {
            observer.begin();
        }
        Self { path, file, size, at: 0, carry: Vec::new(), ended: false, whole: Hasher::new(), observer }
    }

    /// Reads the next batch and cuts it; at the end it has no runs.
    fn fill(&mut self, batch: &mut Batch) -> Result<(), WriteError> {
        // One byte more than there should be tells that the file did not grow. Memory costs time when it is first touched.
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(BATCH);
        let most = BATCH.min(self.carry.len().saturating_add(left).saturating_add(1));
        if batch.bytes.len() < most {
            batch.bytes.resize(most, 0);
        }
        let mut filled = self.carry.len();
        batch.bytes[..filled].copy_from_slice(&self.carry);
        while filled < most && !self.ended {
            let piece = &mut batch.bytes[filled..most.min(filled + PIECE)];
            let read = read_full(self.file, self.at, piece, piece.len());
            let read = read.map_err(|source| WriteError::Read { path: self.path.to_owned(), source })?;
            self.whole.update(&piece[..read]);
            if let Some(observer) = &mut self.observer {
                observer.see(&piece[..read]);
            }
            self.ended = read < piece.len();
            self.at += read as u64;
            filled += read;
        }
        if self.at > self.size {
            return Err(WriteError::ChangedWhileRead(self.path.to_owned()));
        }
        let (cut, used) = cut(&batch.bytes[..filled], self.ended, &mut batch.runs);
        batch.used = used;
        self.carry.clear();
        self.carry.extend_from_slice(&batch.bytes[cut..filled]);
        Ok(())
    }
}

/// Cuts `bytes` into chunks, as far as what follows cannot matter; gives where the rest begins, and how many runs there
/// are.
fn cut(bytes: &[u8], ended: bool, runs: &mut Vec<Run>) -> (usize, usize) {
    let (mut at, mut count) = (0, 0);
    let is_certain = |at: usize| at < bytes.len() && (ended || bytes.len() - at >= MAX_CHUNK);
    while is_certain(at) {
        if runs.len() == count {
            runs.push(Run::default());
        }
        let run = &mut runs[count];
        run.begin(at);
        while run.lengths.len() < RUN && is_certain(at) {
            let length = first_cut(&bytes[at..]);
            run.lengths.push(length as u32);
            at += length;
        }
        count += 1;
    }
    (at, count)
}

/// Whether the store has half of a content or more, as far as samples tell.
fn is_mostly_known(file: &File, size: u64, intake: &Intake<'_>) -> io::Result<bool> {
    let mut bytes = vec![0; SAMPLE];
    let (mut known, mut met) = (0, 0);
    let step = size.saturating_sub(SAMPLE as u64) / (SAMPLES - 1);
    for number in 0..SAMPLES {
        let filled = read_full(file, number * step, &mut bytes, SAMPLE)?;
        let (mut at, mut chunks) = (0, 0);
        while filled - at >= MAX_CHUNK {
            let length = first_cut(&bytes[at..filled]);
            // Within a content, the first cuts may be those of the sample, not of the content.
            if chunks >= UNSURE || number == 0 {
                known += u32::from(intake.knows(&Digest::of(&bytes[at..at + length])));
                met += 1;
            }
            (at, chunks) = (at + length, chunks + 1);
        }
    }
    Ok(known * 2 >= met)
}

/// Where the items go.
struct Target<'a> {
    path: &'a Path,
    intake: Option<&'a Intake<'a>>,
    /// The clone that is to hold the chunks.
    draft: Option<CloneDraft>,
    progress: &'a Progress,
    manifest: ManifestBuilder,
}

impl Target<'_> {
    /// Appends what a batch became, and then the nodes that name it.
    fn write(&mut self, batch: &mut Batch) -> Result<(), WriteError> {
        let before = self.manifest.bytes();
        for run in &mut batch.runs[..batch.used] {
            let appended = self.intake.map_or(Ok(()), |intake| intake.append(&mut run.parcel));
            appended.map_err(|source| WriteError::Store { path: self.path.to_owned(), source })?;
            for (id, length) in run.ids.iter().zip(&run.lengths) {
                if let Some(draft) = &mut self.draft {
                    let pushed = draft.push(*id, *length);
                    pushed.map_err(|source| WriteError::Store { path: self.path.to_owned(), source })?;
                }
                let mut node = |id, node: Vec<u8>| put_node(self.path, self.intake, id, &node);
                self.manifest.push(*id, *length, &mut node)?;
            }
        }
        batch.used = 0;
        self.progress.advance(self.manifest.bytes() - before);
        Ok(())
    }

    fn finish(self, id: Digest) -> Result<Content, WriteError> {
        let size = self.manifest.bytes();
        if let (Some(draft), Some(intake)) = (self.draft, self.intake) {
            let kept = intake.keep_clone(draft, &id, size);
            kept.map_err(|source| WriteError::Store { path: self.path.to_owned(), source })?;
        }
        let mut node = |id, node: Vec<u8>| put_node(self.path, self.intake, id, &node);
        Ok(Content { id, manifest: self.manifest.finish(&mut node)?, size })
    }
}

fn put_node(path: &Path, intake: Option<&Intake<'_>>, id: Digest, node: &[u8]) -> Result<(), WriteError> {
    let put = intake.map_or(Ok(()), |intake| intake.put(id, ItemKind::Manifest, node));
    put.map_err(|source| WriteError::Store { path: path.to_owned(), source })
}
