//! Finds what lies on the disk below one path, without following links.
//!
//! What a demanding user expects: one stat a file and nothing else; all cores; the same answer each time; and when some
//! of it cannot be data, all of that is named at once, not the first of a hundred. Folders are scanned in parallel, each
//! into vectors of its own, and visited in the order of paths. Model: the preloaded index of Git, which stats in threads.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::base::{Advice, PathError, RepoPath, check_name, lines, one_of_each, refusal_hints, typed};
use crate::objects::tree::EntryKind;

use super::Fingerprint;

/// The deepest nesting of folders that a tree holds.
const DEEPEST: usize = 256;
/// So many files of one folder are looked at by one thread at a time.
const STATS_AT_ONCE: usize = 512;

/// One thing that lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskEntry {
    /// File, link, or (when nothing lies in it) directory.
    pub kind: EntryKind,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// Whether its permissions keep somebody from reading it.
    pub restricted: bool,
    /// Its stat.
    pub fingerprint: Fingerprint,
}

/// Why a path cannot be taken as data.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The system refused.
    #[error("cannot read '{}'", path.display())]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A pipe, socket or device.
    #[error("'{}' is a {what}, which cannot be versioned", path.display())]
    Special {
        /// Where it lies.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A name that other systems could not hold.
    #[error("'{}' has a name that cannot be versioned", path.display())]
    Name {
        /// Where it lies.
        path: PathBuf,
        /// Why.
        #[source]
        source: PathError,
    },
    /// A pointer inside a directory that is to be one tree.
    #[error("'{}' is a pointer inside the directory, which would be stored as data", .0.display())]
    NestedPointer(PathBuf),
    /// Folders nested too deeply.
    #[error("'{}' is nested more than {DEEPEST} folders deep", .0.display())]
    TooDeep(PathBuf),
    /// A link where a folder was expected.
    #[error("'{}' is a link: nothing is read or written through it", .0.display())]
    ThroughLink(PathBuf),
    /// A Git repository inside a directory that is to be one tree.
    #[error("'{}' is a Git repository inside the directory", .0.display())]
    NestedRepository(PathBuf),
    /// Several paths, each for a reason of its own.
    #[error("{} paths cannot be taken as data:{}", .0.len(), lines(.0))]
    Several(Vec<ScanError>),
}

impl ScanError {
    /// All of `errors` as one, in order; `None` when there are none.
    pub fn united(errors: Vec<Self>) -> Option<Self> {
        let apart = |error| if let Self::Several(errors) = error { errors } else { vec![error] };
        let mut errors: Vec<_> = errors.into_iter().flat_map(apart).collect();
        errors.sort_by_cached_key(ToString::to_string);
        if errors.len() > 1 { Some(Self::Several(errors)) } else { errors.pop() }
    }
}

impl Advice for ScanError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Special { path, .. } => {
                vec![format!("mv {} ELSEWHERE      moves it out of the way", typed(path.display()))]
            }
            Self::Name { .. } => vec!["rename it, so that a clone on every system can hold it".into()],
            Self::NestedPointer(path) => vec![format!(
                "git mldata rm --cached {}      stops tracking it on its own; the data stays where it is",
                typed(path.display())
            )],
            Self::ThroughLink(_) => vec!["name the path that the link leads to".into()],
            Self::NestedRepository(path) => {
                let path = typed(path.display());
                vec![
                    format!("cd {path} && git mldata add PATH...      versions its data in that repository"),
                    format!("mv {path} ELSEWHERE      moves it out of the way"),
                ]
            }
            Self::Several(errors) => one_of_each(errors).into_iter().flat_map(Self::hints).collect(),
            Self::Io { path, source } => refusal_hints(path, source),
            Self::TooDeep(_) => Vec::new(),
        }
    }
}

/// What was found at or below one path.
#[derive(Debug)]
pub struct Found {
    /// What can be taken as data.
    pub scan: Scan,
    /// What cannot.
    pub refused: Vec<ScanError>,
}

/// What lies at or below one path.
#[derive(Debug)]
pub enum Scan {
    /// A file or link.
    File(DiskEntry),
    /// A folder.
    Folder(Folder),
}

/// A folder: its entries in the order of the paths that they lead to.
#[derive(Debug, Default)]
pub struct Folder {
    names: Vec<u8>,
    entries: Vec<Entry>,
    folders: Vec<Folder>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where its name begins and ends.
    name: (u32, u32),
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Leaf(DiskEntry),
    /// One that something lies in: its place among the folders.
    Folder(u32),
}

impl Scan {
    /// Shows everything to `see`, in the order of paths relative to the path that was scanned (bytes, parts joined by `/`;
    /// the empty path for a file or link itself). Directories appear only when nothing lies in them.
    pub fn visit(&self, see: &mut dyn FnMut(&[u8], &DiskEntry)) {
        match self {
            Self::File(entry) => see(b"", entry),
            Self::Folder(folder) => folder.visit(&mut Vec::new(), see),
        }
    }
}

