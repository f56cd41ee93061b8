//! `git mldata checkout`: the work tree in step with the pointers.

use std::path::PathBuf;

use clap::Args;

use crate::base::{Advice, Digest, RepoPath, typed};
use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::{Format, FormatOptions};
use crate::cli::report::{CliError, Outcome};
use crate::data::checkout::{self, CheckedOut, CheckoutOptions, Modified};
use crate::data::kept::KEPT_DAYS;

/// Bring the work tree in step with the pointers
///
/// Writes what differs from what the pointers name, from the local store. A modified file stays as it is, unless --force:
/// then a copy of it is kept for 14 days, and --from brings it back.
#[derive(Debug, Args)]
pub(crate) struct CheckoutArgs {
    /// Tracked paths, or paths inside tracked directories; all if not given
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Replace modified files, after a copy of them was kept
    #[arg(short, long)]
    force: bool,
    /// Bring back the copy of this id to where it lay
    #[arg(long, value_name = "ID", conflicts_with_all = ["paths", "force"])]
    from: Option<String>,
    /// Write links that lead out of the data, too
    #[arg(long)]
    outside_links: bool,
    #[command(flatten)]
    format: FormatOptions,
}

/// Why a path was left as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum LeftError {
    /// Edited files would be lost.
    #[error("'{path}' is modified{}; it was left as it is", since.map(|id| format!(" (from {})", id.short())).unwrap_or_default())]
    Modified {
        /// The path.
        path: RepoPath,
        /// What it was edited from.
        since: Option<Digest>,
        /// Which files of a directory; none where the path is the file.
        #[source]
        files: Option<ModifiedFiles>,
    },
    /// The store lacks content.
    #[error("the content of '{path}' is not in the store{}; nothing was written", missing(*files, *bytes))]
    Missing {
        /// The path.
        path: RepoPath,
        /// Files that are missing, if that is known.
        files: Option<u64>,
        /// Their bytes.
        bytes: u64,
    },
}

/// So many files are named.
const NAMED: usize = 10;

/// The files that stand in the way.
#[derive(Debug, thiserror::Error)]
#[error("{} would be lost: {}{}", counted(.0.len() as u64, "file"), named(.0), if .0.len() > NAMED { ", …" } else { "" })]
pub(super) struct ModifiedFiles(Vec<String>);

fn named(files: &[String]) -> String {
    let names: Vec<_> = files.iter().take(NAMED).map(|file| format!("'{file}'")).collect();
    names.join(", ")
}

impl ModifiedFiles {
    fn below(path: &RepoPath, files: Vec<String>) -> Option<Self> {
        (files != [path.as_str()]).then_some(Self(files))
    }
}

fn missing(files: Option<u64>, bytes: u64) -> String {
    files.map(|files| format!(" ({}, {})", counted(files, "file"), size(bytes))).unwrap_or_default()
}

impl Advice for LeftError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Modified { path, .. } => vec![
                format!("git mldata add {path}      keeps what was edited", path = typed(path)),
                format!(
                    "git mldata checkout --force {path}      drops it (a copy stays {KEPT_DAYS} days)",
                    path = typed(path)
                ),
            ],
            Self::Missing { path, .. } => vec![format!("git mldata pull {path}", path = typed(path))],
        }
    }
}

pub(crate) fn run(context: &Context, args: &CheckoutArgs) -> Outcome {
    let workspace = context.workspace()?;
    let done = match &args.from {
        Some(id) => vec![checkout::restore(&workspace, id, &context.progress)?],
        None => {
            let paths = context.paths(&args.paths)?;
            let modified = if args.force { Modified::KeepCopy } else { Modified::Refuse };
            let options = CheckoutOptions { modified, outside_links: args.outside_links };
            checkout::checkout(&workspace, &paths, options, &context.progress)?
        }
    };
    tell(context, args.format.chosen(), &done)
}

/// Tells what was done at each path; what was left as it is comes as errors.
pub(super) fn tell(context: &Context, format: Format, done: &[CheckedOut]) -> Outcome {
    if format == Format::Json {
        context.output.show_list(format, done, |_| Ok(()))?;
    }
    let (mut exit, mut written_files, mut written_bytes) = (Exit::Done, 0, 0);
    for CheckedOut { path, outcome, .. } in done {
        let left = match outcome.clone() {
            checkout::Outcome::Done { written, bytes, kept, mended, .. } => {
                written_files += written;
                written_bytes += bytes;
                if !mended.is_empty() {
                    let files = counted(mended.len() as u64, "file");
                    let more = if mended.len() > NAMED { ", …" } else { "" };
                    context.output.note(format!("mended {files}: {}{more}", named(&mended)));
                }
                if let Some(kept) = kept {
                    let id = kept.id.short();
                    let what = if mended.is_empty() { "your modified" } else { "what lay at" };
                    context.output.note(format!("kept a copy of {what} '{path}' for {KEPT_DAYS} days"));
                    context.hint(format!("git mldata checkout --from {id}      brings it back"));
                }
                continue;
            }
            checkout::Outcome::Modified { since, files } => {
                let files = ModifiedFiles::below(path, files);
                LeftError::Modified { path: path.clone(), since, files }
            }
            checkout::Outcome::Missing { files, bytes } => {
                LeftError::Missing { path: path.clone(), files, bytes }
            }
        };
        context.tell(&CliError::from(left));
        exit = Exit::CouldNotDo;
    }
    if written_files > 0 {
        context.output.note(format!("wrote {}, {}", counted(written_files, "file"), size(written_bytes)));
    }
    Ok(exit)
}
