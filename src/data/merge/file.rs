//! Three files of a table, merged into one.
//!
//! The merged file is whole or not written at all, and is always a table that can be read: conflicts go to a file beside
//! it, one JSON object a line. Where two of the three files are the same bytes there is nothing to merge, and the one that
//! changed is taken as it is.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::SpooledTempFile;

use crate::base::{Advice, Digest, Hasher, refusal_hints};
use crate::storage::durable::{self, DurableError};
use crate::tables::Source;
use crate::tables::merge::{
    Conflict, MergeOptions, MergeOutput, Scratch, TableMerge, TableMergeError, Three, Version, merge_tables,
};

/// Rows that wait stay in memory up to this many bytes of each version.
const ROWS_IN_MEMORY: usize = 64 << 20;

/// Conflicts that the result holds for people; all are in the file.
const CONFLICTS_HELD: usize = 20;

/// What to merge, and where to.
#[derive(Debug, Clone)]
pub struct FileMerge {
    /// The three files.
    pub files: Three<PathBuf>,
    /// The merged file, which may be one of them.
    pub out: PathBuf,
    /// How to merge.
    pub options: MergeOptions,
}

/// Where the merged table comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// Only one version changed, or both are the same: it is that version, byte by byte.
    Whole(Version),
    /// From the rows of all three.
    Merged(TableMerge),
}

/// What came of a merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MergedFile {
    /// The merged file.
    pub out: PathBuf,
    /// Where its rows come from.
    pub taken: Taken,
    /// How many conflicts there are.
    pub conflicts: u64,
    /// The file that tells of them, if there are any.
    pub conflict_file: Option<PathBuf>,
    /// The first of them.
    #[serde(skip)]
    pub first: Vec<Conflict>,
}

/// Why files cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum FileMergeError {
    /// A file cannot be read.
    #[error("cannot read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// They are no tables that can be merged.
    #[error(transparent)]
    Table(#[from] TableMergeError),
    /// A file of somebody else has the name of the file of conflicts.
    #[error("'{}' is no file of conflicts, and would be overwritten", .0.display())]
    Occupied(PathBuf),
    /// The result cannot be written.
    #[error(transparent)]
    Write(#[from] DurableError),
}

impl Advice for FileMergeError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Read { path, source } => refusal_hints(path, source),
            Self::Table(error) => error.hints(),
            Self::Occupied(path) => {
                vec![format!("move '{}' away, or name another output with -o", path.display())]
            }
            Self::Write(error) => error.hints(),
        }
    }
}

/// A place for rows that wait.
pub(super) fn scratch() -> io::Result<Box<dyn Scratch>> {
    Ok(Box::new(SpooledTempFile::new(ROWS_IN_MEMORY)))
}

/// Where the conflicts of a merged file are told.
pub fn conflict_file(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".conflicts.jsonl");
    name.into()
}

/// One line of the conflict file.
#[derive(Serialize)]
struct ConflictLine<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    conflict: &'a Conflict,
}

/// Merges three files.
///
/// # Errors
///
/// [`FileMergeError`]; then nothing was written.
pub fn merge_file(merge: &FileMerge) -> Result<MergedFile, FileMergeError> {
    let FileMerge { files, out, options } = merge;
    let told = conflict_file(out);
    let ids = [Version::Base, Version::Ours, Version::Theirs].map(|version| id_of(files.of(version)));
    let [base, ours, theirs] = ids;
    let (base, ours, theirs) = (base?, ours?, theirs?);
    if ours == theirs || base == theirs || base == ours {
        let version = if base == ours { Version::Theirs } else { Version::Ours };
        take_whole(files.of(version), out)?;
        remove_conflicts(&told)?;
        let taken = Taken::Whole(version);
        return Ok(MergedFile {
            out: out.clone(),
            taken,
            conflicts: 0,
            conflict_file: None,
            first: Vec::new(),
        });
    }
    let readers = Three::from_each(|version| {
        let path = files.of(version).clone();
        move || File::open(&path)
    });
    let tables = Three::from_each(|version| readers.of(version) as &dyn Source);
    let folder = folder_of(out);
    let mut table = durable::create_temp(folder)?;
    let mut lines = durable::create_temp(folder)?;
    let mut first = Vec::new();
    let merged = {
        let mut table = BufWriter::new(&mut table);
        let mut lines = BufWriter::new(&mut lines);
        let merged = merge_tables(
            &tables,
            options,
            MergeOutput {
                scratch: &scratch,
                table: &mut table,
                conflict: &mut |conflict| {
                    if first.len() < CONFLICTS_HELD {
                        first.push(conflict.clone());
                    }
                    serde_json::to_writer(&mut lines, &ConflictLine { r#type: "conflict", conflict })?;
                    lines.write_all(b"\n")
                },
            },
        )?;
        let flushed = table.flush().and_then(|()| lines.flush());
        flushed.map_err(|source| DurableError::new("write", out, 0, source))?;
        merged
    };
    let conflicts = merged.conflicts;
    if conflicts > 0 {
        if told.exists() && !is_told_by_us(&told) {
            return Err(FileMergeError::Occupied(told));
        }
        // First the conflicts: a merged file without them would look clean.
        durable::persist(lines, &told)?;
        durable::persist(table, out)?;
    } else {
        durable::persist(table, out)?;
        remove_conflicts(&told)?;
    }
    let conflict_file = (conflicts > 0).then_some(told);
    Ok(MergedFile { out: out.clone(), taken: Taken::Merged(merged), conflicts, conflict_file, first })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn id_of(path: &Path) -> Result<Digest, FileMergeError> {
    let failed = |source| FileMergeError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Makes `out` what `from` is.
fn take_whole(from: &Path, out: &Path) -> Result<(), FileMergeError> {
    let same = |one: &Path| fs::canonicalize(one).ok();
    if same(from).is_some() && same(from) == same(out) {
        return Ok(());
    }
    let mut file = durable::create_temp(folder_of(out))?;
    let mut source =
        File::open(from).map_err(|source| FileMergeError::Read { path: from.to_owned(), source })?;
    io::copy(&mut source, &mut file).map_err(|source| DurableError::new("write", out, 0, source))?;
    Ok(durable::persist(file, out)?)
}

/// Removes the conflicts of an earlier merge, which are solved now; a file that is none of ours stays.
fn remove_conflicts(told: &Path) -> Result<(), FileMergeError> {
    if is_told_by_us(told) {
        let removed = fs::remove_file(told);
        removed.map_err(|source| DurableError::new("remove", told, 0, source))?;
    }
    Ok(())
}

/// Whether an earlier merge wrote this file of conflicts.
fn is_told_by_us(told: &Path) -> bool {
    let mut beginning = Vec::new();
    let read = File::open(told).and_then(|file| file.take(64).read_to_end(&mut beginning));
    read.is_ok() && beginning.starts_with(b"{\"type\":\"conflict\"")
}
