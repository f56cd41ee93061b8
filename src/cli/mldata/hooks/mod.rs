//! `git mldata hooks`, and what the hooks call.

mod command;
mod hook;
mod pre_commit;
mod pre_push;
mod watching;

pub(crate) use command::{HooksCommand, run};
pub(crate) use hook::{HookArgs, run as run_hook};
