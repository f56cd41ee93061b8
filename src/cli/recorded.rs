//! Contents that only the logs of runs name: they are not removed, and points of metrics are on a data remote before the
//! logs that name them are on a Git remote.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use crate::base::Advice;
use crate::cli::amounts::counted;
use crate::cli::context::Context;
use crate::cli::mldata::summary_of_push;
use crate::cli::report::CliError;
use crate::data::collect::other_clones;
use crate::data::transfer::push_beside;
use crate::data::versions::Version;
use crate::data::{RootName, Workspace};
use crate::git::Repository;
use crate::models::git_remote;
use crate::runs::{Logs, Recorded, RecordedContents, Role, has_news, recorded_contents};

/// Sends the points that the log of this clone names, where it is about to go to the Git remote `remote` (`None`: the one
/// that 'git fetch' would use). That it fails stops nothing: the points are safe here, and it is said.
pub(crate) fn send_points(context: &Context, repository: &Repository, remote: Option<&str>) {
    if let Err(error) = try_to_send(context, repository, remote) {
        context.warn("points of metrics lie only here", &error);
        context.hint("git mldata push      tries again");
    }
}

fn try_to_send(context: &Context, repository: &Repository, remote: Option<&str>) -> Result<(), CliError> {
    let Some(remote) = git_remote(repository, remote) else { return Ok(()) };
    if repository.is_bare() || !has_news(repository, &remote)? {
        return Ok(());
    }
    let recorded = recorded_contents(repository, Logs::Own)?.contents;
    let points = recorded.iter().filter(|found| found.role == Role::Points);
    let versions: Vec<_> = points.filter_map(Recorded::version).collect();
    if versions.is_empty() {
        return Ok(());
    }
    let begun = Instant::now();
    if let Some(pushed) = push_beside(&context.workspace()?, versions, &context.progress)?
        && !pushed.done.sent.is_empty()
    {
        let told = summary_of_push(&pushed.remote, &pushed.done, false, begun.elapsed());
        context.output.note(format!("points of metrics: {told}"));
    }
    Ok(())
}

/// Contents that runs name and that must be here or on a remote: those of the runs that this clone recorded, and of the runs
/// of others those of which something is here. Points of metrics, or with `all` whatever runs read and made, too.
pub(crate) fn recorded_here(
    context: &Context,
    workspace: &Workspace,
    all: bool,
) -> Result<Vec<Version>, CliError> {
    let repository = workspace.repository();
    let RecordedContents { contents, unreadable } = recorded_contents(repository, Logs::All)?;
    if unreadable > 0 {
        let runs = counted(unreadable, "run");
        context.output.warning(format!("what {runs} name is not checked: this program cannot read them"));
    }
    let own: HashSet<_> =
        recorded_contents(repository, Logs::Own)?.contents.into_iter().map(|found| found.root).collect();
    let is_here = |root: &RootName| workspace.store().contains(&root.manifest.unwrap_or(root.id));
    let wanted = |found: &&Recorded| {
        (all || found.role == Role::Points) && (own.contains(&found.root) || is_here(&found.root))
    };
    Ok(contents.iter().filter(wanted).filter_map(Recorded::version).collect())
}

/// Contents that the runs of this clone name. What others recorded is told by their clones.
pub(crate) fn recorded_by_own_runs(workspace: &Workspace) -> Result<Vec<Version>, CliError> {
    let recorded = recorded_contents(workspace.repository(), Logs::Own)?.contents;
    Ok(recorded.iter().filter_map(Recorded::version).collect())
}

/// Logs name contents, and some of them cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("nothing was removed: what {} of '{}' name is not known, for this program cannot read them", counted(*runs, "run"), clone.display())]
struct UnreadableRunsError {
    runs: u64,
    clone: PathBuf,
}

impl Advice for UnreadableRunsError {
    fn hints(&self) -> Vec<String> {
        vec!["a newer git-ml may have written them: cargo install git-ml".into()]
    }
}

/// Everything that runs read, made and logged, as far as logs are here: it must not be removed.
pub(crate) fn needed_by_runs(repository: &Repository) -> Result<Vec<RootName>, CliError> {
    let RecordedContents { contents, unreadable: runs } = recorded_contents(repository, Logs::All)?;
    if runs > 0 {
        return Err(UnreadableRunsError { runs, clone: repository.common_dir().to_owned() }.into());
    }
    Ok(contents.into_iter().map(|found| found.root).collect())
}

/// As [`needed_by_runs`], of every clone that uses the store.
pub(crate) fn needed_by_runs_of_all(
    workspace: &Workspace,
    now: SystemTime,
) -> Result<Vec<RootName>, CliError> {
    let mut needed = needed_by_runs(workspace.repository())?;
    for (repository, _) in other_clones(workspace, now)? {
        needed.extend(needed_by_runs(&repository)?);
    }
    Ok(needed)
}