impl Folder {
    fn visit(&self, path: &mut Vec<u8>, see: &mut dyn FnMut(&[u8], &DiskEntry)) {
        let length = path.len();
        for entry in &self.entries {
            path.extend_from_slice(self.name(entry));
            match &entry.what {
                What::Leaf(leaf) => see(path, leaf),
                What::Folder(at) => {
                    path.push(b'/');
                    self.folders[*at as usize].visit(path, see);
                }
            }
            path.truncate(length);
        }
    }

    fn name(&self, entry: &Entry) -> &[u8] {
        &self.names[entry.name.0 as usize..entry.name.1 as usize]
    }

    fn push(&mut self, name: &[u8], what: What) {
        let start = self.names.len() as u32;
        self.names.extend_from_slice(name);
        self.entries.push(Entry { name: (start, self.names.len() as u32), what });
    }

    /// Sorts the entries by the paths that they lead to: those of a folder begin with its name and a slash.
    fn sort(&mut self) {
        let names = &self.names;
        let key = |entry: &Entry| {
            let slash: &[u8] = if matches!(entry.what, What::Folder(_)) { b"/" } else { b"" };
            names[entry.name.0 as usize..entry.name.1 as usize].iter().chain(slash)
        };
        self.entries.sort_unstable_by(|a, b| key(a).cmp(key(b)));
    }
}

/// Everything at or below `path` under `top`. `None` when there is nothing at `path`.
///
/// # Errors
///
/// [`ScanError`] when it is the path itself that cannot be read or must not be stored.
pub fn scan(top: &Path, path: &RepoPath) -> Result<Option<Found>, ScanError> {
    if !safe_parent(top, path)? {
        return Ok(None);
    }
    let start = path.under(top);
    let metadata = match fs::symlink_metadata(&start) {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(source) => return Err(ScanError::Io { path: start, source }),
    };
    if !metadata.is_dir() {
        // A pointer to a file says nothing of who may execute it.
        let scan = Scan::File(DiskEntry { executable: false, ..disk_entry(&start, &metadata)? });
        return Ok(Some(Found { scan, refused: Vec::new() }));
    }
    let (folder, refused) = scan_folder(&start, 0);
    Ok(folder.map(|folder| Found { scan: Scan::Folder(folder), refused }))
}

/// What an entry of a folder turned out to be.
enum Seen {
    Leaf(Vec<u8>, DiskEntry),
    Folder(Vec<u8>, PathBuf),
    /// It was there when the folder was listed, and no longer when it was looked at.
    Gone,
}

/// A folder as far as it can be taken as data, and what cannot; `None` for one that is gone.
fn scan_folder(path: &Path, depth: usize) -> (Option<Folder>, Vec<ScanError>) {
    let mut folder = Folder::default();
    if depth > DEEPEST {
        return (Some(folder), vec![ScanError::TooDeep(path.to_owned())]);
    }
    let entries = match fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return (None, Vec::new()),
        Err(source) => return (Some(folder), vec![ScanError::Io { path: path.to_owned(), source }]),
    };
    let seen: Vec<_> = if entries.len() > STATS_AT_ONCE {
        entries.par_iter().with_min_len(STATS_AT_ONCE / 2).map(look_at).collect()
    } else {
        entries.iter().map(look_at).collect()
    };
    drop(entries);
    folder.entries.reserve(seen.len());
    let (mut refused, mut below) = (Vec::new(), Vec::new());
    for seen in seen {
        match seen {
            Ok(Seen::Leaf(name, entry)) => folder.push(&name, What::Leaf(entry)),
            Ok(Seen::Folder(name, path)) => below.push((name, path)),
            Ok(Seen::Gone) => {}
            Err(error) => refused.push(error),
        }
    }
    let inner: Vec<_> = below.par_iter().map(|(_, path)| scan_folder(path, depth + 1)).collect();
    for ((name, _), (inner, errors)) in below.into_iter().zip(inner) {
        refused.extend(errors);
        match inner {
            Some(inner) if inner.entries.is_empty() => folder.push(&name, What::Leaf(EMPTY_FOLDER)),
            Some(inner) => {
                folder.push(&name, What::Folder(folder.folders.len() as u32));
                folder.folders.push(inner);
            }
            None => {}
        }
    }
    folder.sort();
    (Some(folder), refused)
}

/// A directory is there or not; its times change with what happens in it.
const EMPTY_FOLDER: DiskEntry = DiskEntry {
    kind: EntryKind::Directory,
    executable: false,
    restricted: false,
    fingerprint: Fingerprint { size: 0, modified: 0, changed: 0, inode: 0 },
};

