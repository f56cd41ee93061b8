//! Contents of many chunks, out of the store and into a file.
//!
//! What a demanding user expects: one large file keeps all processors busy, and what the file that lies there has already
//! is taken from that. Parts of the file are written side by side, each at its place, and hashed as branches of BLAKE3's
//! tree; the id of the whole, made of those branches, decides whether the file may be shown, so a chunk need not be
//! hashed for itself. Where the file system clones blocks, the new file begins as a clone of the old one, and only
//! what differs is written.
//!
//! Sources: casync's seeds and zsync (an old file is a source of chunks); rsync's `--inplace` is what not to do: the old file
//! is never written to, so a kill leaves it whole.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rayon::prelude::*;

use crate::base::{Digest, PART, PartHash, PartHasher, Progress, id_of_parts};
use crate::data::worktree::Fingerprint;
use crate::objects::manifest::ChunkEntry;
use crate::storage::store::{ItemReader, Store};

use super::read::ReadError;
use super::steady::open_regular;
use super::walk::chunks_in_order;
use super::write::Content;

/// So many bytes are hashed and written at once: they stay in the processor's cache.
const PIECE: usize = 256 << 10;
/// Above this size a file is no source: the table of its chunks would take too much memory.
const LARGEST_FORMER: u64 = 32 << 30;

/// The file that lies where a content is to be written, as a source of chunks. What it says is believed by nobody: the
/// whole is verified.
pub struct Former {
    file: File,
    /// Where the chunks lie, by the first bytes of their ids.
    places: HashMap<u64, u64>,
}

impl Former {
    /// The file at `path`, which held `content` when it had the stat `seen`. `None` where it is of no use: it was
    /// touched, the store lacks its manifest, or it is too large.
    pub fn open(store: &Store, path: &Path, seen: &Fingerprint, content: &Content) -> Option<Self> {
        let (file, now) = open_regular(path).ok()?;
        if !seen.is_still(&now) || now.size != content.size {
            return None;
        }
        Some(Self { file, places: places_of(store, content)? })
    }
}

/// Makes `out`, an empty file, a clone of `file`, of so many bytes, if the file system can do that.
fn clone_to(file: &File, out: &File, size: u64) -> bool {
    #[cfg(target_os = "linux")]
    let cloned = rustix::fs::ioctl_ficlone(out, file).is_ok() && out.set_len(size).is_ok();
    #[cfg(not(target_os = "linux"))]
    let cloned = false;
    cloned
}

/// What a new file is before anything is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    /// Empty.
    Empty,
    /// A clone of the former file.
    Former,
    /// A clone of the content itself, which the store keeps as one.
    Whole,
}

/// Where the chunks of a content lie in it; `None` for one that is too large, or whose manifest is not here.
fn places_of(store: &Store, content: &Content) -> Option<HashMap<u64, u64>> {
    let manifest = content.manifest.filter(|_| content.size <= LARGEST_FORMER)?;
    let (mut places, mut offset) = (HashMap::new(), 0);
    for chunk in chunks_in_order(store, manifest, content.size) {
        let chunk = chunk.ok()?;
        places.entry(key(&chunk.id)).or_insert(offset);
        offset += u64::from(chunk.len);
    }
    Some(places)
}

fn key(id: &Digest) -> u64 {
    id.as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

/// Writes a content of several chunks into `out`, an empty file that can be read too: from what the `former` file has and else from the store.
/// The caller must not show the file before this returns well: only then the whole is verified.
///
/// # Errors
///
/// [`ReadError`]. A former file that does not hold what it should is no error.
pub fn restore_content(
    store: &Store,
    content: &Content,
    out: &File,
    former: Option<&Former>,
    progress: &Progress,
) -> Result<(), ReadError> {
    let is_clone_of = |file: &File| clone_to(file, out, content.size);
    let begun = match former {
        _ if store.clone_of(&content.id).is_some_and(|kept| is_clone_of(&kept)) => Begun::Whole,
        Some(former) if is_clone_of(&former.file) => Begun::Former,
        _ => Begun::Empty,
    };
    let out = Some(out);
    let quick = Restoration { store, content, out, former, begun, verified: false, progress };
    match quick.run() {
        Ok(id) if id == content.id => return Ok(()),
        Err(ReadError::Write(error)) => return Err(ReadError::Write(error)),
        Ok(_) | Err(_) => {}
    }
    // Damage, or a file that changed: from the store alone, where every chunk is verified and the damaged one is named.
    let careful = Restoration { former: None, begun: Begun::Empty, verified: true, ..quick };
    if careful.run()? == content.id { Ok(()) } else { Err(ReadError::Mismatch(content.id)) }
}

/// Reads a content of several chunks, side by side, and verifies each of them and the whole; each chunk is told to `see` when
/// all that is done.
///
/// # Errors
///
/// [`ReadError`]; [`ReadError::Mismatch`] where the chunks are whole and make another content.
pub fn check_content(
    store: &Store,
    content: &Content,
    progress: &Progress,
    see: &mut dyn FnMut(Digest),
) -> Result<(), ReadError> {
    let mismatch = || ReadError::Mismatch(content.id);
    let (former, begun) = (None, Begun::Empty);
    let check = Restoration { store, content, out: None, former, begun, verified: true, progress };
    if check.run()? != content.id {
        return Err(mismatch());
    }
    let manifest = content.manifest.ok_or_else(mismatch)?;
    for chunk in chunks_in_order(store, manifest, content.size) {
        see(chunk?.id);
    }
    Ok(())
}

/// A chunk and where it begins in the content.
type Placed = (u64, ChunkEntry);

struct Restoration<'a> {
    store: &'a Store,
    content: &'a Content,
    /// Where it is written to, if anywhere.
    out: Option<&'a File>,
    former: Option<&'a Former>,
    /// What `out`, which can be read too, began as.
    begun: Begun,
    /// Whether each chunk is verified when it is read.
    verified: bool,
    progress: &'a Progress,
}

