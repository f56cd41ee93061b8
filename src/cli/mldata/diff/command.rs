//! The arguments of `git mldata diff`, and what is done with them.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::base::typed;
use crate::cli::context::Context;
use crate::cli::escape::quote;
use crate::cli::exit::Exit;
use crate::cli::options::{Format, FormatOptions};
use crate::cli::report::{CliError, Outcome};
use crate::data::diff::{DataDiff, DiffOptions, SideName, diff};

use super::{arguments, listing, stat};

/// Show what changed in the data
///
/// Without a revision: the data in the work tree against what the index names. With one: the data in the work tree
/// against that commit. With two, or 'A..B': one commit against the other; 'A...B': B against where it left A. Tables
/// are compared by rows and cells, by the key that 'ml.toml' names or one that is found; its private columns are never
/// shown. Needs no network: what is not here is told by its pointers.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Up to two revisions, 'A..B' or 'A...B', then paths
    #[arg(value_name = "REV|PATH")]
    words: Vec<String>,
    /// Only these paths; also those inside a tracked directory
    #[arg(value_name = "PATH", last = true)]
    paths: Vec<PathBuf>,
    /// What is staged against HEAD, or against the revision
    #[arg(long, visible_alias = "staged")]
    cached: bool,
    /// One line a file, and no rows: no data is read
    #[arg(long, conflicts_with = "name_only")]
    stat: bool,
    /// The paths alone
    #[arg(long)]
    name_only: bool,
    /// End lines of --name-only with NUL and quote no path
    #[arg(short = 'z', requires = "name_only")]
    nul: bool,
    /// End with 1 where something differs
    #[arg(long)]
    exit_code: bool,
    /// How many rows of each kind to show of a table
    #[arg(long, value_name = "N", default_value_t = 3)]
    samples: usize,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &DiffArgs) -> Outcome {
    let workspace = context.workspace()?;
    let dashes = !args.paths.is_empty() || ends_in_dashes();
    let meant = arguments::read(context, &args.words, &args.paths, dashes, args.cached)?;
    let options = DiffOptions {
        sides: meant.sides,
        paths: context.paths(&meant.paths)?,
        rows: !args.stat && !args.name_only,
        samples: args.samples,
    };
    let mut found = diff(&workspace, &options, &context.progress)?;
    let format = args.format.chosen();
    if args.name_only && format == Format::Text {
        context.output.print(|out| names(out, &found, args.nul))?;
    } else if args.stat {
        context.output.show(format, &found, |page| stat::write(page, &found))?;
    } else {
        context.output.show(format, &found, |page| listing::write(page, &found))?;
    }
    tell_more(context, &found);
    let faults = std::mem::take(&mut found.faults);
    let differs = args.exit_code && !found.is_empty();
    let exit = if !faults.is_empty() {
        Exit::CouldNotDo
    } else if differs {
        Exit::AnswerIsNo
    } else {
        Exit::Done
    };
    faults.into_iter().for_each(|fault| context.tell(&CliError::from(fault)));
    Ok(exit)
}

/// Whether `--` ends the words, which clap does not tell where nothing follows it.
fn ends_in_dashes() -> bool {
    std::env::args_os().next_back().is_some_and(|last| last == "--")
}

fn names(out: &mut dyn Write, found: &DataDiff, plain: bool) -> io::Result<()> {
    found.changes.iter().try_for_each(|change| match plain {
        true => write!(out, "{}\0", change.path),
        false => writeln!(out, "{}", quote(&change.path)),
    })
}

/// What may be done where more could be told.
fn tell_more(context: &Context, found: &DataDiff) {
    for path in &found.stale {
        context
            .output
            .warning(format!("'{path}' in the work tree is of another version than its pointer names"));
        context.hint(format!(
            "git mldata checkout {path}      brings what the pointer names",
            path = typed(path)
        ));
    }
    let (mut here, mut revisions) = (false, String::new());
    for side in found.missing_sides() {
        match side {
            SideName::Commit { revision, .. } => revisions += &format!(" --at {revision}"),
            _ => here = true,
        }
    }
    if here {
        context.hint("git mldata fetch      brings what the pointers here name");
    }
    if !revisions.is_empty() {
        context.hint(format!(
            "git mldata fetch{revisions}      brings what is not here; then this tells the rest"
        ));
    }
}
