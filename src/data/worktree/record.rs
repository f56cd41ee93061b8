//! What this worktree last wrote or added: the proof that a missing file was deleted and not merely never fetched.
//!
//! One file, `ml/state` in the worktree's own Git directory, for linked worktrees differ. It is read whole and replaced
//! whole; a damaged or missing one is as if nothing had been materialised, which makes commands careful, not wrong.
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 8 | `mlstate1` |
//! | u32 | number of paths; of each: |
//! | u16, bytes | the path in the repository |
//! | u8, 32, 32, u64 | kind (0 file, 1 tree), id, manifest (zero: none) and size of the root |
//! | u64 | number of files; of each: |
//! | u16, bytes | its path below (empty for the root itself) |
//! | u8 | kind (0 file, 1 executable file, 2 link, 3 empty directory) |
//! | u64, i64, i64, u64 | size, modified, changed (nanoseconds), inode |
//! | 32, 32 | content id, manifest (zero: none) |
//! | 32 | BLAKE3 of all before |
//!
//! Numbers are little-endian.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::{Digest, RepoPath};
use crate::data::content::empty_directory;
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeEntry, TreeSummary};
use crate::storage::durable::{self, DurableError};

use super::Fingerprint;
use crate::data::root::RootName;

const MAGIC: &[u8; 8] = b"mlstate1";

/// One file that this worktree wrote or added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRecord {
    /// File, link or empty directory.
    pub kind: EntryKind,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// Its stat right after.
    pub fingerprint: Fingerprint,
    /// Its content.
    pub id: Digest,
    /// The content's manifest, when it has more than one chunk.
    pub manifest: Option<Digest>,
}

impl FileRecord {
    /// The file as a leaf of a tree, without its name.
    pub fn leaf(&self) -> TreeEntry {
        let (executable, id, size) = (self.executable, self.id, self.fingerprint.size);
        match self.kind {
            EntryKind::Directory | EntryKind::Split => {
                TreeEntry::directory(Vec::new(), TreeSummary { id: empty_directory(), size: 0, files: 0 })
            }
            EntryKind::File => TreeEntry::file(Vec::new(), executable, id, size, self.manifest),
            EntryKind::Link => {
                TreeEntry { kind: EntryKind::Link, ..TreeEntry::file(Vec::new(), false, id, size, None) }
            }
        }
    }
}

/// What was last written or added at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRecord {
    /// The version that the files are of.
    pub root: RootName,
    /// What was materialised, by path below; for a single file under the empty path.
    pub files: BTreeMap<Vec<u8>, FileRecord>,
}

/// What this worktree last wrote or added, by path.
#[derive(Debug, Clone, Default)]
pub struct WorktreeRecord {
    paths: BTreeMap<RepoPath, PathRecord>,
    file: PathBuf,
    /// The file when it was read; `None` where there was none.
    read: Option<Fingerprint>,
    /// Paths that were set or removed since.
    changed: BTreeSet<RepoPath>,
}

