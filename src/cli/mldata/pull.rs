//! `git mldata pull`: contents from a remote into the work tree. All that a newcomer types after `git clone`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::{Format, FormatOptions};
use crate::cli::report::Outcome;
use crate::data::Workspace;
use crate::data::checkout::{CheckoutOptions, Modified, checkout};
use crate::data::remotes;
use crate::data::setup;
use crate::data::transfer::{fetch_versions, wants};

use super::{checkout as rendering, fetch, init};

/// Bring data from a remote into the work tree
///
/// Fetches what the pointers name and the store lacks, and writes it. A clone that is not set up yet gets its hooks and
/// settings on the way (not in CI). Modified files stay as they are.
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// The data remote (if it names one; else it is a path), then tracked paths or paths inside tracked directories
    #[arg(value_name = "[REMOTE] PATH")]
    names: Vec<PathBuf>,
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
    if !args.no_setup && std::env::var_os("CI").is_none() {
        set_up(context, &workspace)?;
    }
    let (remote, paths) = split(&workspace, &args.names)?;
    let paths = context.paths(paths)?;
    let wanted = wants(&workspace, &paths)?;
    let fetched = fetch_versions(&workspace, remote.as_deref(), &wanted, &context.progress)?;
    if args.format.chosen() == Format::Text && fetched.done.items > 0 {
        context.output.done(Format::Text, &fetched, |page| fetch::write(page, &fetched))?;
    }
    let missing = fetch::tell_missing(context, &fetched);
    let options = CheckoutOptions { modified: Modified::Refuse, outside_links: args.outside_links };
    let done = checkout(&workspace, &paths, options, &context.progress)?;
    let left = rendering::tell(context, args.format.chosen(), &done)?;
    Ok(if missing == Exit::Done { left } else { missing })
}

/// Whether the first name is a remote's, as in `git pull REMOTE …`.
fn split<'a>(
    workspace: &Workspace,
    names: &'a [PathBuf],
) -> Result<(Option<String>, &'a [PathBuf]), crate::cli::report::CliError> {
    let remotes = remotes::list(workspace)?;
    let first = names.first().and_then(|name| name.to_str());
    match first.filter(|first| remotes.iter().any(|remote| remote.name == *first)) {
        Some(remote) => Ok((Some(remote.to_owned()), &names[1..])),
        None => Ok((None, names)),
    }
}

fn set_up(context: &Context, workspace: &Workspace) -> Result<(), crate::cli::report::CliError> {
    if setup::is_set_up(workspace) || workspace.repository().team_file()?.is_none() {
        return Ok(());
    }
    let done = setup::set_up_clone(workspace, true)?;
    context.output.note("set up this clone: hooks and settings (git mldata init --undo removes them)");
    init::tell_refused_hooks(context, &done);
    Ok(())
}
