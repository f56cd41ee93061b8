//! Records: what is written is read, what is changed is noticed, and what poses as a record is held to its limits.

use std::collections::BTreeSet;

use git_ml::base::{Digest, RandomId};
use git_ml::objects::index::is_sampled;
use git_ml::objects::item::context;
use git_ml::objects::pack::FooterEntry;
use git_ml::objects::pointer::PointerKind;
use git_ml::objects::{
    BaseRoot, Certificate, Codec, Extension, FormatError, GcRecord, Home, Index, IndexBuilder, ItemKind,
    Moves, PackFooter, PackRef, Place, RecordName, RootName, RootPacks, RootRecord, SessionId,
};
use proptest::prelude::*;
use proptest::sample::Index as At;

fn digest() -> impl Strategy<Value = Digest> {
    (1_u64..).prop_map(|number| Digest::of(&number.to_le_bytes()))
}

fn random_id() -> impl Strategy<Value = RandomId> {
    any::<[u8; 16]>().prop_map(RandomId::from_bytes)
}

fn session() -> impl Strategy<Value = SessionId> {
    (0_u64..100_000_000, random_id()).prop_map(|(epoch, random)| SessionId { epoch, random })
}

fn pack() -> impl Strategy<Value = PackRef> {
    (digest(), 1_u32..20_000).prop_map(|(id, items)| {
        let footer_len = 68 + 42 * items;
        PackRef { id, size: footer_len + 2_000_000, footer_len }
    })
}

fn packs(most: usize) -> impl Strategy<Value = Vec<PackRef>> {
    prop::collection::btree_set(pack(), 0..most).prop_map(|packs| packs.into_iter().collect())
}

fn place() -> impl Strategy<Value = Place> {
    (pack(), 64_u32..1_000_000, 1_u32..900_000).prop_map(|(pack, offset, stored)| Place {
        pack,
        offset,
        stored,
        raw: stored + 1,
        codec: Codec::Zstd,
    })
}

fn extensions() -> impl Strategy<Value = Vec<Extension>> {
    prop::collection::btree_map(0_u16..0x8000, prop::collection::vec(any::<u8>(), 0..40), 0..4)
        .prop_map(|all| all.into_iter().map(|(tag, bytes)| Extension { tag, bytes }).collect())
}

fn root_packs() -> impl Strategy<Value = RootPacks> {
    let set =
        (digest(), any::<u32>(), place()).prop_map(|(id, packs, place)| RootPacks::Set { id, packs, place });
    prop_oneof![packs(40).prop_map(RootPacks::Inline), set]
}

fn root() -> impl Strategy<Value = RootRecord> {
    let copy = || prop::option::of(prop::collection::vec(any::<u8>(), 1..300));
    let bases = (digest(), session()).prop_map(|(root, session)| BaseRoot { root, session });
    let names = (random_id(), session(), digest(), any::<bool>(), prop::option::of(digest()));
    let sizes = (1_u64..1 << 60, 0_u64..1 << 40);
    let lists =
        (prop::collection::vec(bases, 0..=8), prop::collection::vec("[0-9a-f]{40}|[0-9a-f]{64}", 0..=16));
    let places = (place(), copy(), place(), copy(), prop::option::of(place()));
    (names, sizes, lists, places, root_packs(), packs(20), extensions()).prop_map(
        |(names, (bytes, files), (bases, commits), places, packs, meta_packs, extensions)| {
            let (repository, session, root, is_tree, manifest) = names;
            let (top, top_copy, locator, locator_copy, profiles) = places;
            let manifest = manifest.filter(|_| !is_tree);
            let is_node = is_tree || manifest.is_some();
            RootRecord {
                repository,
                home: Home::of(repository, "https://example.org/penguins"),
                session,
                kind: if is_tree { PointerKind::Tree } else { PointerKind::File },
                root,
                manifest,
                bytes,
                files: if is_tree { files } else { 1 },
                bases,
                commits,
                top: Some(top),
                top_copy: top_copy.filter(|_| is_node),
                locator: is_node.then_some(locator),
                locator_copy: locator_copy.filter(|_| is_node),
                packs,
                meta_packs,
                profiles,
                extensions,
            }
        },
    )
}

