//! `git mldata pull`: fetch, then checkout; all that a newcomer types.

use clap::Args;

use crate::base::RepoPath;
use crate::cli::context::{Context, in_ci};
use crate::cli::exit::Exit;
use crate::cli::options::{Format, FormatOptions};
use crate::cli::report::{CliError, Outcome};
use crate::data::Workspace;
use crate::data::checkout::{CheckoutOptions, Modified, checkout};
use crate::data::remotes;
use crate::data::setup::{is_set_up, set_up_clone};
use crate::data::transfer::wants;

use super::checkout::tell;
use super::fetch::{fetch, remote_and_paths, summary, tell_missing};
use super::init::tell_refused_hooks;

/// Bring data into the work tree
///
/// Brings what the pointers of the work tree name: first into the store, then into the work tree. Of a directory, a part can
/// be brought alone. Modified files stay as they are. A clone that was not set up is set up first (hooks, runs of others).
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// A data remote, then tracked paths or paths inside tracked directories; a first word that is the name of a remote
    /// means the remote (write './NAME' for a path of that name)
    #[arg(value_name = "[REMOTE] PATH")]
    words: Vec<String>,
    /// Do not set this clone up
    #[arg(long)]
    no_setup: bool,
    /// Write links that lead out of the data, too
    #[arg(long)]
    outside_links: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &PullArgs) -> Outcome {
    let workspace = context.workspace()?;
    let (remote, paths) = remote_and_paths(context, &workspace, &args.words)?;
    remotes::team_file(&workspace)?;
    if !args.no_setup && !in_ci() && !is_set_up(&workspace) {
        set_up(context, &workspace)?;
    }
    let (fetched, took) = fetch(context, &workspace, remote.as_deref(), &wants(&workspace, &paths)?)?;
    let missing = tell_missing(context, &fetched);
    let format = args.format.chosen();
    if format == Format::Text && fetched.done.items > 0 {
        context.output.note(summary(&fetched, took));
    }
    let found: Vec<RepoPath> = match missing {
        Exit::Done => paths,
        // What is missing was told: the rest is brought all the same.
        _ => rest(
            context,
            &workspace,
            &paths,
            &fetched.done.missing.iter().map(|it| &it.path).collect::<Vec<_>>(),
        )?,
    };
    if missing != Exit::Done && found.is_empty() {
        return Ok(missing);
    }
    let options = CheckoutOptions { modified: Modified::Refuse, outside_links: args.outside_links };
    let done = checkout(&workspace, &found, options, &context.progress)?;
    let exit = tell(context, format, &done)?;
    Ok(if exit == Exit::Done { missing } else { exit })
}

/// The tracked paths at or below `paths` that are not among `missing`.
fn rest(
    context: &Context,
    workspace: &Workspace,
    paths: &[RepoPath],
    missing: &[&RepoPath],
) -> Result<Vec<RepoPath>, CliError> {
    let status = crate::data::status::status(workspace, paths, &[], &context.progress)?;
    Ok(status.paths.into_iter().map(|path| path.path).filter(|path| !missing.contains(&path)).collect())
}

fn set_up(context: &Context, workspace: &Workspace) -> Result<(), CliError> {
    let done = set_up_clone(workspace, true)?;
    context.output.note("set up this clone: hooks, runs of others (git mldata init --undo takes it back)");
    tell_refused_hooks(context, &done);
    Ok(())
}
