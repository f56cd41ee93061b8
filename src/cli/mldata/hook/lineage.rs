//! prepare-commit-msg, post-commit, post-rewrite: where commits come from.

use crate::cli::context::Context;
use crate::cli::report::CliError;
use crate::git::ObjectId;
use crate::runs::{Rewriting, after_commit, after_rewrite, remember_sources};

/// Remembers the commits that are about to be repeated; the message is not touched.
pub(super) fn remember(context: &Context) -> Result<(), CliError> {
    Ok(remember_sources(context.repository()?)?)
}

/// Records where the new commit comes from.
pub(super) fn record_commit(context: &Context) -> Result<(), CliError> {
    after_commit(context.repository()?)?;
    Ok(())
}

/// Records which commits came of which; `kind` and `lines` are what Git gives the hook.
pub(super) fn record_rewrite(context: &Context, kind: &str, lines: &str) -> Result<(), CliError> {
    let how = match kind {
        "amend" => Rewriting::Amend,
        _ => Rewriting::Rebase,
    };
    let pair = |line: &str| -> Option<(ObjectId, ObjectId)> {
        let mut words = line.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    let pairs: Vec<_> = lines.lines().filter_map(pair).collect();
    after_rewrite(context.repository()?, how, &pairs)?;
    Ok(())
}
