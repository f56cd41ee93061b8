//! What this worktree last wrote or added: the proof that a missing file was deleted and not merely never fetched.
//!
//! One file, `ml/state` in the worktree's own Git directory, for linked worktrees differ. It is read whole and replaced
//! whole; a damaged or missing one is as if nothing had been materialised, which makes commands careful, not wrong.
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 8 | `mlstate2` |
//! | u32 | number of paths; of each: |
//! | u16, bytes | the path in the repository |
//! | u8, 32, 32, u64 | kind (0 file, 1 tree), id, manifest (zero: none) and size of the root |
//! | u8 | whether the files are just those of the root |
//! | u64 | number of files; of each, in order of their names: |
//! | u16, u16, bytes | how many bytes of the name before it begins with; the rest of its path below |
//! | u8 | kind (0 file, 1 executable file, 2 link, 3 empty directory), 16 more for one with a manifest |
//! | u64, i64, i64, u64 | size, modified, changed (nanoseconds), inode |
//! | 32 | content id |
//! | 32 | its manifest, if there is one |
//! | 32 | BLAKE3 of all before |
//!
//! Numbers are little-endian. Of an older form all files are read once more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::{Digest, RepoPath};
use crate::objects::pointer::PointerKind;
use crate::objects::tree::EntryKind;
use crate::storage::durable::{self, DurableError};

use super::{FileRecord, Files, FilesBuilder, Fingerprint};
use crate::data::root::RootName;

const MAGIC: &[u8; 8] = b"mlstate2";
/// Marks the kind of a file whose manifest follows.
const HAS_MANIFEST: u8 = 16;
/// Bytes of a file whose name says nothing new.
const SMALLEST_FILE: usize = 2 + 2 + 1 + 32 + 32;

/// What was last written or added at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRecord {
    /// The version that the files are of.
    pub root: RootName,
    /// What was materialised, by path below; for a single file under the empty path.
    pub files: Files,
    /// Whether the files are just those of the version, all of them and no others.
    pub complete: bool,
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
        let touched = fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
        let touched = touched.and_then(|file| file.metadata());
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
        out.push(u8::from(record.complete));
        put_files(&mut out, &record.files);
    }
    let seal = Digest::of(&out);
    out.extend(seal.as_bytes());
    out
}

fn put_files(out: &mut Vec<u8>, files: &Files) {
    out.extend((files.len() as u64).to_le_bytes());
    let mut before: &[u8] = b"";
    for (name, file) in files.iter() {
        let shared = before.iter().zip(name).take_while(|(a, b)| a == b).count();
        out.extend((shared as u16).to_le_bytes());
        put_name(out, &name[shared..]);
        before = name;
        let kind = match (file.kind, file.executable) {
            (EntryKind::Link, _) => 2,
            (EntryKind::Directory | EntryKind::Split, _) => 3,
            (EntryKind::File, executable) => u8::from(executable),
        };
        out.push(kind | if file.manifest.is_some() { HAS_MANIFEST } else { 0 });
        out.extend(file.fingerprint.size.to_le_bytes());
        out.extend(file.fingerprint.modified.to_le_bytes());
        out.extend(file.fingerprint.changed.to_le_bytes());
        out.extend(file.fingerprint.inode.to_le_bytes());
        out.extend(file.id.as_bytes());
        if let Some(manifest) = file.manifest {
            out.extend(manifest.as_bytes());
        }
    }
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
        let path = RepoPath::new(str::from_utf8(take_name(&mut rest)?).ok()?).ok()?;
        let kind = if take::<1>(&mut rest)?[0] == 0 { PointerKind::File } else { PointerKind::Tree };
        let (id, manifest) = take_ids(&mut rest)?;
        let size = u64::from_le_bytes(take(&mut rest)?);
        let complete = take::<1>(&mut rest)?[0] == 1;
        let files = take_files(&mut rest)?;
        paths.insert(path, PathRecord { root: RootName { kind, id, manifest, size }, files, complete });
    }
    rest.is_empty().then_some(paths)
}

fn take_files(rest: &mut &[u8]) -> Option<Files> {
    let count = u64::from_le_bytes(take(rest)?);
    let mut files = FilesBuilder::default();
    // What the bytes cannot hold is not made room for.
    files.reserve(usize::try_from(count).ok()?.min(rest.len() / SMALLEST_FILE));
    let mut name: Vec<u8> = Vec::new();
    for at in 0..count {
        let shared = usize::from(u16::from_le_bytes(take(rest)?));
        let own = take_name(rest)?;
        let follows = name.get(shared..)? < own;
        name.truncate(shared);
        name.extend_from_slice(own);
        let file = take_file(rest)?;
        if at > 0 && !follows {
            return None;
        }
        files.push(&name, &file);
    }
    Some(files.finish())
}

fn take_file(rest: &mut &[u8]) -> Option<FileRecord> {
    let kind = take::<1>(rest)?[0];
    let (has_manifest, kind) = (kind & HAS_MANIFEST != 0, kind & !HAS_MANIFEST);
    let (kind, executable) = match kind {
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
    let id = Digest::from_bytes(take(rest)?);
    let manifest = if has_manifest { Some(Digest::from_bytes(take(rest)?)) } else { None };
    Some(FileRecord { kind, executable, fingerprint, id, manifest })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn take_name<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::from(u16::from_le_bytes(take(rest)?));
    let (name, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(name)
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
        let linked = FileRecord { kind: EntryKind::Link, executable: false, ..file };
        let large = FileRecord { manifest: Some(Digest::of(b"m")), ..file };
        let names: [&[u8]; 3] = [b"a\xff/b", b"a\xff/bc", b"a\xff/c"];
        let files = names.map(<[u8]>::to_vec).into_iter().zip([file, linked, large]);
        let files = Files::from(files.collect::<BTreeMap<_, _>>());
        let record = PathRecord { root, files, complete: true };
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
