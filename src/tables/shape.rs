//! The exact facts about a table that a pointer carries: rows, columns, types, nulls. Never a value.

use std::io::{self, Read};

use serde::Serialize;

use super::csv::{Cell, Record, TableReader};
use super::dialect::Dialect;
use super::error::TableError;
use super::key::KeySearch;
use super::shape_builder::ShapeBuilder;
use super::value::{ColumnType, is_plainly, type_of};

/// Bytes that are read at once.
const READ_AT_ONCE: usize = 256 << 10;

/// A pointer is small: shapes of more columns, or of more bytes, stay out of it.
const MOST_COLUMNS_IN_POINTER: usize = 500;
const MOST_BYTES_IN_POINTER: usize = 24 << 10;

/// The rows and columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TableShape {
    /// How it is written.
    pub dialect: Dialect,
    /// Rows, the header not counted.
    pub rows: u64,
    /// Its columns in order.
    pub columns: Vec<ColumnShape>,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// The narrowest type that holds its values.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Cells without a value.
    pub nulls: u64,
}

impl TableShape {
    /// Reads a table to its end.
    ///
    /// # Errors
    ///
    /// [`TableError`] when it is no table.
    pub fn read(mut input: impl Read) -> Result<Self, TableError> {
        let mut builder = ShapeBuilder::default();
        let mut buffer = vec![0; READ_AT_ONCE];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => return builder.finish(),
                Ok(read) => builder.push(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The shape of a table of which all rows were counted.
    pub(super) fn of(
        dialect: Dialect,
        names: Vec<String>,
        rows: u64,
        columns: &[ColumnScan],
    ) -> Result<Self, TableError> {
        if rows > u64::from(u32::MAX) {
            return Err(TableError::TooManyRows);
        }
        let columns = names.into_iter().zip(columns).map(|(name, scan)| scan.shape(name)).collect();
        Ok(Self { dialect, rows, columns })
    }

    /// One line for each column, as a pointer holds them: `species utf8 nulls=12`. `None` for a table so wide that its
    /// shape would not fit. Control characters in names are escaped.
    pub fn pointer_lines(&self) -> Option<Vec<String>> {
        let lines: Vec<_> = self.columns.iter().map(ColumnShape::pointer_line).collect();
        let bytes: usize = lines.iter().map(String::len).sum();
        (lines.len() <= MOST_COLUMNS_IN_POINTER && bytes <= MOST_BYTES_IN_POINTER).then_some(lines)
    }

    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<&ColumnShape> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl ColumnShape {
    fn pointer_line(&self) -> String {
        let name: String = self.name.chars().flat_map(escape_control).collect();
        format!("{name} {} nulls={}", self.kind, self.nulls)
    }
}

fn escape_control(c: char) -> impl Iterator<Item = char> {
    let (escaped, plain) = if c.is_control() { (Some(c.escape_default()), None) } else { (None, Some(c)) };
    escaped.into_iter().flatten().chain(plain)
}

/// Reads all rows for their types, and for what may be a key where that is asked.
pub(super) fn scan<R: Read>(
    mut table: TableReader<R>,
    mut keys: Option<&mut KeySearch>,
) -> Result<TableShape, TableError> {
    let mut columns = vec![ColumnScan::default(); table.names().len()];
    let mut record = Record::default();
    while table.read(&mut record)? {
        for (column, cell) in columns.iter_mut().zip(record.iter()) {
            column.see(cell);
        }
        if let Some(keys) = keys.as_deref_mut() {
            keys.see(&record);
        }
    }
    TableShape::of(table.dialect(), table.names().to_vec(), u64::from(table.rows_read()), &columns)
}

/// What the cells of a column have shown so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ColumnScan {
    kind: ColumnType,
    missing: u64,
    empty_texts: u64,
}

impl ColumnScan {
    /// Takes one more cell.
    pub(super) fn see(&mut self, cell: Cell<'_>) {
        if is_plainly(self.kind, cell.bytes) {
            return;
        }
        match type_of(cell) {
            Some(kind) => self.kind = self.kind.join(kind),
            None if cell.quoted && cell.bytes.is_empty() => self.empty_texts += 1,
            None => self.missing += 1,
        }
    }

    /// Takes what other cells of the same column have shown.
    pub(super) fn add(&mut self, other: Self) {
        self.kind = self.kind.join(other.kind);
        self.missing += other.missing;
        self.empty_texts += other.empty_texts;
    }

    fn shape(self, name: String) -> ColumnShape {
        match self.kind {
            ColumnType::Null if self.empty_texts > 0 => {
                ColumnShape { name, kind: ColumnType::Utf8, nulls: self.missing }
            }
            ColumnType::Utf8 => ColumnShape { name, kind: ColumnType::Utf8, nulls: self.missing },
            kind => ColumnShape { name, kind, nulls: self.missing + self.empty_texts },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_exact() {
        let text = "id,species,mass,seen,ok,none,note\n\
                    1,Adelie,3750.5,2007-11-11,true,,\"\"\n\
                    2,NA,NA,2007-11-12,FALSE,NA,\n\
                    3,Gentoo,5000,NA,\"\",,\"x\"\n";
        let shape = TableShape::read(text.as_bytes()).unwrap();
        let lines = [
            "id int64 nulls=0",
            "species utf8 nulls=1",
            "mass float64 nulls=1",
            "seen date nulls=1",
            "ok bool nulls=1",
            "none null nulls=3",
            "note utf8 nulls=1",
        ];
        assert_eq!((shape.rows, shape.pointer_lines().unwrap()), (3, lines.map(String::from).to_vec()));
    }

    #[test]
    fn odd_names_stay_one_line_and_wide_tables_stay_out() {
        let shape = TableShape::read(&b"\"a\nb\",gr\xc3\xb6\xc3\x9fe\nx,y\n"[..]).unwrap();
        assert_eq!(shape.pointer_lines().unwrap(), ["a\\nb utf8 nulls=0", "größe utf8 nulls=0"]);
        let wide = TableShape::read(vec!["x"; 600].join(",").as_bytes()).unwrap();
        assert_eq!((wide.rows, wide.pointer_lines()), (0, None));
    }
}
