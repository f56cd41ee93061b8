//! One line a file.

use std::io;

use crate::cli::amounts::count;
use crate::cli::page::{Cell, Page, Paint};
use crate::data::diff::{Change, DataDiff, FileFacts};

use super::listing;

pub(super) fn write(page: &mut Page<'_>, found: &DataDiff) -> io::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    listing::verdict(page, found)?;
    page.table(0, &found.changes.iter().map(row).collect::<Vec<_>>())
}

fn row(change: &Change) -> Vec<Cell> {
    let from = change.from.as_ref().map_or_else(String::new, |from| format!("from {from}"));
    vec![
        listing::word(change.kind),
        Cell::left(listing::path(change)).paint(Paint::Heading),
        Cell::left(listing::sizes(change)),
        Cell::left(rows(change)),
        Cell::left(from),
        Cell::left(listing::remark(change)).paint(Paint::Notable),
    ]
}

/// Rows before and after, where the pointers tell them.
fn rows(change: &Change) -> String {
    let rows = |facts: &Option<FileFacts>| facts.as_ref().and_then(|facts| facts.rows);
    match (rows(&change.before), rows(&change.after)) {
        (Some(before), Some(after)) if before != after => {
            format!("{} -> {} rows", count(before), count(after))
        }
        _ => String::new(),
    }
}
