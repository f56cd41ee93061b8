//! `git mldata track`: files tracked in place, by pattern.

use clap::Args;

use crate::base::RepoPath;
use crate::cli::amounts::counted;
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;
use crate::data::in_place::{Tracking, patterns, track};

/// Track files in place, by pattern, or list the patterns
///
/// From now on 'git add' keeps the content of what matches in the store of git mldata, and Git keeps a small pointer under
/// the file's own name: nothing else changes in how the files are used. Patterns are those of '.gitattributes', counted
/// from the current folder; put them in quotes, so that the shell leaves them alone. Large files and folders are better
/// tracked with 'git mldata add', with a pointer beside them. Without patterns, those that are tracked are listed.
#[derive(Debug, Args)]
pub(crate) struct TrackArgs {
    /// Patterns such as '*.onnx' or '/data/raw/**'
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,
    /// Do not stage '.gitattributes'
    #[arg(long)]
    no_stage: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &TrackArgs) -> Outcome {
    let workspace = context.workspace()?;
    let format = args.format.chosen();
    if args.patterns.is_empty() {
        let patterns = patterns(workspace.repository())?;
        context.output.show_list(format, &patterns, |page| {
            patterns.iter().try_for_each(|pattern| page.line(format_args!("{}", escape(pattern))))
        })?;
        return Ok(Exit::Done);
    }
    let done = track(&workspace, &args.patterns, !args.no_stage)?;
    context.output.done(format, &done, |page| {
        done.changes.iter().try_for_each(|change| {
            let known = if change.changed { "" } else { " (as before)" };
            page.line(format_args!("tracking '{}' in place{known}", escape(&change.pattern)))
        })
    })?;
    tell_renormalize(context, &done, "has raw");
    Ok(Exit::Done)
}

/// Tells which files the index has in the other form, and the command that changes it.
pub(super) fn tell_renormalize(context: &Context, done: &Tracking, form: &str) {
    const MOST: usize = 3;
    let paths = &done.to_renormalize;
    if paths.is_empty() || !done.changes.iter().any(|change| change.changed) {
        return;
    }
    let names: Vec<_> = paths.iter().take(MOST).map(RepoPath::as_str).map(escape).collect();
    let more = if paths.len() > MOST { ", …" } else { "" };
    let files = counted(paths.len() as u64, "file");
    context.output.note(format!("{files} that Git {form}: {}{more}", names.join(", ")));
    context
        .hint("git add --renormalize .      stages them in their new form; older commits stay as they are");
}
