//! Somebody else's bytes: no decoder panics, none takes what it would not write, none asks for memory that the bytes
//! do not pay for.

use std::fs;
use std::path::Path;
use std::process::Command;

use git_ml::base::Digest;
use git_ml::objects::item::context;
use git_ml::objects::pack::{FooterEntry, Trailer};
use git_ml::objects::pack_set::PackSetNode;
use git_ml::objects::{
    ChunkReader, Codec, GcRecord, Index, LocatorNode, ManifestNode, Moves, PackFooter, PackHeader, Pointer,
    RemoteConfig, RootRecord, TreeNode, codec,
};
use proptest::prelude::*;
use proptest::sample::Index as At;

/// Reads the bytes as each format; what is taken must be written the same.
fn read_as_everything(bytes: &[u8]) {
    let same = |written: Option<Vec<u8>>| assert!(written.is_none_or(|written| written == bytes));
    same(TreeNode::decode(bytes).ok().map(|node| node.encode()));
    same(ManifestNode::decode(bytes).ok().map(|node| node.encode()));
    same(LocatorNode::decode(bytes).ok().map(|node| node.encode()));
    same(PackSetNode::decode(bytes).ok().map(|node| node.encode()));
    same(PackFooter::decode(bytes).ok().map(|footer| footer.encode()));
    same(PackHeader::decode(bytes).ok().map(|header| header.encode().to_vec()));
    same(RootRecord::decode(bytes).ok().map(|record| record.encode().unwrap()));
    same(RootRecord::decode_claim(bytes).ok().map(|record| record.encode_claim().unwrap()));
    same(Index::decode(bytes).ok().map(|index| index.encode().unwrap().1));
    same(GcRecord::decode(bytes).ok().map(|record| record.encode().unwrap().1));
    same(Moves::decode(bytes).ok().map(|moves| moves.encode().unwrap()));
    if let Some(trailer) = bytes.last_chunk() {
        let _ = Trailer::decode(trailer).map(|read| assert_eq!(read.encode(), *trailer));
    }
    if let Some(entry) = bytes.first_chunk() {
        let _ = FooterEntry::decode(entry).map(|read| assert_eq!(read.encode(), *entry));
    }
    if let Ok(pointer) = Pointer::parse(bytes) {
        assert_eq!(Pointer::parse(pointer.to_text().as_bytes()), Ok(pointer));
    }
    let _ = RemoteConfig::parse(bytes);
    for codec in [Codec::Raw, Codec::Zstd, Codec::Planes2, Codec::Planes4] {
        for raw in [0, 70_000, 1 << 20, u32::MAX] {
            let _ = codec::decode(codec, bytes, raw);
        }
    }
}

/// The golden files, and their parts that are read alone.
fn examples() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    let mut examples: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let pack = fs::read(paths.iter().find(|path| path.ends_with("pack-1")).unwrap()).unwrap();
    let footer = Trailer::decode(pack.last_chunk().unwrap()).unwrap().footer_len as usize;
    examples.push(pack[..64].to_vec());
    examples.push(pack[pack.len() - 16 - footer..pack.len() - 16].to_vec());
    examples
}

/// One way to spoil bytes.
#[derive(Debug, Clone)]
enum Harm {
    Byte(At, u8),
    /// Four bytes of ones: a huge count or length.
    Ones(At),
    Cut(At),
    Append(Vec<u8>),
    /// Bytes from elsewhere in the same file.
    Copy(At, At),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        (any::<At>(), any::<u8>()).prop_map(|(at, byte)| Harm::Byte(at, byte)),
        any::<At>().prop_map(Harm::Ones),
        any::<At>().prop_map(Harm::Cut),
        prop::collection::vec(any::<u8>(), 1..60).prop_map(Harm::Append),
        (any::<At>(), any::<At>()).prop_map(|(from, to)| Harm::Copy(from, to)),
    ]
}

fn spoil(bytes: &mut Vec<u8>, harm: &Harm) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match harm {
        Harm::Byte(at, byte) => bytes[at.index(length)] = *byte,
        Harm::Ones(at) => bytes.iter_mut().skip(at.index(length)).take(4).for_each(|byte| *byte = 0xff),
        Harm::Cut(at) => bytes.truncate(at.index(length)),
        Harm::Append(more) => bytes.extend_from_slice(more),
        Harm::Copy(from, to) => {
            let copied = bytes[from.index(length)..].to_vec();
            bytes.iter_mut().skip(to.index(length)).zip(copied).take(9).for_each(|(byte, new)| *byte = new);
        }
    }
}

/// The bytes with a hash at the end that fits, for each record that ends so.
fn sealed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let body = &bytes[..bytes.len().saturating_sub(32)];
    let contexts = [context::ROOT, context::CLAIM, context::INDEX, context::GC, context::MOVES];
    contexts.into_iter().map(move |context| [body, Digest::derived(context, body).as_bytes()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn spoilt_bytes_are_refused_or_whole(which in any::<At>(), harms in prop::collection::vec(harm(), 1..4)) {
        let examples = examples();
        let mut bytes = examples[which.index(examples.len())].clone();
        harms.iter().for_each(|harm| spoil(&mut bytes, harm));
        read_as_everything(&bytes);
        sealed(&bytes).for_each(|bytes| read_as_everything(&bytes));
    }

    #[test]
    fn any_bytes_are_refused_or_whole(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_as_everything(&bytes);
    }
}

#[test]
fn a_content_that_fails_to_be_read_is_an_error_and_never_a_short_content() {
    struct Failing(usize);
    impl std::io::Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(std::io::ErrorKind::NotConnected)?;
            into.fill(7);
            Ok(into.len())
        }
    }
    let mut chunks = ChunkReader::new(Failing(1));
    assert!((0..20).any(|_| chunks.next().is_err()));
}

/// The tests above once more, with less memory than any count or length that a hostile file may claim.
#[test]
#[cfg(target_os = "linux")]
fn hostile_bytes_need_little_memory() {
    let tests = std::env::current_exe().unwrap();
    let limited = r#"ulimit -v 500000 && exec "$0" --test-threads=1 refused_or_whole"#;
    let output = Command::new("sh").arg("-c").arg(limited).arg(tests).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("2 passed"), "{told}");
}
