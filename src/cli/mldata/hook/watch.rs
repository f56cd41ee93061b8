//! post-checkout, post-merge, post-applypatch, post-rewrite, post-index-change, post-commit: data in step with its pointers.

use crate::base::{Digest, RepoPath, typed};
use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::report::CliError;
use crate::data::RootName;
use crate::data::Workspace;
use crate::data::follow::{FollowOutcome, Followed, KeptBecause, follow};
use crate::data::in_place::{self, FollowedInPlace};
use crate::data::kept::KEPT_DAYS;

/// So many paths are named that were brought or removed; of more, only the number.
const NAMED: usize = 10;

pub(super) fn run(context: &Context, ends_rebase: bool) -> Result<(), CliError> {
    if context.repository()?.is_bare() {
        return Ok(());
    }
    let workspace = context.workspace()?;
    let (mut done, mut missing) = (Vec::new(), Vec::new());
    for Followed { path, wanted, outcome } in follow(&workspace, &context.progress)? {
        match outcome {
            FollowOutcome::Brought => {
                let version = wanted.map(|wanted| format!("{} ({})", wanted.id.short(), size(wanted.size)));
                done.push(format!("{path} now at {}", version.unwrap_or_default()));
            }
            FollowOutcome::Removed => done.push(format!("{path} removed, as its pointer was")),
            FollowOutcome::Missing { bytes } => missing.push((path, bytes)),
            FollowOutcome::Kept { since, because } => kept(context, &path, wanted.as_ref(), since, because),
            FollowOutcome::Unmerged => {
                say(context, format!("{path} stays as it is until the conflict in its pointer is solved"));
                context
                    .hint(format!("git mldata resolve --ours {path}      or --theirs", path = typed(&path)));
            }
            FollowOutcome::Unusable(fault) => {
                context.output.warning(format!("the pointer '{path}.mld' cannot be used: {fault}"));
            }
            FollowOutcome::Failed(error) => context.warn("git-mldata", &CliError::from(error)),
        }
    }
    let more = done.len().saturating_sub(NAMED);
    done.into_iter().take(NAMED).for_each(|line| say(context, line));
    if more > 0 {
        say(context, format!("and {more} more"));
    }
    tell_missing(context, &missing);
    run_in_place(context, &workspace, ends_rebase)
}

/// Contents of what is tracked in place, which Git has written as pointers.
fn run_in_place(context: &Context, workspace: &Workspace, ends_rebase: bool) -> Result<(), CliError> {
    let FollowedInPlace { done, is_news } = in_place::follow(workspace, ends_rebase, &context.progress)?;
    if !done.written.is_empty() {
        let bytes = size(done.written.iter().map(|(_, bytes)| bytes).sum());
        let files = counted(done.written.len() as u64, "file");
        say(context, format!("wrote {files} that Git has as pointers, {bytes}"));
    }
    if is_news {
        tell_missing(context, &done.missing);
    }
    Ok(())
}

fn say(context: &Context, text: String) {
    context.output.note(format!("git-mldata: {text}"));
}

/// Data that stays although its pointer moved: it is said from which version it comes.
fn kept(context: &Context, path: &RepoPath, wanted: Option<&RootName>, since: Digest, because: KeptBecause) {
    // Which branch it will be is not known yet: Git moves HEAD after the index.
    let wish = match wanted {
        Some(wanted) => format!("the pointer wants {}", wanted.id.short()),
        None => "its pointer is gone".into(),
    };
    let since = since.short();
    let told = match because {
        KeptBecause::Modified => format!("kept your modified {path} (edited from {since}; {wish})"),
        KeptBecause::OnlyCopy => format!("kept {path}, the only copy of {since} ({wish})"),
    };
    say(context, told);
    if wanted.is_none() {
        return context.hint("go back, or move it elsewhere: nothing tracks it here");
    }
    context.hint(format!("keep it: git mldata add {path}", path = typed(path)));
    context.hint(format!(
        "drop it: git mldata checkout --force {path}      (a copy stays {KEPT_DAYS} days)",
        path = typed(path)
    ));
}

/// One line for all that is not here.
fn tell_missing(context: &Context, missing: &[(RepoPath, u64)]) {
    const MOST: usize = 3;
    let bytes = size(missing.iter().map(|(_, bytes)| bytes).sum());
    match missing {
        [] => {}
        [(path, _)] => say(
            context,
            format!("{path} is not here ({bytes}): git mldata pull {typed_path}", typed_path = typed(path)),
        ),
        several => {
            let paths = counted(several.len() as u64, "path");
            let names: Vec<_> = several.iter().take(MOST).map(|(path, _)| path.as_str()).collect();
            let more = if several.len() > MOST { ", …" } else { "" };
            let names = names.join(", ");
            say(context, format!("{paths} are not here ({bytes}: {names}{more}): git mldata pull"));
        }
    }
}