fn root_names() -> impl Strategy<Value = BTreeSet<RootName>> {
    let name = (random_id(), digest(), session()).prop_map(|(repository, root, session)| RootName {
        repository,
        root,
        session,
    });
    prop::collection::btree_set(name, 0..9)
}

fn gc_record() -> impl Strategy<Value = GcRecord> {
    let record = (0_u64..100_000_000, digest()).prop_map(|(epoch, id)| RecordName { epoch, id });
    let certificate = prop_oneof![
        Just(Certificate::None),
        root_names().prop_map(Certificate::Here),
        record.prop_map(Certificate::In),
    ];
    let condemned = prop::collection::btree_set(digest(), 0..20);
    (0_u64..100_000_000, random_id(), digest(), certificate, condemned, root_names(), extensions()).prop_map(
        |(epoch, nonce, config, certificate, condemned, forgotten, extensions)| {
            let floor = epoch / 2;
            GcRecord { epoch, nonce, config, floor, certificate, condemned, forgotten, extensions }
        },
    )
}

/// A pack of so many chunks, in memory, as its footer tells.
fn footer(seed: u64, items: u64) -> PackFooter {
    let entry = |item: u64| FooterEntry {
        id: Digest::of(&[seed.to_le_bytes(), item.to_le_bytes()].concat()),
        stored: 9,
        raw: 10,
        codec: Codec::Zstd,
        kind: ItemKind::Chunk,
    };
    let data_hash = Digest::of(&seed.to_le_bytes());
    PackFooter { entries: (0..items).map(entry).collect(), data_hash, session: SessionId::begin(1) }
}

fn index() -> impl Strategy<Value = Index> {
    (0_u64..100, prop::collection::vec((any::<u64>(), 1_u64..300), 0..20)).prop_map(|(epoch, packs)| {
        let mut builder = IndexBuilder::new(epoch);
        for (seed, items) in packs {
            let footer = footer(seed, items);
            builder.add(footer.pack_ref(), &footer);
        }
        builder.finish()
    })
}

/// Changes one byte before the hash, and makes the hash fit again.
fn tampered(context: &str, bytes: &[u8], at: At, byte: u8) -> Vec<u8> {
    let mut body = bytes[..bytes.len() - 32].to_vec();
    let at = at.index(body.len());
    body[at] = byte;
    let hash = Digest::derived(context, &body);
    [body.as_slice(), hash.as_bytes()].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_root_record_and_a_claim_read_back(root in root(), at in any::<At>(), byte in any::<u8>()) {
        let bytes = root.encode().unwrap();
        prop_assert_eq!(RootRecord::decode(&bytes).unwrap(), root.clone());
        let claim = root.encode_claim().unwrap();
        prop_assert_eq!(RootRecord::decode_claim(&claim).unwrap(), root);
        prop_assert!(RootRecord::decode(&claim).is_err() && RootRecord::decode_claim(&bytes).is_err());
        let mut damaged = bytes.clone();
        let at_byte = at.index(bytes.len());
        damaged[at_byte] = byte;
        prop_assert!(damaged == bytes || RootRecord::decode(&damaged).is_err());
        let tampered = tampered(context::ROOT, &bytes, at, byte);
        if let Ok(read) = RootRecord::decode(&tampered) {
            prop_assert_eq!(read.encode().unwrap(), tampered);
        }
    }

    #[test]
    fn a_gc_record_reads_back(record in gc_record(), at in any::<At>(), byte in any::<u8>()) {
        let (name, bytes) = record.encode().unwrap();
        prop_assert_eq!(name.epoch, record.epoch);
        prop_assert_eq!(GcRecord::decode(&bytes).unwrap(), record);
        let tampered = tampered(context::GC, &bytes, at, byte);
        if let Ok(read) = GcRecord::decode(&tampered) {
            prop_assert_eq!(read.encode().unwrap().1, tampered);
        }
    }

    #[test]
    fn an_index_reads_back(index in index(), at in any::<At>(), byte in any::<u8>()) {
        let (_, bytes) = index.encode().unwrap();
        prop_assert_eq!(Index::decode(&bytes).unwrap(), index);
        let tampered = tampered(context::INDEX, &bytes, at, byte);
        if let Ok(read) = Index::decode(&tampered) {
            prop_assert_eq!(read.encode().unwrap().1, tampered);
        }
    }

    #[test]
    fn moves_read_back(pack in digest(), targets in packs(9), extensions in extensions(), at in any::<At>()) {
        let moves = Moves { pack, targets, extensions };
        match moves.encode() {
            Ok(bytes) => {
                prop_assert_eq!(Moves::decode(&bytes).unwrap(), moves);
                let tampered = tampered(context::MOVES, &bytes, at, 0xff);
                if let Ok(read) = Moves::decode(&tampered) {
                    prop_assert_eq!(read.encode().unwrap(), tampered);
                }
            }
            Err(_) => prop_assert!(moves.targets.is_empty()),
        }
    }
}

