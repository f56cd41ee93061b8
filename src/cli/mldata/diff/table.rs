//! What changed in a table, for people.

use std::io;

use crate::cli::amounts::{count, counted};
use crate::cli::escape::escape;
use crate::cli::page::{Page, Paint};
use crate::data::diff::{Change, ColumnsChange};
use crate::tables::{
    CellChange, ColumnDiff, KeyOrigin, KeyUse, RowSample, RowSampleKind, SchemaDiff, Shown, TableDiff,
};

/// Of an added or removed row, so many cells are shown.
const CELLS: usize = 8;

pub(super) fn write(page: &mut Page<'_>, diff: &TableDiff) -> io::Result<()> {
    if diff.is_order_only() {
        return page.line(format_args!("  the same rows in another order"));
    }
    let rows = diff.rows;
    page.line(format_args!(
        "  rows {} ({} -> {}), {}",
        signs(rows.added, rows.removed, rows.changed),
        count(rows.before),
        count(rows.after),
        key(&diff.key)
    ))?;
    write_schema(page, &diff.schema)?;
    let cells: Vec<String> = diff.columns.iter().filter(|column| column.changed > 0).map(cells_of).collect();
    if !cells.is_empty() {
        page.line(format_args!("  cells {}", cells.join(", ")))?;
    }
    let repeated = diff.repeated_keys;
    if repeated.before.keys + repeated.after.keys > 0 {
        page.line(format_args!(
            "  keys that stand more than once: {} -> {}",
            count(repeated.before.keys),
            count(repeated.after.keys)
        ))?;
    }
    diff.samples.iter().try_for_each(|sample| write_sample(page, sample))
}

/// `+124 -2 ~10`: added, removed, changed.
pub(super) fn signs(added: u64, removed: u64, changed: u64) -> String {
    format!("+{} -{} ~{}", count(added), count(removed), count(changed))
}

/// By what rows were matched.
fn key(key: &KeyUse) -> String {
    let columns = key.columns.iter().map(|column| escape(column)).collect::<Vec<_>>().join(", ");
    let missing = match key.not_in_both.is_empty() {
        true => String::new(),
        false => format!("; the declared key is not in both: {}", escape(&key.not_in_both.join(", "))),
    };
    match key.origin {
        KeyOrigin::Declared => format!("by key {columns}"),
        KeyOrigin::Found => format!("by key {columns} (found, not declared){missing}"),
        KeyOrigin::None => format!("without a key, so no row counts as changed{missing}"),
    }
}

fn write_schema(page: &mut Page<'_>, schema: &SchemaDiff) -> io::Result<()> {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(schema.added.iter().map(|column| format!("+{}", escape(&column.name))));
    parts.extend(schema.removed.iter().map(|column| format!("-{}", escape(&column.name))));
    parts.extend(
        schema.retyped.iter().map(|column| {
            format!("{} {} -> {}", escape(&column.name), column.kind.before, column.kind.after)
        }),
    );
    if schema.reordered {
        parts.push("in another order".to_owned());
    }
    if parts.is_empty() { Ok(()) } else { page.line(format_args!("  columns {}", parts.join(", "))) }
}

fn cells_of(column: &ColumnDiff) -> String {
    let private = if column.private { " (private)" } else { "" };
    format!("{} {}{private}", count(column.changed), escape(&column.name))
}

fn write_sample(page: &mut Page<'_>, sample: &RowSample) -> io::Result<()> {
    let (sign, paint) = match sample.kind {
        RowSampleKind::Removed => ('-', Paint::Bad),
        RowSampleKind::Added => ('+', Paint::Good),
        RowSampleKind::Changed => ('~', Paint::Notable),
    };
    let key: Vec<String> = sample.key.iter().map(|value| shown(Some(value))).collect();
    let key = if key.is_empty() { String::new() } else { format!(" {}:", key.join(",")) };
    let limit = if sample.kind == RowSampleKind::Changed { usize::MAX } else { CELLS };
    let mut cells: Vec<String> =
        sample.cells.iter().take(limit).map(|cell| cell_of(sample.kind, cell)).collect();
    if sample.cells.len() > limit {
        cells.push("…".to_owned());
    }
    page.painted(paint, &format!("    {sign}{key} {}", cells.join(" ")))
}

fn cell_of(kind: RowSampleKind, cell: &CellChange) -> String {
    let column = escape(&cell.column);
    match kind {
        RowSampleKind::Changed => {
            format!("{column} {} -> {}", shown(cell.before.as_ref()), shown(cell.after.as_ref()))
        }
        RowSampleKind::Removed => format!("{column}={}", shown(cell.before.as_ref())),
        RowSampleKind::Added => format!("{column}={}", shown(cell.after.as_ref())),
    }
}

fn shown(value: Option<&Shown>) -> String {
    match value {
        Some(Shown::Text(text)) => escape(text).into_owned(),
        Some(Shown::Private) => "(private)".to_owned(),
        Some(Shown::Nothing) | None => "(nothing)".to_owned(),
    }
}

/// What pointers alone tell of a table.
pub(super) fn write_columns(page: &mut Page<'_>, change: &Change, columns: &ColumnsChange) -> io::Result<()> {
    let rows = |facts: &Option<crate::data::diff::FileFacts>| facts.as_ref().and_then(|facts| facts.rows);
    if let (Some(before), Some(after)) = (rows(&change.before), rows(&change.after)) {
        page.line(format_args!("  {} -> {}", count(before), counted(after, "row")))?;
    }
    let mut parts: Vec<String> = Vec::new();
    parts.extend(columns.added.iter().map(|column| format!("+{}", escape(&column.name))));
    parts.extend(columns.removed.iter().map(|column| format!("-{}", escape(&column.name))));
    parts.extend(columns.changed.iter().map(|both| {
        let (before, after) = (&both.before, &both.after);
        let name = escape(&after.name);
        if before.kind == after.kind {
            format!("{name} nulls {} -> {}", before.nulls, after.nulls)
        } else {
            format!("{name} {} -> {}", before.kind, after.kind)
        }
    }));
    if parts.is_empty() { Ok(()) } else { page.line(format_args!("  columns {}", parts.join(", "))) }
}
