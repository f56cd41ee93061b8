//! `git mldata remote`: the places where data is kept.

mod add;
mod command;
mod copy;
mod forget;
mod list;
mod remove;
mod trust;

pub(crate) use command::{RemoteCommand, run};
