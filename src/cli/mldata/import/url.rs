//! `git mldata import url`: a file at an address.

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;
use crate::data::source::{ImportOptions, import_url};

use super::tell;

/// Bring a file from an address, and track it
///
/// The address is one of the web, of a bucket (s3://…, gs://…, az://…), of a server (sftp://…, webdavs://…), or a file. Where it
/// came from, and which version it was, stands in the pointer, so that 'git mldata update' can ask for a newer one; user,
/// password and parameters that look like secrets do not. Credentials come from where those of remotes come from.
#[derive(Debug, Args)]
pub(crate) struct UrlArgs {
    /// Where the file is
    #[arg(value_name = "URL")]
    url: String,
    /// Where it is to be
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Replace the file that lies there
    #[arg(short, long)]
    force: bool,
    /// Tell what would come, and bring nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &UrlArgs) -> Outcome {
    let workspace = context.workspace()?;
    let path = workspace.repository().resolve(&args.path)?;
    let options = ImportOptions { force: args.force, dry_run: args.dry_run };
    let done = import_url(&workspace, &args.url, &path, options, &context.progress)?;
    tell(context, args.format.chosen(), &done)?;
    if done.shortened {
        context.output.note(format!(
            "the pointer names '{}' alone: the parameters of the address look like secrets",
            done.from
        ));
    }
    Ok(Exit::Done)
}
