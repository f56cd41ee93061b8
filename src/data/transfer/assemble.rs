//! What a push sends, put into packs: chunks first, then the nodes with their locators, last the pack set.
//!
//! A push under [`ONE_PACK`] bytes puts all of it into one pack, else data and nodes go into packs apart: readers of one
//! path then find node and locator side by side, in few ranges.

use std::collections::{BTreeSet, HashMap};
use std::thread;

use crate::base::Digest;
use crate::objects::pack_series::{Berth, FinishedSeries, PackSeries, ToLocate};
use crate::objects::root::{MAX_COPY, MAX_INLINE_PACKS};
use crate::objects::{
    ItemKind, Located, LocatorNode, ManifestNode, PackFooter, PackRef, Place, RootPacks, SessionId, TreeNode,
    build_pack_set,
};
use crate::storage::store::Store;

use super::delivery::{Delivered, Delivery, EarlyClaims};
use super::known::{Part, parts_of};
use super::origin::{READ_AHEAD, Source};
use super::plan::{Plan, RootToSend, top_node};
use super::push::Push;
use super::stored_chunks::each_stored;
use super::{Knowledge, TransferError};

/// Up to so many bytes go into one pack together with their nodes.
const ONE_PACK: u64 = 4 << 20;
/// Nodes are compressed with this level of zstd.
const LEVEL: i32 = 3;

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
    thread::scope(|scope| {
        let claims = EarlyClaims::new(push, session, roots, &plan.reused);
        let ends = plan.chunks.iter().map(|chunk| chunk.ends_file).collect();
        let delivery = Delivery::new(scope, push, knowledge, claims, ends);
        assemble_for(delivery, &push.source(), session, plan, roots)
    })
}

fn assemble_for(
    mut delivery: Delivery<'_, '_>,
    source: &Source<'_>,
    session: SessionId,
    plan: Plan,
    roots: &[RootToSend],
) -> Result<Assembled, TransferError> {
    let store = source.store;
    let mut deliver = |pack| delivery.take(pack);
    let mut berths: HashMap<Digest, Berth> =
        plan.places.iter().map(|(id, place)| (*id, Berth::There(*place))).collect();
    let mut series = PackSeries::new(session, LEVEL, &mut deliver);
    let ids: Vec<_> = plan.chunks.iter().map(|chunk| chunk.id).collect();
    let at_once = if source.origin.is_some() { READ_AHEAD } else { ids.len().max(1) };
    for ids in ids.chunks(at_once) {
        each_stored(store, &source.read_elsewhere(ids.iter())?, ids, &mut |chunk, stored| {
            berths.insert(chunk.id, series.put_stored(chunk, stored)?);
            Ok::<_, TransferError>(())
        })?;
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
