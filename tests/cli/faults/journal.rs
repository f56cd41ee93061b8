//! What a program did, as `tests/faults/faults.c` notes it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// What a call did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Made a file.
    Create,
    /// Made a file without a name.
    CreateUnnamed,
    /// Wrote these bytes from this offset.
    Write(u64, Vec<u8>),
    /// Gave a file another name.
    Rename(PathBuf),
    /// Gave a file a second name.
    Link(PathBuf),
    /// Took a name away from a file.
    Unlink,
    /// Made a folder.
    MakeFolder,
    /// Removed a folder.
    RemoveFolder,
    /// Cut or grew a file to this length.
    Resize(u64),
    /// Made the bytes of a file, or the names in a folder, last.
    Sync,
    /// Made all of the file system last.
    SyncAll,
    /// Made a symbolic link with this target.
    Symlink(PathBuf),
    /// Changed times or permissions.
    Other,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Record {
    /// What it did.
    pub deed: Deed,
    /// Where.
    pub path: PathBuf,
    /// The inode afterwards.
    pub inode: u64,
    /// When the file was modified last: seconds and nanoseconds.
    pub modified: [i64; 2],
    /// When the inode changed last, the same.
    pub changed: [i64; 2],
}

impl Record {
    /// What was done, in short.
    pub fn name(&self) -> String {
        let deed = match &self.deed {
            Deed::Write(at, bytes) => format!("Write({} bytes at {at})", bytes.len()),
            deed => format!("{deed:?}"),
        };
        format!("{deed} {}", self.path.display())
    }
}

/// The records of a journal.
pub fn read(mut bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        records.push(take_record(&mut bytes));
    }
    records
}

fn take_record(bytes: &mut &[u8]) -> Record {
    let [what, path, to, length] = [(); 4].map(|()| u32::from_ne_bytes(take(bytes)));
    let inode = u64::from_ne_bytes(take(bytes));
    let [offset, a, b, c, d] = [(); 5].map(|()| i64::from_ne_bytes(take(bytes)));
    let path = take_path(bytes, path);
    let to = take_path(bytes, to);
    let data = take_bytes(bytes, length);
    let at = offset as u64;
    let deed = match what {
        1 => Deed::Create,
        2 => Deed::Write(at, data),
        3 => Deed::Rename(to),
        4 => Deed::Link(to),
        5 => Deed::Unlink,
        6 => Deed::MakeFolder,
        7 => Deed::RemoveFolder,
        8 => Deed::Resize(at),
        9 => Deed::Sync,
        10 => Deed::Other,
        11 => Deed::Symlink(to),
        12 => Deed::SyncAll,
        13 => Deed::CreateUnnamed,
        other => panic!("the journal has a record of kind {other}"),
    };
    Record { deed, path, inode, modified: [a, b], changed: [c, d] }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (taken, left) = bytes.split_first_chunk::<N>().expect("a whole record");
    *bytes = left;
    *taken
}

fn take_bytes(bytes: &mut &[u8], length: u32) -> Vec<u8> {
    let (taken, left) = bytes.split_at(length as usize);
    *bytes = left;
    taken.to_owned()
}

fn take_path(bytes: &mut &[u8], length: u32) -> PathBuf {
    OsString::from_vec(take_bytes(bytes, length)).into()
}
