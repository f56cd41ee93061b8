//! Contents out of the store, verified before anybody sees them.

use std::io::{self, Read, Write};

use crate::base::{Advice, Digest, Hasher, Progress};
use crate::objects::manifest::ChunkEntry;
use crate::storage::store::{Store, StoreError};

use super::walk::{WalkError, chunks};

/// Why a content cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Its manifest cannot be followed.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// A chunk is missing or damaged.
    #[error("cannot read chunk {}", id.short())]
    Chunk {
        /// The chunk.
        id: Digest,
        /// The store's answer.
        #[source]
        source: StoreError,
    },
    /// The chunks are whole, but are not the content that was named.
    #[error("content {} does not match its manifest", .0.short())]
    Mismatch(Digest),
    /// A file that has a part of the content already cannot be read.
    #[error("cannot read what is here already")]
    Borrow(#[source] io::Error),
    /// The bytes could not be written on.
    #[error("cannot write")]
    Write(#[source] io::Error),
}

impl ReadError {
    /// Whether the only fault is that the store lacks something.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Walk(error) => error.is_missing(),
            Self::Chunk { source, .. } => matches!(source, StoreError::Missing { .. }),
            Self::Mismatch(_) | Self::Borrow(_) | Self::Write(_) => false,
        }
    }
}

impl Advice for ReadError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Walk(error) => error.hints(),
            Self::Chunk { source, .. } => source.hints(),
            Self::Mismatch(_) => vec!["the pointer was not written by git-ml: restore it from Git".into()],
            Self::Borrow(_) | Self::Write(_) => Vec::new(),
        }
    }
}

/// Copies a content into `out`. The caller must not show what was written before this returns well: only then the whole
/// is verified.
///
/// # Errors
///
/// [`ReadError`].
pub fn copy_content(
    store: &Store,
    id: Digest,
    manifest: Option<Digest>,
    size: u64,
    out: &mut dyn Write,
    progress: &Progress,
) -> Result<(), ReadError> {
    let mut content = ContentReader::open(store, id, manifest, size)?;
    while content.next_chunk()? {
        let chunk = content.chunk.get_ref();
        out.write_all(chunk).map_err(ReadError::Write)?;
        progress.advance(chunk.len() as u64);
    }
    Ok(())
}

/// A whole content in memory, for contents that are known to be small (the targets of links) or wanted as a whole.
///
/// # Errors
///
/// [`ReadError`].
pub fn read_content(
    store: &Store,
    id: Digest,
    manifest: Option<Digest>,
    size: u64,
) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    copy_content(store, id, manifest, size, &mut bytes, &Progress::hidden())?;
    Ok(bytes)
}

/// A content as a stream: each chunk is verified when it is read, the whole when its end is reached.
pub struct ContentReader<'a> {
    store: &'a Store,
    id: Digest,
    chunks: std::vec::IntoIter<ChunkEntry>,
    whole: Hasher,
    chunk: io::Cursor<Vec<u8>>,
}

impl<'a> ContentReader<'a> {
    /// A reader of the content.
    ///
    /// # Errors
    ///
    /// [`WalkError`] when its manifest cannot be followed.
    pub fn open(
        store: &'a Store,
        id: Digest,
        manifest: Option<Digest>,
        size: u64,
    ) -> Result<Self, WalkError> {
        let chunks = chunks(store, id, manifest, size)?.into_iter();
        Ok(Self { store, id, chunks, whole: Hasher::new(), chunk: io::Cursor::default() })
    }

    fn next_chunk(&mut self) -> Result<bool, ReadError> {
        let Some(ChunkEntry { id, len }) = self.chunks.next() else {
            let whole = self.whole.finish() == self.id;
            return if whole { Ok(false) } else { Err(ReadError::Mismatch(self.id)) };
        };
        let bytes = self.store.read(&id).map_err(|source| ReadError::Chunk { id, source })?;
        if bytes.len() != len as usize {
            return Err(ReadError::Mismatch(self.id));
        }
        self.whole.update(&bytes);
        self.chunk = io::Cursor::new(bytes);
        Ok(true)
    }
}

impl Read for ContentReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(out)?;
            if read > 0 || out.is_empty() || !self.next_chunk().map_err(io::Error::other)? {
                return Ok(read);
            }
        }
    }
}
