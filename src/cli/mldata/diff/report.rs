//! A diff for people: one line a file, tables below their line, totals last.

use std::io;

use crate::cli::amounts::{count, counted, size};
use crate::cli::escape::escape;
use crate::cli::page::{Cell, Page, Paint};
use crate::data::diff::{Change, ChangeKind, DataDiff, FileFacts, FileKind, TableChange, Totals};

use super::table;

pub(super) fn write(page: &mut Page<'_>, diff: &DataDiff) -> io::Result<()> {
    if diff.is_empty() {
        return Ok(());
    }
    // Files without a table under them stand in columns; one with a table ends its block.
    let mut block = Vec::new();
    for change in &diff.changes {
        block.push(row(change));
        if change.table.is_some() || change.not_here.is_some() {
            page.table(0, &block)?;
            block.clear();
            write_below(page, change)?;
        }
    }
    page.table(0, &block)?;
    for path in &diff.stale {
        let path = escape(path.as_str());
        page.line(format_args!("'{path}' in the work tree is of another version than its pointer names"))?;
    }
    page.painted(Paint::Heading, &totals(&diff.totals))
}

fn row(change: &Change) -> Vec<Cell> {
    let (word, paint) = match change.kind {
        ChangeKind::Added => ("added", Paint::Good),
        ChangeKind::Removed => ("removed", Paint::Bad),
        ChangeKind::Changed => ("changed", Paint::Notable),
        ChangeKind::Renamed => ("moved", Paint::Notable),
    };
    let path = match &change.from {
        Some(from) => format!("{from} -> {}", change.path),
        None => change.path.clone(),
    };
    let slash = [&change.after, &change.before].into_iter().flatten().next().is_some_and(is_directory);
    vec![
        Cell::left(word).paint(paint),
        Cell::left(if slash { path + "/" } else { path }),
        Cell::right(sizes(change)),
        Cell::right(files(change)),
    ]
}

fn is_directory(facts: &FileFacts) -> bool {
    facts.kind == FileKind::Directory
}

/// `16 kB`, or `11 kB -> 16 kB`.
fn sizes(change: &Change) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before.size != after.size => {
            format!("{} -> {}", size(before.size), size(after.size))
        }
        (_, Some(facts)) | (Some(facts), None) => size(facts.size),
        (None, None) => String::new(),
    }
}

/// How many files a directory has, and had.
fn files(change: &Change) -> String {
    let number =
        |facts: &Option<FileFacts>| facts.as_ref().filter(|it| is_directory(it)).and_then(|it| it.files);
    match (number(&change.before), number(&change.after)) {
        (Some(before), Some(after)) if before != after => {
            format!("{} -> {}", count(before), counted(after, "file"))
        }
        (_, Some(files)) | (Some(files), None) => counted(files, "file"),
        (None, None) => String::new(),
    }
}

fn write_below(page: &mut Page<'_>, change: &Change) -> io::Result<()> {
    match &change.table {
        Some(TableChange::Rows(diff)) => table::write(page, diff)?,
        Some(TableChange::Pointers(columns)) => table::write_columns(page, change, columns)?,
        Some(TableChange::Unreadable { side, reason }) => {
            let side = format!("{side:?}").to_lowercase();
            page.line(format_args!(
                "  rows were not compared: the version {side} is no table that can be read ({})",
                escape(reason)
            ))?;
        }
        None => {}
    }
    let Some(lack) = change.not_here else { return Ok(()) };
    let side = match (lack.before, lack.after) {
        (true, true) => "neither version is here",
        (true, false) => "the older version is not here",
        _ => "the newer version is not here",
    };
    page.painted(Paint::Faint, &format!("  {side}: no more can be told"))
}

/// The last line: how much changed.
fn totals(totals: &Totals) -> String {
    let parts = [
        (totals.added, "added"),
        (totals.removed, "removed"),
        (totals.changed, "changed"),
        (totals.renamed, "moved"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(files, _)| *files > 0)
        .map(|(files, word)| format!("{} {word}", counted(files, "file")))
        .collect();
    let rows = match totals.rows {
        rows if rows.tables == 0 => String::new(),
        rows => format!("; rows {}", table::signs(rows.added, rows.removed, rows.changed)),
    };
    let paths = counted(totals.compared, "path");
    format!("{} of {paths} differ: {}{rows}", count(totals.differing), parts.join(", "))
}
