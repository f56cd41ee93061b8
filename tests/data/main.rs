//! Data under attack: everything that a user does with it, with real repositories and remotes that lie, fail and forget.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, write files and tell what it skips"
)]

mod ablations;
mod agents;
mod checked_remote;
mod collected;
mod folded;
mod full_disk;
mod hostile;
mod interleaved;
mod interrupted;
mod modified;
mod part;
mod round_trips;
mod second_versions;
mod skipped;
mod team;
mod vanishing;
mod whole;
mod world;
