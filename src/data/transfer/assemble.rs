//! What a push sends, put into packs: chunks first, then the nodes with their locators, last the pack set.
//!
//! A push under [`ONE_PACK`] bytes puts all of it into one pack, else data and nodes go into packs apart: readers of one
//! path then find node and locator side by side, in few ranges.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::base::{Digest, RepoPath};
use crate::data::root::RootName;
use crate::objects::index::HOOKED_CONTENT;
use crate::objects::pack_series::{Berth, FinishedSeries, PackSeries, ToLocate};
use crate::objects::pointer::PointerKind;
use crate::objects::root::{MAX_COPY, MAX_INLINE_PACKS};
use crate::objects::{
    FooterEntry, Index, ItemKind, Located, LocatorNode, ManifestNode, PackFooter, PackRef, Place, RootPacks,
    SessionId, TreeNode, build_pack_set,
};
use crate::storage::store::{Store, StoreError};

use super::delivery::{Delivered, Delivery, EarlyClaims};
use super::known::{Known, NodeIds, Part, parts_of};
use super::push::Push;
use super::{Knowledge, TransferError};

/// Up to so many bytes go into one pack together with their nodes.
const ONE_PACK: u64 = 4 << 20;
/// Nodes are compressed with this level of zstd.
const LEVEL: i32 = 3;

/// A root that is to be pushed.
#[derive(Debug, Clone)]
pub struct RootToSend {
    /// Its path, for messages.
    pub path: RepoPath,
    /// What it is.
    pub root: RootName,
}

/// The top node of a root; `None` where it has none (one chunk, or empty).
fn top_node(root: &RootName) -> Option<(Digest, ItemKind)> {
    match root.kind {
        PointerKind::Tree => Some((root.id, ItemKind::Tree)),
        PointerKind::File => root.manifest.map(|manifest| (manifest, ItemKind::Manifest)),
    }
}

/// The ids of all nodes of these roots that the store has or names, and the paths of their directories and large files.
pub fn nodes_of(store: &Store, roots: &[RootToSend]) -> (NodeIds, HashSet<Vec<u8>>) {
    let (mut ids, mut paths) = (HashSet::new(), HashSet::from([Vec::new()]));
    for root in roots {
        let mut open: Vec<_> =
            top_node(&root.root).map(|(id, kind)| (id, kind, Vec::new())).into_iter().collect();
        while let Some((id, kind, path)) = open.pop() {
            if !ids.insert(id) {
                continue;
            }
            let node = store.read(&id).unwrap_or_default();
            for part in parts_of(kind, &node, &path) {
                if let Part::Node(id, kind, path) = part {
                    paths.insert(path.clone());
                    open.push((id, kind, path));
                }
            }
        }
    }
    (ids, paths)
}

/// What was put into packs, and where the tops of the roots lie.
pub struct Assembled {
    /// The new packs, with their tables.
    pub packs: Vec<(PackRef, PackFooter)>,
    /// Packs of the remote that are relied on.
    pub reused: BTreeSet<PackRef>,
    /// The packs of every root of this push.
    pub set: RootPacks,
    /// Packs that are needed beside the set.
    pub meta: Vec<PackRef>,
    /// One for each root.
    pub tops: Vec<Top>,
    /// Claims that were put on the way.
    pub claims: u32,
    /// First chunks of large contents, with the new packs that hold them.
    pub hooks: Vec<(Digest, PackRef)>,
}

/// Where the top of one root lies.
#[derive(Debug, Clone, Default)]
pub struct Top {
    /// The top node, or the only chunk.
    pub place: Option<Place>,
    /// A copy of the top node.
    pub copy: Option<Vec<u8>>,
    /// The locator beside the top node.
    pub locator: Option<Place>,
    /// A copy of the locator.
    pub locator_copy: Option<Vec<u8>>,
    /// Files and links of the root.
    pub files: u64,
}

