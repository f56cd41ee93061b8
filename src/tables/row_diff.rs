//! What changed between two versions of a table.
//!
//! Columns are matched by name; rows by the key, or, without one, as a multiset. Values are compared as the narrowest
//! type that loses nothing of either column, over the columns that both tables have: a new column changes the schema,
//! not every row.

use std::io::Read;

use serde::Serialize;

use super::cell_diff::compare_cells;
use super::csv::{Cell, Record, TableReader};
use super::error::{Side, Sided, TableDiffError, TableError};
use super::key::{KeyOrigin, KeySearch, KeyUse, found_key, not_in_both};
use super::private::PrivateColumns;
use super::row_match::{HashedRow, Matching, hash_cells, match_rows};
use super::sample::RowSample;
use super::shape::{ColumnShape, TableShape, scan};
use super::source::Source;
use super::value::{ColumnType, Comparison};

/// What to compare by, and what to show.
#[derive(Debug, Clone)]
pub struct DiffOptions {
    /// The columns of the key; none: look for one.
    pub key: Vec<String>,
    /// Columns of which no value is shown.
    pub private: Vec<String>,
    /// How many rows of each kind are shown; each changed column is shown at least once besides. 0: none at all.
    pub samples: usize,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self { key: Vec::new(), private: Vec::new(), samples: 5 }
    }
}

/// What changed between two versions of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableDiff {
    /// The key by which rows were matched.
    pub key: KeyUse,
    /// How many rows.
    pub rows: RowCounts,
    /// Columns and types.
    pub schema: SchemaDiff,
    /// The common columns with changed cells or another number of nulls, in the newer table's order.
    pub columns: Vec<ColumnDiff>,
    /// Rows that both have stand in another order.
    pub reordered: bool,
    /// Keys that stand more than once.
    pub repeated_keys: Sided<Duplicates>,
    /// Some rows that differ: removed, added, changed.
    pub samples: Vec<RowSample>,
}

impl TableDiff {
    /// Whether both tables hold the same rows in the same columns, in whatever order.
    pub fn has_same_content(&self) -> bool {
        let RowCounts { added, removed, changed, .. } = self.rows;
        let SchemaDiff { added: columns_added, removed: columns_removed, .. } = &self.schema;
        added + removed + changed == 0 && columns_added.is_empty() && columns_removed.is_empty()
    }

    /// Whether nothing but the order of rows or columns changed.
    pub fn is_order_only(&self) -> bool {
        self.has_same_content() && (self.reordered || self.schema.reordered)
    }
}

/// How many rows. `before = removed + changed + unchanged`, and `after = added + changed + unchanged`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RowCounts {
    /// Of the older table.
    pub before: u64,
    /// Of the newer table.
    pub after: u64,
    /// Only in the newer table.
    pub added: u64,
    /// Only in the older table.
    pub removed: u64,
    /// In both by key, with other values in common columns.
    pub changed: u64,
    /// In both with the same values in common columns.
    pub unchanged: u64,
}

/// How the columns changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SchemaDiff {
    /// Columns of the newer table only.
    pub added: Vec<ColumnShape>,
    /// Columns of the older table only.
    pub removed: Vec<ColumnShape>,
    /// Columns of another type.
    pub retyped: Vec<RetypedColumn>,
    /// The common columns stand in another order.
    pub reordered: bool,
}

/// A column of another type than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RetypedColumn {
    /// Its name.
    pub name: String,
    /// Its types.
    #[serde(rename = "type")]
    pub kind: Sided<ColumnType>,
}

/// What changed in one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnDiff {
    /// Its name.
    pub name: String,
    /// Cells of changed rows that differ.
    pub changed: u64,
    /// Cells without a value.
    pub nulls: Sided<u64>,
    /// Whether its values are shown nowhere.
    pub private: bool,
}

/// Keys that stand more than once in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Duplicates {
    /// How many such keys.
    pub keys: u64,
    /// How many rows have one of them.
    pub rows: u64,
}

/// A column that both tables have.
pub(super) struct CommonColumn {
    pub(super) name: String,
    pub(super) place: Sided<usize>,
    pub(super) comparison: Comparison,
    pub(super) private: bool,
}

