//! What is merged, and by what.

use std::io::Read;

use crate::tables::csv::{Record, TableReader};
use crate::tables::error::TableError;
use crate::tables::key::{KeyOrigin, KeyUse, key_of_three};
use crate::tables::row_match::{HashedRow, hash_cells};

use super::conflict::ConflictKind;
use super::rename::find_renames;
use super::rows::Hashed;
use super::scanned::Scanned;
use super::schema::{MergedColumn, Renames, Schema, names};
use super::three::{Three, Version};
use super::{MergeOptions, TableMergeError};

/// The versions, their columns united, and the key.
pub(super) struct Plan<'a> {
    pub(super) tables: Three<Scanned<'a>>,
    pub(super) schema: Schema,
    pub(super) key: KeyUse,
    /// Places of the key's columns in the schema.
    key_places: Vec<usize>,
}

/// How one version ends its lines, and its rows' hashes.
pub(super) struct ReadVersion {
    pub(super) hashed: Hashed,
    /// Whether its last line has an end.
    pub(super) closed: bool,
    /// The end of its first line.
    pub(super) line_end: Vec<u8>,
}

impl<'a> Plan<'a> {
    /// Plans a merge; a conflict of the whole table where rows cannot be matched.
    pub(super) fn make(
        tables: Three<Scanned<'a>>,
        options: &MergeOptions,
    ) -> Result<(Self, Option<ConflictKind>), TableMergeError> {
        let shapes = Three::from_each(|version| tables.of(version).shape.clone());
        let searches = Three::from_each(|version| &tables.of(version).search);
        let key = key_of_three(&shapes, &searches, &options.key);
        let renames_of = |version| {
            let found = find_renames(&tables.base, tables.of(version), &key.columns);
            found.map_err(|source| TableMergeError::Table { version, source })
        };
        let renames = Three {
            base: Renames::new(),
            ours: renames_of(Version::Ours)?,
            theirs: renames_of(Version::Theirs)?,
        };
        let schema = Schema::unite(&shapes, &renames, &options.private);
        let key_places = key.columns.iter().filter_map(|name| schema.place_of(name)).collect();
        let whole = if schema.same_name().is_some() {
            Some(ConflictKind::SameName)
        } else if key.origin == KeyOrigin::None && schema.loses_columns(&shapes.base) {
            Some(ConflictKind::NoKey)
        } else {
            None
        };
        Ok((Self { tables, schema, key, key_places }, whole))
    }

    pub(super) fn is_keyed(&self) -> bool {
        !self.key_places.is_empty()
    }

    /// The columns of the key.
    pub(super) fn key_columns(&self) -> impl Iterator<Item = &MergedColumn> {
        self.key_places.iter().map(|place| &self.schema.columns[*place])
    }

    /// A reader at the beginning of a version.
    pub(super) fn open(
        &self,
        version: Version,
    ) -> Result<Option<TableReader<Box<dyn Read + 'a>>>, TableMergeError> {
        self.tables.of(version).open().map_err(|source| TableMergeError::Table { version, source })
    }

    /// Hashes the rows of a version.
    pub(super) fn hash_rows(&self, version: Version) -> Result<ReadVersion, TableMergeError> {
        self.hash(version).map_err(|source| TableMergeError::Table { version, source })
    }

    fn hash(&self, version: Version) -> Result<ReadVersion, TableError> {
        let mut hashed = Hashed::default();
        let Some(mut table) = self.tables.of(version).open()? else {
            return Ok(ReadVersion { hashed, closed: false, line_end: Vec::new() });
        };
        let shared_with = |other: Version| {
            let in_both = |column: &&MergedColumn| column.is_in(Version::Base) && column.is_in(other);
            self.schema.columns.iter().filter(in_both).collect::<Vec<_>>()
        };
        let places =
            |columns: &[&MergedColumn]| columns.iter().map(|column| column.place).collect::<Vec<_>>();
        let of_rows = shared_with(if version == Version::Theirs { Version::Theirs } else { Version::Ours });
        let mut for_theirs = shared_with(Version::Theirs);
        for_theirs.retain(|_| version == Version::Base);
        if places(&for_theirs) == places(&of_rows) {
            for_theirs.clear();
        }
        let of_key: Vec<_> = match self.is_keyed() {
            true => self.key_columns().collect(),
            false => self.everywhere(),
        };
        let line_end_of = |text: &[u8]| {
            let start = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'));
            text[start.map_or(0, |at| at + 1)..].to_vec()
        };
        let mut line_end = line_end_of(table.head());
        let mut closed = !line_end.is_empty();
        let (mut record, mut buffer) = (Record::default(), Vec::new());
        while table.read(&mut record)? {
            let mut hash = |columns: &[&MergedColumn]| {
                let cells =
                    columns.iter().map(|column| (column.cell(version, Some(&record)), column.comparison));
                hash_cells(cells, &mut buffer)
            };
            let key = hash(&of_key);
            let row = if self.is_keyed() { hash(&of_rows) } else { key };
            if !for_theirs.is_empty() {
                hashed.shared_with_theirs.push(hash(&for_theirs));
            }
            hashed.rows.push(HashedRow { key, row, number: table.rows_read() });
            let (_, end) = table.raw_row();
            closed = !end.is_empty();
            if line_end.is_empty() {
                line_end = end.to_vec();
            }
        }
        Ok(ReadVersion { hashed, closed, line_end })
    }

    /// The columns that every version has, a void base left out.
    fn everywhere(&self) -> Vec<&MergedColumn> {
        let is_void = names(&self.tables.base.shape).is_empty();
        let shared = |column: &&MergedColumn| {
            let in_base = is_void || column.is_in(Version::Base);
            in_base && column.is_in(Version::Ours) && column.is_in(Version::Theirs)
        };
        self.schema.columns.iter().filter(shared).collect()
    }
}
