//! Where things lie: locators, pack sets, and packs that name themselves.

use std::collections::{BTreeSet, HashMap};

use git_ml::base::Digest;
use git_ml::objects::locator::{NodeSpot, Spot};
use git_ml::objects::pack::FooterEntry;
use git_ml::objects::pack_builder::PackError;
use git_ml::objects::pack_set::{PackSetNode, SetStep, SetWalk};
use git_ml::objects::{
    Codec, FinishedPack, ItemKind, Located, LocatorNode, PackRef, PackSeries, Place, SessionId, ToLocate,
    build_pack_set, codec,
};
use proptest::prelude::*;

/// A remote in memory.
#[derive(Default)]
struct Packs(HashMap<Digest, Vec<u8>>);

impl Packs {
    fn keep(&mut self, pack: FinishedPack<Vec<u8>>) {
        self.0.insert(pack.pack.id, pack.out);
    }

    fn read(&self, place: &Place) -> Vec<u8> {
        let stored = &self.0[&place.pack.id][place.offset as usize..][..place.stored as usize];
        codec::decode(place.codec, stored, place.raw).unwrap()
    }
}

fn pack(number: u64) -> PackRef {
    let id = Digest::of(&number.to_le_bytes());
    PackRef { id, size: 1_000_000, footer_len: 68 + 42 * (number % 1000) as u32 }
}

fn spot() -> impl Strategy<Value = Spot> {
    let codec = prop_oneof![Just(Codec::Raw), Just(Codec::Zstd), Just(Codec::Planes4)];
    (prop::option::of(0_u64..40), 64_u32..900_000, 1_u32..90_000, codec)
        .prop_map(|(number, offset, stored, codec)| Spot { pack: number.map(pack), offset, stored, codec })
}

fn located() -> impl Strategy<Value = Located> {
    let node = || (spot(), 1_u32..1 << 20).prop_map(|(spot, raw)| NodeSpot { spot, raw });
    prop_oneof![
        Just(Located::Nothing),
        spot().prop_map(Located::Chunk),
        (node(), node()).prop_map(|(node, locator)| Located::Child { node, locator }),
    ]
}

proptest! {
    #[test]
    fn a_locator_reads_back(level in 0_u8..=16, entries in prop::collection::vec(located(), 0..200)) {
        let locator = LocatorNode { level, entries };
        let bytes = locator.encode();
        let read = LocatorNode::decode(&bytes).unwrap();
        prop_assert_eq!(read.encode(), bytes);
        prop_assert_eq!(read, locator);
    }

    #[test]
    fn a_changed_locator_is_refused_or_another_locator(
        entries in prop::collection::vec(located(), 1..20),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = LocatorNode { level: 0, entries }.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = LocatorNode::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }
}

/// Fills the open pack of a series until at most `room` bytes are left, with chunks of 96 KiB.
fn fill(series: &mut PackSeries<'_, PackError>, room: usize) {
    let chunk = vec![7; 98_304];
    let entry = FooterEntry {
        id: Digest::of(&chunk),
        stored: 98_304,
        raw: 98_304,
        codec: Codec::Raw,
        kind: ItemKind::Chunk,
    };
    for _ in 0..((64 << 20) - 100_000 - room) / 98_400 {
        series.put_stored(&entry, &chunk).unwrap();
    }
}

