//! `git mlrun`: one file a subcommand.

mod check;
mod exec;
mod keeper;
mod lineage;
mod log;
mod ls;
mod sharing;
mod show;
mod sync;
mod tool;

pub(crate) use tool::MlRun;
