//! `git mldata`: one file a subcommand.

mod add;
mod at;
mod cat;
mod checkout;
mod ls;
mod manual;
mod mv;
mod remote;
mod rm;
mod status;
mod tool;

pub(crate) use tool::MlData;