impl WorktreeRecord {
    /// The record of the worktree whose own Git directory this is.
    ///
    /// # Errors
    ///
    /// When the file is there and the system refuses to read it.
    pub fn open(git_dir: &Path) -> io::Result<Self> {
        let file = git_dir.join("ml").join("state");
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { file, ..Self::default() });
            }
            Err(error) => return Err(error),
        };
        let read = Some(Fingerprint::of(&fs::metadata(&file)?));
        let paths = decode(&bytes).unwrap_or_default();
        Ok(Self { paths, file, read, changed: BTreeSet::new() })
    }

    /// The stat of the file, which every change of the record changes; `None` where there is none.
    pub fn fingerprint(git_dir: &Path) -> Option<Fingerprint> {
        fs::metadata(git_dir.join("ml").join("state")).ok().map(|metadata| Fingerprint::of(&metadata))
    }

    /// What was last written or added at `path`.
    pub fn get(&self, path: &RepoPath) -> Option<&PathRecord> {
        self.paths.get(path)
    }

    /// Notes what was written or added at `path`.
    pub fn set(&mut self, path: RepoPath, record: PathRecord) {
        if self.paths.get(&path) != Some(&record) {
            self.changed.insert(path.clone());
            self.paths.insert(path, record);
        }
    }

    /// Forgets `path`.
    pub fn remove(&mut self, path: &RepoPath) -> Option<PathRecord> {
        let removed = self.paths.remove(path);
        if removed.is_some() {
            self.changed.insert(path.clone());
        }
        removed
    }

    /// All paths that were written or added.
    pub fn paths(&self) -> impl Iterator<Item = (&RepoPath, &PathRecord)> {
        self.paths.iter()
    }

    /// Whether a file with this fingerprint still holds the bytes of its record, as far as a stat can tell.
    pub fn vouches(&self, record: &FileRecord, now: &Fingerprint) -> bool {
        record.fingerprint == *now
    }

    /// A moment by the clock of the file system: what was modified well before it and changes after it is told by its
    /// times. Where nothing can be written beside the record, this machine's clock must do.
    pub fn moment(&self) -> i64 {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let touched = fs::create_dir_all(folder).and_then(|()| tempfile::NamedTempFile::new_in(folder));
        let touched = touched.and_then(|file| file.as_file().metadata());
        touched.map_or_else(
            |_| {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
            },
            |metadata| Fingerprint::of(&metadata).modified,
        )
    }

    /// Replaces the file, when anything changed: what another command noted meanwhile of other paths stays. `refresh`
    /// says that nothing happened but that files were read anew: then another command's notes win. It is the last thing
    /// that a command writes, so it never vouches for what is not durable.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn save(&mut self, refresh: bool) -> Result<(), DurableError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let now = fs::metadata(&self.file).ok().map(|metadata| Fingerprint::of(&metadata));
        if now != self.read {
            if refresh {
                return Ok(());
            }
            if let Some(mut others) = fs::read(&self.file).ok().and_then(|bytes| decode(&bytes)) {
                others.retain(|path, _| !self.changed.contains(path));
                let ours = std::mem::take(&mut self.paths).into_iter();
                others.extend(ours.filter(|(path, _)| self.changed.contains(path)));
                self.paths = others;
            }
        }
        durable::write_derived(&self.file, &encode(&self.paths))?;
        self.read = fs::metadata(&self.file).ok().map(|metadata| Fingerprint::of(&metadata));
        self.changed.clear();
        Ok(())
    }
}

fn encode(paths: &BTreeMap<RepoPath, PathRecord>) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend((paths.len() as u32).to_le_bytes());
    for (path, record) in paths {
        put_name(&mut out, path.as_str().as_bytes());
        out.push(u8::from(record.root.kind == PointerKind::Tree));
        put_ids(&mut out, record.root.id, record.root.manifest);
        out.extend(record.root.size.to_le_bytes());
        out.extend((record.files.len() as u64).to_le_bytes());
        for (name, file) in &record.files {
            put_name(&mut out, name);
            out.push(match (file.kind, file.executable) {
                (EntryKind::Link, _) => 2,
                (EntryKind::Directory | EntryKind::Split, _) => 3,
                (EntryKind::File, executable) => u8::from(executable),
            });
            out.extend(file.fingerprint.size.to_le_bytes());
            out.extend(file.fingerprint.modified.to_le_bytes());
            out.extend(file.fingerprint.changed.to_le_bytes());
            out.extend(file.fingerprint.inode.to_le_bytes());
            put_ids(&mut out, file.id, file.manifest);
        }
    }
    let seal = Digest::of(&out);
    out.extend(seal.as_bytes());
    out
}

fn put_name(out: &mut Vec<u8>, name: &[u8]) {
    out.extend((name.len() as u16).to_le_bytes());
    out.extend(name);
}

fn put_ids(out: &mut Vec<u8>, id: Digest, manifest: Option<Digest>) {
    out.extend(id.as_bytes());
    out.extend(manifest.unwrap_or(Digest::ZERO).as_bytes());
}

