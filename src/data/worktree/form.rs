//! The record as bytes, all of it in one file.
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 8 | `mlstate3` |
//! | 16 | the start of the machine at which it was written (zero: not known) |
//! | i64 | files that changed at this moment (nanoseconds) or later may not be on the disk yet |
//! | 16 | the note of switches that had ended, by the first bytes of its BLAKE3 (zero: none) |
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

use std::collections::BTreeMap;

use super::switch::Seal;
use super::{FileRecord, Files, FilesBuilder, Fingerprint, PathRecord};
use crate::base::{Digest, RepoPath};
use crate::data::root::RootName;
use crate::objects::pointer::PointerKind;
use crate::objects::tree::EntryKind;

const MAGIC: &[u8; 8] = b"mlstate3";
/// Marks the kind of a file whose manifest follows.
const HAS_MANIFEST: u8 = 16;

/// The paths of a record.
pub(super) type Paths = BTreeMap<RepoPath, PathRecord>;

/// What of the files of a record was on the disk for certain when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Synced {
    /// The start of the machine; zero where it is not known.
    pub boot: [u8; 16],
    /// Files that changed at this moment (nanoseconds since 1970) or later may not have been.
    pub until: i64,
    /// The note of switches that had ended.
    pub finished: Seal,
}

/// The record of these paths.
pub(super) fn encode(paths: &Paths, synced: &Synced) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(synced.boot);
    out.extend(synced.until.to_le_bytes());
    out.extend(synced.finished);
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
pub(super) fn decode(bytes: &[u8]) -> Option<(Paths, Synced)> {
    let (body, seal) = bytes.split_last_chunk::<32>()?;
    if Digest::of(body).as_bytes() != seal {
        return None;
    }
    let mut rest = body.strip_prefix(MAGIC)?;
    let (boot, until) = (take(&mut rest)?, i64::from_le_bytes(take(&mut rest)?));
    let synced = Synced { boot, until, finished: take(&mut rest)? };
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
    rest.is_empty().then_some((paths, synced))
}

fn take_files(rest: &mut &[u8]) -> Option<Files> {
    let count = u64::from_le_bytes(take(rest)?);
    let mut files = FilesBuilder::default();
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
