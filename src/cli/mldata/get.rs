//! `git mldata get`: data of another repository, as plain files.

use std::path::PathBuf;

use clap::Args;

use crate::base::RepoPath;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;
use crate::data::source::{SourceError, get};

use super::import::tell;

/// Get data out of another repository, without cloning it
///
/// Of the other repository only the commit, 'ml.toml' and the pointer are read; the data comes from its remotes (or from its store
/// where it lies on this machine), is verified, and is written as plain files. Works outside of any repository.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The other repository, as 'git clone' takes it
    #[arg(value_name = "REPO")]
    repo: String,
    /// The tracked path there, or a path inside a tracked directory
    #[arg(value_name = "PATH")]
    path: String,
    /// Its branch, tag or commit; its HEAD if not given
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// The new name, or a folder to write into; the current folder if not given
    #[arg(short = 'o', long, value_name = "DEST", default_value = ".", hide_default_value = true)]
    output: PathBuf,
    /// Replace files that lie there
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &GetArgs) -> Outcome {
    let there = RepoPath::new(args.path.trim_end_matches('/')).map_err(SourceError::from)?;
    let rev = args.rev.as_deref();
    let done = get(&args.repo, &there, rev, &args.output, args.force, &context.progress)?;
    tell(context, args.format.chosen(), &done)?;
    Ok(Exit::Done)
}
