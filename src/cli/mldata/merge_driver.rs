//! `git mldata merge-driver`: what Git runs for a pointer that both sides of a merge changed.

use std::path::PathBuf;

use clap::Args;

use crate::base::{RepoPath, typed};
use crate::cli::amounts::counted;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report::{CliError, Outcome};
use crate::data::merge::{DriverCall, drive};
use crate::data::without_suffix;
use crate::git::GitError;
use crate::tables::merge::Three;

/// The length of Git's markers where it merges files; longer ones mean that it merges common ancestors.
const MARKERS: u32 = 7;

/// Called by Git to merge pointers
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct MergeDriverArgs {
    /// The common ancestor (%O)
    base: PathBuf,
    /// Our version, which takes the result (%A)
    ours: PathBuf,
    /// Their version (%B)
    theirs: PathBuf,
    /// The length of conflict markers (%L)
    markers: u32,
    /// The path of the pointer (%P)
    pointer: String,
}

/// Never ends with more than 128: Git would take that for a merge that cannot go on at all.
pub(crate) fn run(context: &Context, args: &MergeDriverArgs) -> Outcome {
    let MergeDriverArgs { base, ours, theirs, markers, pointer } = args;
    let path = without_suffix(&RepoPath::new(pointer.as_str()).map_err(GitError::from)?);
    let files = Three { base: base.clone(), ours: ours.clone(), theirs: theirs.clone() };
    let call = DriverCall { files, path: path.clone(), is_of_ancestors: *markers > MARKERS };
    let merged = match context
        .workspace()
        .and_then(|workspace| drive(&workspace, &call, &context.progress).map_err(CliError::from))
    {
        Ok(merged) => merged,
        Err(error) => return Err(error.ending_with(Exit::CouldNotDo)),
    };
    if merged.conflicts.is_empty() {
        return Ok(Exit::Done);
    }
    let conflicts = counted(merged.conflicts.len() as u64, "conflict");
    context.output.warning(format!("{conflicts} in the data of '{path}'; ours stands, and theirs is kept"));
    let path = typed(&path);
    context.hint(format!("git mldata resolve {path}      shows them; --ours or --theirs ends them"));
    Ok(Exit::AnswerIsNo)
}
