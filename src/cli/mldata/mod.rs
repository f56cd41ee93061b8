//! `git mldata`: one file a subcommand.

mod manual;
mod tool;

pub(crate) use tool::MlData;
