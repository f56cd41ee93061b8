//! Items out of the packs of a remote: right places, wrong places, and bytes that are not what they should be.

use std::sync::Mutex;

use git_ml::base::Digest;
use git_ml::objects::layout::pack_name;
use git_ml::objects::{
    FinishedPack, FooterEntry, ItemKind, PackBuilder, PackFooter, Place, SessionId, codec,
};
use git_ml::storage::remote::{Remote, RemoteErrorKind};
use git_ml::storage::remote_reader::{ReadError, RemoteReader, Wanted};
use git_ml::storage::store::Store;

use crate::places::every_kind;

fn item(number: u32) -> Vec<u8> {
    number.to_le_bytes().repeat(2000 + number as usize % 13_000)
}

/// A pack of the items of these numbers, in the remote, and where they lie.
fn put_pack(remote: &Remote, numbers: impl Iterator<Item = u32>) -> (PackFooter, Vec<Wanted>) {
    let mut builder = PackBuilder::in_memory(SessionId::begin(1));
    for item in numbers.map(item) {
        let (codec, stored) = codec::encode(&item, 1);
        builder.push(Digest::of(&item), ItemKind::Chunk, codec, &stored, item.len() as u32).unwrap();
    }
    let FinishedPack { pack, footer, out } = builder.finish().unwrap();
    remote.put(&pack_name(&pack.id), out).unwrap();
    let want = |(entry, place): (&FooterEntry, Place)| Wanted { id: Some(entry.id), kind: entry.kind, place };
    let wanted = footer.places(pack).map(want).collect();
    (footer, wanted)
}

#[test]
fn items_of_many_packs_arrive_and_go_into_a_store_as_they_are() {
    for place in every_kind() {
        let mut wanted = Vec::new();
        for pack in 0..5 {
            wanted.extend(put_pack(&place.remote, pack * 100..pack * 100 + 100).1);
        }
        wanted.reverse();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path());
        let writer = store.writer();
        let reader = RemoteReader::new(&place.remote);
        let seen = Mutex::new(Vec::new());
        reader
            .read_each(&wanted, &|number, fetched| {
                let id = wanted[number].id.unwrap();
                assert_eq!(Digest::of(fetched.item), id);
                let raw = fetched.item.len() as u32;
                writer.put_stored(id, fetched.kind, fetched.codec, fetched.stored, raw).unwrap();
                seen.lock().unwrap().push(number);
                Ok::<(), ReadError>(())
            })
            .unwrap();
        writer.sync().unwrap();
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..500).collect::<Vec<_>>());
        assert!((0..500).all(|number| store.read(&Digest::of(&item(number))).unwrap() == item(number)));
        assert_eq!(reader.wrong_places(), 0);
    }
}

#[test]
fn a_wrong_place_is_looked_up_in_the_footer() {
    let remote = Remote::memory().unwrap();
    let (_, mut wanted) = put_pack(&remote, 0..20);
    wanted[3].place.offset += 1;
    wanted[4].place.raw += 1;
    wanted[5].place.offset = wanted[5].place.pack.size - 10;
    wanted[6].place.stored = u32::MAX;
    let reader = RemoteReader::new(&remote);
    let items = reader.read_all(&wanted).unwrap();
    assert!((0..20).zip(items).all(|(number, got)| got == item(number)));
    assert!((4..=20).contains(&reader.wrong_places()), "{}", reader.wrong_places());
}

#[test]
fn damage_is_named_and_nothing_wrong_is_handed_over() {
    let remote = Remote::memory().unwrap();
    let (footer, wanted) = put_pack(&remote, 0..3);
    let name = pack_name(&footer.id());
    let mut bytes = remote.get(&name).unwrap();
    bytes[wanted[1].place.offset as usize + 2] ^= 1;
    remote.put(&name, bytes.clone()).unwrap();
    let error = RemoteReader::new(&remote).read_all(&wanted).unwrap_err();
    assert!(matches!(error, ReadError::Damaged { id, .. } if id == wanted[1].id.unwrap()), "{error}");
    let footer_at = footer.pack_ref().footer_offset() as usize;
    bytes[footer_at + 20] ^= 1;
    remote.put(&name, bytes).unwrap();
    let error = RemoteReader::new(&remote).read_all(&wanted).unwrap_err();
    assert!(matches!(error, ReadError::Footer { .. }), "{error}");
    remote.delete(&name).unwrap();
    let error = RemoteReader::new(&remote).read_all(&wanted).unwrap_err();
    assert!(matches!(error, ReadError::MissingPack { pack, .. } if pack == footer.id()), "{error}");
}

#[test]
fn an_error_of_the_taker_ends_the_reading() {
    let remote = Remote::memory().unwrap();
    let (_, wanted) = put_pack(&remote, 0..50);
    let failure = RemoteReader::new(&remote).read_each(&wanted, &|_, _| {
        let error = remote.get("none").unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::NotFound);
        Err(ReadError::from(error))
    });
    assert!(matches!(failure, Err(ReadError::Remote(_))));
}
