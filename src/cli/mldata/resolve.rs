//! `git mldata resolve`: ends the conflicts of a merge.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::base::typed;
use crate::cli::amounts::counted;
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page, Paint};
use crate::cli::report::{CliError, Outcome};
use crate::data::merge::{About, FileConflict, PathConflict, Resolved, conflicts_of, resolve};
use crate::tables::merge::{Three, Version};

use super::merge_file::conflict_cells;

/// So many conflicts are shown of a path.
const SHOWN: usize = 20;

/// End the conflicts that a merge left in data
///
/// Without an option: shows what both sides changed, and ends the conflict if there is no such place. With --ours or
/// --theirs: what both changed is as that side has it; what only one changed is taken from that side all the same.
/// Stages the pointer, and brings the data in step unless it was modified.
#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    /// The tracked paths
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// What both changed is as our branch has it
    #[arg(long, conflicts_with = "theirs")]
    ours: bool,
    /// What both changed is as the merged branch has it
    #[arg(long)]
    theirs: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &ResolveArgs) -> Outcome {
    let workspace = context.workspace()?;
    let side = match (args.ours, args.theirs) {
        (true, _) => Some(Version::Ours),
        (_, true) => Some(Version::Theirs),
        _ => None,
    };
    let mut exit = Exit::Done;
    for path in context.named_paths(&args.paths)? {
        let path = crate::data::without_suffix(&path);
        if side.is_none() {
            let conflicts = conflicts_of(&workspace, &path, &context.progress)?;
            if !conflicts.is_empty() {
                context
                    .output
                    .show_list(args.format.chosen(), &conflicts, |page| listing(page, &conflicts))?;
            }
        }
        match resolve(&workspace, &path, side, &context.progress) {
            Ok(resolved) => {
                context.output.show(args.format.chosen(), &resolved, |page| told(page, &resolved))?;
            }
            Err(error) => {
                let error = CliError::from(error);
                exit = error.exit();
                context.tell(&error);
            }
        }
    }
    Ok(exit)
}

fn told(page: &mut Page<'_>, resolved: &Resolved) -> io::Result<()> {
    let path = escape(resolved.path.as_str());
    let Some(version) = &resolved.version else {
        return page.line(format_args!("{path}: resolved; its pointer is gone, the data stays where it is"));
    };
    let decided = match resolved.decided.len() {
        0 => String::new(),
        conflicts => format!(", {} decided", counted(conflicts as u64, "conflict")),
    };
    page.line(format_args!("{path}: resolved, now at {}{decided}", version.short()))?;
    if resolved.is_here {
        return Ok(());
    }
    page.line(format_args!(
        "  the data here is of another version: git mldata checkout {}",
        typed(&resolved.path)
    ))
}

fn listing(page: &mut Page<'_>, conflicts: &[PathConflict]) -> io::Result<()> {
    let heading = ["path", "row", "column", "base", "ours", "theirs", ""];
    let heading = heading.map(|text| Cell::left(text).paint(Paint::Faint)).to_vec();
    let rows: Vec<_> = std::iter::once(heading).chain(conflicts.iter().take(SHOWN).map(row)).collect();
    page.table(2, &rows)?;
    match conflicts.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => page.line(format_args!("  and {more} more")),
    }
}

fn row(conflict: &PathConflict) -> Vec<Cell> {
    let path = Cell::left(&conflict.path);
    match &conflict.about {
        About::Table(about) => std::iter::once(path).chain(conflict_cells(about)).collect(),
        About::File(FileConflict { said: Three { base, ours, theirs }, .. }) => {
            let shown = |id: &Option<crate::base::Digest>| {
                Cell::left(id.map_or_else(|| "(absent)".to_owned(), |id| id.short()))
            };
            let none = Cell::left("");
            let whole = Cell::left("the whole file").paint(Paint::Faint);
            vec![path, none.clone(), none, shown(base), shown(ours), shown(theirs), whole]
        }
    }
}
