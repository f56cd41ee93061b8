//! The hooks that watch: data follows its pointers, runs are tied to commits.

use std::io::{self, Read};

use crate::base::RepoPath;
use crate::cli::amounts::size;
use crate::cli::context::Context;
use crate::cli::report::CliError;
use crate::data::checkout::{CheckedOut, Outcome};
use crate::data::follow::follow;
use crate::git::ObjectId;
use crate::runs::{Rewriting, after_commit, after_rewrite, remember_sources};

/// So many paths are named; of more, only the number.
const NAMED: usize = 10;

/// post-checkout, post-merge, post-applypatch, post-index-change: brings data in step.
pub(super) fn follow_pointers(context: &Context) -> Result<(), CliError> {
    let followed = follow(&context.workspace()?, &context.progress)?;
    if followed.is_nothing() {
        return Ok(());
    }
    let mut said: Vec<String> = followed.paths.iter().filter_map(brought).collect();
    said.extend(followed.removed.iter().map(|path| format!("{path} removed, as its pointer was")));
    let more = said.len().saturating_sub(NAMED);
    said.iter().take(NAMED).for_each(|line| context.output.note(format!("git-mldata: {line}")));
    if more > 0 {
        context.output.note(format!("git-mldata: and {more} more"));
    }
    followed.paths.iter().for_each(|done| left(context, done));
    followed.orphaned.iter().for_each(|path| orphaned(context, path));
    for path in &followed.unmerged {
        context.output.note(format!("git-mldata: {path} has a merge conflict; its data was left as it is"));
    }
    missing(context, &followed.paths);
    Ok(())
}

/// What to say of a path that was brought in step.
fn brought(done: &CheckedOut) -> Option<String> {
    match done.outcome {
        Outcome::Done { written, removed, bytes, .. } if written + removed > 0 => {
            Some(format!("{} now at {} ({})", done.path, done.version.id.short(), size(bytes)))
        }
        _ => None,
    }
}

/// Modified data is kept, and it is said from which version it comes.
fn left(context: &Context, done: &CheckedOut) {
    let Outcome::Modified { since, .. } = &done.outcome else { return };
    let path = &done.path;
    let from = since.map(|since| format!("edited from {}; ", since.short())).unwrap_or_default();
    let wants = done.version.id.short();
    context.output.note(format!("git-mldata: kept your modified {path} ({from}the pointer wants {wants})"));
    context.hint(format!("keep it: git mldata add {path}      drop it: git mldata checkout --force {path}"));
}

fn orphaned(context: &Context, path: &RepoPath) {
    context.output.note(format!("git-mldata: kept your modified {path}, though its pointer is gone"));
}

/// One line for all content that is not here.
fn missing(context: &Context, paths: &[CheckedOut]) {
    let missing: Vec<_> = paths
        .iter()
        .filter(|done| matches!(done.outcome, Outcome::Missing { .. }))
        .map(|done| done.path.as_str())
        .collect();
    if let Some(first) = missing.first() {
        let more = if missing.len() > 1 { format!(" and {} more", missing.len() - 1) } else { String::new() };
        context.output.note(format!("git-mldata: the content of {first}{more} is not here yet"));
        context.hint("git mldata pull");
    }
}

pub(super) fn prepare_commit_message(context: &Context) -> Result<(), CliError> {
    Ok(remember_sources(context.repository()?)?)
}

pub(super) fn post_commit(context: &Context) -> Result<(), CliError> {
    after_commit(context.repository()?)?;
    Ok(())
}

/// `how` is `amend` or `rebase`; stdin has a line `OLD NEW` for each commit.
pub(super) fn post_rewrite(context: &Context, how: Option<&str>) -> Result<(), CliError> {
    let mut lines = String::new();
    // Without the pairs there is no lineage to keep; data follows all the same.
    let _ = io::stdin().lock().read_to_string(&mut lines);
    let how = if how == Some("amend") { Rewriting::Amend } else { Rewriting::Rebase };
    let pair = |line: &str| {
        let mut ids = line.split(' ').map(str::parse::<ObjectId>);
        Some((ids.next()?.ok()?, ids.next()?.ok()?))
    };
    let pairs: Vec<_> = lines.lines().filter_map(pair).collect();
    let recorded = after_rewrite(context.repository()?, how, &pairs);
    follow_pointers(context)?;
    recorded?;
    Ok(())
}
