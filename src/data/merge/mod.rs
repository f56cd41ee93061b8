//! Merges of data: what two versions made of a third.
//!
//! - [`merge_file()`]: three files of a table into one, as `git merge-file` does for lines.

mod file;

pub use file::{FileMerge, FileMergeError, MergedFile, Taken, conflict_file, merge_file};
