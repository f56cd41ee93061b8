//! Large files that are kept as clones: they share their blocks with the file in the work tree, until one of the two changes.
//!
//! What a demanding user expects: where the file system shares blocks (btrfs, XFS, bcachefs), a checkpoint of 50 GB takes no
//! room twice and is taken in as fast as it is read; elsewhere nothing is different, and nothing is asked. A clone is a
//! snapshot, so a file that is written to meanwhile cannot tear. DVC and git-annex make such clones of whole files; here the
//! chunks of a clone are items like others, so another version still stores only what differs.
//!
//! ```text
//! shared/<content>.clone   the content, as the file was
//! shared/<content>.table   its chunks, in order from the first byte on, raw: in the form of `table`
//! ```
//!
//! Both are files without a name while they are written, so a kill leaves nothing. They are synced, then get their names,
//! the table last: a clone without a table is no clone, and gc removes it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::error::StoreError;
use super::handle::Store;
use super::index::names_in;
use super::open_pack::cut_to_length;
use super::table;
use super::users::StoreUse;
use crate::base::{Digest, Progress};
use crate::objects::{Codec, FooterEntry, ItemKind};
use crate::storage::durable::{create_folders, sync_folder};
use crate::storage::unnamed::{link, unnamed};

/// The folder of clones.
pub(super) const SHARED: &str = "shared";
/// How the name of a clone ends.
const ENDING: &str = "clone";
/// So many bytes of a table are written at once.
const TABLE_PIECE: usize = 1 << 20;

/// A clone that is being made: nobody sees it yet, and dropped, it is gone.
#[derive(Debug)]
pub struct CloneDraft {
    store: Store,
    _using: StoreUse,
    data: Arc<File>,
    table: File,
    /// Records of the table that are not written yet, and how many there are in all.
    records: Vec<u8>,
    count: usize,
}

impl Store {
    /// A clone of the first `size` bytes of `file`, which are all of it; `None` where there can be none. Where it is the
    /// file system that cannot, this store is not asked again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be written to.
    pub fn begin_clone(&self, file: &File, size: u64) -> Result<Option<CloneDraft>, StoreError> {
        if self.without_clones().load(Ordering::Relaxed) {
            return Ok(None);
        }
        let using = self.enter(&Progress::hidden())?;
        let folder =
            File::open(self.path()).map_err(|source| StoreError::io("open", self.path(), 0, source))?;
        let (Some(data), Some(table)) = (unnamed(&folder, 0o666), unnamed(&folder, 0o666)) else {
            self.without_clones().store(true, Ordering::Relaxed);
            return Ok(None);
        };
        match share_blocks(file, &data) {
            Shared::Done => {}
            Shared::NotThisFile => return Ok(None),
            Shared::Never => {
                self.without_clones().store(true, Ordering::Relaxed);
                return Ok(None);
            }
        }
        // A file that has another length by now is being written to: whoever reads it will tell.
        let is_it = data.metadata().is_ok_and(|metadata| metadata.len() == size);
        Ok(is_it.then(|| CloneDraft::new(self, using, data, table)))
    }

    /// The clone of a content, to be read; `None` where there is none.
    pub fn clone_of(&self, content: &Digest) -> Option<File> {
        let (data, table) = paths_of(self.path(), content);
        if table.exists() { File::open(data).ok() } else { None }
    }
}

/// What became of the wish to share blocks.
enum Shared {
    Done,
    /// This file cannot be cloned.
    NotThisFile,
    /// No file can, as far as is known.
    Never,
}

#[cfg(target_os = "linux")]
fn share_blocks(file: &File, data: &File) -> Shared {
    use rustix::io::Errno;
    match rustix::fs::ioctl_ficlone(data, file) {
        Ok(()) => Shared::Done,
        Err(Errno::OPNOTSUPP | Errno::XDEV | Errno::NOTTY | Errno::NOSYS) => Shared::Never,
        Err(_) => Shared::NotThisFile,
    }
}

#[cfg(not(target_os = "linux"))]
fn share_blocks(_: &File, _: &File) -> Shared {
    Shared::Never
}

impl CloneDraft {
    fn new(store: &Store, using: StoreUse, data: File, table: File) -> Self {
        let (data, records) = (Arc::new(data), table::HEAD.to_vec());
        Self { store: store.clone(), _using: using, data, table, records, count: 0 }
    }

    /// The content, which does not change any more.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.data)
    }

    /// Notes the next chunk of the content: its id, and its length in bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be written.
    pub fn push(&mut self, id: Digest, length: u32) -> Result<(), StoreError> {
        let entry = FooterEntry { id, stored: length, raw: length, codec: Codec::Raw, kind: ItemKind::Chunk };
        self.records.extend(table::record(self.count, &entry));
        self.count += 1;
        if self.records.len() < TABLE_PIECE { Ok(()) } else { self.write_records() }
    }

    fn write_records(&mut self) -> Result<(), StoreError> {
        let folder = self.store.path().join(SHARED);
        let written = self.table.write_all(&self.records);
        written.map_err(|source| StoreError::io("write a table in", &folder, self.records.len(), source))?;
        self.records.clear();
        Ok(())
    }

    /// Keeps the clone as the content with this id, of which all chunks were pushed and are what their ids say. When this
    /// returns well, it lasts, and its chunks are in the store.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when something cannot be written.
    pub fn keep(mut self, content: &Digest) -> Result<(), StoreError> {
        self.write_records()?;
        let folder = self.store.path().join(SHARED);
        let failed = |step, source| StoreError::io(step, &folder, 0, source);
        self.data.sync_all().map_err(|source| failed("sync a clone in", source))?;
        self.table.sync_all().map_err(|source| failed("sync a table in", source))?;
        create_folders(&folder)?;
        let opened = File::open(&folder).map_err(|source| failed("open", source))?;
        let (data, table) = paths_of(self.store.path(), content);
        for (file, path) in [(&*self.data, data), (&self.table, table)] {
            match link(file, &opened, path.file_name().unwrap_or_default()) {
                // The same content, from another process.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                linked => linked.map_err(|source| StoreError::io("create", &path, 0, source))?,
            }
        }
        sync_folder(&folder)?;
        self.store.index_to_change().refresh(self.store.path())
    }
}

