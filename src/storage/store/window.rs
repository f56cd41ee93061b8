//! A stretch of a file that was read with one call, and out of which items are taken.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// A stretch of one file. Its memory is used again and again.
#[derive(Debug, Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    /// Where it begins in the file.
    start: u64,
}

impl Window {
    /// Forgets what was read: another file follows.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// What was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the `needed` bytes from `from` on lie in it; what is not there yet is read, `wanted` bytes or as many as there are.
    pub fn bring(
        &mut self,
        file: &File,
        from: u64,
        needed: usize,
        wanted: usize,
    ) -> io::Result<Range<usize>> {
        let held = self.start..self.start + self.bytes.len() as u64;
        if !(held.start <= from && from + needed as u64 <= held.end) {
            self.fill(file, from, needed, wanted.max(needed))?;
        }
        let start = (from - self.start) as usize;
        Ok(start..start + needed)
    }

    fn fill(&mut self, file: &File, from: u64, needed: usize, wanted: usize) -> io::Result<()> {
        self.bytes.resize(wanted, 0);
        self.start = from;
        let mut filled = 0;
        while filled < needed {
            match file.read_at(&mut self.bytes[filled..], from + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.bytes.clear();
                    return Err(error);
                }
            }
        }
        self.bytes.truncate(filled);
        if filled < needed { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}
