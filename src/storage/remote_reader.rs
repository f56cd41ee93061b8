//! Reading items of packs out of a remote: few requests, all of it verified.
//!
//! A place (out of a locator, a root record, an index) is a hint. Places that lie near each other in one pack become
//! one range, reading over holes of up to 256 KiB: a request costs about as much time as that many bytes. What comes is
//! decoded and held against its id before anybody sees it. Where a place was wrong, the footer of the pack, which is
//! held against the pack's name, tells the right one; only if that does not help either is the pack damaged. A pack that is
//! not there may have been folded into others: `moves/` tells which, and their footers tell where the items lie now.
//!
//! Memory: [`RANGES_AT_ONCE`] ranges of at most [`LONGEST_RANGE`] bytes, however much is asked for.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::remote::{Remote, RemoteError, RemoteErrorKind};
use super::store::Stored;
use crate::base::{Advice, Digest};
use crate::objects::codec::{Scratch, decode_in};
use crate::objects::layout::{moves_name, pack_name};
use crate::objects::moves::MAX_MOVE_DEPTH;
use crate::objects::{Codec, FormatError, ItemKind, Moves, PackFooter, PackRef, Place};

/// Bytes that are read over rather than asking twice.
const LONGEST_HOLE: u32 = 256 << 10;
/// No range is longer, in bytes, unless one item is.
const LONGEST_RANGE: u32 = 8 << 20;
/// How many ranges are on their way at once.
const RANGES_AT_ONCE: usize = 8;

/// An item to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its id; `None` for a locator, which is itself only a hint and is named by its place alone.
    pub id: Option<Digest>,
    /// What it is.
    pub kind: ItemKind,
    /// Where it is said to lie.
    pub place: Place,
}

/// An item that was read and verified, in memory that is used again for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched<'a> {
    /// What it is.
    pub kind: ItemKind,
    /// How it is stored.
    pub codec: Codec,
    /// As it is stored, to be put into the local store without compressing again.
    pub stored: &'a [u8],
    /// The item itself.
    pub item: &'a [u8],
}

impl Fetched<'_> {
    /// A copy of its stored form.
    pub fn to_stored(self) -> Stored {
        let Self { kind, codec, stored, item } = self;
        Stored { kind, codec, bytes: stored.to_vec(), raw: item.len() as u32 }
    }
}

/// What is done with each item, by its number among the wanted.
type Take<'a, E> = &'a (dyn Fn(usize, Fetched<'_>) -> Result<(), E> + Sync);

/// Why an item could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The remote failed.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A pack that is named by a root, a locator or an index is not there.
    #[error("the pack {} is missing from '{remote}'", pack.short())]
    MissingPack {
        /// The name of the pack.
        pack: Digest,
        /// The address of the remote.
        remote: String,
    },
    /// What lies in the pack is not the item.
    #[error("{id} is damaged or missing in the pack {} of '{remote}'", pack.short())]
    Damaged {
        /// The id of the item; of zeros for a locator.
        id: Digest,
        /// The name of the pack.
        pack: Digest,
        /// The address of the remote.
        remote: String,
    },
    /// The footer of a pack is not what the pack's name promises.
    #[error("the footer of the pack {} of '{remote}' is damaged", pack.short())]
    Footer {
        /// The name of the pack.
        pack: Digest,
        /// The address of the remote.
        remote: String,
        /// What is wrong with it, if it has the right hash.
        source: Option<FormatError>,
    },
}

impl Advice for ReadError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Remote(error) => error.hints(),
            Self::MissingPack { .. } | Self::Damaged { .. } | Self::Footer { .. } => vec![
                "whoever still has the data can push it again; nothing that is damaged was written here"
                    .into(),
            ],
        }
    }
}

/// Reads items of packs; keeps the footers that it needed. May be shared by threads.
#[derive(Debug)]
pub struct RemoteReader {
    remote: Remote,
    footers: Mutex<HashMap<Digest, Arc<PackFooter>>>,
    wrong_places: AtomicUsize,
}

