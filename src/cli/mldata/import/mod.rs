//! `git mldata import`: data out of other tools and from elsewhere. One file a source.

mod dvc;
mod lfs;
mod repo;
mod url;

use clap::Subcommand;

use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::options::Format;
use crate::cli::report::{CliError, Outcome};
use crate::data::source::Imported;

/// Take data over from other tools, or from elsewhere
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum ImportCommand {
    Dvc(dvc::DvcArgs),
    Lfs(lfs::LfsArgs),
    Url(url::UrlArgs),
    Repo(repo::RepoArgs),
}

pub(crate) fn run(context: &Context, command: &ImportCommand) -> Outcome {
    match command {
        ImportCommand::Dvc(args) => dvc::run(context, args),
        ImportCommand::Lfs(args) => lfs::run(context, args),
        ImportCommand::Url(args) => url::run(context, args),
        ImportCommand::Repo(args) => repo::run(context, args),
    }
}

/// Tells what came from elsewhere.
pub(super) fn tell(context: &Context, format: Format, done: &Imported) -> Result<(), CliError> {
    context.output.done(format, done, |page| {
        let path = done.path.display().to_string();
        let (files, bytes) = (counted(done.files, "file"), size(done.bytes));
        page.line(format_args!("'{}' from '{}': {files}, {bytes}", escape(&path), escape(&done.from)))
    })
}
