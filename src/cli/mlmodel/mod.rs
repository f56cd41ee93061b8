//! `git mlmodel`: one file a subcommand.

mod ls;
mod promote;
mod register;
mod show;
mod tool;

pub(crate) use tool::MlModel;
