//! The packs of the store one by one, as files: for those who count, check or remove.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::SystemTime;

use super::clones::{clone_entries, clones_in};
use super::error::StoreError;
use super::handle::{Store, Stored};
use super::index::{names_in, read_footer};
use super::open_pack::{cut_to_length, tables_of, with_offsets, with_offsets_from};
use super::table;
use crate::base::Digest;
use crate::objects::FooterEntry;
use crate::objects::pack::HEADER_LEN;

/// A pack of the store, as it was when it was looked at.
#[derive(Debug, Clone)]
pub struct PackOnDisk {
    /// The file.
    pub path: PathBuf,
    /// Its length, in bytes.
    pub length: u64,
    /// When it was written, or relied on anew.
    pub modified: SystemTime,
    /// Whether it is whole and never changes; an open one may be appended to.
    pub sealed: bool,
    /// Of which content it is a clone, if it is one.
    pub clone_of: Option<Digest>,
}

/// An item of a pack: what the table says of it, and where it begins in the file.
pub type PackItem = (FooterEntry, u64);

impl Store {
    /// All packs, sealed ones, open ones and clones, the one that was written last first.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] when the store cannot be read. A pack that goes meanwhile is left out.
    pub fn packs(&self) -> Result<Vec<PackOnDisk>, StoreError> {
        let mut packs = Vec::new();
        for table in tables_of(&self.path().join("open"))? {
            packs.extend(PackOnDisk::look(table.with_extension("pack"), false, None)?);
        }
        let sealed = self.path().join("packs");
        for folder in names_in(&sealed)? {
            for name in names_in(&sealed.join(&folder))? {
                if name.to_str().is_some_and(|name| name.parse::<Digest>().is_ok()) {
                    packs.extend(PackOnDisk::look(sealed.join(&folder).join(name), true, None)?);
                }
            }
        }
        for (path, content) in clones_in(self.path())? {
            packs.extend(PackOnDisk::look(path, true, Some(content))?);
        }
        packs.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.path.cmp(&b.path)));
        Ok(packs)
    }
}

impl PackOnDisk {
    fn look(path: PathBuf, sealed: bool, clone_of: Option<Digest>) -> Result<Option<Self>, StoreError> {
        let asked = fs::metadata(&path).and_then(|metadata| Ok((metadata.len(), metadata.modified()?)));
        match asked {
            Ok((length, modified)) => Ok(Some(Self { path, length, modified, sealed, clone_of })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("ask for the size of", &path, 0, error)),
        }
    }

    /// The same pack as it is now; `None` if it is gone.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`].
    pub fn again(&self) -> Result<Option<Self>, StoreError> {
        Self::look(self.path.clone(), self.sealed, self.clone_of)
    }

    /// All files of it.
    pub fn files(&self) -> Vec<PathBuf> {
        let table = self.path.with_extension("table");
        match (self.sealed, self.clone_of) {
            // Of a pack the table goes last, of a clone first: without it nobody would look at the pack, or rely on the clone.
            (false, _) => vec![self.path.clone(), table],
            (true, Some(_)) => vec![table, self.path.clone()],
            (true, None) => vec![self.path.clone()],
        }
    }

    /// Its items in order; `None` if its table cannot be read or is not that of this pack.
    pub fn items(&self) -> Option<Vec<PackItem>> {
        if self.clone_of.is_some() {
            // What is left of a clone that was not finished has nothing in it.
            let entries = clone_entries(&self.path).unwrap_or_default();
            return Some(with_offsets_from(0, &entries).map(|(entry, offset)| (*entry, offset)).collect());
        }
        let entries = if self.sealed {
            let id = self.path.file_name()?.to_str()?.parse().ok()?;
            read_footer(&self.path, &id)?.entries
        } else {
            let mut entries = table::read(&fs::read(self.path.with_extension("table")).ok()?)?;
            cut_to_length(&mut entries, HEADER_LEN as u64, self.length);
            entries
        };
        Some(with_offsets(&entries).map(|(entry, offset)| (*entry, offset)).collect())
    }

    /// Opens the pack for [`PackOnDisk::read`].
    ///
    /// # Errors
    ///
    /// [`StoreError::File`].
    pub fn open(&self) -> Result<File, StoreError> {
        File::open(&self.path).map_err(|source| StoreError::io("open", &self.path, 0, source))
    }

    /// One item, verified; `None` if it is damaged.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] when the disk fails otherwise than by a bad place.
    pub fn read(&self, file: &File, (entry, offset): &PackItem) -> Result<Option<Stored>, StoreError> {
        let mut bytes = vec![0; entry.stored as usize];
        match file.read_exact_at(&mut bytes, *offset) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof || is_bad_place(&error) => {
                return Ok(None);
            }
            Err(error) => return Err(StoreError::io("read", &self.path, 0, error)),
        }
        let stored = Stored { kind: entry.kind, codec: entry.codec, bytes, raw: entry.raw };
        Ok(stored.open(&entry.id).map(|_| stored))
    }
}

/// Whether the disk says that it cannot read just there.
fn is_bad_place(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}
