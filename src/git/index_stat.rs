//! Stats of files, written into the index without anything else of it being touched.
//!
//! Who replaces a file that Git tracks must tell Git, or `git status` shows it as modified for ever: the index holds the
//! size of what lay there. `git update-index` would tell it, at the price of one or two passes of the whole content
//! through the filter. So the 40 bytes that an entry keeps of a stat are overwritten where they lie, and the checksum at
//! the end is made anew: entries, extensions, conflicts, all else stays byte for byte, in every version of the format
//! (gitformat-index(5)). A file that is younger than the index would be looked at again: who writes it sets its time back.

use std::collections::BTreeMap;
use std::fs;
use std::fs::Metadata;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::base::RepoPath;
use crate::git::GitError;
use crate::git::Repository;

/// How long another process may hold the index, where we may wait.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// Of an entry: the stat, then the name of the object, then the flags.
const STAT: usize = 40;
const ID: usize = 20;
/// The flag of an entry that has two more bytes of flags, and the mask of the stage.
const EXTENDED: u16 = 0x4000;
const STAGE: u16 = 0x3000;
/// Signature, version, number of entries.
const HEAD: usize = 12;

/// The right to write the index: `index.lock`, removed when this goes without having been written.
#[derive(Debug)]
pub struct IndexLock {
    index: PathBuf,
    lock: PathBuf,
    file: Option<fs::File>,
}

impl Repository {
    /// Takes `index.lock`; `None` when another process has it. Inside a hook that may be the very Git that waits for the hook,
    /// so there nobody waits: `patient` says whether to.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`].
    pub fn lock_index(&self, patient: bool) -> Result<Option<IndexLock>, GitError> {
        let index = self.index_path();
        let mut name = index.clone().into_os_string();
        name.push(".lock");
        let lock = PathBuf::from(name);
        let begun = Instant::now();
        loop {
            match fs::File::options().write(true).create_new(true).open(&lock) {
                Ok(file) => return Ok(Some(IndexLock { index, lock, file: Some(file) })),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if !patient || begun.elapsed() > LOCK_WAIT {
                        return Ok(None);
                    }
                    thread::sleep(LOCK_WAIT / 40);
                }
                Err(error) => return Err(GitError::io("create", &lock)(error)),
            }
        }
    }
}

impl IndexLock {
    /// Writes these stats into the entries of these paths, and gives the lock back; the paths that the index does not have
    /// as plain entries.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`] and an index that cannot be understood; it stays as it is then.
    pub fn write_stats(mut self, stats: &BTreeMap<RepoPath, Metadata>) -> Result<Vec<RepoPath>, GitError> {
        let mut bytes = fs::read(&self.index).map_err(GitError::io("read", &self.index))?;
        let unknown = overwrite(&mut bytes, stats);
        let unknown = unknown.ok_or_else(|| {
            let text = io::Error::new(io::ErrorKind::InvalidData, "it is no index that is known here");
            GitError::io("read", &self.index)(text)
        })?;
        if let Some(mut file) = self.file.take()
            && unknown.len() < stats.len()
        {
            let written = file.write_all(&bytes).and_then(|()| {
                // Who else may write the index may write it afterwards, too.
                file.set_permissions(fs::metadata(&self.index)?.permissions())?;
                fs::rename(&self.lock, &self.index)
            });
            if let Err(error) = written {
                let _gone = fs::remove_file(&self.lock);
                return Err(GitError::io("write", &self.lock)(error));
            }
        } else {
            let _gone = fs::remove_file(&self.lock);
        }
        Ok(unknown)
    }
}

impl Drop for IndexLock {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _gone = fs::remove_file(&self.lock);
        }
    }
}

/// Overwrites the stats in the bytes of an index; the paths that it lacks. `None` for what is no index.
fn overwrite(bytes: &mut [u8], stats: &BTreeMap<RepoPath, Metadata>) -> Option<Vec<RepoPath>> {
    let number = |bytes: &[u8], at: usize| -> Option<u32> {
        Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    let version = number(bytes, 4)?;
    if bytes.get(..4)? != b"DIRC" || !(2..=4).contains(&version) || bytes.len() < HEAD + ID {
        return None;
    }
    let has_checksum = bytes[bytes.len() - ID..].iter().any(|byte| *byte != 0);
    let mut left: BTreeMap<&[u8], &Metadata> =
        stats.iter().map(|(path, stat)| (path.as_str().as_bytes(), stat)).collect();
    let (mut at, mut name) = (HEAD, Vec::new());
    for _ in 0..number(bytes, 8)? {
        let flags = u16::from_be_bytes(bytes.get(at + STAT + ID..at + STAT + ID + 2)?.try_into().ok()?);
        let mut name_at = at + STAT + ID + 2;
        name_at += if version >= 3 && flags & EXTENDED != 0 { 2 } else { 0 };
        if version == 4 {
            let (dropped, used) = varint(bytes.get(name_at..)?)?;
            name.truncate(name.len().checked_sub(dropped)?);
            name_at += used;
        } else {
            name.clear();
        }
        let length = bytes.get(name_at..)?.iter().position(|byte| *byte == 0)?;
        name.extend_from_slice(&bytes[name_at..name_at + length]);
        if flags & STAGE == 0
            && let Some(stat) = left.remove(name.as_slice())
        {
            write_stat(&mut bytes[at..at + STAT], stat);
        }
        let end = name_at + length;
        at = if version == 4 { end + 1 } else { at + (end - at) / 8 * 8 + 8 };
    }
    let unknown =
        left.keys().filter_map(|path| RepoPath::new(std::str::from_utf8(path).ok()?).ok()).collect();
    let content = bytes.len() - ID;
    if has_checksum {
        let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
        hasher.update(&bytes[..content]);
        let sum = hasher.try_finalize().ok()?;
        bytes[content..].copy_from_slice(sum.as_slice());
    }
    Some(unknown)
}

/// The mode, in the middle of it, stays: it is not of the stat alone.
fn write_stat(entry: &mut [u8], stat: &Metadata) {
    let fields = [
        (0, stat.ctime() as u32),
        (4, stat.ctime_nsec() as u32),
        (8, stat.mtime() as u32),
        (12, stat.mtime_nsec() as u32),
        (16, stat.dev() as u32),
        (20, stat.ino() as u32),
        (28, stat.uid()),
        (32, stat.gid()),
        (36, stat.len() as u32),
    ];
    for (at, value) in fields {
        entry[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
}

/// A number as packs have offsets: how many bytes of the name before do not count, and its own length.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = *bytes.first()?;
    let (mut value, mut used, mut more) = (usize::from(first & 0x7f), 1, first & 0x80 != 0);
    while more {
        let byte = *bytes.get(used)?;
        value = value.checked_add(1)?.checked_mul(128)? + usize::from(byte & 0x7f);
        used += 1;
        more = byte & 0x80 != 0;
    }
    Some((value, used))
}
