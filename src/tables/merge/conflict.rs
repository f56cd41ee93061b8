//! What two versions changed differently, and what each of them says.

use serde::{Serialize, Serializer};

use crate::tables::sample::Shown;
use crate::tables::value::ColumnType;

use super::three::Three;

/// What kind of conflict it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Both changed one cell, to different values.
    Cell,
    /// Both changed one row, and rows are merged whole.
    Row,
    /// Both added a row with this key, with another value in this column.
    AddAdd,
    /// Ours changed the row, theirs deleted it: it stays.
    EditDelete,
    /// Ours deleted the row, theirs changed it: it stays deleted.
    DeleteEdit,
    /// Ours changed the cell, theirs dropped its column: it stays.
    EditDrop,
    /// Ours dropped the column, theirs changed a cell of it: it stays dropped.
    DropEdit,
    /// Both gave the column another type, or added it with different types.
    ColumnType,
    /// Both gave the column another name.
    ColumnName,
    /// Without a key: both changed how often this row stands there, to different numbers.
    Count,
    /// A key stands more than once, so rows cannot be told apart: the whole table stays as ours has it.
    DuplicateKey,
    /// Columns were dropped or renamed, and no key tells which row is which: the whole table stays as ours has it.
    NoKey,
    /// One version added a column by a name that the other gave to another column: the whole table stays as ours has it.
    SameName,
}

/// Cells by the names of their columns; serializes as a map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedCells(pub Vec<(String, Shown)>);

impl Serialize for NamedCells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// What one version says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// A cell.
    Cell(Shown),
    /// A row.
    Row(NamedCells),
    /// How often a row stands there.
    Count(u64),
    /// The type of a column.
    Type(ColumnType),
    /// The name of a column.
    Name(String),
    /// It has no such row or column.
    Absent,
}

/// One conflict. The merged table has what ours says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// What kind it is.
    pub kind: ConflictKind,
    /// The key of the row; empty where it is no conflict of one row.
    pub key: NamedCells,
    /// The column, where it is a conflict of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What the versions say.
    #[serde(flatten)]
    pub said: Three<Said>,
}
