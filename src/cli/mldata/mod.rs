//! `git mldata`: one file a subcommand.

mod add;
mod at;
mod cat;
mod checkout;
mod demo;
mod diff;
mod drop;
mod du;
mod export;
mod fetch;
mod fsck;
mod fsck_remote;
mod gc;
mod gc_remote;
mod get;
mod hook;
mod hooks;
mod import;
mod init;
mod ls;
mod manual;
mod merge_driver;
mod merge_file;
mod mv;
mod pull;
mod push;
mod remote;
mod resolve;
mod rm;
mod status;
mod tool;
mod uninit;
mod update;

pub(crate) use push::summary as summary_of_push;
pub(crate) use tool::MlData;
