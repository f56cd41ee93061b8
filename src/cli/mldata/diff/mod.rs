//! `git mldata diff`: what changed in the data, for those who review it.

mod arguments;
mod command;
mod flow;
mod listing;
mod stat;
mod table;

pub(crate) use command::{DiffArgs, run};
