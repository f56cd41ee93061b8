//! `git mlrun`: one file a subcommand.

mod exec;
mod keeper;
mod lineage;
mod log;
mod ls;
mod show;
mod sync;
mod tool;

pub(crate) use tool::MlRun;