impl CommonColumn {
    pub(super) fn cell<'r>(&self, side: Side, record: &'r Record) -> Option<Cell<'r>> {
        record.get(*side.of(&self.place))
    }
}

/// What is compared, and how.
pub(super) struct Plan<'a> {
    sources: Sided<&'a dyn Source>,
    pub(super) names: Sided<Vec<String>>,
    pub(super) common: Vec<CommonColumn>,
    /// Places of the key's columns in `common`.
    pub(super) key: Vec<usize>,
    pub(super) private: PrivateColumns,
}

/// Compares two versions of a table.
///
/// Each table is read two times, and once more up to the last row that differs.
///
/// # Errors
///
/// [`TableDiffError`] when one of them is no table that can be read.
pub fn row_diff(
    before: &dyn Source,
    after: &dyn Source,
    options: &DiffOptions,
) -> Result<TableDiff, TableDiffError> {
    let sources = Sided { before, after };
    let (shapes, key) = read_shapes(sources, &options.key)?;
    let plan = Plan::new(sources, &shapes, &key, &options.private);
    let matching = if plan.common.is_empty() {
        match_nothing(&shapes)
    } else {
        let rows = both(|side| plan.hash_rows(side))?;
        match_rows(rows, options.samples)
    };
    let rows = RowCounts {
        before: shapes.before.rows,
        after: shapes.after.rows,
        added: matching.alone.after,
        removed: matching.alone.before,
        changed: matching.changed.len() as u64,
        unchanged: matching.unchanged,
    };
    let whole = Sided {
        before: rows.removed + rows.changed + rows.unchanged == rows.before,
        after: rows.added + rows.changed + rows.unchanged == rows.after,
    };
    for side in [Side::Before, Side::After] {
        if !side.of(&whole) {
            return Err(TableDiffError { side, source: TableError::ChangedWhileRead });
        }
    }
    let reordered = matching.reordered;
    let repeated_keys = plan.repeated_keys(&matching);
    let cells = compare_cells(&plan, matching, options.samples)?;
    let columns = column_diffs(&plan, &shapes, &cells.changed);
    Ok(TableDiff {
        key,
        rows,
        schema: schema_diff(&shapes, &plan.common),
        columns,
        reordered,
        repeated_keys,
        samples: cells.samples,
    })
}

/// Does the same for both tables at once.
fn both<T: Send>(work: impl Fn(Side) -> Result<T, TableError> + Sync) -> Result<Sided<T>, TableDiffError> {
    let (before, after) = rayon::join(|| work(Side::Before), || work(Side::After));
    Ok(Sided {
        before: before.map_err(|source| TableDiffError { side: Side::Before, source })?,
        after: after.map_err(|source| TableDiffError { side: Side::After, source })?,
    })
}

/// Types of both tables, and the key to match rows by.
fn read_shapes(
    sources: Sided<&dyn Source>,
    declared: &[String],
) -> Result<(Sided<TableShape>, KeyUse), TableDiffError> {
    let names = both(|side| Ok(TableReader::open(side.of(&sources).open()?)?.names().to_vec()))?;
    let not_in_both = not_in_both(declared, Sided { before: &names.before, after: &names.after });
    if !declared.is_empty() && not_in_both.is_empty() {
        let shapes = both(|side| TableShape::read(side.of(&sources).open()?))?;
        return Ok((shapes, KeyUse { columns: declared.to_vec(), origin: KeyOrigin::Declared, not_in_both }));
    }
    let read = both(|side| {
        let mut search = KeySearch::new();
        let shape = scan(TableReader::open(side.of(&sources).open()?)?, Some(&mut search))?;
        Ok((shape, search))
    })?;
    let searches = Sided { before: &read.before.1, after: &read.after.1 };
    let found = found_key(Sided { before: &read.before.0, after: &read.after.0 }, searches);
    let origin = if found.is_some() { KeyOrigin::Found } else { KeyOrigin::None };
    let shapes = Sided { before: read.before.0, after: read.after.0 };
    Ok((shapes, KeyUse { columns: found.into_iter().collect(), origin, not_in_both }))
}

/// Tables without a common column have no row in common.
fn match_nothing(shapes: &Sided<TableShape>) -> Matching {
    let mut matching = match_rows(Sided::default(), 0);
    matching.alone = Sided { before: shapes.before.rows, after: shapes.after.rows };
    matching
}