#[test]
fn an_index_leads_to_the_packs_of_its_hooks() {
    let footers = [footer(1, 5000), footer(2, 5000)];
    let mut builder = IndexBuilder::new(0);
    footers.iter().for_each(|footer| builder.add(footer.pack_ref(), footer));
    builder.add_hook(&footers[0].entries[1].id, footers[1].pack_ref());
    let old = builder.finish();
    let (name, _) = old.encode().unwrap();
    let mut builder = IndexBuilder::new(3);
    builder.consolidate(name, &old);
    let index = builder.finish();
    assert_eq!((index.packs(), index.supersedes()), (old.packs(), [name].as_slice()));
    for footer in &footers {
        let sampled: Vec<_> = footer.entries.iter().filter(|entry| is_sampled(&entry.id)).collect();
        assert!((40..130).contains(&sampled.len()), "{} of 5000 chunks have hooks", sampled.len());
        for entry in sampled.into_iter().chain(footer.entries.first()) {
            assert!(index.may_hold(&entry.id).any(|pack| pack == footer.pack_ref()));
        }
    }
    assert_eq!(index.may_hold(&footers[0].entries[1].id).collect::<Vec<_>>(), [footers[1].pack_ref()]);
    assert_eq!(index.may_hold(&Digest::of(b"elsewhere")).next(), None);
}

#[test]
fn a_root_that_contradicts_itself_is_not_written() {
    let place = Place { pack: footer(1, 1).pack_ref(), offset: 64, stored: 9, raw: 10, codec: Codec::Zstd };
    let whole = RootRecord {
        repository: RandomId::from_bytes([1; 16]),
        home: Home::of(RandomId::from_bytes([1; 16]), "https://example.org/penguins"),
        session: SessionId::begin(0),
        kind: PointerKind::File,
        root: Digest::of(b"adelie"),
        manifest: None,
        bytes: 6,
        files: 1,
        bases: Vec::new(),
        commits: Vec::new(),
        top: Some(place),
        top_copy: None,
        locator: None,
        locator_copy: None,
        packs: RootPacks::Inline(vec![place.pack]),
        meta_packs: Vec::new(),
        profiles: None,
        extensions: Vec::new(),
    };
    assert!(whole.encode().is_ok());
    let draft = RootRecord { top: None, ..whole.clone() };
    assert!(draft.encode().is_err() && draft.encode_claim().is_ok());
    let empty = RootRecord { bytes: 0, root: Digest::of(b""), top: None, ..whole.clone() };
    assert!(empty.encode().is_ok());
    let tree = RootRecord { kind: PointerKind::Tree, ..whole.clone() };
    assert!(tree.encode().is_err(), "a tree has a locator");
    let copied = RootRecord { top_copy: Some(b"adelie".to_vec()), ..whole.clone() };
    assert!(copied.encode().is_err(), "chunks are not copied into records");
    let commits = RootRecord { commits: vec!["main".into()], ..whole.clone() };
    assert!(commits.encode().is_err());
    let bases = vec![BaseRoot { root: whole.root, session: whole.session }; 9];
    assert!(matches!(RootRecord { bases, ..whole }.encode(), Err(FormatError::Limit { .. })));
}
