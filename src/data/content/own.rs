//! Contents that this program makes itself, in memory: few MB, put in one go and read in parts.

use crate::base::{Digest, Hasher};
use crate::data::root::RootName;
use crate::objects::chunker::ChunkReader;
use crate::objects::item::ItemKind;
use crate::objects::manifest::ManifestBuilder;
use crate::objects::pointer::PointerKind;
use crate::storage::store::{Store, StoreError};

use super::read::ReadError;
use super::walk::chunks;

/// Puts a content into the store. When this returns well, it is durable and may be named.
///
/// # Errors
///
/// When the store cannot be written.
pub fn store_bytes(store: &Store, bytes: &[u8]) -> Result<RootName, StoreError> {
    let writer = store.writer();
    let mut manifest = ManifestBuilder::new();
    let mut whole = Hasher::new();
    let mut reader = ChunkReader::new(bytes);
    let mut node = |id, node: Vec<u8>| writer.put(id, ItemKind::Manifest, &node).map(drop);
    // Reading from memory does not fail.
    while let Ok(Some(chunk)) = reader.next() {
        let id = Digest::of(chunk);
        whole.update(chunk);
        writer.put(id, ItemKind::Chunk, chunk)?;
        manifest.push(id, chunk.len() as u32, &mut node)?;
    }
    let manifest = manifest.finish(&mut node)?;
    writer.sync()?;
    Ok(RootName { kind: PointerKind::File, id: whole.finish(), manifest, size: bytes.len() as u64 })
}

/// The bytes of a content from `offset` on, `length` of them. Each chunk is verified against the manifest that `root` names;
/// the rest of the content is not read, so that manifest and content id belong together is not known.
///
/// # Errors
///
/// [`ReadError`], also for a range that does not lie in the content.
pub fn read_range(store: &Store, root: &RootName, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
    let outside = || ReadError::Mismatch(root.id);
    let end = offset.checked_add(length).filter(|end| *end <= root.size).ok_or_else(outside)?;
    let mut bytes = Vec::new();
    let mut at = 0;
    for chunk in chunks(store, root.id, root.manifest, root.size)? {
        let (from, to) = (at, at + u64::from(chunk.len));
        at = to;
        if to <= offset || from >= end {
            continue;
        }
        let read = store.read(&chunk.id).map_err(|source| ReadError::Chunk { id: chunk.id, source })?;
        let (first, last) = (offset.max(from) - from, end.min(to) - from);
        bytes.extend_from_slice(read.get(first as usize..last as usize).ok_or_else(outside)?);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::content::{Presence, presence};

    #[test]
    fn what_was_put_is_read_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path());
        for length in [0, 1, 70_000, 1_000_000] {
            let bytes: Vec<u8> = (0..length).map(|at: u32| (at.wrapping_mul(at) >> 7) as u8).collect();
            let root = store_bytes(&store, &bytes).unwrap();
            assert_eq!((root.id, root.size), (Digest::of(&bytes), u64::from(length)));
            assert_eq!(presence(&store, &root), Presence::Whole);
            for (from, to) in [(0, length), (length / 3, length / 2), (length, length)] {
                let read = read_range(&store, &root, from.into(), (to - from).into()).unwrap();
                assert!(read == bytes[from as usize..to as usize], "{from} to {to} of {length}");
            }
            assert!(read_range(&store, &root, 1, u64::from(length)).is_err());
            assert!(read_range(&store, &root, u64::MAX, 2).is_err());
        }
        let absent = RootName { id: Digest::of(b"x"), size: 1, manifest: None, kind: PointerKind::File };
        assert!(read_range(&store, &absent, 0, 1).unwrap_err().is_missing());
    }
}
