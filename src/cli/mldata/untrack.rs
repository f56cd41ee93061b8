//! `git mldata untrack`: files tracked in place no longer, by pattern.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;
use crate::data::in_place::untrack;

use super::track::tell_renormalize;

/// Track files in place no longer, by pattern
///
/// What matches goes into Git itself when it is added the next time. Older commits keep their pointers, and what they name
/// stays where it is.
#[derive(Debug, Args)]
pub(crate) struct UntrackArgs {
    /// Patterns, as 'git mldata track' lists them
    #[arg(value_name = "PATTERN", required = true)]
    patterns: Vec<String>,
    /// Do not stage '.gitattributes'
    #[arg(long)]
    no_stage: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &UntrackArgs) -> Outcome {
    let workspace = context.workspace()?;
    let done = untrack(&workspace, &args.patterns, !args.no_stage)?;
    context.output.done(args.format.chosen(), &done, |page| {
        done.changes.iter().try_for_each(|change| {
            page.line(format_args!("no longer tracking '{}'", escape(&change.pattern)))
        })
    })?;
    tell_renormalize(context, &done, "has as pointers");
    Ok(Exit::Done)
}