/// The clones of the store in this folder, and of which contents they are.
pub(super) fn clones_in(store: &Path) -> Result<Vec<(PathBuf, Digest)>, StoreError> {
    let folder = store.join(SHARED);
    let clone = |name: std::ffi::OsString| {
        let content = name.to_str()?.strip_suffix(ENDING)?.strip_suffix('.')?.parse().ok()?;
        Some((folder.join(name), content))
    };
    Ok(names_in(&folder)?.into_iter().filter_map(clone).collect())
}

/// Whether this pack is a clone.
pub(super) fn is_clone(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
}

/// The chunks of a clone, by its table; `None` where it has none: then it is no clone.
pub(super) fn clone_entries(path: &Path) -> Option<Vec<FooterEntry>> {
    let mut entries = table::read(&fs::read(path.with_extension("table")).ok()?)?;
    cut_to_length(&mut entries, 0, fs::metadata(path).ok()?.len());
    Some(entries)
}

/// Where the clone of a content and its table lie.
fn paths_of(store: &Path, content: &Digest) -> (PathBuf, PathBuf) {
    let data = store.join(SHARED).join(format!("{content}.{ENDING}"));
    let table = data.with_extension("table");
    (data, table)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::storage::store::PackOnDisk;

    /// A draft as a file system that can clone makes it.
    fn draft(store: &Store, content: &[u8]) -> CloneDraft {
        let using = store.enter(&Progress::hidden()).unwrap();
        let folder = File::open(store.path()).unwrap();
        let (data, table) = (unnamed(&folder, 0o666).unwrap(), unnamed(&folder, 0o666).unwrap());
        data.write_all_at(content, 0).unwrap();
        CloneDraft::new(store, using, data, table)
    }

    fn pushed(store: &Store, content: &[u8]) -> CloneDraft {
        let mut draft = draft(store, content);
        content.chunks(1000).for_each(|chunk| draft.push(Digest::of(chunk), chunk.len() as u32).unwrap());
        draft
    }

    fn content() -> Vec<u8> {
        (0..10_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
    }

    fn clones(store: &Store) -> Vec<PackOnDisk> {
        store.packs().unwrap().into_iter().filter(|pack| pack.clone_of.is_some()).collect()
    }

    #[test]
    fn the_chunks_of_a_clone_are_items_like_others() {
        let folder = tempfile::tempdir().unwrap();
        let (store, content) = (Store::open(folder.path().join("ml")), content());
        let id = Digest::of(&content);
        drop(pushed(&store, &content));
        assert!(clones(&store).is_empty(), "nobody kept it");
        pushed(&store, &content).keep(&id).unwrap();
        pushed(&store, &content).keep(&id).unwrap();
        assert_eq!(fs::read_dir(store.path().join(SHARED)).unwrap().count(), 2, "the second is the first");
        for store in [store.clone(), Store::open(store.path())] {
            let mut reader = store.reader();
            for chunk in content.chunks(1000) {
                let id = Digest::of(chunk);
                assert!(store.read(&id).unwrap() == chunk && reader.read(&id).unwrap() == chunk);
                let stored = store.read_stored(&id).unwrap();
                assert!(stored.open(&id).unwrap() == chunk);
            }
            assert_eq!(clones(&store)[0].items().unwrap().len(), content.len().div_ceil(1000));
        }
        let census = store.census().unwrap();
        fs::remove_file(&clones(&store)[0].path).unwrap();
        assert!(!Store::open(store.path()).census().unwrap().covers(&census), "its loss is noticed");
    }

    #[test]
    fn a_clone_without_a_table_or_with_a_short_one_is_what_is_left_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (store, content) = (Store::open(folder.path().join("ml")), content());
        let id = Digest::of(&content);
        pushed(&store, &content).keep(&id).unwrap();
        let (data, table) = paths_of(store.path(), &id);
        let bytes = fs::read(&table).unwrap();
        let first = Digest::of(&content[..1000]);
        fs::remove_file(&table).unwrap();
        assert!(!Store::open(store.path()).contains(&first) && store.clone_of(&id).is_none());
        assert_eq!(clones(&store)[0].items(), Some(Vec::new()));
        // Who takes it in anew puts the table beside it again.
        pushed(&store, &content).keep(&id).unwrap();
        assert!(Store::open(store.path()).contains(&first) && fs::read(&table).unwrap() == bytes);
        fs::OpenOptions::new().write(true).open(&data).unwrap().set_len(1500).unwrap();
        let store = Store::open(store.path());
        assert!(store.contains(&first) && !store.contains(&Digest::of(&content[1000..2000])));
    }
}
