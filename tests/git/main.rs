//! The `git` layer against real Git: what we write, Git must read; what Git does, we must see.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test may write files and panic as it likes"
)]

mod checks;
mod hooks;
mod index;
mod objects;
mod opening;
mod pointers;
mod refs;
mod registry;
mod runs;
mod runs_lineage;
mod runs_sync;
mod sandbox;
mod team_file;
mod transport;
mod work_tree;
