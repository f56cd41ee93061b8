//! One version of a table whose columns and types are known.

use std::io::Read;

use crate::tables::csv::TableReader;
use crate::tables::error::TableError;
use crate::tables::key::KeySearch;
use crate::tables::shape::{TableShape, scan};
use crate::tables::source::Source;

/// A version that was read once.
pub(super) struct Scanned<'a> {
    source: &'a dyn Source,
    pub(super) shape: TableShape,
    /// What may be a key.
    pub(super) search: KeySearch,
    /// There is no table at all: two versions without a common ancestor.
    is_void: bool,
}

impl<'a> Scanned<'a> {
    /// Reads a version; an empty file is a version without columns if `may_be_void`.
    pub(super) fn read(source: &'a dyn Source, may_be_void: bool) -> Result<Self, TableError> {
        let mut search = KeySearch::new();
        match TableReader::open(source.open()?) {
            Ok(table) => {
                let shape = scan(table, Some(&mut search))?;
                Ok(Self { source, shape, search, is_void: false })
            }
            Err(TableError::Empty) if may_be_void => {
                let shape = TableShape::default();
                Ok(Self { source, shape, search, is_void: true })
            }
            Err(error) => Err(error),
        }
    }

    /// A reader at its beginning; `None` where there is no table.
    pub(super) fn open(&self) -> Result<Option<TableReader<Box<dyn Read + 'a>>>, TableError> {
        let source: &'a dyn Source = self.source;
        if self.is_void { Ok(None) } else { TableReader::open(source.open()?).map(Some) }
    }
}
