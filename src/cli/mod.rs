//! Arguments, wording, exit codes: what people and scripts see of the crate. The only user of clap and indicatif.
//!
//! What a demanding user expects here is what Git taught them: data on stdout and all else on stderr; `error:` and
//! `hint:` lines in lower case, with the command that helps; 0 done, 1 the answer is no, 128 could not do it, 129 wrong
//! use; nothing drawn where nobody looks; a closed pipe is no error.
//!
//! A subcommand is one file under the folder of its tool: a struct of arguments whose doc comments are the help, and one
//! function that translates them, calls the domain, and shows the result. Domain operations return typed structs; every
//! word that is printed is chosen here.

mod age;
mod amounts;
mod context;
mod escape;
mod exit;
mod invocation;
mod manual;
mod mldata;
mod mlmodel;
mod mlrun;
mod options;
mod output;
mod page;
mod progress_bar;
mod progress_event;
mod recorded;
mod report;
mod usage;

pub use invocation::{Tool, command, main};
