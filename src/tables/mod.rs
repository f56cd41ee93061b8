//! Rows and columns of delimited text, from any reader; knows no store and no Git.
//!
//! What a demanding reviewer expects of a table diff, and where it is kept:
//!
//! - no row is dropped, whatever its key: rows with one key are grouped, matched and counted ([`row_diff()`]);
//! - a table that was only sorted differently is called that, not a thousand moves ([`TableDiff::is_order_only`]);
//! - `1` and `1.0` in a column of numbers are one value, `""`, nothing and `NA` are three ([`Comparison`]);
//! - the key is named together with how it was found ([`KeyUse`]);
//! - what is private stays inside: such columns are counted, never shown ([`Shown::Private`]);
//! - a table of any length is read as a stream: per row 36 bytes stay in memory, never its text.
//!
//! All results serialize; none contains text for people.

mod cell_diff;
mod column;
mod csv;
mod dialect;
mod error;
mod key;
pub mod merge;
mod private;
mod row_diff;
mod row_match;
mod sample;
mod shape;
mod shape_builder;
mod source;
mod value;

pub use column::{Column, ColumnValues, MOST_CATEGORIES, read_columns};
pub use csv::{Cell, Record, TableReader};
pub use dialect::Dialect;
pub use error::{Side, Sided, TableDiffError, TableError};
pub use key::{KeyOrigin, KeyUse};
pub use row_diff::{
    ColumnDiff, DiffOptions, Duplicates, RetypedColumn, RowCounts, SchemaDiff, TableDiff, row_diff,
};
pub use sample::{CellChange, RowSample, RowSampleKind, Shown};
pub use shape::{ColumnShape, TableShape};
pub use shape_builder::ShapeBuilder;
pub use source::Source;
pub use value::{ColumnType, Comparison};
