//! Files that one thread takes in, one after the other.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::intake::Intake;
use super::write::{Content, WriteError};
use crate::base::{Digest, Hasher};
use crate::objects::Encoder;
use crate::objects::chunker::{ChunkReader, SMALL_CONTENT};
use crate::objects::item::{EMPTY_CONTENT, ItemKind};
use crate::objects::manifest::ManifestBuilder;
use crate::storage::store::{Parcel, StoreError};

/// A parcel of so many bytes is appended.
const FULL_PARCEL: usize = 1 << 20;

/// What one thread uses for one file after the other: no file costs an allocation. Without an intake only ids are made.
#[derive(Default)]
pub struct Lane {
    buffer: Vec<u8>,
    parcel: Parcel,
    /// What was learned, by the extension of the file.
    encoders: Vec<(OsString, Encoder)>,
}

impl Lane {
    /// Forgets what was learned: so equal files are stored equally, whichever thread takes them.
    pub fn begin(&mut self) {
        self.encoders.clear();
    }

    /// Takes in the content of the open `file`, which has so many bytes. It is in the store after [`Lane::flush`].
    ///
    /// # Errors
    ///
    /// [`WriteError`], also when the file is not as long as it should be.
    pub fn take(
        &mut self,
        path: &Path,
        file: &File,
        size: u64,
        intake: Option<&Intake<'_>>,
    ) -> Result<Content, WriteError> {
        if size > SMALL_CONTENT as u64 {
            self.take_chunks(path, file, intake)
        } else {
            self.take_small(path, file, size as usize, intake)
        }
    }

    /// The bytes of the small content of `size` bytes that was taken last.
    pub fn last(&self, size: u64) -> &[u8] {
        self.buffer.get(..size as usize).unwrap_or_default()
    }

    /// A content of one chunk: one read, and one hash for both of its ids.
    fn take_small(
        &mut self,
        path: &Path,
        file: &File,
        size: usize,
        intake: Option<&Intake<'_>>,
    ) -> Result<Content, WriteError> {
        if self.buffer.len() <= size {
            self.buffer.resize(SMALL_CONTENT + 1, 0);
        }
        // One byte more, which must not be there, tells that the file did not grow.
        let read = read_full(file, 0, &mut self.buffer[..=size], size);
        let read = read.map_err(|source| WriteError::Read { path: path.to_owned(), source })?;
        if read != size {
            return Err(WriteError::ChangedWhileRead(path.to_owned()));
        }
        if size == 0 {
            return Ok(Content { id: EMPTY_CONTENT, manifest: None, size: 0 });
        }
        let chunk = &self.buffer[..size];
        let id = Digest::of(chunk);
        if let Some(intake) = intake {
            let encoder = encoder_for(&mut self.encoders, path);
            let encoded = intake.encode(&mut self.parcel, encoder, id, ItemKind::Chunk, chunk);
            encoded.map_err(|source| WriteError::Store { path: path.to_owned(), source })?;
        }
        self.flush_if_full(path, intake)?;
        Ok(Content { id, manifest: None, size: size as u64 })
    }

    fn take_chunks(
        &mut self,
        path: &Path,
        file: &File,
        intake: Option<&Intake<'_>>,
    ) -> Result<Content, WriteError> {
        let mut chunks = ChunkReader::reusing(file, std::mem::take(&mut self.buffer));
        let taken = self.take_from(path, &mut chunks, intake);
        self.buffer = chunks.into_buffer();
        taken
    }

    /// Takes in what `stream` gives until its end, at least one byte. It is in the store after [`Lane::flush`].
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn take_stream(
        &mut self,
        path: &Path,
        stream: impl Read,
        intake: &Intake<'_>,
    ) -> Result<Content, WriteError> {
        let mut chunks = ChunkReader::reusing(stream, std::mem::take(&mut self.buffer));
        let taken = self.take_from(path, &mut chunks, Some(intake));
        self.buffer = chunks.into_buffer();
        taken
    }

    fn take_from(
        &mut self,
        path: &Path,
        chunks: &mut ChunkReader<impl Read>,
        intake: Option<&Intake<'_>>,
    ) -> Result<Content, WriteError> {
        let unread = |source| WriteError::Read { path: path.to_owned(), source };
        let unstored = |source| WriteError::Store { path: path.to_owned(), source };
        let (mut manifest, mut whole) = (ManifestBuilder::new(), Hasher::new());
        while let Some(chunk) = chunks.next().map_err(unread)? {
            let id = Digest::of(chunk);
            whole.update(chunk);
            if let Some(intake) = intake {
                let encoder = encoder_for(&mut self.encoders, path);
                let encoded = intake.encode(&mut self.parcel, encoder, id, ItemKind::Chunk, chunk);
                encoded.map_err(unstored)?;
            }
            self.flush_if_full(path, intake)?;
            let mut node = |id, bytes: Vec<u8>| self.put_node(intake, id, &bytes).map_err(unstored);
            manifest.push(id, chunk.len() as u32, &mut node)?;
        }
        let size = manifest.bytes();
        let mut node = |id, bytes: Vec<u8>| self.put_node(intake, id, &bytes).map_err(unstored);
        Ok(Content { id: whole.finish(), manifest: manifest.finish(&mut node)?, size })
    }

    /// Nodes go after what they name.
    fn put_node(&mut self, intake: Option<&Intake<'_>>, id: Digest, node: &[u8]) -> Result<(), StoreError> {
        let Some(intake) = intake else { return Ok(()) };
        intake.append(&mut self.parcel)?;
        intake.put(id, ItemKind::Manifest, node)
    }

    fn flush_if_full(&mut self, path: &Path, intake: Option<&Intake<'_>>) -> Result<(), WriteError> {
        if self.parcel.len() < FULL_PARCEL { Ok(()) } else { self.flush(path, intake) }
    }

    /// Appends what was encoded; `path` is named when that fails.
    ///
    /// # Errors
    ///
    /// [`WriteError::Store`].
    pub fn flush(&mut self, path: &Path, intake: Option<&Intake<'_>>) -> Result<(), WriteError> {
        let appended = intake.map_or(Ok(()), |intake| intake.append(&mut self.parcel));
        appended.map_err(|source| WriteError::Store { path: path.to_owned(), source })
    }
}

fn encoder_for<'a>(encoders: &'a mut Vec<(OsString, Encoder)>, path: &Path) -> &'a mut Encoder {
    let extension = path.extension().unwrap_or_default();
    let known = encoders.iter().position(|(known, _)| known == extension);
    let at = known.unwrap_or_else(|| {
        encoders.push((extension.to_owned(), Encoder::default()));
        encoders.len() - 1
    });
    &mut encoders[at].1
}

/// Reads from `offset` until at least `enough` bytes are in `into`, or the end; gives how many are.
pub(super) fn read_full(file: &File, offset: u64, into: &mut [u8], enough: usize) -> io::Result<usize> {
    let mut filled = 0;
    while filled < enough.max(1) {
        match file.read_at(&mut into[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
