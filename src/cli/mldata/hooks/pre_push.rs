//! pre-push: data goes first, so that nobody gets a pointer to nothing. Then the runs of this clone, which may fail.

use std::io::{self, Read};
use std::time::Instant;

use crate::base::Advice;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::mldata::push::{summary, tell_missing};
use crate::cli::report::{CliError, Outcome};
use crate::data::transfer::push_versions;
use crate::data::versions::{Commits, named};
use crate::git::{ObjectId, Repository};
use crate::runs::{Shared, share};

/// What Git tells cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read what is to be pushed")]
struct InputError(#[source] io::Error);

impl Advice for InputError {}

/// `arguments` are the name and the URL of the Git remote; stdin has a line for each ref.
pub(super) fn run(context: &Context, arguments: &[String]) -> Outcome {
    let mut lines = String::new();
    io::stdin().lock().read_to_string(&mut lines).map_err(InputError)?;
    let repository = context.repository()?;
    let name = arguments.first().map(String::as_str).unwrap_or_default();
    let exit = send_data(context, repository, name, &lines)?;
    if exit == Exit::Done
        && let Some(url) = arguments.get(1)
    {
        send_runs(context, repository, url);
    }
    Ok(exit)
}

fn send_data(context: &Context, repository: &Repository, remote: &str, lines: &str) -> Outcome {
    let commits = going(repository, remote, lines)?;
    let workspace = context.workspace()?;
    if matches!(&commits, Commits::Between { tips, .. } if tips.is_empty())
        || named(&workspace, &commits)?.is_empty()
    {
        return Ok(Exit::Done);
    }
    let start = Instant::now();
    let pushed = push_versions(&workspace, None, &commits, false, &context.progress).inspect_err(|_| {
        context.output.note("git-mldata: the data could not be sent, so the push was stopped");
        context.hint("git push --no-verify      pushes the commits without their data");
    })?;
    if !pushed.done.sent.is_empty() {
        let told = summary(&pushed.remote, &pushed.done, false, start.elapsed());
        context.output.note(format!("git-mldata: {told}"));
    }
    let exit = tell_missing(context, &pushed);
    if exit != Exit::Done {
        context.hint("git push --no-verify      pushes the commits without their data");
    }
    Ok(exit)
}

/// The commits that are pushed and that the remote does not have, as far as is known here.
fn going(repository: &Repository, remote: &str, lines: &str) -> Result<Commits, CliError> {
    let mut tips = Vec::new();
    let mut hidden = Vec::new();
    for line in lines.lines() {
        // LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID; an id of zeros is a ref that is deleted or new.
        let ids: Vec<&str> = line.split(' ').collect();
        let id = |at: usize| ids.get(at).and_then(|id| id.parse::<ObjectId>().ok());
        tips.extend(id(1).and_then(|id| repository.resolve_commit(&id.to_string()).ok()));
        hidden.extend(id(3).and_then(|id| repository.resolve_commit(&id.to_string()).ok()));
    }
    for found in repository.refs_below(&format!("refs/remotes/{remote}/"))? {
        hidden.extend(repository.resolve_commit(&found.name).ok());
    }
    Ok(Commits::Between { tips, hidden })
}

/// Runs are worth having and not worth stopping a push for.
fn send_runs(context: &Context, repository: &Repository, url: &str) {
    match share(repository, url) {
        Ok(Shared::Refused { reason }) => {
            context.output.warning(format!("git-mldata: the runs of this clone were not sent: {reason}"));
        }
        Ok(_) => {}
        Err(error) => context.warn("git-mldata", &CliError::from(error)),
    }
}
