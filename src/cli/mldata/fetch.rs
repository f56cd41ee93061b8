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
    FellBack, Fetched, TransferError, Want, With, fetch_versions, learn_roots, wants, wants_at,
};
use crate::runs::{Recorded, Role, contents_of, find};

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
    /// What this run read and made, instead; repeatable
    #[arg(long, value_name = "RUN")]
    run: Vec<String>,
    /// The points of this run's metrics, where they do not lie in Git, instead; repeatable
    #[arg(long, value_name = "RUN")]
    metrics: Vec<String>,
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
    for (named, points) in
        args.run.iter().map(|run| (run, false)).chain(args.metrics.iter().map(|run| (run, true)))
    {
        wanted.extend(wants_of_run(&workspace, named, &paths, points)?);
    }
    let pointers = args.at.is_empty() && args.run.is_empty() && args.metrics.is_empty();
    if pointers {
        wanted = wants(&workspace, &paths)?;
    }
    let fetched = fetch(context, &workspace, remote.as_deref(), &wanted)?;
    if paths.is_empty() && pointers {
        match learn_roots(&workspace, &remotes::find(&workspace, Some(&fetched.0.remote))?) {
            // What is wrong with that remote is told, and another one gave what was wanted.
            Err(_) if !fetched.0.done.fell_back.is_empty() => {}
            learnt => drop(learnt?),
        }
    }
    let (fetched, took) = fetched;
    context.output.done(args.format.chosen(), &fetched, |page| {
        page.line(format_args!("{}", summary(&fetched, took)))
    })?;
    Ok(tell_missing(context, &fetched))
}

/// The points of a run's metrics, or what it read and made: all of it, or at and below `paths`.
fn wants_of_run(
    workspace: &Workspace,
    named: &str,
    paths: &[RepoPath],
    points: bool,
) -> Result<Vec<Want>, CliError> {
    let recorded = contents_of(&find(workspace.repository(), named)?);
    let recorded = recorded.iter().filter(|found| (found.role == Role::Points) == points);
    let versions = recorded.filter_map(Recorded::version);
    let is_named =
        |path: &RepoPath| paths.is_empty() || paths.iter().any(|named| path.below(named).is_some());
    let wanted = versions.filter(|version| points || is_named(&version.path));
    Ok(wanted
        .map(|version| Want { path: version.path, root: version.root, parts: vec![Vec::new()] })
        .collect())
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

/// Tells what came from elsewhere and what the remotes lack, and the code to end with.
pub(super) fn tell_missing(context: &Context, fetched: &With<Fetched>) -> Exit {
    for FellBack { path, problem, from, .. } in &fetched.done.fell_back {
        context.output.warning(format!("{problem}; '{path}' was brought from '{from}'"));
    }
    for missing in &fetched.done.missing {
        let (path, root) = (missing.path.clone(), missing.root);
        let error = TransferError::NotThere { path, root, remote: fetched.remote.clone() };
        context.tell(&CliError::from(error));
    }
    if fetched.done.missing.is_empty() { Exit::Done } else { Exit::CouldNotDo }
}