/// `None` for anything that is not whole.
fn decode(bytes: &[u8]) -> Option<BTreeMap<RepoPath, PathRecord>> {
    let (body, seal) = bytes.split_last_chunk::<32>()?;
    if Digest::of(body).as_bytes() != seal {
        return None;
    }
    let mut rest = body.strip_prefix(MAGIC)?;
    let mut paths = BTreeMap::new();
    for _ in 0..u32::from_le_bytes(take(&mut rest)?) {
        let path = RepoPath::new(String::from_utf8(take_name(&mut rest)?).ok()?).ok()?;
        let kind = if take::<1>(&mut rest)?[0] == 0 { PointerKind::File } else { PointerKind::Tree };
        let (id, manifest) = take_ids(&mut rest)?;
        let size = u64::from_le_bytes(take(&mut rest)?);
        let mut files = BTreeMap::new();
        for _ in 0..u64::from_le_bytes(take(&mut rest)?) {
            let name = take_name(&mut rest)?;
            files.insert(name, take_file(&mut rest)?);
        }
        paths.insert(path, PathRecord { root: RootName { kind, id, manifest, size }, files });
    }
    rest.is_empty().then_some(paths)
}

fn take_file(rest: &mut &[u8]) -> Option<FileRecord> {
    let (kind, executable) = match take::<1>(rest)?[0] {
        0 => (EntryKind::File, false),
        1 => (EntryKind::File, true),
        2 => (EntryKind::Link, false),
        3 => (EntryKind::Directory, false),
        _ => return None,
    };
    let fingerprint = Fingerprint {
        size: u64::from_le_bytes(take(rest)?),
        modified: i64::from_le_bytes(take(rest)?),
        changed: i64::from_le_bytes(take(rest)?),
        inode: u64::from_le_bytes(take(rest)?),
    };
    let (id, manifest) = take_ids(rest)?;
    Some(FileRecord { kind, executable, fingerprint, id, manifest })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn take_name(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::from(u16::from_le_bytes(take(rest)?));
    let (name, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(name.to_owned())
}

fn take_ids(rest: &mut &[u8]) -> Option<(Digest, Option<Digest>)> {
    let id = Digest::from_bytes(take(rest)?);
    let manifest = Digest::from_bytes(take(rest)?);
    Some((id, (!manifest.is_zero()).then_some(manifest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (RepoPath, PathRecord) {
        let file = FileRecord {
            kind: EntryKind::File,
            executable: true,
            fingerprint: Fingerprint { size: 3, modified: -1, changed: 9, inode: 7 },
            id: Digest::of(b"abc"),
            manifest: None,
        };
        let root = RootName { kind: PointerKind::Tree, id: Digest::of(b"t"), manifest: None, size: 3 };
        let record = PathRecord { root, files: BTreeMap::from([(b"a\xff/b".to_vec(), file)]) };
        (RepoPath::new("data/images").unwrap(), record)
    }

    #[test]
    fn survives_a_round_trip_and_damage_reads_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = WorktreeRecord::open(folder.path()).unwrap();
        let (path, files) = example();
        record.set(path.clone(), files.clone());
        record.save(false).unwrap();
        assert_eq!(WorktreeRecord::open(folder.path()).unwrap().get(&path), Some(&files));

        // Two commands at once: neither drops what the other noted.
        let mut other = WorktreeRecord::open(folder.path()).unwrap();
        other.set(RepoPath::new("other").unwrap(), files.clone());
        record.set(RepoPath::new("third").unwrap(), files.clone());
        record.save(false).unwrap();
        other.save(false).unwrap();
        assert_eq!(WorktreeRecord::open(folder.path()).unwrap().paths().count(), 3);

        let file = folder.path().join("ml/state");
        let whole = fs::read(&file).unwrap();
        for cut in 0..whole.len() {
            assert!(decode(&whole[..cut]).is_none(), "cut at {cut}");
        }
        let mut flipped = whole;
        flipped[20] ^= 1;
        assert!(decode(&flipped).is_none());
    }
}
