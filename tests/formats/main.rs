//! The formats: round trips, golden bytes, hostile input.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may write files, tell what it skips and panic as it likes"
)]

mod drift;
mod golden;
mod hostile;
mod manifests;
mod places;
mod pointers;
mod records;
mod runs;
mod second_reader;
mod tables;
mod trees;
