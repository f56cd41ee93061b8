//! Where a content is cut into chunks.
//!
//! The cut is part of the format: it decides the ids of chunks and manifests, and so what two versions share. Version 1:
//!
//! - A content of at most 65,536 bytes ([`SMALL_CONTENT`]) is one chunk; an empty one has none.
//! - A longer one is cut from its front. Of a rest of at most 32,768 bytes ([`MIN_CHUNK`]) all is the last chunk. Else
//!   the chunk ends at that position `i`, `MIN_CHUNK <= i <= min(MAX_CHUNK, rest)`, where the hash of the four bytes
//!   before `i` is smallest, the first one where several are equal. [`MAX_CHUNK`] is 98,304. The hash of the bytes
//!   `i-4..i`, read as a little-endian `u32` `x`, is `x * 0x915f77f5 + 0x34636463` modulo 2³².
//!
//! This is `MinCDC` (crate `mincdc` 0.1.0, `MinCdcHash4` with its default constants, which are pinned here). Golden tests
//! hold the cuts.

use std::io::{self, ErrorKind, Read};

use mincdc::{Cdc, MinCdcHash4};

/// A content of at most so many bytes is one chunk.
pub const SMALL_CONTENT: usize = 64 * 1024;
/// No chunk of a longer content is shorter, except the last.
pub const MIN_CHUNK: usize = 32 * 1024;
/// No chunk is longer.
pub const MAX_CHUNK: usize = 96 * 1024;

const MULTIPLIER: u32 = 0x915f_77f5;
const ADDEND: u32 = 0x3463_6463;
const WINDOW: usize = 4;
/// Buffer for contents of more than one chunk.
const BUFFER: usize = 1024 * 1024;

/// Reads a content chunk by chunk, with a buffer of at most 1 MiB.
#[derive(Debug)]
pub struct ChunkReader<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    begun: bool,
}

impl<R: Read> ChunkReader<R> {
    /// Will read `reader` to its end.
    pub const fn new(reader: R) -> Self {
        Self::reusing(reader, Vec::new())
    }

    /// As [`ChunkReader::new`], with the buffer of an earlier one: saves the allocation where files are small and many.
    pub const fn reusing(reader: R, buffer: Vec<u8>) -> Self {
        Self { reader, buffer, start: 0, end: 0, begun: false }
    }

    /// The buffer, for the next content.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// The next chunk, or `None` at the end.
    ///
    /// # Errors
    ///
    /// What the reader says; an interrupted read is tried again.
    #[expect(clippy::should_implement_trait, reason = "lends its buffer, which an iterator cannot")]
    pub fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let small = !self.begun;
        self.begun = true;
        self.fill(if small { SMALL_CONTENT + 1 } else { MAX_CHUNK })?;
        let small = small && self.end - self.start <= SMALL_CONTENT;
        if !small {
            self.fill(MAX_CHUNK)?;
        }
        let rest = &self.buffer[self.start..self.end];
        let length = if small { rest.len() } else { first_cut(rest) };
        let chunk = &rest[..length];
        self.start += length;
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    /// Reads until `wanted` bytes wait in the buffer, or the end.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.end - self.start >= wanted {
            return Ok(());
        }
        if self.buffer.len() - self.start < wanted {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            let enough = if wanted > SMALL_CONTENT + 1 { BUFFER } else { wanted };
            if self.buffer.len() < wanted {
                self.buffer.resize(enough, 0);
            }
        }
        while self.end - self.start < wanted {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The length of the first chunk of `rest`: the rest of a content that is longer than [`SMALL_CONTENT`], or at least
/// [`MAX_CHUNK`] bytes of that rest.
pub fn first_cut(rest: &[u8]) -> usize {
    if rest.len() <= MIN_CHUNK {
        return rest.len();
    }
    let from = MIN_CHUNK - WINDOW;
    let searched = &rest[from..rest.len().min(MAX_CHUNK)];
    from + MinCdcHash4::with_params(MULTIPLIER, ADDEND).best_splitpoint(searched)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives at most `1` to `7` bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.1 = self.1 % 4099 + 1;
            self.0.take(self.1 as u64).read(into).inspect(|read| self.0 = &self.0[*read..])
        }
    }

    /// Bytes that do not repeat, the same on every machine.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(next).collect()
    }

    fn lengths(reader: impl Read) -> Vec<usize> {
        let mut chunks = ChunkReader::new(reader);
        let mut lengths = Vec::new();
        while let Some(chunk) = chunks.next().unwrap() {
            lengths.push(chunk.len());
        }
        lengths
    }

    /// The definition in the module's documentation, word by word.
    fn cut_slowly(mut rest: &[u8]) -> Vec<usize> {
        let mut lengths = Vec::new();
        if rest.len() <= SMALL_CONTENT {
            return if rest.is_empty() { lengths } else { vec![rest.len()] };
        }
        while rest.len() > MIN_CHUNK {
            let hash = |i: &usize| {
                let x = u32::from_le_bytes(rest[i - 4..*i].try_into().unwrap());
                x.wrapping_mul(MULTIPLIER).wrapping_add(ADDEND)
            };
            let cut = (MIN_CHUNK..=rest.len().min(MAX_CHUNK)).min_by_key(hash).unwrap();
            lengths.push(cut);
            rest = &rest[cut..];
        }
        lengths.extend((!rest.is_empty()).then_some(rest.len()));
        lengths
    }

    #[test]
    fn cuts_are_those_of_the_definition_however_the_bytes_arrive() {
        for length in [0, 1, SMALL_CONTENT, SMALL_CONTENT + 1, MAX_CHUNK, MAX_CHUNK + 1, 300_000, 2_500_000] {
            let content = noise(length);
            assert_eq!(lengths(&content[..]), cut_slowly(&content), "{length} bytes");
            assert_eq!(lengths(Slow(&content, 0)), cut_slowly(&content), "{length} bytes, slowly");
            let zeros = vec![0; length];
            assert_eq!(lengths(&zeros[..]), cut_slowly(&zeros), "{length} zeros");
        }
    }

    #[test]
    fn cuts_never_change() {
        assert_eq!(lengths(&noise(300_000)[..]), [67_057, 85_438, 80_996, 62_984, 3525]);
    }
}
