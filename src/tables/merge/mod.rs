//! Three-way merge of tables, by rows and cells.
//!
//! What a demanding user expects, and what the peers get wrong (measured: daff's merge loses edits of rows that the other
//! side deleted and reports no conflict; it writes markers into cells):
//!
//! - nothing is lost in silence: an edit that the merged table does not have is a conflict that names both values;
//! - the merged table is a valid table, always: at a conflict it has what ours says, and no marker;
//! - what nobody changed keeps its bytes: dialect, line ends, quotes and the order of rows are ours'; a row that only ours
//!   changed, or nobody, is copied as it is written;
//! - where rows cannot be told apart (a key that stands twice), nothing is guessed: the table stays as ours has it, and
//!   that is the conflict.
//!
//! Model: Dolt merges cells by primary key, and rows without a key by how often they stand there. Rows are matched by
//! hashes, about 50 bytes for each row of each version; rows that are needed out of order wait in a [`Scratch`].

mod cells;
mod conflict;
mod emit;
mod needs;
mod picked;
mod plan;
mod rename;
mod rows;
mod scanned;
mod schema;
mod tell;
mod three;
mod write;

use std::io::{self, Write};

use serde::Serialize;

use crate::base::Advice;

use super::error::TableError;
use super::key::KeyUse;
use super::source::Source;

pub use conflict::{Conflict, ConflictKind, NamedCells, Said};
pub use picked::Scratch;
pub use three::{Three, Version};

use emit::Emission;
use plan::Plan;
use rows::unite_rows;
use scanned::Scanned;
use tell::{Output, keep_ours};

/// What counts as changed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// A cell: edits of two cells of one row are both taken.
    #[default]
    Cell,
    /// A row: two edits of one row are a conflict.
    Row,
}

/// How to merge.
#[derive(Debug, Clone, Default)]
pub struct MergeOptions {
    /// The columns of the key; none: look for one.
    pub key: Vec<String>,
    /// Columns of which no conflict shows a value.
    pub private: Vec<String>,
    /// What counts as changed together.
    pub granularity: Granularity,
}

/// What a merge did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableMerge {
    /// The key by which rows were matched.
    pub key: KeyUse,
    /// Rows of the merged table; unknown where it stays as ours has it.
    pub rows: Option<u64>,
    /// Conflicts that were told.
    pub conflicts: u64,
    /// Both versions brought the rows in another order: they stand as in ours.
    pub reordered_by_both: bool,
}

/// Why tables cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum TableMergeError {
    /// A version is no readable table.
    #[error("cannot merge the rows: {} is no readable table", match .version {
        Version::Base => "the common ancestor",
        Version::Ours => "our version",
        Version::Theirs => "their version",
    })]
    Table {
        /// The version.
        version: Version,
        /// Why not.
        #[source]
        source: TableError,
    },
    /// The merged table cannot be written.
    #[error("cannot write the merged table")]
    Write(#[from] io::Error),
}

impl Advice for TableMergeError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Table { source, .. } => source.hints(),
            Self::Write(_) => Vec::new(),
        }
    }
}

/// Where rows wait, and where the merge goes.
pub struct MergeOutput<'a> {
    /// A new place for rows that are needed out of order.
    pub scratch: &'a (dyn Fn() -> io::Result<Box<dyn Scratch>> + Sync),
    /// The merged table.
    pub table: &'a mut dyn Write,
    /// Each conflict.
    pub conflict: &'a mut dyn FnMut(&Conflict) -> io::Result<()>,
}

/// Merges `tables`. Each is read two times, and parts of it a third time. An empty base means that there is no common
/// ancestor.
///
/// # Errors
///
/// [`TableMergeError`]; what was written till then is to be thrown away.
pub fn merge_tables(
    tables: &Three<&dyn Source>,
    options: &MergeOptions,
    output: MergeOutput<'_>,
) -> Result<TableMerge, TableMergeError> {
    let scanned = Three::at_once(|version| {
        let scanned = Scanned::read(*tables.of(version), version == Version::Base);
        scanned.map_err(|source| TableMergeError::Table { version, source })
    })?;
    let (plan, whole) = Plan::make(scanned, options)?;
    let output = Output::new(output);
    if let Some(kind) = whole {
        return keep_ours(&plan, *tables.of(Version::Ours), kind, &[], output);
    }
    let read = Three::at_once(|version| plan.hash_rows(version))?;
    let (closed, line_end) = (read.ours.closed, read.ours.line_end.clone());
    let hashed = Three { base: read.base.hashed, ours: read.ours.hashed, theirs: read.theirs.hashed };
    match unite_rows(hashed, plan.is_keyed()) {
        Ok(rows) => Emission::begin(&plan, rows, options.granularity, output)?.write(closed, line_end),
        Err(repeated) => {
            keep_ours(&plan, *tables.of(Version::Ours), ConflictKind::DuplicateKey, &repeated, output)
        }
    }
}
