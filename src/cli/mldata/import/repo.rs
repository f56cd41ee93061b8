//! `git mldata import repo`: data of another repository.

use std::path::PathBuf;

use clap::Args;

use crate::base::RepoPath;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;
use crate::data::source::import_repo;

use super::tell;

/// Bring data out of another repository, and track it
///
/// Of the other repository only the commit and the pointer are read; the data comes from its remotes, or from its store where
/// it lies on this machine. Repository, path and commit stand in the pointer, so that 'git mldata update' can ask for newer
/// data.
#[derive(Debug, Args)]
pub(crate) struct RepoArgs {
    /// The other repository, as 'git clone' takes it
    #[arg(value_name = "REPO")]
    repo: String,
    /// The tracked path there, or a path inside a tracked directory
    #[arg(value_name = "PATH")]
    path: String,
    /// Its branch, tag or commit; its HEAD if not given
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// Where the data is to be; the last part of PATH if not given
    #[arg(short = 'o', long, value_name = "DEST")]
    output: Option<PathBuf>,
    /// Tell what would come, and bring nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &RepoArgs) -> Outcome {
    let workspace = context.workspace()?;
    let there =
        RepoPath::new(args.path.trim_end_matches('/')).map_err(crate::data::source::SourceError::from)?;
    let to = args.output.clone().unwrap_or_else(|| PathBuf::from(there.name()));
    let to = if to.is_dir() { to.join(there.name()) } else { to };
    let path = workspace.repository().resolve(&to)?;
    let rev = args.rev.as_deref();
    let done = import_repo(&workspace, &args.repo, &there, rev, &path, args.dry_run, &context.progress)?;
    tell(context, args.format.chosen(), &done)?;
    Ok(Exit::Done)
}