/// What is to be sent, found before the first byte is.
pub struct Plan {
    chunks: Vec<Digest>,
    nodes: Vec<(Digest, ItemKind)>,
    /// Stored bytes of the chunks.
    pub bytes: u64,
    places: HashMap<Digest, Place>,
    reused_nodes: HashMap<Digest, (Place, Place)>,
    reused: BTreeSet<PackRef>,
    /// First chunks of large contents: the index leads to them, so that a moved file is found again.
    hooked: Vec<Digest>,
}

/// Finds what the remote lacks of `roots`.
///
/// # Errors
///
/// [`TransferError::MissingHere`] for what neither side has.
pub fn plan(store: &Store, known: &Known<'_>, roots: &[RootToSend]) -> Result<Plan, TransferError> {
    let mut planning = Planning { store, known, seen: HashSet::new(), plan: Plan::empty() };
    for root in roots {
        match top_node(&root.root) {
            Some((id, kind)) => planning.visit(root, id, kind, true, 0)?,
            None if root.root.size > 0 => planning.chunk(root, root.root.id)?,
            None => {}
        }
    }
    Ok(planning.plan)
}

impl Plan {
    fn empty() -> Self {
        Self {
            chunks: Vec::new(),
            nodes: Vec::new(),
            bytes: 0,
            places: HashMap::new(),
            reused_nodes: HashMap::new(),
            reused: BTreeSet::new(),
            hooked: Vec::new(),
        }
    }

    /// Leaves out what the remote has by the tables to which hooks lead.
    ///
    /// # Errors
    ///
    /// When a table cannot be fetched, or the store not be read.
    pub fn leave_out(
        &mut self,
        store: &Store,
        known: &mut Known<'_>,
        indexes: &[Index],
    ) -> Result<(), TransferError> {
        known.follow_hooks(indexes, &self.chunks)?;
        for id in std::mem::take(&mut self.chunks) {
            match known.find_chunk(&id) {
                Some(place) => {
                    let stored = store.find(&id)?.map_or(0, |found| u64::from(found.stored));
                    self.bytes = self.bytes.saturating_sub(stored);
                    self.reused.insert(place.pack);
                    self.places.insert(id, place);
                }
                None => self.chunks.push(id),
            }
        }
        Ok(())
    }
}

struct Planning<'a, 'k> {
    store: &'a Store,
    known: &'a Known<'k>,
    seen: HashSet<Digest>,
    plan: Plan,
}

impl Planning<'_, '_> {
    /// Visits a node: those below it come first. `is_top` says that it is the top of a directory or manifest.
    fn visit(
        &mut self,
        root: &RootToSend,
        id: Digest,
        kind: ItemKind,
        is_top: bool,
        depth: u32,
    ) -> Result<(), TransferError> {
        /// Folders of 256 levels, each split in at most 16.
        const DEEPEST: u32 = 4096;
        if depth > DEEPEST || !self.seen.insert(id) {
            return Ok(());
        }
        if let Some(places) = self.known.find_node(&id) {
            self.plan.reused_nodes.insert(id, places);
            // What lies below is somewhere in the packs of the base.
            self.plan.reused.extend(self.known.vouched());
            return Ok(());
        }
        let node = self.store.read(&id).map_err(|error| missing(root, id, error))?;
        if kind == ItemKind::Manifest && is_top {
            self.plan.hooked.extend(first_of_large(self.store, &node));
        }
        for part in parts_of(kind, &node, &[]) {
            match part {
                Part::Nothing => {}
                Part::Chunk(id, _) => self.chunk(root, id)?,
                Part::Node(id, below, _) => self.visit(root, id, below, kind == ItemKind::Tree, depth + 1)?,
            }
        }
        self.plan.nodes.push((id, kind));
        Ok(())
    }

    fn chunk(&mut self, root: &RootToSend, id: Digest) -> Result<(), TransferError> {
        if !self.seen.insert(id) {
            return Ok(());
        }
        if let Some(place) = self.known.find_chunk(&id) {
            self.plan.reused.insert(place.pack);
            self.plan.places.insert(id, place);
            return Ok(());
        }
        let found = self.store.find(&id)?;
        let found = found.ok_or_else(|| TransferError::MissingHere { path: root.path.clone(), id })?;
        self.plan.bytes += u64::from(found.stored);
        self.plan.chunks.push(id);
        Ok(())
    }
}

