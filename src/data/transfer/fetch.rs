//! Fetch: contents of some roots into the store, whole or in part.
//!
//! Root record, then one range a level (node and locator lie side by side), then the ranges of the data: no index, no
//! list of packs. What the store has is not fetched; every item is verified before it is stored; what was fetched before
//! an interruption stays.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::base::{Digest, Progress, RandomId, RepoPath};
use crate::data::root::RootName;
use crate::objects::{Place, RootRecord};
use crate::storage::remote::Remote;
use crate::storage::remote_reader::{Fetched as FetchedItem, RemoteReader};
use crate::storage::store::Store;

use super::bring::{Bringing, Outcome, put, record_of};
use super::descend::descend;
use super::fallback::FellBack;
use super::survey::{Collected, Roots, config_for_reading};
use super::tables::Tables;
use super::{Knowledge, TransferError};

/// One version that is wanted here.
#[derive(Debug, Clone)]
pub struct Want {
    /// The path of the data.
    pub path: RepoPath,
    /// The version.
    pub root: RootName,
    /// The parts of a directory that are wanted; the empty path: all.
    pub parts: Vec<Vec<u8>>,
}

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fetched {
    /// Versions of which something was brought.
    pub versions: u64,
    /// Versions that were here already.
    pub known: u64,
    /// Chunks and nodes brought.
    pub items: u64,
    /// Their bytes as sent.
    pub bytes: u64,
    /// Versions that the remote lacks.
    pub missing: Vec<MissingVersion>,
    /// Versions that came from another remote than the one that was asked first.
    pub fell_back: Vec<FellBack>,
}

impl Fetched {
    /// Adds what another fetch brought.
    pub(super) fn add(&mut self, more: &Self) {
        self.versions += more.versions;
        self.known += more.known;
        self.items += more.items;
        self.bytes += more.bytes;
    }
}

/// A version that a remote lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingVersion {
    /// The path of the data.
    pub path: RepoPath,
    /// The version.
    pub root: Digest,
}

/// Where a fetch comes from and goes to.
pub struct Fetch<'a> {
    /// The store that is to have the data.
    pub store: &'a Store,
    /// The remote.
    pub remote: &'a Remote,
    /// The repository's random id.
    pub repository: RandomId,
    /// How far it is.
    pub progress: &'a Progress,
}

/// Versions that a remote has, and cannot give whole.
pub type Damaged = Vec<(Digest, TransferError)>;

/// Brings `wants` into the store.
///
/// # Errors
///
/// [`TransferError`]; versions that the remote lacks are told in the result, and so are those of which it holds something
/// damaged.
pub fn fetch(
    fetch: &Fetch<'_>,
    knowledge: &mut Knowledge,
    wants: &[Want],
) -> Result<(Fetched, Damaged), TransferError> {
    let (mut done, mut damaged) = (Fetched::default(), Vec::new());
    let is_known = |want: &Want| knowledge.has_root(&want.root.id);
    let (here, wants): (Vec<_>, Vec<_>) = wants.iter().partition(|want| is_here(fetch.store, want));
    done.known = here.len() as u64;
    let unseen: Vec<_> = here.into_iter().filter(|want| !is_known(want)).collect();
    if wants.is_empty() && unseen.is_empty() {
        return Ok((done, damaged));
    }
    let ids: BTreeSet<_> = wants.iter().chain(&unseen).map(|want| want.root.id).collect();
    let roots = match look(fetch, knowledge, &ids) {
        // Only to know more: that can wait.
        Err(_) if wants.is_empty() => return Ok((done, damaged)),
        roots => roots?,
    };
    note_safe(fetch, knowledge, &roots, &unseen);
    let bringing = Bringing::new(fetch, &roots);
    bringing.bring(&wants, &mut |want, outcome| {
        match outcome {
            Outcome::Missing => {
                done.missing.push(MissingVersion { path: want.path.clone(), root: want.root.id });
            }
            Outcome::Damaged(error) => damaged.push((want.root.id, error)),
            Outcome::Brought(record) => {
                done.versions += 1;
                knowledge.note_root(want.root.id, record.session);
                // The next push finds here what it need not send.
                knowledge.keep_record(&record.root, &record.session, &record.encode()?)?;
            }
        }
        Ok(())
    })?;
    (done.items, done.bytes) = bringing.end()?;
    knowledge.save()?;
    Ok((done, damaged))
}

/// Notes which of the versions that are here are on the remote as well, under a record that can be read and that gc counts:
/// these are not lost with this disk. What cannot be found out now is found out another time.
fn note_safe(fetch: &Fetch<'_>, knowledge: &mut Knowledge, roots: &Roots, here: &[&Want]) {
    let mut collected = Collected::default();
    if here.is_empty() || collected.refresh(fetch.remote).is_err() {
        return;
    }
    for want in here {
        if let Ok(Some(record)) = record_of(fetch, roots, &want.root, &HashSet::new())
            && collected.trusts(fetch.repository, record.root, record.session)
        {
            knowledge.note_root(record.root, record.session);
        }
    }
}

/// Makes sure which remote this is, and asks for the records of these roots.
fn look(
    fetch: &Fetch<'_>,
    knowledge: &mut Knowledge,
    ids: &BTreeSet<Digest>,
) -> Result<Roots, TransferError> {
    if knowledge.remote().is_none() {
        config_for_reading(fetch.remote, knowledge)?;
    }
    Roots::list(fetch.remote, fetch.repository, ids, knowledge.roots())
}

/// Whether everything that is wanted is in the store.
fn is_here(store: &Store, want: &Want) -> bool {
    let whole = want.parts.iter().any(Vec::is_empty);
    whole && crate::data::content::presence(store, &want.root) == crate::data::content::Presence::Whole
}

/// Brings the nodes of one version into the store, and tells where the chunks lie that the store lacks.
///
/// # Errors
///
/// [`TransferError`].
pub(super) fn locate(
    fetch: &Fetch<'_>,
    want: &Want,
    record: &RootRecord,
) -> Result<HashMap<Digest, Place>, TransferError> {
    let (reader, writer) = (RemoteReader::new(fetch.remote), fetch.store.writer());
    let mut tables = Tables::of(&reader, record);
    let take = |id: Digest, fetched: FetchedItem<'_>| Ok(put(&writer, id, fetched)?);
    let lacking = descend(fetch, &reader, &mut tables, want, record, &take)?;
    writer.sync()?;
    Ok(lacking.into_places())
}
