//! `git mldata fetch`: data into the store.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use crate::base::RepoPath;
use crate::cli::amounts::{counted, duration, rate, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::{CliError, Outcome};
use crate::data::Workspace;
use crate::data::remotes;
use crate::data::transfer::{
    Fetched, TransferError, Want, With, fetch_versions, learn_roots, wants, wants_at,
};

/// Bring data into the store, without touching the work tree
///
/// Brings what the pointers of the work tree name. Of a directory, a part can be brought alone. Without paths it is also
/// learnt anew which versions the remote has, for 'git mldata status'.
#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// A data remote, then tracked paths or paths inside tracked directories; a first word that is the name of a remote
    /// means the remote (write './NAME' for a path of that name)
    #[arg(value_name = "[REMOTE] PATH")]
    words: Vec<String>,
    /// What the pointers of this revision name, instead of those of the work tree; repeatable
    #[arg(long, value_name = "REV")]
    at: Vec<String>,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &FetchArgs) -> Outcome {
    let workspace = context.workspace()?;
    let (remote, paths) = remote_and_paths(context, &workspace, &args.words)?;
    let mut wanted = Vec::new();
    for revision in &args.at {
        wanted.extend(wants_at(&workspace, revision, &paths)?);
    }
    if args.at.is_empty() {
        wanted = wants(&workspace, &paths)?;
    }
    let fetched = fetch(context, &workspace, remote.as_deref(), &wanted)?;
    if paths.is_empty() {
        learn_roots(&workspace, &remotes::find(&workspace, Some(&fetched.0.remote))?)?;
    }
    let (fetched, took) = fetched;
    context.output.done(args.format.chosen(), &fetched, |page| {
        page.line(format_args!("{}", summary(&fetched, took)))
    })?;
    Ok(tell_missing(context, &fetched))
}

/// Takes the name of a remote off the front, where there is one.
pub(super) fn remote_and_paths(
    context: &Context,
    workspace: &Workspace,
    words: &[String],
) -> Result<(Option<String>, Vec<RepoPath>), CliError> {
    let known = remotes::list(workspace)?;
    let remote = words.first().filter(|first| known.iter().any(|remote| remote.name == **first));
    let paths: Vec<PathBuf> = words.iter().skip(usize::from(remote.is_some())).map(PathBuf::from).collect();
    Ok((remote.cloned(), context.paths(&paths)?))
}

/// Brings versions, and tells how long it took.
pub(super) fn fetch(
    context: &Context,
    workspace: &Workspace,
    remote: Option<&str>,
    wants: &[Want],
) -> Result<(With<Fetched>, Duration), CliError> {
    let start = Instant::now();
    let fetched = fetch_versions(workspace, remote, wants, &context.progress)?;
    Ok((fetched, start.elapsed()))
}

/// One line: what, how much, how fast.
pub(super) fn summary(fetched: &With<Fetched>, took: Duration) -> String {
    let With { remote, done } = fetched;
    if done.items == 0 {
        return format!("nothing new from '{remote}' ({} here)", counted(done.known, "version"));
    }
    let versions = counted(done.versions, "version");
    format!(
        "fetched {versions} from '{remote}': {}, {}{}",
        size(done.bytes),
        duration(took),
        rate(done.bytes, took)
    )
}

/// Tells what the remote lacks, and the code to end with.
pub(super) fn tell_missing(context: &Context, fetched: &With<Fetched>) -> Exit {
    for missing in &fetched.done.missing {
        let (path, root) = (missing.path.clone(), missing.root);
        let error = TransferError::NotThere { path, root, remote: fetched.remote.clone() };
        context.tell(&CliError::from(error));
    }
    if fetched.done.missing.is_empty() { Exit::Done } else { Exit::CouldNotDo }
}
