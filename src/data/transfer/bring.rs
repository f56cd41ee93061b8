//! Versions out of a remote, each by whichever of its records can give it.
//!
//! First the nodes of all versions are brought, so that it is known how many bytes of how many files are to come; then these
//! come, as one piece of work that tells how long it will take. Versions share chunks: each is brought once, with the first
//! version that needs it.

use std::collections::HashSet;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::Digest;
use crate::data::root::RootName;
use crate::objects::{RootRecord, SessionId, layout};
use crate::storage::remote::RemoteErrorKind;
use crate::storage::remote_reader::{Fetched as FetchedItem, RemoteReader};
use crate::storage::store::{StoreError, StoreWriter};

use super::TransferError;
use super::descend::descend;
use super::fetch::{Fetch, Want};
use super::lacking::Lacking;
use super::survey::Roots;
use super::tables::Tables;

/// After so many chunks they are brought before further versions are looked at: their places take memory.
const MOST_CHUNKS: usize = 2 << 20;

/// What became of a version.
pub(super) enum Outcome {
    /// All that is wanted of it is here.
    Brought(Box<RootRecord>),
    /// The remote has no record of it.
    Missing,
    /// The remote holds something of it damaged.
    Damaged(TransferError),
}

/// Told of each version.
type Tell<'a> = &'a mut dyn FnMut(&Want, Outcome) -> Result<(), TransferError>;

/// A version whose nodes are here.
struct Begun<'w> {
    want: &'w Want,
    record: RootRecord,
    lacking: Lacking,
    /// Whether some of its chunks come with a version before it.
    leans: bool,
}

/// Brings versions, and counts what came.
pub(super) struct Bringing<'a> {
    fetch: &'a Fetch<'a>,
    roots: &'a Roots,
    reader: RemoteReader,
    writer: StoreWriter,
    items: AtomicU64,
    bytes: AtomicU64,
}