/// The first chunk of the content that this manifest is of, if that is large; `None` also where its nodes are not all here.
fn first_of_large(store: &Store, top: &[u8]) -> Option<Digest> {
    let mut node = ManifestNode::decode(top).ok()?;
    let bytes: u64 = match &node {
        ManifestNode::Leaf(chunks) => chunks.iter().map(|chunk| u64::from(chunk.len)).sum(),
        ManifestNode::Inner { children, .. } => children.iter().map(|child| child.bytes).sum(),
    };
    if bytes <= HOOKED_CONTENT {
        return None;
    }
    loop {
        node = match node {
            ManifestNode::Leaf(chunks) => return chunks.first().map(|chunk| chunk.id),
            ManifestNode::Inner { children, .. } => {
                ManifestNode::decode(&store.read(&children.first()?.id).ok()?).ok()?
            }
        };
    }
}

fn missing(root: &RootToSend, id: Digest, error: StoreError) -> TransferError {
    match error {
        StoreError::Missing { .. } => TransferError::MissingHere { path: root.path.clone(), id },
        error => error.into(),
    }
}

/// Puts what was planned into packs and sends them.
///
/// # Errors
///
/// [`TransferError`]; packs that were sent stay, and a second try finds them.
pub fn assemble(
    push: &Push<'_>,
    knowledge: &Knowledge,
    session: SessionId,
    plan: Plan,
    roots: &[RootToSend],
) -> Result<Assembled, TransferError> {
    let store = push.store;
    let claims = EarlyClaims::new(push, session, roots, &plan.reused);
    let mut delivery = Delivery::new(push, knowledge, claims);
    let mut deliver = |pack| delivery.take(pack);
    let mut berths: HashMap<Digest, Berth> =
        plan.places.iter().map(|(id, place)| (*id, Berth::There(*place))).collect();
    let mut series = PackSeries::new(session, LEVEL, &mut deliver);
    for id in &plan.chunks {
        berths.insert(*id, put_chunk(store, &mut series, id)?);
    }
    let mut data_packs = Vec::new();
    if plan.bytes > ONE_PACK {
        let data = series.finish()?;
        for berth in berths.values_mut() {
            *berth = data.place(berth).map_or(*berth, Berth::There);
        }
        data_packs = data.packs;
        series = PackSeries::new(session, LEVEL, &mut deliver);
    }
    let mut nodes: HashMap<Digest, (Berth, Berth)> = plan
        .reused_nodes
        .iter()
        .map(|(id, (node, locator))| (*id, (Berth::There(*node), Berth::There(*locator))))
        .collect();
    for (id, kind) in &plan.nodes {
        let node = store.read(id)?;
        let (level, parts) = to_locate(*kind, &node, &berths, &nodes)?;
        let put = series.put_with_locator(*id, *kind, &node, level, &parts)?;
        nodes.insert(*id, put);
    }
    let mut set: Vec<_> = plan.reused.iter().copied().chain(data_packs).collect();
    set.sort_unstable();
    set.dedup();
    // Room for the packs of the nodes, whose number is not known yet.
    let built = if set.len() >= MAX_INLINE_PACKS / 2 {
        build_pack_set(set.clone(), &HashMap::new(), &mut series)?
    } else {
        None
    };
    let last = series.finish()?;
    let (set, meta) = match built {
        Some(built) => {
            let place = last.place(&built.top).ok_or(TransferError::Inconsistent)?;
            (RootPacks::Set { id: built.id, packs: built.packs as u32, place }, sorted(last.packs.clone()))
        }
        None => (RootPacks::Inline(sorted([set, last.packs.clone()].concat())), Vec::new()),
    };
    let tops = roots.iter().map(|root| top(store, root, &berths, &nodes, &last)).collect::<Result<_, _>>()?;
    let Delivered { packs, locators, claims } = delivery.finish()?;
    let sent = |id: &Digest| Some((*id, berths.get(id).and_then(|berth| last.place(berth))?.pack));
    let hooks = plan.hooked.iter().filter_map(sent).collect();
    let writer = store.writer();
    for (entry, stored) in &locators {
        writer.put_stored(entry.id, entry.kind, entry.codec, stored, entry.raw)?;
    }
    writer.sync()?;
    Ok(Assembled { packs, reused: plan.reused, set, meta, tops, claims, hooks })
}