/// One range of a pack, and which of the wanted lie in it.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    pack: PackRef,
    range: Range<u32>,
    wanted: Vec<usize>,
}

impl RemoteReader {
    /// A reader of `remote`.
    pub fn new(remote: &Remote) -> Self {
        let (footers, wrong_places) = (Mutex::default(), AtomicUsize::default());
        Self { remote: remote.clone(), footers, wrong_places }
    }

    /// How many places were wrong so far and had to be looked up in a footer: a sign of a damaged or hostile remote.
    pub fn wrong_places(&self) -> usize {
        self.wrong_places.load(Ordering::Relaxed)
    }

    /// Reads all of `wanted` and lends each item to `take` as soon as it is verified, in no order, from several threads,
    /// with its number in `wanted`.
    ///
    /// # Errors
    ///
    /// The first error of reading or of `take`; nothing more is begun then.
    pub fn read_each<E>(&self, wanted: &[Wanted], take: Take<'_, E>) -> Result<(), E>
    where
        E: From<ReadError> + Send,
    {
        let spans = spans_of(wanted);
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).max(4);
        let threads = threads.min(RANGES_AT_ONCE).min(spans.len());
        if threads <= 1 {
            let mut scratch = Scratch::default();
            return spans.iter().try_for_each(|span| self.read_span(span, wanted, take, 0, &mut scratch));
        }
        let next = AtomicUsize::new(0);
        let failed = Mutex::new(None);
        let work = || {
            let mut scratch = Scratch::default();
            while let Some(span) = spans.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = self.read_span(span, wanted, take, 0, &mut scratch) {
                    next.store(spans.len(), Ordering::Relaxed);
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
        };
        thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    /// The items of all of `wanted`, in their order: for nodes, of which many fit into memory.
    ///
    /// # Errors
    ///
    /// [`ReadError`] for the first that cannot be read.
    pub fn read_all(&self, wanted: &[Wanted]) -> Result<Vec<Vec<u8>>, ReadError> {
        let items = Mutex::new(vec![Vec::new(); wanted.len()]);
        self.read_each(wanted, &|number, fetched| {
            items.lock().unwrap_or_else(PoisonError::into_inner)[number] = fetched.item.to_vec();
            Ok::<(), ReadError>(())
        })?;
        Ok(items.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The footer of a pack, held against the pack's name.
    ///
    /// # Errors
    ///
    /// [`ReadError::MissingPack`], [`ReadError::Footer`], or what the remote says.
    pub fn footer(&self, pack: &PackRef) -> Result<Arc<PackFooter>, ReadError> {
        let known = || self.footers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(footer) = known().get(&pack.id) {
            return Ok(Arc::clone(footer));
        }
        let damaged =
            |source| ReadError::Footer { pack: pack.id, remote: self.remote.address().to_owned(), source };
        let bytes = self.range(pack, pack.footer_offset(), pack.footer_len)?;
        if Digest::of(&bytes) != pack.id {
            return Err(damaged(None));
        }
        let footer = PackFooter::decode(&bytes).map_err(|source| damaged(Some(source)))?;
        let footer = Arc::new(footer);
        known().insert(pack.id, Arc::clone(&footer));
        Ok(footer)
    }

    /// The footers that tell of the items of a pack: its own, or those of the packs that it was folded into.
    ///
    /// # Errors
    ///
    /// As [`RemoteReader::footer`].
    pub fn footers(&self, pack: &PackRef) -> Result<Vec<(PackRef, Arc<PackFooter>)>, ReadError> {
        match self.footer(pack) {
            Ok(footer) => Ok(vec![(*pack, footer)]),
            Err(ReadError::MissingPack { .. }) => self.moved(pack, 0),
            Err(error) => Err(error),
        }
    }

    /// The footers of the packs that a pack was folded into.
    fn moved(&self, pack: &PackRef, depth: u8) -> Result<Vec<(PackRef, Arc<PackFooter>)>, ReadError> {
        let missing = || ReadError::MissingPack { pack: pack.id, remote: self.remote.address().to_owned() };
        let bytes = match self.remote.get(&moves_name(&pack.id)) {
            Err(error) if error.kind() == RemoteErrorKind::NotFound => return Err(missing()),
            answer => answer?,
        };
        let moves =
            Moves::decode(&bytes).ok().filter(|moves| moves.pack == pack.id && depth < MAX_MOVE_DEPTH);
        let mut footers = Vec::new();
        for target in moves.ok_or_else(missing)?.targets {
            match self.footer(&target) {
                Ok(footer) => footers.push((target, footer)),
                Err(ReadError::MissingPack { .. }) => footers.extend(self.moved(&target, depth + 1)?),
                Err(error) => return Err(error),
            }
        }
        Ok(footers)
    }

    /// Reads what lay in a pack that is not there any more, from where it lies now.
    fn read_moved<E: From<ReadError>>(
        &self,
        span: &Span,
        wanted: &[Wanted],
        take: Take<'_, E>,
        depth: u8,
        scratch: &mut Scratch,
    ) -> Result<(), E> {
        let mut places = HashMap::new();
        for (pack, footer) in &self.moved(&span.pack, depth)? {
            places.extend(footer.places(*pack).map(|(entry, place)| ((entry.id, entry.kind), place)));
        }
        let (mut moved, mut numbers, mut lost) = (Vec::new(), Vec::new(), None);
        for &number in &span.wanted {
            let item = &wanted[number];
            match item.id.and_then(|id| places.get(&(id, item.kind))) {
                Some(place) => {
                    moved.push(Wanted { place: *place, ..*item });
                    numbers.push(number);
                }
                None => lost = Some(item.id.unwrap_or_default()),
            }
        }
        for span in spans_of(&moved) {
            let take = |at: usize, fetched: Fetched<'_>| take(numbers[at], fetched);
            self.read_span(&span, &moved, &take, depth + 1, scratch)?;
        }
        let (pack, remote) = (span.pack.id, self.remote.address().to_owned());
        lost.map_or(Ok(()), |id| Err(ReadError::Damaged { id, pack, remote }.into()))
    }

    fn read_span<E: From<ReadError>>(
        &self,
        span: &Span,
        wanted: &[Wanted],
        take: Take<'_, E>,
        depth: u8,
        scratch: &mut Scratch,
    ) -> Result<(), E> {
        let Range { start, end } = span.range;
        let inside = end <= span.pack.size;
        let bytes = match inside.then(|| self.range(&span.pack, start, end - start)).transpose() {
            Ok(bytes) => bytes.unwrap_or_default(),
            // The pack is shorter than the places say: the footer will tell.
            Err(ReadError::Remote(error)) if error.kind() == RemoteErrorKind::WrongSize => Vec::new(),
            Err(ReadError::MissingPack { .. }) if depth <= MAX_MOVE_DEPTH => {
                return self.read_moved(span, wanted, take, depth, scratch);
            }
            Err(error) => return Err(error.into()),
        };
        for &number in &span.wanted {
            let item = &wanted[number];
            let at = (item.place.offset - start) as usize;
            let stored = bytes.get(at..at + item.place.stored as usize);
            match stored.and_then(|stored| open(item, &item.place, stored, scratch)) {
                Some(fetched) => take(number, fetched)?,
                None => {
                    let (place, stored) = self.read_by_footer(item)?;
                    let fetched = open(item, &place, &stored, scratch);
                    take(number, fetched.ok_or_else(|| self.damaged(item))?)?;
                    self.wrong_places.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    fn damaged(&self, wanted: &Wanted) -> ReadError {
        let (id, pack) = (wanted.id.unwrap_or_default(), wanted.place.pack.id);
        ReadError::Damaged { id, pack, remote: self.remote.address().to_owned() }
    }

    /// Where the footer of its pack says that the item lies, and what lies there.
    fn read_by_footer(&self, wanted: &Wanted) -> Result<(Place, Vec<u8>), ReadError> {
        let pack = wanted.place.pack;
        let damaged = || self.damaged(wanted);
        let id = wanted.id.ok_or_else(damaged)?;
        let footer = self.footer(&pack)?;
        let found = footer.places(pack).find(|(entry, _)| entry.id == id && entry.kind == wanted.kind);
        let (_, place) = found.ok_or_else(damaged)?;
        Ok((place, self.range(&pack, place.offset, place.stored)?))
    }

    fn range(&self, pack: &PackRef, offset: u32, length: u32) -> Result<Vec<u8>, ReadError> {
        let bytes = self.remote.get_range(&pack_name(&pack.id), offset.into(), length.into());
        bytes.map_err(|error| match error.kind() {
            RemoteErrorKind::NotFound => {
                ReadError::MissingPack { pack: pack.id, remote: self.remote.address().to_owned() }
            }
            _ => error.into(),
        })
    }
}

/// The item that `stored`, the bytes at `place`, are; `None` if they are not the one that is wanted.
fn open<'a>(
    wanted: &Wanted,
    place: &Place,
    stored: &'a [u8],
    scratch: &'a mut Scratch,
) -> Option<Fetched<'a>> {
    let (kind, codec) = (wanted.kind, place.codec);
    let item = decode_in(codec, stored, place.raw, scratch).ok()?;
    let is_it = wanted.id.is_none_or(|id| kind.id_of(item) == id);
    is_it.then_some(Fetched { kind, codec, stored, item })
}

/// The ranges in which all of `wanted` lie, pack by pack.
fn spans_of(wanted: &[Wanted]) -> Vec<Span> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&number| (wanted[number].place.pack, wanted[number].place.offset));
    let mut spans: Vec<Span> = Vec::new();
    for number in order {
        let Place { pack, offset, stored, .. } = wanted[number].place;
        let end = offset.saturating_add(stored);
        match spans.last_mut() {
            Some(last) if last.pack == pack && joins(&last.range, offset, end) => {
                last.range.end = last.range.end.max(end);
                last.wanted.push(number);
            }
            _ => spans.push(Span { pack, range: offset..end, wanted: vec![number] }),
        }
    }
    spans
}

/// Whether an item at `offset` is better read with the range before it.
fn joins(range: &Range<u32>, offset: u32, end: u32) -> bool {
    offset <= range.end.saturating_add(LONGEST_HOLE) && end.max(range.end) - range.start <= LONGEST_RANGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(pack: u8, offset: u32, stored: u32) -> Wanted {
        let pack = PackRef { id: Digest::of(&[pack]), size: 64 << 20, footer_len: 68 };
        let place = Place { pack, offset, stored, raw: stored, codec: Codec::Raw };
        Wanted { id: None, kind: ItemKind::Chunk, place }
    }

    fn ranges(wanted: &[Wanted]) -> Vec<(u32, u32)> {
        spans_of(wanted).iter().map(|span| (span.range.start, span.range.end)).collect()
    }

    #[test]
    fn near_places_are_read_at_once_and_far_ones_are_not() {
        let hole = LONGEST_HOLE;
        assert_eq!(ranges(&[at(1, 500, 100), at(1, 64, 100), at(1, 64, 100)]), [(64, 600)]);
        assert_eq!(ranges(&[at(1, 0, 100), at(1, 100 + hole, 1)]), [(0, 101 + hole)]);
        assert_eq!(ranges(&[at(1, 0, 100), at(1, 101 + hole, 1)]), [(0, 100), (101 + hole, 102 + hole)]);
        assert_eq!(spans_of(&[at(1, 0, 9), at(2, 9, 9)]).len(), 2);
        assert_eq!(spans_of(&[]), []);
    }

    #[test]
    fn no_range_is_longer_than_memory_allows() {
        let wanted: Vec<Wanted> = (0..640).map(|number| at(1, number * 100_000, 100_000)).collect();
        let ranges = ranges(&wanted);
        assert!(ranges.iter().all(|(start, end)| end - start <= LONGEST_RANGE));
        assert_eq!(ranges.len(), 8);
    }
}
