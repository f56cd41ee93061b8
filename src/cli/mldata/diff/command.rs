//! Which sides, which paths, how much of it.

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::{CliError, Outcome};
use crate::data::diff::{DataDiff, DiffOptions, Sides, diff};
use crate::git::Repository;

use super::report;

/// Show what changed in the data
///
/// Compares the data in the work tree with what the index names; with one revision, with what that names; with two
/// revisions, these. Tells files that were added, removed, changed and moved, with their sizes; of tables also the rows and
/// cells, by the key that 'ml.toml' declares. Columns that it calls private are counted and never shown.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Revisions: REV, REV REV, REV..REV, or REV...REV (since their common ancestor); then paths
    #[arg(value_name = "REV|PATH")]
    words: Vec<String>,
    /// Paths, where they could be taken for revisions
    #[arg(value_name = "PATH", last = true)]
    paths: Vec<PathBuf>,
    /// What 'git commit' would record: the index against HEAD, or against a revision
    #[arg(long, visible_alias = "staged")]
    cached: bool,
    /// Only files and sizes: read no table
    #[arg(long)]
    stat: bool,
    /// How many rows of each kind to show of a table
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    samples: usize,
    /// Exit with 1 when there are differences
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &DiffArgs) -> Outcome {
    let workspace = context.workspace()?;
    let (sides, mut paths) = sides(workspace.repository(), args);
    paths.extend(args.paths.iter().cloned());
    let samples = if args.stat { 0 } else { args.samples };
    let options = DiffOptions { sides, paths: context.paths(&paths)?, rows: !args.stat, samples };
    let mut found = diff(&workspace, &options, &context.progress)?;
    context.output.show(args.format.chosen(), &found, |page| report::write(page, &found))?;
    hint(context, &found);
    let faults = std::mem::take(&mut found.faults);
    if !faults.is_empty() {
        faults.into_iter().for_each(|fault| context.tell(&CliError::from(fault)));
        return Ok(Exit::CouldNotDo);
    }
    Ok(if args.exit_code && !found.is_empty() { Exit::AnswerIsNo } else { Exit::Done })
}

/// Takes revisions off the front of the words, as Git does; what follows are paths.
fn sides(repository: &Repository, args: &DiffArgs) -> (Sides, Vec<PathBuf>) {
    let mut words = args.words.iter().map(String::as_str).peekable();
    let range = words.peek().and_then(|word| range(word));
    if range.is_some() {
        words.next();
    }
    let is_revision = |word: &&str| repository.resolve_commit(word).is_ok();
    let first = words.next_if(|word| range.is_none() && is_revision(word)).map(str::to_owned);
    let second =
        words.next_if(|word| first.is_some() && !args.cached && is_revision(word)).map(str::to_owned);
    let sides = match (range, first, second) {
        (Some(sides), ..) => sides,
        (None, first, _) if args.cached => Sides::Staged(first),
        (None, Some(one), Some(other)) => Sides::Commits(one, other),
        (None, Some(one), None) => Sides::SinceCommit(one),
        (None, None, _) => Sides::WorkTree,
    };
    (sides, words.map(PathBuf::from).collect())
}

/// `A..B` and `A...B`; an empty side is HEAD. A path that leads up (`../x`) is none.
fn range(word: &str) -> Option<Sides> {
    if word.starts_with("../") || word.contains("/..") {
        return None;
    }
    let revision = |text: &str| if text.is_empty() { "HEAD".to_owned() } else { text.to_owned() };
    if let Some((one, other)) = word.split_once("...") {
        return Some(Sides::SinceMergeBase(revision(one), revision(other)));
    }
    let (one, other) = word.split_once("..")?;
    Some(Sides::Commits(revision(one), revision(other)))
}

/// What would tell more.
fn hint(context: &Context, found: &DataDiff) {
    if !found.stale.is_empty() {
        context.hint("git mldata checkout      brings data of another version in step with its pointer");
    }
    if found.totals.not_here > 0 {
        context.hint("git mldata fetch      brings what is not here, so that more can be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_told_from_paths() {
        assert_eq!(range("main..exp"), Some(Sides::Commits("main".into(), "exp".into())));
        assert_eq!(range("main..."), Some(Sides::SinceMergeBase("main".into(), "HEAD".into())));
        assert_eq!(range("../data"), None);
        assert_eq!(range("a/../b"), None);
        assert_eq!(range("data.csv"), None);
    }
}
