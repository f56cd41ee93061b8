//! pre-push: data is on its remote before refs name it; then the records of runs go the way of the refs.

use std::time::Instant;

use crate::base::{Advice, RepoPath};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::mldata::push::{keep_room, summary, tell_missing};
use crate::cli::recorded::send_points;
use crate::cli::report::{CliError, Outcome};
use crate::data::Workspace;
use crate::data::guard::unfiltered;
use crate::data::transfer::{Needed, TransferError, needed_for_push, push_needed};
use crate::git::RefUpdate;
use crate::runs::{Shared, share};

/// The data of a push cannot be brought to its remote.
#[derive(Debug, thiserror::Error)]
#[error("the data of this push could not be sent, so it was stopped: {}", shown(paths))]
struct NotSentError {
    paths: Vec<RepoPath>,
    #[source]
    source: TransferError,
}

fn shown(paths: &[RepoPath]) -> String {
    const MOST: usize = 5;
    let names: Vec<_> = paths.iter().take(MOST).map(RepoPath::as_str).collect();
    names.join(", ") + if paths.len() > MOST { ", …" } else { "" }
}

impl Advice for NotSentError {
    fn hints(&self) -> Vec<String> {
        [self.source.hints(), vec![GO_ON.into()]].concat()
    }
}

/// What may be done where the data cannot be sent.
const GO_ON: &str = "git push --no-verify      pushes without the data: others get pointers to nothing";

pub(super) fn run(context: &Context, url: Option<&str>, lines: &str) -> Outcome {
    let exit = match context.repository() {
        Ok(repository) if repository.is_bare() => Exit::Done,
        Ok(_) => send_data(context, &context.workspace()?, lines)?,
        Err(error) => {
            // Git could open it, so the push is not ours to stop; and it cannot hold data of ours.
            context.warn("git-mldata", &error);
            return Ok(Exit::Done);
        }
    };
    if exit == Exit::Done
        && let Some(url) = url
    {
        share_runs(context, url);
    }
    Ok(exit)
}

fn send_data(context: &Context, workspace: &Workspace, lines: &str) -> Outcome {
    let updates = RefUpdate::parse_lines(lines);
    let (tips, hidden) = workspace.repository().commits_of_push(&updates)?;
    let raw = unfiltered(workspace.repository(), &tips, &hidden)?;
    if !raw.is_empty() {
        raw.into_iter().for_each(|error| context.tell(&CliError::from(error)));
        context.hint("git push --no-verify      pushes it as it is, raw in Git for good");
        return Ok(Exit::AnswerIsNo);
    }
    let needed = needed_for_push(workspace, &updates)?;
    if needed.is_nothing() {
        return Ok(Exit::Done);
    }
    let begun = Instant::now();
    let pushed = match push_needed(workspace, &needed, &context.progress) {
        Ok(pushed) => pushed,
        Err(source) => return refuse(context, &needed, source),
    };
    if !pushed.done.sent.is_empty() {
        let told = summary(&pushed.remote, &pushed.done, false, begun.elapsed());
        context.output.note(format!("git-mldata: {told}"));
    }
    let exit = tell_missing(context, &pushed);
    if exit == Exit::Done {
        keep_room(context, workspace);
    } else {
        context.hint(GO_ON);
    }
    Ok(exit)
}

/// What only was left by an earlier push does not stop this one.
fn refuse(context: &Context, needed: &Needed, source: TransferError) -> Outcome {
    let error = CliError::from(NotSentError { paths: needed.paths(), source });
    if needed.new.is_empty() {
        context.output.warning(format!(
            "data that an earlier push left behind could not be sent: {}",
            shown(&needed.paths())
        ));
        context.hint("git mldata push      tells why");
        return Ok(Exit::Done);
    }
    context.tell(&error);
    Ok(Exit::AnswerIsNo)
}

/// Sends the records of runs to where the refs go. That it is refused stops nothing.
fn share_runs(context: &Context, url: &str) {
    let shared = context.repository().and_then(|repository| {
        send_points(context, repository, Some(url));
        Ok(share(repository, url)?)
    });
    match shared {
        Ok(Shared::Refused { reason }) => {
            context.output.warning(format!("the records of runs were not shared: {reason}"));
            context.hint("git mlrun sync      tries again; they are safe here");
        }
        Ok(_) => {}
        Err(error) => context.warn("git-mldata", &error),
    }
}
