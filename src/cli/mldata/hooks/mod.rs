//! `git mldata hooks`: what Git calls for us, installed and removed.

mod command;

pub(crate) use command::{HooksCommand, run};
