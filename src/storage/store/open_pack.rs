//! One pack that grows, across commands: taken up, appended to, synced, sealed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::StoreError;
use super::table;
use crate::base::{Digest, RandomId};
use crate::objects::pack::{
    FOOTER_ENTRY_LEN, FOOTER_HEAD_LEN, HEADER_LEN, MAX_PACK, MAX_PACK_ITEMS, TRAILER_LEN, Trailer,
};
use crate::objects::{FooterEntry, PackFooter, PackHeader, SessionId};
use crate::storage::durable::{create_folders, sync_folder};

/// An open pack, locked for this writer as long as it lives.
#[derive(Debug)]
pub(super) struct OpenPack {
    pack: Arc<File>,
    /// Holds the lock.
    table: File,
    pack_path: PathBuf,
    table_path: PathBuf,
    entries: Vec<FooterEntry>,
    /// Where the next item goes, in bytes from the start of the pack.
    end: u64,
    /// How many of the entries the table names, and where the last of them ends.
    synced: (usize, u64),
    /// The first bytes of the pack.
    header: [u8; HEADER_LEN],
    /// Whether the names of both files last.
    named: bool,
}

impl OpenPack {
    /// Takes up the fullest pack of `folder` that nobody else appends to, or begins one.
    pub fn take_or_begin(folder: &Path) -> Result<Self, StoreError> {
        create_folders(folder)?;
        let mut tables: Vec<(u64, PathBuf)> = tables_of(folder)?
            .into_iter()
            .map(|table| (fs::metadata(&table).map_or(0, |metadata| metadata.len()), table))
            .collect();
        tables.sort_by(|a, b| b.cmp(a));
        for (_, table) in tables {
            if let Some(pack) = Self::take(table)? {
                return Ok(pack);
            }
        }
        Self::begin(folder)
    }

    /// Begins a pack in `folder`.
    pub fn begin(folder: &Path) -> Result<Self, StoreError> {
        loop {
            let table_path = folder.join(format!("{}.table", RandomId::generate()));
            let made = OpenOptions::new().read(true).append(true).create_new(true).open(&table_path);
            drop(made.map_err(|source| StoreError::io("create", &table_path, 0, source))?);
            // Whoever was quicker to lock it may have it.
            if let Some(pack) = Self::take(table_path)? {
                return Ok(pack);
            }
        }
    }

