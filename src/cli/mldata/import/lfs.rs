//! `git mldata import lfs`: what Git LFS tracks becomes ours.

use std::io;

use clap::Args;

use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page, Paint};
use crate::cli::report::Outcome;
use crate::interop::git_lfs::{LfsImport, LfsOptions, Lies, Moved, import};

/// Take over what Git LFS tracks
///
/// Each file gets a pointer beside it and is tracked by Git no longer; the lines of LFS in '.gitattributes' go; history stays
/// as it is. Contents come from the work tree, from '.git/lfs', or from the server (or folder) that LFS would ask, and are held
/// against their SHA-256. 'git lfs' need not be installed. Files that were edited and not staged are left alone, and what
/// cannot be had is listed: then the exit code is 1. An older commit still has the files for LFS: after it is checked out, 'git
/// mldata checkout' brings ours back.
#[derive(Debug, Args)]
pub(crate) struct LfsArgs {
    /// Which files, as Git's pathspecs; all that LFS tracks if not given
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,
    /// Tell what would be taken over, and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &LfsArgs) -> Outcome {
    let workspace = context.workspace()?;
    let prefix = workspace.repository().prefix();
    let below = |pattern: &String| match &prefix {
        Some(prefix) if !pattern.starts_with(':') => format!("{prefix}/{pattern}"),
        _ => pattern.clone(),
    };
    let patterns = args.patterns.iter().map(below).collect();
    let options = LfsOptions { patterns, dry_run: args.dry_run };
    let done = import(&workspace, &options, &context.progress)?;
    context.output.done(args.format.chosen(), &done, |page| write(page, &done))?;
    if done.added.is_some() {
        context.hint("git commit      then git mldata push brings the data to a remote");
    }
    if done.nothing_left && done.is_whole() {
        context.hint("git lfs uninstall --local      takes the hooks of LFS out of this clone");
    }
    Ok(if done.is_whole() { Exit::Done } else { Exit::AnswerIsNo })
}

fn write(page: &mut Page<'_>, done: &LfsImport) -> io::Result<()> {
    let row = |moved: &Moved| {
        let from = match moved.from {
            Lies::Here => "here",
            Lies::Store => "from .git/lfs",
            Lies::Server => "from the server",
        };
        vec![Cell::left(&moved.path), Cell::right(size(moved.bytes)), Cell::left(from)]
    };
    page.table(0, &done.imported.iter().map(row).collect::<Vec<_>>())?;
    let problem = |words: &'static str, path: &crate::base::RepoPath, why: &str| {
        vec![Cell::left(words).paint(Paint::Bad), Cell::left(path), Cell::left(why)]
    };
    let missing = done.missing.iter();
    let missing =
        missing.map(|lost| problem("missing", &lost.path, &format!("{} (sha256 {})", lost.why, lost.sha256)));
    let modified = done.modified.iter().map(|path| problem("modified", path, "git add, or git restore"));
    let raw =
        done.raw.iter().map(|path| problem("left", path, "its bytes are in Git itself: git mldata add"));
    page.table(0, &missing.chain(modified).chain(raw).collect::<Vec<_>>())?;
    let Some(added) = &done.added else { return Ok(()) };
    let files = added.added.iter().map(|added| added.files).sum();
    page.line(format_args!("took over {}, stored {}", counted(files, "file"), size(added.stored)))
}
