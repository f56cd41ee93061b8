//! `git mldata fetch`: contents into the store, the work tree untouched.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::base::{Advice, Digest, RepoPath};
use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::Page;
use crate::cli::report::{CliError, Outcome};
use crate::data::remotes;
use crate::data::transfer::{Fetched, With, fetch_versions, learn_roots, wants};

/// Bring contents into the store
///
/// Brings what the pointers of the work tree name and the store lacks; the work tree is not touched. Also learns which
/// versions the remote has, for 'git mldata status'.
#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// Tracked paths, or paths inside tracked directories; all if not given
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The data remote; if not given the default one, then the others
    #[arg(short, long, value_name = "REMOTE")]
    remote: Option<String>,
    #[command(flatten)]
    format: FormatOptions,
}

/// A version that no remote has.
#[derive(Debug, thiserror::Error)]
#[error("'{path}' ({}) is not on '{remote}'", root.short())]
pub(super) struct NotThereError {
    path: RepoPath,
    root: Digest,
    remote: String,
}

impl Advice for NotThereError {
    fn hints(&self) -> Vec<String> {
        vec!["whoever made this version: git mldata push".into()]
    }
}

pub(crate) fn run(context: &Context, args: &FetchArgs) -> Outcome {
    let workspace = context.workspace()?;
    let wanted = wants(&workspace, &context.paths(&args.paths)?)?;
    let remote = args.remote.as_deref();
    let done = fetch_versions(&workspace, remote, &wanted, &context.progress)?;
    learn_roots(&workspace, &remotes::find(&workspace, remote)?)?;
    context.output.done(args.format.chosen(), &done, |page| write(page, &done))?;
    Ok(tell_missing(context, &done))
}

pub(super) fn write(page: &mut Page<'_>, fetched: &With<Fetched>) -> io::Result<()> {
    let With { remote, done } = fetched;
    match done.items {
        0 if done.missing.is_empty() => page.line(format_args!("nothing to fetch: the store has it all")),
        0 => Ok(()),
        _ => {
            let (versions, bytes) = (counted(done.versions, "version"), size(done.bytes));
            page.line(format_args!("fetched {bytes} of {versions} from '{remote}'"))
        }
    }
}

/// Says which versions could not be had.
pub(super) fn tell_missing(context: &Context, fetched: &With<Fetched>) -> Exit {
    for missing in &fetched.done.missing {
        let (path, root, remote) = (missing.path.clone(), missing.root, fetched.remote.clone());
        context.tell(&CliError::from(NotThereError { path, root, remote }));
    }
    if fetched.done.missing.is_empty() { Exit::Done } else { Exit::CouldNotDo }
}