    /// Takes up the pack of this table; `None` if somebody else has it or it is not of this version.
    pub fn take(table_path: PathBuf) -> Result<Option<Self>, StoreError> {
        let failed = |step, source| StoreError::io(step, &table_path, 0, source);
        let mut table = match OpenOptions::new().read(true).append(true).open(&table_path) {
            Ok(table) => table,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open", error)),
        };
        match table.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed("lock", error)),
        }
        if !still_named(&table, &table_path) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        table.read_to_end(&mut bytes).map_err(|source| failed("read", source))?;
        let entries = match table::read(&bytes) {
            Some(entries) => entries,
            None if table::HEAD.starts_with(&bytes) => Vec::new(),
            None => return Ok(None),
        };
        Self::resume(table, table_path, entries)
    }

    /// Brings both files to the last state that the table promises.
    fn resume(
        table: File,
        table_path: PathBuf,
        mut entries: Vec<FooterEntry>,
    ) -> Result<Option<Self>, StoreError> {
        let pack_path = table_path.with_extension("pack");
        let failed = |step, source| StoreError::io(step, &pack_path, 0, source);
        if !entries.is_empty() && !pack_path.exists() {
            // A kill right after the pack got its name left only this.
            let removed = fs::remove_file(&table_path);
            return removed.map(|()| None).map_err(|source| StoreError::io("remove", &table_path, 0, source));
        }
        let pack = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&pack_path);
        let pack = pack.map_err(|source| failed("open", source))?;
        let length = pack.metadata().map_err(|source| failed("ask for the size of", source))?.len();
        let mut header = [0; HEADER_LEN];
        if length >= HEADER_LEN as u64 {
            pack.read_exact_at(&mut header, 0).map_err(|source| failed("read", source))?;
        }
        // No header, or the zeros that a power cut leaves: nothing was promised yet.
        if header == [0; HEADER_LEN] && entries.is_empty() {
            header = PackHeader::fresh().encode();
            let written = pack.write_all_at(&header, 0);
            written.map_err(|source| StoreError::io("write", &pack_path, HEADER_LEN, source))?;
        }
        if PackHeader::decode(&header).is_err() {
            return Ok(None);
        }
        let end = cut_to_length(&mut entries, HEADER_LEN as u64, length.max(HEADER_LEN as u64));
        let synced = (entries.len(), end);
        let open = Self {
            pack: Arc::new(pack),
            table,
            pack_path,
            table_path,
            entries,
            end,
            synced,
            header,
            named: false,
        };
        open.cut_back()?;
        Ok(Some(open))
    }

    /// Cuts both files to what was synced last.
    fn cut_back(&self) -> Result<(), StoreError> {
        let (items, end) = self.synced;
        let cut = self.pack.set_len(end);
        cut.map_err(|source| StoreError::io("cut the tail of", &self.pack_path, 0, source))?;
        let failed = |source| StoreError::io("cut the tail of", &self.table_path, 0, source);
        let length = table_len(items);
        let has = self.table.metadata().map_err(failed)?.len();
        if has < table::HEAD_LEN as u64 {
            self.table.set_len(0).map_err(failed)?;
            return self.append_to_table(&table::HEAD);
        }
        if has == length { Ok(()) } else { self.table.set_len(length).map_err(failed) }
    }

    /// The pack, for readers.
    pub fn file(&self) -> (Arc<File>, &Path) {
        (Arc::clone(&self.pack), &self.pack_path)
    }

    /// Each item, with its offset from the start of the pack, in bytes.
    pub fn items(&self) -> impl Iterator<Item = (&FooterEntry, u64)> {
        with_offsets(&self.entries)
    }

    /// How many of these items, from the first one on, have room, and how many bytes they are as stored.
    pub fn room_for(&self, entries: &[FooterEntry]) -> (usize, usize) {
        let mut bytes = 0;
        let fits = entries.iter().enumerate().take_while(|(before, entry)| {
            let items = self.entries.len() + before + 1;
            let with = bytes + entry.stored as usize;
            let rest = (with + FOOTER_HEAD_LEN + FOOTER_ENTRY_LEN * items + TRAILER_LEN) as u64;
            let fits = items <= MAX_PACK_ITEMS && self.end + rest <= MAX_PACK;
            if fits {
                bytes = with;
            }
            fits
        });
        (fits.count(), bytes)
    }

    /// Whether it has no item.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends items that have room, whose stored forms follow each other in `stored`; gives the offset of the first one.
    /// They are readable at once, and last after the next sync.
    pub fn append(&mut self, entries: &[FooterEntry], stored: &[u8]) -> Result<u64, StoreError> {
        let offset = self.end;
        let written = self.pack.write_all_at(stored, offset);
        written.map_err(|source| StoreError::io("write", &self.pack_path, stored.len(), source))?;
        self.entries.extend_from_slice(entries);
        self.end += stored.len() as u64;
        Ok(offset)
    }

    /// Makes all items last: bytes first, then their names in the table.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        let (done, synced_end) = self.synced;
        if done == self.entries.len() {
            return Ok(());
        }
        let bytes = (self.end - synced_end) as usize;
        self.pack.sync_data().map_err(|source| StoreError::io("sync", &self.pack_path, bytes, source))?;
        let new = self.entries.iter().enumerate().skip(done);
        let records: Vec<u8> = new.flat_map(|(number, entry)| table::record(number, entry)).collect();
        self.append_to_table(&records)?;
        self.table
            .sync_data()
            .map_err(|source| StoreError::io("sync", &self.table_path, records.len(), source))?;
        self.check_kept(&records)?;
        if !self.named {
            sync_folder(self.table_path.parent().unwrap_or(Path::new(".")))?;
            self.named = true;
        }
        self.synced = (self.entries.len(), self.end);
        Ok(())
    }

    fn append_to_table(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let written = io::Write::write_all(&mut &self.table, bytes);
        written.map_err(|source| StoreError::io("write", &self.table_path, bytes.len(), source))
    }

    /// Reads back what was appended to the table last, and the length of the pack.
    fn check_kept(&self, records: &[u8]) -> Result<(), StoreError> {
        let mut kept = vec![0; records.len()];
        let from = table_len(self.entries.len()) - records.len() as u64;
        let read = self.table.read_exact_at(&mut kept, from);
        if read.is_err() || kept != records {
            return Err(StoreError::NotKept { path: self.table_path.clone() });
        }
        let length = self.pack.metadata().map(|metadata| metadata.len());
        if length.is_ok_and(|length| length == self.end) {
            return Ok(());
        }
        Err(StoreError::NotKept { path: self.pack_path.clone() })
    }

    /// Gives the pack its footer and its name under `packs`, and makes it last; gives where it lies then.
    pub fn seal(self, packs: &Path) -> Result<PathBuf, StoreError> {
        let outcome = self.write_footer().and_then(|id| self.give_name(id, packs));
        if outcome.is_err() {
            self.give_up();
        }
        outcome
    }

    fn write_footer(&self) -> Result<Digest, StoreError> {
        // Of no session: its items vouch for themselves, so their bytes are not hashed once more.
        let data_hash = Digest::of(&self.header);
        let footer = PackFooter { entries: self.entries.clone(), data_hash, session: SessionId::default() };
        let mut tail = footer.encode();
        tail.extend(Trailer { footer_len: tail.len() as u32 }.encode());
        let failed = |step, source| StoreError::io(step, &self.pack_path, tail.len(), source);
        self.pack.write_all_at(&tail, self.end).map_err(|source| failed("write", source))?;
        self.pack.sync_all().map_err(|source| failed("sync", source))?;
        let mut kept = vec![0; tail.len()];
        let read = self.pack.read_exact_at(&mut kept, self.end);
        if read.is_err() || kept != tail {
            return Err(StoreError::NotKept { path: self.pack_path.clone() });
        }
        Ok(footer.id())
    }

    fn give_name(&self, id: Digest, packs: &Path) -> Result<PathBuf, StoreError> {
        let path = sealed_path(packs, &id);
        let (folder, open) = (path.parent().unwrap_or(packs), self.table_path.parent().unwrap_or(packs));
        create_folders(folder)?;
        let renamed = fs::rename(&self.pack_path, &path);
        renamed.map_err(|source| StoreError::io("rename a pack to", &path, 0, source))?;
        sync_folder(folder)?;
        let removed = fs::remove_file(&self.table_path);
        removed.map_err(|source| StoreError::io("remove", &self.table_path, 0, source))?;
        sync_folder(open)?;
        Ok(path)
    }

    /// Leaves what was synced last and nothing of what came after, as far as the disk lets it.
    pub fn give_up(self) {
        if self.cut_back().is_ok() && self.synced.0 == 0 {
            self.remove();
        }
    }

    /// Removes both files of a pack without items.
    pub fn remove(self) {
        // The table goes last: without it nobody would ever look at the pack again.
        if fs::remove_file(&self.pack_path).is_ok() {
            fs::remove_file(&self.table_path).ok();
        }
    }
}