#[test]
fn a_locator_finds_its_own_pack_and_those_before_it() {
    let mut packs = Packs::default();
    let mut deliver = |pack| {
        packs.keep(pack);
        Ok::<_, PackError>(Vec::new())
    };
    let mut series = PackSeries::new(SessionId::begin(0), 1, &mut deliver);
    let first = series.put(Digest::of(b"adelie"), ItemKind::Chunk, b"adelie").unwrap();
    let leaf = |name: &str| (ItemKind::Manifest.id_of(name.as_bytes()), name.to_owned());
    let (id, bytes) = leaf("a leaf of a manifest");
    let parts = [ToLocate::Chunk(first), ToLocate::Nothing];
    let (node, locator) =
        series.put_with_locator(id, ItemKind::Manifest, bytes.as_bytes(), 0, &parts).unwrap();
    fill(&mut series, 1 << 20);
    let (id, bytes) = leaf("the top");
    let parts = [ToLocate::Child { node, locator }, ToLocate::Child { node, locator }];
    let (_, top) = series.put_with_locator(id, ItemKind::Manifest, bytes.as_bytes(), 1, &parts).unwrap();
    let finished = series.finish().unwrap();
    assert_eq!(finished.packs.len(), 2);

    let place = finished.place(&top).unwrap();
    assert_eq!(place.pack, finished.packs[1]);
    let top = LocatorNode::decode(&packs.read(&place)).unwrap();
    let Located::Child { node, locator } = top.entries[1] else { panic!("{top:?}") };
    assert_eq!(packs.read(&node.place(place.pack).unwrap()), b"a leaf of a manifest");
    let place = locator.place(place.pack).unwrap();
    assert_eq!(place.pack, finished.packs[0]);
    let below = LocatorNode::decode(&packs.read(&place)).unwrap();
    let Located::Chunk(spot) = below.entries[0] else { panic!("{below:?}") };
    assert_eq!((spot.pack, packs.read(&spot.place(place.pack, 6).unwrap())), (None, b"adelie".to_vec()));
    assert!(spot.place(place.pack, 7).is_err(), "a raw item is as long as its stored form");
}

/// Builds a set in a series with little room, so that its nodes lie in several packs; gives what walking it finds.
fn built_and_walked(count: u64, known: &HashMap<Digest, Place>) -> (Vec<PackRef>, HashMap<Digest, Place>) {
    let mut packs = Packs::default();
    let mut deliver = |pack| {
        packs.keep(pack);
        Ok::<_, PackError>(Vec::new())
    };
    let mut series = PackSeries::new(SessionId::begin(0), 1, &mut deliver);
    fill(&mut series, 1_200_000);
    let members = (0..count).rev().chain(0..count).map(pack).collect();
    let built = build_pack_set(members, known, &mut series).unwrap().unwrap();
    assert_eq!(built.packs, count);
    let finished = series.finish().unwrap();
    let top = finished.place(&built.top).unwrap();
    let mut nodes = HashMap::from([(built.id, top)]);
    let mut walk = SetWalk::default();
    let bytes = packs.read(&top);
    assert_eq!(ItemKind::PackSet.id_of(&bytes), built.id);
    let mut found = Vec::new();
    let mut step = walk.begin(count, &top, &bytes).unwrap();
    loop {
        if let SetStep::Packs(packs) = step {
            found.extend(packs);
        }
        let Some((id, place)) = walk.next_node().unwrap() else { break };
        nodes.insert(id, place);
        if known.contains_key(&id) {
            walk.skip();
            step = SetStep::Nodes;
            continue;
        }
        let bytes = packs.read(&place);
        assert_eq!(ItemKind::PackSet.id_of(&bytes), id);
        assert_eq!(PackSetNode::decode(&bytes).unwrap().encode(), bytes);
        step = walk.take(&place, &bytes).unwrap();
    }
    (found, nodes)
}

#[test]
fn a_pack_set_is_sorted_and_whole_and_shares_its_leaves() {
    let (found, nodes) = built_and_walked(30_000, &HashMap::new());
    let expected: BTreeSet<_> = (0..30_000).map(pack).collect();
    assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    let (fresh, after) = built_and_walked(30_003, &nodes);
    assert!(fresh.len() < 6000, "{} packs stand in rewritten leaves", fresh.len());
    let shared = after.keys().filter(|id| nodes.contains_key(*id)).count();
    assert!(shared > nodes.len() - 20, "{shared} of {} nodes are shared", nodes.len());
    assert_eq!(built_and_walked(1, &HashMap::new()).0, [pack(0)]);
}