fn sorted(mut packs: Vec<PackRef>) -> Vec<PackRef> {
    packs.sort_unstable();
    packs.dedup();
    packs
}

/// Copies a chunk as it is stored, after a look that it is whole: a damaged one must not spread.
fn put_chunk(
    store: &Store,
    series: &mut PackSeries<'_, TransferError>,
    id: &Digest,
) -> Result<Berth, TransferError> {
    let mut stored = store.read_stored(id)?;
    if stored.open(id).is_none() {
        // Says where the damage lies, or finds the chunk where another process put it meanwhile.
        store.read(id)?;
        stored = store.read_stored(id)?;
        if stored.open(id).is_none() {
            return Err(TransferError::Inconsistent);
        }
    }
    let length = stored.bytes.len() as u32;
    let entry =
        FooterEntry { id: *id, stored: length, raw: stored.raw, codec: stored.codec, kind: stored.kind };
    series.put_stored(&entry, &stored.bytes)
}

/// Level of a node, and where its parts lie.
fn to_locate(
    kind: ItemKind,
    node: &[u8],
    chunks: &HashMap<Digest, Berth>,
    nodes: &HashMap<Digest, (Berth, Berth)>,
) -> Result<(u8, Vec<ToLocate>), TransferError> {
    let level = match kind {
        ItemKind::Tree => TreeNode::decode(node)?.level(),
        _ => ManifestNode::decode(node)?.level(),
    };
    let located = |part: Part| match part {
        Part::Nothing => Some(ToLocate::Nothing),
        Part::Chunk(id, _) => chunks.get(&id).copied().map(ToLocate::Chunk),
        Part::Node(id, ..) => {
            nodes.get(&id).map(|(node, locator)| ToLocate::Child { node: *node, locator: *locator })
        }
    };
    let parts: Option<Vec<_>> = parts_of(kind, node, &[]).into_iter().map(located).collect();
    // Everything below was visited before.
    Ok((level, parts.ok_or(TransferError::Inconsistent)?))
}

fn top(
    store: &Store,
    root: &RootToSend,
    chunks: &HashMap<Digest, Berth>,
    nodes: &HashMap<Digest, (Berth, Berth)>,
    series: &FinishedSeries,
) -> Result<Top, TransferError> {
    let Some((id, kind)) = top_node(&root.root) else {
        let place = chunks.get(&root.root.id).and_then(|berth| series.place(berth));
        if place.is_none() && root.root.size > 0 {
            return Err(TransferError::Inconsistent);
        }
        return Ok(Top { place, files: 1, ..Top::default() });
    };
    let (node, locator) = nodes.get(&id).ok_or(TransferError::Inconsistent)?;
    let (place, locator) = (series.place(node), series.place(locator));
    let Ok(bytes) = store.read(&id) else { return Ok(Top { place, locator, files: 1, ..Top::default() }) };
    let files = match kind {
        ItemKind::Tree => TreeNode::decode(&bytes)?.summary().files,
        _ => 1,
    };
    let locator_copy = to_locate(kind, &bytes, chunks, nodes).ok().map(|(level, parts)| {
        let whole = |berth: &Berth| series.place(berth);
        let entries = parts.iter().filter_map(|part| match part {
            ToLocate::Nothing => Some(Located::Nothing),
            ToLocate::Chunk(berth) => whole(berth).map(|place| Located::Chunk(place.into())),
            ToLocate::Child { node, locator } => {
                let (node, locator) = (whole(node)?, whole(locator)?);
                Some(Located::Child { node: node.into(), locator: locator.into() })
            }
        });
        LocatorNode { level, entries: entries.collect() }.encode()
    });
    let short = |copy: &Vec<u8>| copy.len() <= MAX_COPY;
    Ok(Top {
        place,
        copy: Some(bytes).filter(short),
        locator,
        locator_copy: locator_copy.filter(short),
        files,
    })
}
