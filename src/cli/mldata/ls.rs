//! `git mldata ls`: what the data is, without having it.

use clap::Args;

use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::Cell;
use crate::cli::report::Outcome;
use crate::data::read::{At, AtError, Listed, ls};

use super::at::parse;

/// List data
///
/// The tracked paths, or what a tracked directory holds, by the pointers of the work tree or those of a revision.
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// A tracked path, a path inside a tracked directory, or a folder; everything if not given
    #[arg(value_name = "[REV:]PATH")]
    path: Option<String>,
    /// Go down to the files
    #[arg(short, long)]
    recursive: bool,
    /// Show content ids
    #[arg(long)]
    ids: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &LsArgs) -> Outcome {
    let workspace = context.workspace()?;
    let at = match &args.path {
        Some(path) => parse(context, path)?,
        None => At { revision: None, path: workspace.repository().prefix() },
    };
    let listed = match ls(&workspace, &at, args.recursive) {
        // A folder without data is an error only where it was asked for.
        Err(AtError::Absent { .. }) if args.path.is_none() => Vec::new(),
        listed => listed?,
    };
    let row = |listed: &Listed| {
        let slash = if listed.kind == "directory" { "/" } else { "" };
        let files = if listed.kind == "directory" { counted(listed.files, "file") } else { String::new() };
        let id = if args.ids { listed.id.to_string() } else { String::new() };
        vec![
            Cell::left(id),
            Cell::right(size(listed.size)),
            Cell::left(format!("{}{slash}", listed.path)),
            Cell::right(files),
        ]
    };
    let rows: Vec<Vec<Cell>> = listed.iter().map(row).collect();
    context.output.show_list(args.format.chosen(), &listed, |page| page.table(0, &rows))?;
    Ok(Exit::Done)
}