/// What one thread reads and collects with.
struct Bench {
    reader: ItemReader,
    /// Memory for a piece, and how much of it is filled.
    piece: Vec<u8>,
    filled: usize,
}

impl Bench {
    /// Where in the piece there is room for so many bytes, which count as filled from now on.
    fn room(&mut self, bytes: usize) -> Range<usize> {
        let start = self.filled;
        self.filled += bytes;
        if self.piece.len() < self.filled {
            self.piece.resize(self.filled, 0);
        }
        start..self.filled
    }

    /// Takes bytes of a chunk that begins at `place` in `file`.
    fn borrow(&mut self, file: &File, place: u64, within: &Range<usize>) -> Result<(), ReadError> {
        let room = self.room(within.len());
        let read = file.read_exact_at(&mut self.piece[room], place + within.start as u64);
        read.map_err(|source| {
            self.filled -= within.len();
            ReadError::Borrow(source)
        })
    }
}

impl Restoration<'_> {
    /// Writes all parts, some at a time; gives the id of what was written.
    fn run(&self) -> Result<Digest, ReadError> {
        let Some(manifest) = self.content.manifest else { return Err(ReadError::Mismatch(self.content.id)) };
        let mut chunks = chunks_in_order(self.store, manifest, self.content.size);
        let at_once = 8 * rayon::current_num_threads() as u64;
        let count = self.content.size.div_ceil(PART);
        let (mut placed, mut covered) = (Vec::<Placed>::new(), 0);
        let mut hashed: Vec<PartHash> = Vec::new();
        for first in (0..count).step_by(at_once as usize) {
            let last = count.min(first + at_once);
            let begin = first * PART;
            placed.retain(|(offset, chunk)| offset + u64::from(chunk.len) > begin);
            while covered < (last * PART).min(self.content.size) {
                let Some(chunk) = chunks.next() else { return Err(ReadError::Mismatch(self.content.id)) };
                let chunk = chunk?;
                placed.push((covered, chunk));
                covered += u64::from(chunk.len);
            }
            if count == 1 {
                return Ok(self.write_part(&mut self.bench(), 0, &placed)?.id());
            }
            let parts: Result<Vec<_>, ReadError> = (first..last)
                .into_par_iter()
                .map_init(|| self.bench(), |bench, part| Ok(self.write_part(bench, part, &placed)?.finish()))
                .collect();
            hashed.extend(parts?);
        }
        id_of_parts(&hashed).ok_or(ReadError::Mismatch(self.content.id))
    }

    fn bench(&self) -> Bench {
        Bench { reader: self.store.reader(), piece: vec![0; PIECE + (PIECE >> 1)], filled: 0 }
    }

    /// Writes the part with this number, of which `placed` has all chunks.
    fn write_part(&self, bench: &mut Bench, part: u64, placed: &[Placed]) -> Result<PartHasher, ReadError> {
        let (start, end) = (part * PART, self.content.size.min((part + 1) * PART));
        let mut hasher = PartHasher::new(part);
        let first = placed.partition_point(|(offset, chunk)| offset + u64::from(chunk.len) <= start);
        let mut piece_start = start;
        // Whether what is collected is in the file already.
        let mut there = false;
        for (offset, chunk) in placed[first..].iter().take_while(|(offset, _)| *offset < end) {
            let (from, to) = (start.max(*offset), end.min(offset + u64::from(chunk.len)));
            let within = (from - offset) as usize..(to - offset) as usize;
            let lent = self.former.and_then(|former| former.places.get(&key(&chunk.id)).copied());
            let stays = match self.begun {
                Begun::Empty => false,
                Begun::Former => lent == Some(*offset),
                Begun::Whole => true,
            };
            if stays != there || bench.filled >= PIECE {
                piece_start += self.put(&mut hasher, bench, piece_start, there)?;
                there = stays;
            }
            match (lent, self.former, self.out) {
                // What stays is verified as it lies in the clone, which nobody else can write to.
                (_, _, Some(out)) if stays => bench.borrow(out, *offset, &within)?,
                (Some(place), Some(former), _) if bench.borrow(&former.file, place, &within).is_ok() => {}
                _ => self.fetch(bench, chunk, within)?,
            }
        }
        self.put(&mut hasher, bench, piece_start, there)?;
        Ok(hasher)
    }

    /// Hashes what was collected, and writes it where it is not there already; gives how much it was.
    fn put(
        &self,
        hasher: &mut PartHasher,
        bench: &mut Bench,
        at: u64,
        there: bool,
    ) -> Result<u64, ReadError> {
        let piece = &bench.piece[..bench.filled];
        hasher.update(piece);
        if let Some(out) = self.out.filter(|_| !there) {
            out.write_all_at(piece, at).map_err(ReadError::Write)?;
        }
        let length = piece.len() as u64;
        bench.filled = 0;
        self.progress.advance(length);
        Ok(length)
    }

    fn fetch(&self, bench: &mut Bench, chunk: &ChunkEntry, within: Range<usize>) -> Result<(), ReadError> {
        let room = bench.room(within.len());
        let is_whole = within.len() == chunk.len as usize;
        if !self.verified && is_whole && bench.reader.read_raw_into(&chunk.id, &mut bench.piece[room.clone()])
        {
            return Ok(());
        }
        let item = match self.verified {
            true => bench.reader.read(&chunk.id),
            false => bench.reader.read_unverified(&chunk.id),
        };
        let item = item.map_err(|source| ReadError::Chunk { id: chunk.id, source })?;
        if item.len() != chunk.len as usize {
            return Err(ReadError::Mismatch(self.content.id));
        }
        bench.piece[room].copy_from_slice(&item[within]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Seek, Write};

    use super::*;
    use crate::data::content::{Intake, store_file};

    /// Bytes that nothing compresses, so long that they are several parts.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 7_u64;
        let next = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        });
        next.take(length).collect()
    }

    struct Case {
        folder: tempfile::TempDir,
        store: Store,
    }

    impl Case {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path().join("ml"));
            Self { folder, store }
        }

        fn stored(&self, name: &str, bytes: &[u8]) -> (Content, Fingerprint) {
            let path = self.folder.path().join(name);
            File::create(&path).unwrap().write_all(bytes).unwrap();
            let intake = Intake::new(&self.store);
            let stored = store_file(&path, &intake, &Progress::hidden()).unwrap();
            intake.sync().unwrap();
            stored
        }

        fn restored(&self, content: &Content, former: Option<&Former>) -> Result<Vec<u8>, ReadError> {
            let mut out = tempfile::tempfile_in(self.folder.path()).unwrap();
            restore_content(&self.store, content, &out, former, &Progress::hidden())?;
            out.rewind().unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut out, &mut bytes).unwrap();
            Ok(bytes)
        }
    }

    #[test]
    fn a_version_comes_from_the_former_file_and_the_store_and_a_former_file_that_lies_does_no_harm() {
        let case = Case::new();
        let old = noise(2 * PART as usize + 100_000);
        let mut new = old.clone();
        new[PART as usize + 5] ^= 1;
        new.splice(300_000..300_000, *b"inserted");
        new.truncate(2 * PART as usize + 50_000);
        let (before, seen) = case.stored("old", &old);
        let (after, _) = case.stored("new", &new);
        let path = case.folder.path().join("old");
        assert_eq!(case.restored(&after, None).unwrap(), new);
        let former = Former::open(&case.store, &path, &seen, &before).unwrap();
        assert_eq!(case.restored(&after, Some(&former)).unwrap(), new);
        assert_eq!(case.restored(&before, Some(&former)).unwrap(), old);

        // Written to while it is read from, or cut short.
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[0; 1000], 1 << 20).unwrap();
        assert!(Former::open(&case.store, &path, &seen, &before).is_none(), "its stat tells");
        assert_eq!(case.restored(&after, Some(&former)).unwrap(), new);
        file.set_len(1 << 20).unwrap();
        assert_eq!(case.restored(&after, Some(&former)).unwrap(), new);
    }

    #[test]
    fn a_content_that_is_not_what_its_manifest_holds_is_refused() {
        let case = Case::new();
        for length in [100_000, PART as usize + 1] {
            let (mut content, _) = case.stored("file", &noise(length));
            assert_eq!(case.restored(&content, None).unwrap().len(), length);
            content.id = Digest::of(b"other");
            assert!(matches!(case.restored(&content, None), Err(ReadError::Mismatch(_))));
        }
    }
}