impl<'a> Bringing<'a> {
    /// Nothing brought yet; `roots` are the records that were listed.
    pub(super) fn new(fetch: &'a Fetch<'a>, roots: &'a Roots) -> Self {
        let (reader, writer) = (RemoteReader::new(fetch.remote), fetch.store.writer());
        Self { fetch, roots, reader, writer, items: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// Brings all of `wants`.
    ///
    /// # Errors
    ///
    /// [`TransferError`], but for versions that are missing or damaged: these are told.
    pub(super) fn bring(&self, wants: &[&Want], tell: Tell<'_>) -> Result<(), TransferError> {
        let (mut batch, mut chunks) = (Vec::new(), HashSet::new());
        for want in wants {
            match self.by_any(want, None, &|record| self.locate(want, record)) {
                Ok(Some((record, mut lacking))) => {
                    let leans = lacking.leave_out(&chunks);
                    chunks.extend(lacking.ids());
                    batch.push(Begun { want, record, lacking, leans });
                }
                Ok(None) => tell(want, Outcome::Missing)?,
                Err(error) if error.is_damage() => tell(want, Outcome::Damaged(error))?,
                Err(error) => return Err(error),
            }
            if chunks.len() >= MOST_CHUNKS {
                self.bring_chunks(mem::take(&mut batch), tell)?;
                chunks.clear();
            }
        }
        self.bring_chunks(batch, tell)
    }

    /// Makes all that was brought last; gives the count of items, and their bytes as sent.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub(super) fn end(self) -> Result<(u64, u64), StoreError> {
        self.writer.sync()?;
        Ok((self.items.into_inner(), self.bytes.into_inner()))
    }

    fn bring_chunks(&self, batch: Vec<Begun<'_>>, tell: Tell<'_>) -> Result<(), TransferError> {
        let amounts = batch.iter().map(|begun| begun.lacking.amount());
        let (bytes, files) = amounts.fold((0, 0), |sum, (bytes, files)| (sum.0 + bytes, sum.1 + files));
        let title = match &batch[..] {
            [] => return Ok(()),
            [one] => format!("fetching {}", one.want.path),
            all => format!("fetching {} versions", all.len()),
        };
        self.fetch.progress.begin_files(&title, bytes, files);
        let brought = self.bring_each(batch, tell);
        self.fetch.progress.end();
        brought
    }

    fn bring_each(&self, batch: Vec<Begun<'_>>, tell: Tell<'_>) -> Result<(), TransferError> {
        let mut failed = false;
        for Begun { want, record, lacking, leans } in batch {
            let anew = |record: &RootRecord| {
                self.locate(want, record).and_then(|lacking| self.read(record, lacking))
            };
            let brought = if failed && leans {
                self.by_any(want, None, &anew)
            } else {
                match self.read(&record, lacking) {
                    Ok(()) => Ok(Some((record, ()))),
                    Err(error) if error.is_damage() => {
                        self.by_any(want, Some((record.session, error)), &anew)
                    }
                    Err(error) => Err(error),
                }
            };
            let outcome = match brought {
                Ok(Some((record, ()))) => Outcome::Brought(Box::new(record)),
                Ok(None) => Outcome::Missing,
                Err(error) if error.is_damage() => Outcome::Damaged(error),
                Err(error) => return Err(error),
            };
            failed |= !matches!(outcome, Outcome::Brought(_));
            tell(want, outcome)?;
        }
        Ok(())
    }

    /// Goes on by the newest record of a version; where something of that is gone or damaged, the records are listed again
    /// and another is taken. `failed` is a record that was tried, and its error. `None` where there is no record.
    fn by_any<T>(
        &self,
        want: &Want,
        failed: Option<(SessionId, TransferError)>,
        attempt: &dyn Fn(&RootRecord) -> Result<T, TransferError>,
    ) -> Result<Option<(RootRecord, T)>, TransferError> {
        let (mut tried, mut failed) = match failed {
            Some((session, error)) => (HashSet::from([session]), Some(error)),
            None => (HashSet::new(), None),
        };
        let mut again = None;
        loop {
            if failed.is_some() {
                let root = [want.root.id].into();
                again = Some(Roots::list(self.fetch.remote, self.fetch.repository, &root, 0)?);
            }
            let record = record_of(self.fetch, again.as_ref().unwrap_or(self.roots), &want.root, &tried);
            let record = match (record, failed) {
                (Ok(Some(record)), _) => record,
                // The first error says what is wrong.
                (_, Some(failed)) => return Err(failed),
                (none, None) => return none.map(|_| None),
            };
            match attempt(&record) {
                Ok(done) => return Ok(Some((record, done))),
                Err(error) if error.is_damage() => {
                    tried.insert(record.session);
                    failed = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Brings the nodes of a version; which chunks are to come.
    fn locate(&self, want: &Want, record: &RootRecord) -> Result<Lacking, TransferError> {
        let mut tables = Tables::of(&self.reader, record);
        descend(self.fetch, &self.reader, &mut tables, want, record, &|id, fetched| self.put(id, fetched))
    }

    /// Brings the chunks of a version. When it returns well, nothing of them is missing here.
    fn read(&self, record: &RootRecord, lacking: Lacking) -> Result<(), TransferError> {
        let mut tables = Tables::of(&self.reader, record);
        lacking.bring(self.fetch, &self.reader, &mut tables, &|id, fetched| self.put(id, fetched))
    }

    /// Puts what was fetched into the store, as it is stored.
    fn put(&self, id: Digest, fetched: FetchedItem<'_>) -> Result<(), TransferError> {
        put(&self.writer, id, fetched)?;
        self.items.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(fetched.stored.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// Puts what was fetched into the store, as it is stored.
pub(super) fn put(writer: &StoreWriter, id: Digest, fetched: FetchedItem<'_>) -> Result<(), StoreError> {
    let FetchedItem { kind, codec, stored, item } = fetched;
    writer.put_stored(id, kind, codec, stored, item.len() as u32).map(drop)
}

/// A record of the root that can be read and names this very root, and was not tried; the newest first.
pub(super) fn record_of(
    fetch: &Fetch<'_>,
    roots: &Roots,
    root: &RootName,
    tried: &HashSet<SessionId>,
) -> Result<Option<RootRecord>, TransferError> {
    let mut damaged = None;
    for session in roots.sessions(&root.id).into_iter().filter(|session| !tried.contains(session)) {
        let name = layout::root_name(&fetch.repository, &root.id, &session);
        let bytes = match fetch.remote.get(&name) {
            Err(error) if error.kind() == RemoteErrorKind::NotFound => continue,
            answer => answer?,
        };
        match RootRecord::decode(&bytes) {
            Ok(record)
                if (record.kind, record.root, record.manifest) == (root.kind, root.id, root.manifest) =>
            {
                return Ok(Some(record));
            }
            Ok(_) => damaged = Some(TransferError::Object { name, source: None }),
            Err(source) => damaged = Some(TransferError::Object { name, source: Some(source) }),
        }
    }
    damaged.map_or(Ok(None), Err)
}
