//! From the top of a version down to its chunks: one range a level, for node and locator lie side by side.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::base::Digest;
use crate::data::compose::is_within;
use crate::objects::pointer::PointerKind;
use crate::objects::{ItemKind, Located, LocatorNode, Place, RootRecord};
use crate::storage::remote_reader::{Fetched as FetchedItem, RemoteReader, Wanted};

use crate::storage::store::Store;

use super::TransferError;
use super::fetch::{Fetch, Want};
use super::known::{Part, parts_of};
use super::lacking::{Lacking, is_wrong_place};
use super::tables::Tables;

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

/// Goes down from the top of a version, level by level; what of the nodes is not here is read.
pub(super) fn descend(
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
pub(super) type Take<'a> = &'a (dyn Fn(Digest, FetchedItem<'_>) -> Result<(), TransferError> + Sync);

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
    let answer = reader.read_each(&wanted, &|at, fetched: FetchedItem<'_>| -> Result<(), TransferError> {
        let (number, is_node) = wanted_for[at];
        if is_node {
            take(level[number].id, fetched)?;
        }
        read.lock().unwrap_or_else(PoisonError::into_inner).insert((number, is_node), fetched.item.to_vec());
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
    reader.read_each(&wanted, &|at, fetched: FetchedItem<'_>| {
        take(level[numbers[at]].id, fetched)?;
        items.lock().unwrap_or_else(PoisonError::into_inner).insert(numbers[at], fetched.item.to_vec());
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
