//! `git mldata du`: how much data, and how much room it takes.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page, Paint};
use crate::cli::report::Outcome;
use crate::data::collect::{Bytes, Usage, usage};

/// Show how much room data takes
///
/// For each path and each version of it that commits, the index or the work tree name: the bytes of its contents, the bytes
/// of the local store for it, and those for it alone. What several versions or paths share is stored once.
#[derive(Debug, Args)]
pub(crate) struct DuArgs {
    /// Tracked paths, or folders of them; all if not given
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Paths without their versions
    #[arg(short, long)]
    summarize: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &DuArgs) -> Outcome {
    let workspace = context.workspace()?;
    let mut found = usage(&workspace, &context.paths(&args.paths)?)?;
    if args.summarize {
        found.paths.iter_mut().for_each(|path| path.versions.clear());
    }
    context.output.show(args.format.chosen(), &found, |page| write(page, &found))?;
    Ok(Exit::Done)
}

fn write(page: &mut Page<'_>, found: &Usage) -> io::Result<()> {
    let mut rows =
        vec![row([Cell::left(""), Cell::left("")], ["data", "stored", "alone"].map(str::to_owned))];
    for path in &found.paths {
        rows.push(row([Cell::left(&path.path), Cell::left("")], sizes(&path.bytes)));
        for version in &path.versions {
            let commit = match (&version.commit, version.current) {
                (_, true) => "current".to_owned(),
                (Some(commit), false) => commit.chars().take(8).collect(),
                (None, false) => String::new(),
            };
            let name = Cell::left(format!("  {}", version.version.short())).paint(Paint::Faint);
            rows.push(row([name, Cell::left(commit).paint(Paint::Faint)], sizes(&version.bytes)));
        }
    }
    if found.paths.is_empty() {
        page.line(format_args!("no data is tracked yet"))?;
    } else {
        page.table(0, &rows)?;
    }
    let clones = match found.clones {
        0 => String::new(),
        clones => format!(
            ", and {} in {} that share their blocks with the work tree",
            size(found.clone_bytes),
            counted(clones, "clone")
        ),
    };
    page.line(format_args!(
        "the store has {} in {}{clones}",
        size(found.pack_bytes),
        counted(found.packs, "pack")
    ))
}

fn sizes(bytes: &Bytes) -> [String; 3] {
    [size(bytes.logical), size(bytes.stored), size(bytes.unique)]
}

fn row(names: [Cell; 2], sizes: [String; 3]) -> Vec<Cell> {
    names.into_iter().chain(sizes.map(Cell::right)).collect()
}
