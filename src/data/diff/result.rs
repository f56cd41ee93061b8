//! What a diff tells. Nothing here is text for people.

use serde::Serialize;

use crate::base::{Digest, RepoPath};
use crate::git::ObjectId;
use crate::tables::{Side, Sided, TableDiff};

use super::columns::ColumnsChange;
use super::error::DiffError;

/// What changed between two sides.
#[derive(Debug, Serialize)]
pub struct DataDiff {
    /// The two sides.
    pub sides: Sided<SideName>,
    /// What differs, in the order of paths.
    pub changes: Vec<Change>,
    /// How much.
    pub totals: Totals,
    /// Tracked paths whose data in the work tree is of another version than their pointer names, and that differ.
    pub stale: Vec<RepoPath>,
    /// Tracked paths that could not be compared.
    #[serde(skip)]
    pub faults: Vec<DiffError>,
}

/// One side of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "side", rename_all = "snake_case")]
pub enum SideName {
    /// The data in the work tree.
    WorkTree,
    /// What the pointers in the index name.
    Index,
    /// What the pointers of a commit name.
    Commit {
        /// As it was asked for; for a merge base its short name.
        revision: String,
        /// The commit.
        commit: ObjectId,
    },
    /// There is no commit yet.
    Nothing,
}

/// How a file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Only the newer side has it.
    Added,
    /// Only the older side has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
    /// The same content lies elsewhere.
    Renamed,
}

/// One file that differs; or a directory, where no more than that is known or needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// How it changed.
    pub kind: ChangeKind,
    /// Its path from the top of the work tree (of a removed file the older one); lossy where it is not UTF-8.
    pub path: String,
    /// Where it lay before, if it was renamed.
    pub from: Option<String>,
    /// The tracked path that it is, or lies in.
    pub tracked: RepoPath,
    /// What it was.
    pub before: Option<FileFacts>,
    /// What it is.
    pub after: Option<FileFacts>,
    /// What changed in the table, where it is one in both versions.
    pub table: Option<TableChange>,
    /// What is missing to tell more; `None` where everything is told.
    pub not_here: Option<NotHere>,
}

/// What a side knows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFacts {
    /// What it is.
    pub kind: FileKind,
    /// Content id, or id of the tree.
    pub id: Digest,
    /// Bytes.
    pub size: u64,
    /// Files and links, 1 for these themselves; `None` for a directory of which that is not known here.
    pub files: Option<u64>,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// Rows of a table, where the pointer or a diff of the rows tells them.
    pub rows: Option<u64>,
    /// Columns of a table, the same.
    pub columns: Option<u64>,
}

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// A directory.
    Directory,
}

/// The sides on which something that would tell more is not in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NotHere {
    /// On the older side.
    pub before: bool,
    /// On the newer side.
    pub after: bool,
}

/// What changed in a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "told_by", rename_all = "snake_case")]
pub enum TableChange {
    /// Both versions were read.
    Rows(Box<TableDiff>),
    /// Only what both pointers say was compared: the columns.
    Pointers(ColumnsChange),
    /// One of the versions is no table that can be read.
    Unreadable {
        /// Which one.
        side: Side,
        /// The reader's words, which hold no value of the table.
        reason: String,
    },
}

/// How much changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// Tracked paths that were compared.
    pub compared: u64,
    /// Of these, those that differ.
    pub differing: u64,
    /// Files added.
    pub added: u64,
    /// Files removed.
    pub removed: u64,
    /// Files changed.
    pub changed: u64,
    /// Files renamed.
    pub renamed: u64,
    /// Bytes of everything that differs.
    pub bytes: Sided<u64>,
    /// Rows of the tables that were read on both sides.
    pub rows: RowTotals,
    /// Directories and tables of which no more than the pointers tell is known.
    pub not_here: u64,
}

/// How many rows changed in all tables that were read on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RowTotals {
    /// Tables.
    pub tables: u64,
    /// Rows added.
    pub added: u64,
    /// Rows removed.
    pub removed: u64,
    /// Rows changed.
    pub changed: u64,
}

impl DataDiff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The sides of which something is missing here.
    pub fn missing_sides(&self) -> Vec<&SideName> {
        let any = |is_missing: fn(NotHere) -> bool| {
            self.changes.iter().filter_map(|change| change.not_here).any(is_missing)
        };
        let missing = [any(|not_here| not_here.before), any(|not_here| not_here.after)];
        let sides = [&self.sides.before, &self.sides.after];
        sides.into_iter().zip(missing).filter_map(|(side, missing)| missing.then_some(side)).collect()
    }
}

impl Totals {
    /// Counts one change.
    pub(super) fn count(&mut self, change: &Change) {
        let is_directory =
            |facts: &Option<FileFacts>| facts.as_ref().is_some_and(|facts| facts.kind == FileKind::Directory);
        let (was_directory, is_directory) = (is_directory(&change.before), is_directory(&change.after));
        let files = |facts: &Option<FileFacts>| facts.as_ref().and_then(|facts| facts.files).unwrap_or(0);
        match change.kind {
            ChangeKind::Added => self.added += files(&change.after),
            ChangeKind::Removed => self.removed += files(&change.before),
            ChangeKind::Renamed => self.renamed += files(&change.after),
            // Of a directory that is not here, nobody knows how many of its files changed.
            ChangeKind::Changed => self.changed += u64::from(!was_directory && !is_directory),
        }
        self.bytes.before += change.before.as_ref().map_or(0, |facts| facts.size);
        self.bytes.after += change.after.as_ref().map_or(0, |facts| facts.size);
        self.not_here += u64::from(change.not_here.is_some());
        if let Some(TableChange::Rows(table)) = &change.table {
            self.rows.tables += 1;
            self.rows.added += table.rows.added;
            self.rows.removed += table.rows.removed;
            self.rows.changed += table.rows.changed;
        }
    }
}
