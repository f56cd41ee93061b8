//! Single columns with their values, for statistics.

use std::collections::BTreeMap;

use super::csv::{Record, TableReader};
use super::error::TableError;
use super::private::PrivateColumns;
use super::shape::TableShape;
use super::source::Source;
use super::value::{ColumnType, float_of, int_of, trimmed, type_of};

/// A column of text with more different values than this is no column of categories: an id, or free text.
pub const MOST_CATEGORIES: usize = 10_000;

/// The values of one column. It does not serialize: values leave only as what statistics make of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
    /// What stands in it.
    pub values: ColumnValues,
    /// Cells without a value.
    pub nulls: u64,
    /// Whether no value of it may be shown.
    pub private: bool,
}

/// What stands in a column, nulls left out.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Numbers, in the order of the rows. (Whole numbers beyond 2^53 are rounded.)
    Numbers(Vec<f64>),
    /// Texts, truth values or days, and how often each stands there.
    Categories(BTreeMap<String, u64>),
    /// More than [`MOST_CATEGORIES`] different texts.
    TooMany,
}

impl Column {
    /// Rows with a value.
    pub fn len(&self) -> u64 {
        match &self.values {
            ColumnValues::Numbers(numbers) => numbers.len() as u64,
            ColumnValues::Categories(counts) => counts.values().sum(),
            ColumnValues::TooMany => MOST_CATEGORIES as u64,
        }
    }

    /// Whether no row has a value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads the columns of a table, twice: for types, then for values. Memory is eight bytes for each number.
///
/// # Errors
///
/// [`TableError`] when it is no table.
pub fn read_columns(source: &dyn Source, private: &[String]) -> Result<Vec<Column>, TableError> {
    let shape = TableShape::read(source.open()?)?;
    let mut table = TableReader::open(source.open()?)?;
    if table.names().len() != shape.columns.len() {
        return Err(TableError::ChangedWhileRead);
    }
    let private = PrivateColumns::of(private, &[(table.names(), shape.dialect.header)]);
    let mut columns: Vec<_> = shape
        .columns
        .into_iter()
        .map(|column| Column {
            private: private.covers(&column.name),
            values: match column.kind {
                ColumnType::Int64 | ColumnType::Float64 => ColumnValues::Numbers(Vec::new()),
                _ => ColumnValues::Categories(BTreeMap::new()),
            },
            name: column.name,
            kind: column.kind,
            nulls: column.nulls,
        })
        .collect();
    let mut record = Record::default();
    while table.read(&mut record)? {
        for (column, cell) in columns.iter_mut().zip(record.iter()) {
            let is_empty_text = column.kind == ColumnType::Utf8 && cell.quoted && cell.bytes.is_empty();
            if type_of(cell).is_some() || is_empty_text {
                column.values.take(cell.bytes, column.kind);
            }
        }
    }
    Ok(columns)
}

impl ColumnValues {
    fn take(&mut self, cell: &[u8], kind: ColumnType) {
        match self {
            Self::Numbers(numbers) => {
                let text = trimmed(cell);
                numbers.extend(int_of(text).map(|number| number as f64).or_else(|| float_of(text)));
            }
            Self::Categories(counts) => {
                let text = String::from_utf8_lossy(cell);
                let text = if kind == ColumnType::Bool { text.trim().to_lowercase().into() } else { text };
                match counts.get_mut(text.as_ref()) {
                    Some(count) => *count += 1,
                    None => _ = counts.insert(text.into_owned(), 1),
                }
                if counts.len() > MOST_CATEGORIES {
                    *self = Self::TooMany;
                }
            }
            Self::TooMany => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbers_or_counted_categories() {
        let text = "mass,species,ok,email\n3750,Adelie,True,a@x\nNA,Gentoo,true,b@x\n5000.5,Adelie,,\n";
        let columns = read_columns(&text.as_bytes(), &["email".to_owned()]).unwrap();
        let counts = |pairs: &[(&str, u64)]| {
            ColumnValues::Categories(pairs.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect())
        };
        assert_eq!((&columns[0].values, columns[0].nulls), (&ColumnValues::Numbers(vec![3750.0, 5000.5]), 1));
        assert_eq!(columns[1].values, counts(&[("Adelie", 2), ("Gentoo", 1)]));
        assert_eq!((&columns[2].values, columns[2].nulls), (&counts(&[("true", 2)]), 1));
        assert_eq!((columns[3].private, columns[3].len(), columns[0].private), (true, 2, false));
    }

    #[test]
    fn ids_are_no_categories() {
        let rows: Vec<_> = (0..=MOST_CATEGORIES).map(|row| format!("bird {row}\n")).collect();
        let text = format!("name\n{}", rows.concat());
        assert_eq!(read_columns(&text.as_bytes(), &[]).unwrap()[0].values, ColumnValues::TooMany);
    }
}
