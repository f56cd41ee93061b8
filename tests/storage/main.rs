//! The storage layer as a whole: one behaviour suite over every kind of remote, and services that fail.
//!
//! The services of `tests/run` take part where their variables are set.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and tell what it skips")]

mod behaviour;
mod canned;
mod failing;
mod full_disk;
mod places;
mod reading;
mod store;
mod users;
mod web;
