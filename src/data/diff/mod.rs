//! What changed in the data between two sides: files, and the rows of tables.
//!
//! What a demanding reviewer expects, and where it is kept:
//!
//! - the two sides are Git's: the work tree, the index, commits, a merge base ([`Sides`]);
//! - two directories of a million files are compared where they differ, not file by file: equal subtrees have equal ids;
//! - a file that moved is told as moved, also out of one tracked path into another ([`ChangeKind::Renamed`]);
//! - a table is compared by rows and cells, by the key that the team declared; private columns are counted, never shown,
//!   and a version that makes a column public does not show it in its own diff ([`TableChange::Rows`]);
//! - what is not here is told as not here, with what the pointers say of it, never guessed ([`Change::not_here`]);
//! - absent data is not deleted data: what was never brought here is as the pointer names it.
//!
//! Contents are read as streams, the store's verified by their ids.

mod columns;
mod compare;
mod content;
mod error;
mod rename;
mod result;
mod rows;
mod side;
mod worktree;

pub use columns::{ColumnLine, ColumnsChange};
pub use compare::{DiffOptions, diff};
pub use error::DiffError;
pub use result::{
    Change, ChangeKind, DataDiff, FileFacts, FileKind, NotHere, RowTotals, SideName, TableChange, Totals,
};
pub use side::Sides;
