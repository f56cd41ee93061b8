//! The storage layer as a whole: one behaviour suite over every kind of remote, and services that fail.
//!
//! A bucket takes part when `GIT_ML_TEST_S3_ENDPOINT`, `GIT_ML_TEST_S3_BUCKET`, `AWS_ACCESS_KEY_ID` and
//! `AWS_SECRET_ACCESS_KEY` are set.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and tell what it skips")]

mod behaviour;
mod canned;
mod failing;
mod full_disk;
mod places;
mod reading;
mod store;
mod users;
