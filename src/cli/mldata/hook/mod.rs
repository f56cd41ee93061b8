//! `git mldata hook NAME`: what the hooks call; nobody types it.
//!
//! Hooks that watch end well whatever happens: what Git has done is done, and a `git switch` that fails because of us would
//! be worse than data that is a step behind. Hooks that guard end with 1 when they refuse.

mod command;
mod guard;
mod lineage;
mod push;
mod watch;

pub(crate) use command::{HookArgs, run};
