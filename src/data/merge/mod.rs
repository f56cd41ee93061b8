//! Merges of data: what two versions made of a third.
//!
//! - [`merge_file()`]: three files of a table into one, as `git merge-file` does for lines;
//! - [`merge_pointers`]: three versions of tracked data: directories by path, tables by rows;
//! - [`drive`]: the same as Git's merge driver;
//! - [`resolve()`]: ends the conflicts that are left.

mod content;
mod driver;
mod error;
mod file;
mod note;
mod pointers;
mod resolve;

pub use driver::{DriverCall, drive};
pub use error::MergeError;
pub use file::{FileMerge, FileMergeError, MergedFile, Taken, conflict_file, merge_file};
pub use note::note_file;
pub use pointers::{About, FileConflict, MergedPointer, PathConflict, merge_pointers};
pub use resolve::{Resolved, conflicts_of, resolve};
