//! `git mldata diff`: what changed in the data.

mod command;
mod report;
mod table;

pub(crate) use command::{DiffArgs, run};
