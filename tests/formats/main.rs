//! The formats: round trips, golden bytes, hostile input.
#![allow(clippy::unwrap_used, reason = "tests")]

mod drift;
mod manifests;
mod places;
mod pointers;
mod records;
mod tables;
mod trees;
