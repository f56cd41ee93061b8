//! A disk without room, played by a small file system in memory.

use std::fs;
use std::path::Path;
use std::process::Command;

use git_ml::base::{Advice, Digest};
use git_ml::objects::ItemKind;
use git_ml::storage::durable::{DurableError, write_atomically};
use git_ml::storage::remote::RemoteErrorKind;
use git_ml::storage::store::{Store, StoreError};
use tempfile::TempDir;

use crate::places::open;

/// A folder on a file system of one megabyte; it is unmounted when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None`, with a message, where this user may not mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path()).output();
        let done = mounted.is_ok_and(|output| output.status.success());
        if !done {
            println!("skipped: only root may mount a small disk");
        }
        done.then(|| Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0.path()).status().unwrap();
    }
}

#[test]
fn the_store_says_where_and_how_much_and_keeps_what_it_had() {
    let Some(disk) = SmallDisk::mount() else { return };
    let store = Store::open(disk.path().join("ml"));
    let item = |number: u8| {
        let mut bytes = Vec::new();
        while bytes.len() < 60_000 {
            bytes.extend(Digest::of(&[&[number], &bytes[..]].concat()).as_bytes());
        }
        bytes
    };
    let put = |writer: &git_ml::storage::store::StoreWriter, number| {
        let item = item(number);
        writer.put(Digest::of(&item), ItemKind::Chunk, &item)
    };
    let writer = store.writer();
    (0..5).for_each(|number| assert!(put(&writer, number).is_ok()));
    writer.sync().unwrap();
    let error = (5..40).find_map(|number| put(&writer, number).err()).unwrap();
    let StoreError::File(DurableError::Full { path, bytes, .. }) = &error else { panic!("{error}") };
    assert!(path.starts_with(disk.path()) && *bytes > 50_000, "{error}");
    assert!(error.to_string().contains("No space left"), "{error}");
    assert!(!error.hints().is_empty());
    assert!(matches!(put(&writer, 50), Err(StoreError::Failed)));
    assert!(matches!(writer.sync(), Err(StoreError::Failed)));
    drop(writer);
    for store in [&store, &Store::open(store.path())] {
        assert!((0..5).all(|number| store.read(&Digest::of(&item(number))).unwrap() == item(number)));
        assert!(matches!(store.read(&Digest::of(&item(5))), Err(StoreError::Missing { .. })));
    }
    // What was not promised was cut off, so there is room again.
    let writer = store.writer();
    put(&writer, 60).unwrap();
    writer.sync().unwrap();
}

#[test]
fn a_folder_remote_says_so_and_leaves_nothing_behind() {
    let Some(disk) = SmallDisk::mount() else { return };
    let remote = open(&disk.path().join("remote").display().to_string(), &[]).unwrap();
    remote.put("packs/aa/a", vec![1; 500_000]).unwrap();
    let error = remote.put("packs/bb/b", vec![2; 600_000]).unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Full);
    assert!(error.to_string().contains("packs/bb/b") && error.said().contains("No space left"), "{error}");
    assert_eq!(remote.stat("packs/bb/b").unwrap(), None);
    assert_eq!(fs::read_dir(disk.path().join("remote/tmp")).unwrap().count(), 0);
    assert_eq!(remote.get("packs/aa/a").unwrap().len(), 500_000);
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.path().join("state");
    write_atomically(&path, &vec![1; 600_000]).unwrap();
    let error = write_atomically(&path, &vec![2; 600_000]).unwrap_err();
    assert!(error.to_string().starts_with("cannot write 600000 bytes to"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), vec![1; 600_000]);
}
