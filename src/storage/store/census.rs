//! Which packs the store has, so that it can be told later that none of them is gone.
//!
//! What a look at all ids found holds as long as every pack that was there is there still: packs only ever grow until
//! they are sealed, and sealed ones never change. So a look at a few hundred names vouches for millions of ids. A pack
//! is known by its inode and the time at which that was made, for it gets another name when it is sealed, and inodes
//! are used again; where the file system does not tell that time, by its name.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::clones::SHARED;
use super::error::StoreError;
use crate::base::Digest;

/// The packs of a store at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Who they are, and their lengths in bytes, sorted.
    packs: Vec<(u64, u64)>,
}

/// Bytes of one pack in [`Census::encode`].
const PACK_LEN: usize = 16;

impl Census {
    /// The packs of the store in this folder.
    pub(super) fn take(store: &Path) -> Result<Self, StoreError> {
        let mut packs = Vec::new();
        // Open packs come first: one that is sealed meanwhile is met twice, not missed.
        count(&store.join("open"), &is_no_table, &mut packs)?;
        let sealed = store.join("packs");
        for folder in entries(&sealed)? {
            count(&folder.path(), &|_| true, &mut packs)?;
        }
        // Without its table a clone is none.
        count(&store.join(SHARED), &|_| true, &mut packs)?;
        packs.sort_unstable();
        packs.dedup();
        Ok(Self { packs })
    }

    /// Whether every pack of an `earlier` census is here, and none is shorter.
    pub fn covers(&self, earlier: &Self) -> bool {
        let mut now = self.packs.iter().peekable();
        earlier.packs.iter().all(|(who, length)| {
            while now.next_if(|pack| *pack < &(*who, *length)).is_some() {}
            now.peek().is_some_and(|(other, _)| other == who)
        })
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let numbers = self.packs.iter().flat_map(|(who, length)| [*who, *length]);
        numbers.flat_map(u64::to_le_bytes).collect()
    }

    /// The census of these bytes; `None` where they are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (packs, rest) = bytes.as_chunks::<PACK_LEN>();
        let pack = |bytes: &[u8; PACK_LEN]| {
            let (numbers, _) = bytes.as_chunks::<8>();
            (u64::from_le_bytes(numbers[0]), u64::from_le_bytes(numbers[1]))
        };
        let packs: Vec<_> = packs.iter().map(pack).collect();
        (rest.is_empty() && packs.is_sorted()).then_some(Self { packs })
    }
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, StoreError> {
    let failed = |error| StoreError::io("list", folder, 0, error);
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<io::Result<_>>().map_err(failed),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(failed(error)),
    }
}

/// Tables of open packs grow with what they name, and go when their packs are sealed.
fn is_no_table(name: &[u8]) -> bool {
    !name.ends_with(b".table")
}

fn count(
    folder: &Path,
    counts: &dyn Fn(&[u8]) -> bool,
    packs: &mut Vec<(u64, u64)>,
) -> Result<(), StoreError> {
    for entry in entries(folder)? {
        let name = entry.file_name();
        if !counts(name.as_bytes()) {
            continue;
        }
        match entry.metadata() {
            Ok(metadata) => packs.push((who(name.as_bytes(), &metadata), metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("look at", &entry.path(), 0, error)),
        }
    }
    Ok(())
}

fn who(name: &[u8], metadata: &Metadata) -> u64 {
    let made = metadata.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    let id = match made {
        Some(made) => {
            let inode = [metadata.dev(), metadata.ino()].map(u64::to_le_bytes).concat();
            Digest::of(&[&inode[..], &made.as_nanos().to_le_bytes()].concat())
        }
        None => Digest::of(name),
    };
    let (first, _) = id.as_bytes().as_chunks::<8>();
    u64::from_le_bytes(first[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "nobody would miss these files")]
    fn a_pack_may_grow_and_be_sealed_and_its_loss_is_noticed() {
        let store = tempfile::tempdir().unwrap();
        let (open, sealed) = (store.path().join("open"), store.path().join("packs/ab"));
        fs::create_dir_all(&open).unwrap();
        fs::create_dir_all(&sealed).unwrap();
        fs::write(open.join("x.pack"), b"pack").unwrap();
        fs::write(open.join("x.table"), b"table").unwrap();
        fs::write(sealed.join("abc"), b"another").unwrap();
        let before = Census::take(store.path()).unwrap();
        assert_eq!(before.packs.len(), 2);
        assert_eq!(Census::decode(&before.encode()), Some(before.clone()));

        fs::write(open.join("x.pack"), b"longer pack").unwrap();
        fs::write(open.join("y.pack"), b"new").unwrap();
        assert!(Census::take(store.path()).unwrap().covers(&before));
        let tells_birth = fs::metadata(open.join("x.pack")).unwrap().created().is_ok();
        fs::rename(open.join("x.pack"), sealed.join("abd")).unwrap();
        assert_eq!(Census::take(store.path()).unwrap().covers(&before), tells_birth);

        fs::write(sealed.join("abc"), b"short").unwrap();
        assert!(!Census::take(store.path()).unwrap().covers(&before), "a pack was cut");
        fs::remove_file(sealed.join("abc")).unwrap();
        assert!(!Census::take(store.path()).unwrap().covers(&before), "a pack is gone");
    }
}