/// The tables in the folder of open packs.
pub(super) fn tables_of(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("list", folder, 0, error)),
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    Ok(paths.filter(|path| path.extension().is_some_and(|extension| extension == "table")).collect())
}

/// Drops the entries, of which the first lies at `start`, that do not lie within `length` bytes; gives where the last of the
/// others ends.
pub(super) fn cut_to_length(entries: &mut Vec<FooterEntry>, start: u64, length: u64) -> u64 {
    let mut end = start;
    let within = entries.iter().take_while(|entry| {
        let next = end + u64::from(entry.stored);
        let fits = next <= length;
        if fits {
            end = next;
        }
        fits
    });
    let count = within.count();
    entries.truncate(count);
    end
}

/// Each entry with its offset from the start of the pack.
pub(super) fn with_offsets(entries: &[FooterEntry]) -> impl Iterator<Item = (&FooterEntry, u64)> {
    with_offsets_from(HEADER_LEN as u64, entries)
}

/// Each entry with its offset from the start of the pack, where the first one lies at `first`.
pub(super) fn with_offsets_from(
    first: u64,
    entries: &[FooterEntry],
) -> impl Iterator<Item = (&FooterEntry, u64)> {
    entries.iter().scan(first, |end, entry| {
        let offset = *end;
        *end += u64::from(entry.stored);
        Some((entry, offset))
    })
}

/// Where the sealed pack of this name lies.
pub(super) fn sealed_path(packs: &Path, id: &Digest) -> PathBuf {
    let name = id.to_string();
    packs.join(&name[..2]).join(name)
}

const fn table_len(items: usize) -> u64 {
    (table::HEAD_LEN + table::RECORD_LEN * items) as u64
}

/// Whether `path` still names `file`: it may have been sealed and removed before the lock was had.
fn still_named(file: &File, path: &Path) -> bool {
    let key = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(file), Ok(path)) => key(file) == key(path),
        _ => false,
    }
}