fn schema_diff(shapes: &Sided<TableShape>, common: &[CommonColumn]) -> SchemaDiff {
    let alone = |side: Side| {
        let other = if side == Side::Before { &shapes.after } else { &shapes.before };
        let columns = side.of(shapes).columns.iter();
        columns.filter(|column| other.column(&column.name).is_none()).cloned().collect()
    };
    let retyped = common.iter().filter_map(|column| {
        let kind = Sided {
            before: shapes.before.columns[column.place.before].kind,
            after: shapes.after.columns[column.place.after].kind,
        };
        (kind.before != kind.after).then(|| RetypedColumn { name: column.name.clone(), kind })
    });
    SchemaDiff {
        added: alone(Side::After),
        removed: alone(Side::Before),
        retyped: retyped.collect(),
        reordered: !common.is_sorted_by_key(|column| column.place.before),
    }
}

fn column_diffs(plan: &Plan<'_>, shapes: &Sided<TableShape>, changed: &[u64]) -> Vec<ColumnDiff> {
    let columns = plan.common.iter().zip(changed).map(|(column, changed)| ColumnDiff {
        name: column.name.clone(),
        changed: *changed,
        nulls: Sided {
            before: shapes.before.columns[column.place.before].nulls,
            after: shapes.after.columns[column.place.after].nulls,
        },
        private: column.private,
    });
    columns.filter(|column| column.changed > 0 || column.nulls.before != column.nulls.after).collect()
}

impl<'a> Plan<'a> {
    fn new(
        sources: Sided<&'a dyn Source>,
        shapes: &Sided<TableShape>,
        key: &KeyUse,
        private: &[String],
    ) -> Self {
        let names = |shape: &TableShape| shape.columns.iter().map(|column| column.name.clone()).collect();
        let names: Sided<Vec<String>> = Sided { before: names(&shapes.before), after: names(&shapes.after) };
        let headers = [
            (names.before.as_slice(), shapes.before.dialect.header),
            (names.after.as_slice(), shapes.after.dialect.header),
        ];
        let private = PrivateColumns::of(private, &headers);
        let places: std::collections::HashMap<&str, usize> =
            names.before.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let common: Vec<_> = shapes
            .after
            .columns
            .iter()
            .enumerate()
            .filter_map(|(after, column)| {
                let before = *places.get(column.name.as_str())?;
                Some(CommonColumn {
                    name: column.name.clone(),
                    place: Sided { before, after },
                    comparison: Comparison::between(shapes.before.columns[before].kind, column.kind),
                    private: private.covers(&column.name),
                })
            })
            .collect();
        let place_of = |name: &String| common.iter().position(|column| column.name == *name);
        let key = key.columns.iter().filter_map(place_of).collect();
        Self { sources, names, common, key, private }
    }

    /// A reader at the beginning of one of the tables.
    pub(super) fn open(&self, side: Side) -> Result<TableReader<Box<dyn Read + 'a>>, TableError> {
        let source: &'a dyn Source = *side.of(&self.sources);
        TableReader::open(source.open()?)
    }

    fn hash_rows(&self, side: Side) -> Result<Vec<HashedRow>, TableError> {
        let mut table = self.open(side)?;
        let mut rows = Vec::new();
        let mut record = Record::default();
        let mut buffer = Vec::new();
        let mut hash = |columns: &mut dyn Iterator<Item = &CommonColumn>, record: &Record| {
            hash_cells(columns.map(|column| (column.cell(side, record), column.comparison)), &mut buffer)
        };
        while table.read(&mut record)? {
            let row = hash(&mut self.common.iter(), &record);
            let key = if self.key.is_empty() {
                row
            } else {
                hash(&mut self.key.iter().map(|place| &self.common[*place]), &record)
            };
            rows.push(HashedRow { key, row, number: table.rows_read() });
        }
        Ok(rows)
    }

    fn repeated_keys(&self, matching: &Matching) -> Sided<Duplicates> {
        if self.key.is_empty() {
            return Sided::default();
        }
        let duplicates = |(keys, rows)| Duplicates { keys, rows };
        Sided { before: duplicates(matching.repeated.before), after: duplicates(matching.repeated.after) }
    }
}