fn look_at(entry: &DirEntry) -> Result<Seen, ScanError> {
    let name = entry.file_name().into_vec();
    if let Err(source) = check_name(&name) {
        return Err(match name.as_slice() {
            b".git" => ScanError::NestedRepository(entry.path().parent().unwrap_or(Path::new("")).to_owned()),
            _ => ScanError::Name { path: entry.path(), source },
        });
    }
    if name.ends_with(b".mld") {
        return Err(ScanError::NestedPointer(entry.path()));
    }
    // A system that does not say what it lists says so when it is asked again.
    if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
        return Ok(Seen::Folder(name, entry.path()));
    }
    match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(Seen::Folder(name, entry.path())),
        Ok(metadata) => Ok(Seen::Leaf(name, disk_entry(&entry.path(), &metadata)?)),
        Err(error) if is_absent(&error) => Ok(Seen::Gone),
        Err(source) => Err(ScanError::Io { path: entry.path(), source }),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn disk_entry(path: &Path, metadata: &fs::Metadata) -> Result<DiskEntry, ScanError> {
    let kind = metadata.file_type();
    let special = |what| Err(ScanError::Special { path: path.to_owned(), what });
    let kind = if kind.is_file() {
        EntryKind::File
    } else if kind.is_symlink() {
        EntryKind::Link
    } else if kind.is_fifo() {
        return special("named pipe");
    } else if kind.is_socket() {
        return special("socket");
    } else {
        return special("device");
    };
    let is_file = kind == EntryKind::File;
    let executable = is_file && metadata.mode() & 0o100 != 0;
    let restricted = is_file && metadata.mode() & 0o444 != 0o444;
    Ok(DiskEntry { kind, executable, restricted, fingerprint: Fingerprint::of(metadata) })
}

/// Whether every folder above `path` is there. Refuses to go through links: a clone could lead out of the work tree.
///
/// # Errors
///
/// [`ScanError::ThroughLink`], or what the system answers.
pub fn safe_parent(top: &Path, path: &RepoPath) -> Result<bool, ScanError> {
    let mut folder = top.to_owned();
    let parents = path.parts().count() - 1;
    for part in path.parts().take(parents) {
        folder.push(OsStr::from_bytes(part.as_bytes()));
        match fs::symlink_metadata(&folder) {
            Ok(metadata) if metadata.is_symlink() => return Err(ScanError::ThroughLink(folder)),
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Ok(false),
            Err(error) if is_absent(&error) => return Ok(false),
            Err(source) => return Err(ScanError::Io { path: folder, source }),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "nobody would miss these files")]
    fn finds_files_links_and_empty_folders_and_follows_nothing() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir_all(top.path().join("data/a/empty")).unwrap();
        fs::write(top.path().join("data/a/x"), b"x").unwrap();
        symlink("/etc", top.path().join("data/link")).unwrap();
        fs::create_dir_all(top.path().join("data/a/empty-too")).unwrap();
        fs::write(top.path().join("data/a-b"), b"x").unwrap();
        let found = scan(top.path(), &RepoPath::new("data").unwrap()).unwrap().unwrap();
        assert!(found.refused.is_empty());
        let mut names = Vec::new();
        found
            .scan
            .visit(&mut |name, entry| names.push((String::from_utf8_lossy(name).into_owned(), entry.kind)));
        let (file, empty) = (EntryKind::File, EntryKind::Directory);
        let expected = [
            ("a-b", file),
            ("a/empty", empty),
            ("a/empty-too", empty),
            ("a/x", file),
            ("link", EntryKind::Link),
        ];
        assert_eq!(names, expected.map(|(name, kind)| (name.to_owned(), kind)));
        assert!(names.is_sorted_by_key(|(name, _)| name.as_bytes()));
        assert!(scan(top.path(), &RepoPath::new("absent").unwrap()).unwrap().is_none());
        let through = scan(top.path(), &RepoPath::new("data/link/passwd").unwrap());
        assert!(matches!(through, Err(ScanError::ThroughLink(_))), "{through:?}");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "nobody would miss these files")]
    fn names_all_that_cannot_be_data() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir_all(top.path().join("data/sub/.git")).unwrap();
        fs::write(top.path().join("data/x.mld"), b"x").unwrap();
        fs::write(top.path().join("data/con.txt"), b"x").unwrap();
        let found = scan(top.path(), &RepoPath::new("data").unwrap()).unwrap().unwrap();
        let error = ScanError::united(found.refused).unwrap();
        assert!(matches!(&error, ScanError::Several(errors) if errors.len() == 3), "{error:?}");
        let told = error.to_string();
        assert!(
            told.contains("con.txt") && told.contains("x.mld") && told.contains("sub' is a Git"),
            "{told}"
        );
        assert_eq!(error.hints().len(), 4, "{:?}", error.hints());
    }
}
