//! `git mldata merge-file`: three files of a table into one.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::amounts::counted;
use crate::cli::context::Context;
use crate::cli::escape::quote;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page, Paint};
use crate::cli::report::Outcome;
use crate::data::merge::{FileMerge, MergedFile, Taken, merge_file};
use crate::tables::merge::{Conflict, ConflictKind, Granularity, MergeOptions, Said, Three, Version};
use crate::tables::{KeyOrigin, Shown};

/// Merge three files of a table by rows and cells
///
/// Writes what OURS and THEIRS made of BASE over OURS, or to -o. Rows are matched by the key: the one given, the one that
/// 'ml.toml' names, or one that is found. Where both changed the same, the merged table has what OURS says, never a
/// marker, and each conflict is a line of the merged file's name with '.conflicts.jsonl' added. Ends with 1 if there are
/// conflicts.
#[derive(Debug, Args)]
pub(crate) struct MergeFileArgs {
    /// Our version
    #[arg(value_name = "OURS")]
    ours: PathBuf,
    /// The common ancestor; an empty file if there is none
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// Their version
    #[arg(value_name = "THEIRS")]
    theirs: PathBuf,
    /// The columns that tell rows apart
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    key: Vec<String>,
    /// What two may change at once: other cells of a row, or only other rows
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    granularity: Unit,
    /// Write the merged table here
    #[arg(short, long = "output", value_name = "OUT")]
    out: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOptions,
}

/// What two may change at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Unit {
    /// Other cells of one row
    #[default]
    Cell,
    /// Other rows
    Row,
}

pub(crate) fn run(context: &Context, args: &MergeFileArgs) -> Outcome {
    let out = args.out.clone().unwrap_or_else(|| args.ours.clone());
    let files = Three { base: args.base.clone(), ours: args.ours.clone(), theirs: args.theirs.clone() };
    let granularity = match args.granularity {
        Unit::Cell => Granularity::Cell,
        Unit::Row => Granularity::Row,
    };
    let (declared, private) = team_rule(context, &out).unwrap_or_default();
    let key = if args.key.is_empty() { declared } else { args.key.clone() };
    let merged = merge_file(&FileMerge { files, out, options: MergeOptions { key, private, granularity } })?;
    context.output.show(args.format.chosen(), &merged, |page| write(page, &merged))?;
    Ok(if merged.conflicts > 0 { Exit::AnswerIsNo } else { Exit::Done })
}

/// The key and the private columns that the team has declared for the merged file, if it lies in a repository.
fn team_rule(context: &Context, out: &Path) -> Option<(Vec<String>, Vec<String>)> {
    let repository = context.repository().ok()?;
    let path = repository.resolve(out).ok()?;
    let rule = repository.team_file().ok()??.table_rule(&path);
    Some((rule.key, rule.private))
}

fn write(page: &mut Page<'_>, merged: &MergedFile) -> io::Result<()> {
    let out = merged.out.display().to_string();
    let out = quote(&out);
    match &merged.taken {
        Taken::Whole(Version::Theirs) => {
            page.line(format_args!("{out}: only theirs changed; taken as it is"))
        }
        Taken::Whole(_) => page.line(format_args!("{out}: theirs brings nothing new")),
        Taken::Merged(table) => {
            let key = match table.key.origin {
                KeyOrigin::Declared => format!("key {} (declared)", table.key.columns.join(", ")),
                KeyOrigin::Found => format!("key {} (found)", table.key.columns.join(", ")),
                KeyOrigin::None => "no key: rows are counted".to_owned(),
            };
            let rows = table.rows.map(|rows| format!("{}, ", counted(rows, "row"))).unwrap_or_default();
            let key = crate::cli::escape::escape(&key).into_owned();
            let conflicts = match merged.conflicts {
                0 => page.paint(Paint::Good, "no conflict"),
                conflicts => page.paint(Paint::Bad, &counted(conflicts, "conflict")),
            };
            page.line(format_args!("{out}: {rows}{key}, {conflicts}"))?;
            if table.reordered_by_both {
                page.line(format_args!("both brought the rows in another order; ours stands"))?;
            }
            conflicts_table(page, merged)
        }
    }
}

/// The first conflicts, and where all of them are told.
fn conflicts_table(page: &mut Page<'_>, merged: &MergedFile) -> io::Result<()> {
    if merged.first.is_empty() {
        return Ok(());
    }
    let heading = ["row", "column", "base", "ours (stands)", "theirs", ""];
    let heading = heading.map(|text| Cell::left(text).paint(Paint::Faint)).to_vec();
    let rows: Vec<_> = std::iter::once(heading).chain(merged.first.iter().map(conflict_cells)).collect();
    page.table(2, &rows)?;
    let more = merged.conflicts - merged.first.len() as u64;
    if more > 0 {
        page.line(format_args!("  and {more} more"))?;
    }
    if let Some(file) = &merged.conflict_file {
        page.line(format_args!("all are told in {}", quote(&file.display().to_string())))?;
    }
    Ok(())
}

/// A conflict as cells of a table: row, column, what each version says, why.
pub(super) fn conflict_cells(conflict: &Conflict) -> Vec<Cell> {
    let key = conflict.key.0.iter().map(|(name, value)| format!("{name}={}", shown(value)));
    let Three { base, ours, theirs } = &conflict.said;
    vec![
        Cell::left(key.collect::<Vec<_>>().join(" ")),
        Cell::left(conflict.column.as_deref().unwrap_or_default()),
        Cell::left(said(base)),
        Cell::left(said(ours)).paint(Paint::Good),
        Cell::left(said(theirs)).paint(Paint::Bad),
        Cell::left(why(conflict.kind)).paint(Paint::Faint),
    ]
}

fn said(said: &Said) -> String {
    match said {
        Said::Cell(value) => shown(value),
        Said::Row(cells) => {
            let cells: Vec<_> = cells.0.iter().take(6).map(|(_, value)| shown(value)).collect();
            cells.join(",")
        }
        Said::Count(count) => format!("{count} times"),
        Said::Type(kind) => kind.to_string(),
        Said::Name(name) => name.clone(),
        Said::Absent => "(absent)".to_owned(),
    }
}

/// A value, cut to what a line of a table bears.
fn shown(value: &Shown) -> String {
    const LONGEST: usize = 24;
    let text = match value {
        Shown::Nothing => "(nothing)",
        Shown::Private => "(private)",
        Shown::Text(text) if text.is_empty() => "\"\"",
        Shown::Text(text) => text,
    };
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

const fn why(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::Cell | ConflictKind::Row => "",
        ConflictKind::AddAdd => "both added the row",
        ConflictKind::EditDelete => "theirs deleted the row",
        ConflictKind::DeleteEdit => "ours deleted the row",
        ConflictKind::EditDrop => "theirs dropped the column",
        ConflictKind::DropEdit => "ours dropped the column",
        ConflictKind::ColumnType => "types of the column",
        ConflictKind::ColumnName => "names of the column",
        ConflictKind::Count => "how often the row stands there",
        ConflictKind::DuplicateKey => "a key twice: the table stays as ours has it",
        ConflictKind::NoKey => "columns went and there is no key: the table stays as ours has it",
        ConflictKind::SameName => "two columns of one name: the table stays as ours has it",
    }
}
