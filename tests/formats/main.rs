//! The formats: round trips, golden bytes, hostile input.

mod manifests;
mod trees;
