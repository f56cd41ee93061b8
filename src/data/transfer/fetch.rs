//! Fetch: contents of some roots into the store, whole or in part.
//!
//! Root record, then one range a level (node and locator lie side by side), then the ranges of the data: no index, no
//! list of packs. What the store has is not fetched; every item is verified before it is stored; what was fetched before
//! an interruption stays.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::base::{Digest, Progress, RandomId, RepoPath};
use crate::data::compose::is_within;
use crate::data::root::RootName;
use crate::objects::pointer::PointerKind;
use crate::objects::{ItemKind, Located, LocatorNode, Place, RootRecord, SessionId, layout};
use crate::storage::remote::{Remote, RemoteErrorKind};
use crate::storage::remote_reader::{Fetched as FetchedItem, RemoteReader, Wanted};
use crate::storage::store::{Store, StoreWriter};

use super::fallback::FellBack;
use super::known::{Part, parts_of};
use super::lacking::{Lacking, is_wrong_place};
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

/// A node that is wanted: what it is, the path it belongs to, where it lies, and where its locator, if that is known.
struct Pending {
    id: Digest,
    kind: ItemKind,
    path: Vec<u8>,
    /// The number of the file that it is of.
    file: Option<usize>,
    node: Place,
    locator: Option<Place>,
    /// Copies of node and locator, as a root record has them.
    copies: (Option<Vec<u8>>, Option<Vec<u8>>),
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
    let reader = RemoteReader::new(fetch.remote);
    let writer = fetch.store.writer();
    for want in wants {
        let (record, brought) = match bring_by_any(fetch, &roots, &reader, &writer, want) {
            Ok(Some(brought)) => brought,
            Ok(None) => {
                done.missing.push(MissingVersion { path: want.path.clone(), root: want.root.id });
                continue;
            }
            Err(error) if error.is_damage() => {
                damaged.push((want.root.id, error));
                continue;
            }
            Err(error) => return Err(error),
        };
        done.versions += 1;
        done.items += brought.0;
        done.bytes += brought.1;
        knowledge.note_root(want.root.id, record.session);
        // The next push finds here what it need not send.
        knowledge.keep_record(&record.root, &record.session, &record.encode()?)?;
    }
    writer.sync()?;
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

/// A record of the root that can be read and names this very root, and was not tried; the newest first.
fn record_of(
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

/// What one version took: its items and their bytes.
type Brought = (u64, u64);

/// Brings one version by its newest record; where something of that is gone or damaged, the records are listed again and
/// another is taken. `None` where there is no record.
fn bring_by_any(
    fetch: &Fetch<'_>,
    roots: &Roots,
    reader: &RemoteReader,
    writer: &StoreWriter,
    want: &Want,
) -> Result<Option<(RootRecord, Brought)>, TransferError> {
    let (mut tried, mut failed, mut again) = (HashSet::new(), None, None);
    loop {
        let record = record_of(fetch, again.as_ref().unwrap_or(roots), &want.root, &tried);
        let record = match (record, failed) {
            (Ok(Some(record)), _) => record,
            // The first error says what is wrong.
            (_, Some(failed)) => return Err(failed),
            (none, None) => return none.map(|_| None),
        };
        match bring(fetch, reader, writer, want, &record) {
            Ok(brought) => return Ok(Some((record, brought))),
            Err(error) if error.is_damage() => {
                tried.insert(record.session);
                again =
                    Some(Roots::list(fetch.remote, fetch.repository, &BTreeSet::from([want.root.id]), 0)?);
                failed = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Brings one version; returns items and bytes. When it returns well, nothing that is wanted is missing here.
fn bring(
    fetch: &Fetch<'_>,
    reader: &RemoteReader,
    writer: &StoreWriter,
    want: &Want,
    record: &RootRecord,
) -> Result<Brought, TransferError> {
    let counted = (AtomicU64::new(0), AtomicU64::new(0));
    let take = |id: Digest, fetched: &FetchedItem| -> Result<(), TransferError> {
        let stored = &fetched.stored;
        writer.put_stored(id, stored.kind, stored.codec, &stored.bytes, stored.raw)?;
        counted.0.fetch_add(1, Ordering::Relaxed);
        counted.1.fetch_add(stored.bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    };
    let mut tables = Tables::of(reader, record);
    let lacking = descend(fetch, reader, &mut tables, want, record, &take)?;
    lacking.bring(fetch, reader, &mut tables, want, &take)?;
    Ok((counted.0.into_inner(), counted.1.into_inner()))
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
    let take = |id: Digest, FetchedItem { stored, .. }: &FetchedItem| -> Result<(), TransferError> {
        writer.put_stored(id, stored.kind, stored.codec, &stored.bytes, stored.raw)?;
        Ok(())
    };
    let lacking = descend(fetch, &reader, &mut tables, want, record, &take)?;
    writer.sync()?;
    Ok(lacking.into_places())
}

/// Goes down from the top of a version, level by level; what of the nodes is not here is read.
fn descend(
    fetch: &Fetch<'_>,
    reader: &RemoteReader,
    tables: &mut Tables<'_>,
    want: &Want,
    record: &RootRecord,
    take: Take<'_>,
) -> Result<Lacking, TransferError> {
    let mut lacking = Lacking::default();
    let mut level = first_level(want, record, tables, &mut lacking)?;
    let mut seen = HashSet::new();
    while !level.is_empty() {
        let nodes = read_nodes(fetch.store, reader, tables, &level, take)?;
        let mut next = Vec::new();
        for (pending, (node, locator)) in level.iter().zip(nodes) {
            for needed in needed(want, pending, &node, locator.as_ref(), fetch.store) {
                match needed {
                    Needed::Chunk(id, place) => {
                        let file = pending.file.unwrap_or_else(|| lacking.meet_file());
                        lacking.take(id, tables.or_find(id, place)?, file);
                    }
                    Needed::Node { id, kind, path, places } => {
                        // Equal folders are read once, but of one of them only a part may be wanted.
                        let whole = is_wanted(want, &path);
                        if seen.insert((id, (!whole).then(|| path.clone()))) {
                            let node = tables.or_find(id, places.map(|places| places.0))?;
                            let locator = places.map(|places| places.1);
                            let is_file = kind == ItemKind::Manifest;
                            let file = pending.file.or_else(|| is_file.then(|| lacking.meet_file()));
                            next.push(Pending { id, kind, path, file, node, locator, copies: (None, None) });
                        }
                    }
                }
            }
        }
        level = next;
    }
    Ok(lacking)
}

fn first_level(
    want: &Want,
    record: &RootRecord,
    tables: &mut Tables<'_>,
    lacking: &mut Lacking,
) -> Result<Vec<Pending>, TransferError> {
    let (id, kind) = match (want.root.kind, want.root.manifest) {
        (PointerKind::Tree, _) => (want.root.id, ItemKind::Tree),
        (PointerKind::File, Some(manifest)) => (manifest, ItemKind::Manifest),
        (PointerKind::File, None) => {
            if want.root.size > 0 {
                let place = tables.or_find(want.root.id, record.top)?;
                let file = lacking.meet_file();
                lacking.take(want.root.id, place, file);
            }
            return Ok(Vec::new());
        }
    };
    let node = tables.or_find(id, record.top)?;
    let copies = (record.top_copy.clone(), record.locator_copy.clone());
    let file = (kind == ItemKind::Manifest).then(|| lacking.meet_file());
    Ok(vec![Pending { id, kind, path: Vec::new(), file, node, locator: record.locator, copies }])
}

/// A node and its locator.
type ReadNode = (Vec<u8>, Option<LocatorNode>);

/// What is done with each item that was read.
pub(super) type Take<'a> = &'a (dyn Fn(Digest, &FetchedItem) -> Result<(), TransferError> + Sync);

/// The nodes of one level with their locators, in one go. A locator is a hint: one that cannot be read is `None`.
fn read_nodes(
    store: &Store,
    reader: &RemoteReader,
    tables: &mut Tables<'_>,
    level: &[Pending],
    take: Take<'_>,
) -> Result<Vec<ReadNode>, TransferError> {
    let mut nodes: Vec<Option<Vec<u8>>> = level.iter().map(|node| store.read(&node.id).ok()).collect();
    let copied = |node: &Pending| node.copies.1.as_ref().and_then(|copy| LocatorNode::decode(copy).ok());
    let mut locators: Vec<Option<LocatorNode>> = level.iter().map(copied).collect();
    let mut wanted = Vec::new();
    let mut wanted_for = Vec::new();
    for (number, pending) in level.iter().enumerate() {
        if nodes[number].is_none() {
            wanted.push(Wanted { id: Some(pending.id), kind: pending.kind, place: pending.node });
            wanted_for.push((number, true));
        }
        if let Some(place) = pending.locator.filter(|_| locators[number].is_none()) {
            wanted.push(Wanted { id: None, kind: ItemKind::Locator, place });
            wanted_for.push((number, false));
        }
    }
    let read = Mutex::new(BTreeMap::new());
    let answer = reader.read_each(&wanted, &|at, fetched: FetchedItem| -> Result<(), TransferError> {
        let (number, is_node) = wanted_for[at];
        if is_node {
            take(level[number].id, &fetched)?;
        }
        read.lock().unwrap_or_else(PoisonError::into_inner).insert((number, is_node), fetched.item);
        Ok(())
    });
    for ((number, is_node), item) in read.into_inner().unwrap_or_else(PoisonError::into_inner) {
        if is_node {
            nodes[number] = Some(item);
        } else {
            locators[number] = LocatorNode::decode(&item).ok();
        }
    }
    match answer {
        Err(error) if is_wrong_place(&error) => {
            let missing: Vec<_> = (0..level.len()).filter(|number| nodes[*number].is_none()).collect();
            for (number, node) in read_by_tables(reader, tables, level, &missing, take)? {
                nodes[number] = Some(node);
            }
        }
        answer => answer?,
    }
    Ok(nodes.into_iter().map(Option::unwrap_or_default).zip(locators).collect())
}

/// The nodes with these numbers, from where the tables of the packs say that they lie, in one go.
fn read_by_tables(
    reader: &RemoteReader,
    tables: &mut Tables<'_>,
    level: &[Pending],
    numbers: &[usize],
    take: Take<'_>,
) -> Result<BTreeMap<usize, Vec<u8>>, TransferError> {
    let mut wanted = Vec::new();
    for Pending { id, kind, .. } in numbers.iter().map(|number| &level[*number]) {
        let place = tables.find(*id)?.ok_or(TransferError::Unlocated { id: *id })?;
        wanted.push(Wanted { id: Some(*id), kind: *kind, place });
    }
    let items = Mutex::new(BTreeMap::new());
    reader.read_each(&wanted, &|at, fetched: FetchedItem| {
        take(level[numbers[at]].id, &fetched)?;
        items.lock().unwrap_or_else(PoisonError::into_inner).insert(numbers[at], fetched.item);
        Ok::<(), TransferError>(())
    })?;
    Ok(items.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What a node names that is wanted and not here, and where a locator says that it lies.
enum Needed {
    Chunk(Digest, Option<Place>),
    Node { id: Digest, kind: ItemKind, path: Vec<u8>, places: Option<(Place, Place)> },
}

fn needed(
    want: &Want,
    pending: &Pending,
    node: &[u8],
    locator: Option<&LocatorNode>,
    store: &Store,
) -> Vec<Needed> {
    let own = pending.locator.map(|place| place.pack);
    let located = |at: usize| Some((locator?.entries.get(at)?, own?));
    let parts = parts_of(pending.kind, node, &pending.path).into_iter().zip(names_of(pending, node));
    let needed = parts.enumerate().filter_map(|(at, (part, name))| match part {
        Part::Chunk(id, raw) if is_wanted(want, &name) && !store.contains(&id) => {
            let place = match located(at) {
                Some((Located::Chunk(spot), own)) => spot.place(own, raw).ok(),
                _ => None,
            };
            Some(Needed::Chunk(id, place))
        }
        Part::Node(id, kind, path) => {
            let on_the_way = is_wanted(want, &path) || want.parts.iter().any(|part| is_within(part, &path));
            if !on_the_way || crate::data::content::holds(store, id, kind) {
                return None;
            }
            let places = match located(at) {
                Some((Located::Child { node, locator }, own)) => {
                    node.place(own).ok().zip(locator.place(own).ok())
                }
                _ => None,
            };
            Some(Needed::Node { id, kind, path, places })
        }
        Part::Chunk(..) | Part::Nothing => None,
    });
    needed.collect()
}

/// The path of each entry of a node.
fn names_of(pending: &Pending, node: &[u8]) -> Vec<Vec<u8>> {
    match pending.kind {
        ItemKind::Tree => {
            let entries =
                crate::objects::TreeNode::decode(node).map(|node| node.into_entries()).unwrap_or_default();
            entries.iter().map(|entry| crate::data::content::joined(&pending.path, &entry.name)).collect()
        }
        _ => vec![pending.path.clone(); crate::objects::manifest::MAX_MANIFEST_ENTRIES],
    }
}

fn is_wanted(want: &Want, path: &[u8]) -> bool {
    want.parts.iter().any(|part| is_within(path, part))
}
