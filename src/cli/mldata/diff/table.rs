//! What changed in one table: rows, columns and key in a line; what a reviewer should not miss; cells; a few rows.

use std::io;

use crate::cli::amounts::{count, counted};
use crate::cli::page::{Page, Paint};
use crate::data::diff::{Change, ChangeKind, ColumnLine, ColumnsChange, FileFacts, TableChange};
use crate::tables::{
    CellChange, ColumnDiff, Duplicates, KeyOrigin, RowCounts, RowSample, RowSampleKind, SchemaDiff, Shown,
    Side, Sided, TableDiff,
};

use super::flow::{self, Piece};

const INDENT: usize = 2;

/// A share of nulls that grew by so much, or of rows that went, is worth a flag.
const NULLS_GREW: f64 = 0.05;
const ROWS_GONE: f64 = 0.05;

/// Columns whose changed cells are counted on the page; names of columns that are named.
const COLUMNS_COUNTED: usize = 12;
const COLUMNS_NAMED: usize = 6;

/// What changed in the rows and columns of `change`.
pub(super) fn write(page: &mut Page<'_>, change: &Change, table: &TableChange) -> io::Result<()> {
    match table {
        TableChange::Rows(diff) => rows(page, diff),
        TableChange::Pointers(columns) => pointers(page, change, columns),
        TableChange::Unreadable { side, reason } => {
            let version = if *side == Side::Before { "older" } else { "newer" };
            flag(page, &format!("the rows of the {version} version cannot be read: {reason}"))
        }
    }
}

fn rows(page: &mut Page<'_>, diff: &TableDiff) -> io::Result<()> {
    if diff.is_order_only() {
        let what = match (diff.reordered, diff.schema.reordered) {
            (true, true) => "rows and columns",
            (true, false) => "rows",
            _ => "columns",
        };
        return line(page, &[Piece::plain(&format!("the same values, {what} in another order"))]);
    }
    let RowCounts { before, after, added, removed, changed, .. } = diff.rows;
    if diff.has_same_content() && diff.schema.retyped.is_empty() {
        return line(page, &[Piece::plain("the same values, written differently")]);
    }
    let mut summary = vec![if added + removed + changed == 0 {
        Piece::plain(&format!("{} as before", counted(after, "row")))
    } else {
        let all =
            if before == after { count(after) } else { format!("{} -> {}", count(before), count(after)) };
        signed("rows", added, removed, changed).then(&format!(" ({all})"), None)
    }];
    summary.extend(schema(&diff.schema));
    summary.push(key(diff));
    line(page, &summary)?;
    flags(page, diff)?;
    cells(page, &diff.columns)?;
    samples(page, diff)
}

/// `rows +3 -1 ~12`, without what is zero.
pub(super) fn signed(what: &str, added: u64, removed: u64, changed: u64) -> Piece {
    let counts = [("+", added, Paint::Good), ("-", removed, Paint::Bad), ("~", changed, Paint::Notable)];
    let counts = counts.into_iter().filter(|(_, number, _)| *number > 0);
    counts.fold(Piece::plain(what), |piece, (sign, number, paint)| {
        piece.then(" ", None).then(&format!("{sign}{}", count(number)), Some(paint))
    })
}

/// `columns +1 (region) -1 (old)`, and types that changed.
fn schema(schema: &SchemaDiff) -> Vec<Piece> {
    let added: Vec<&str> = schema.added.iter().map(|column| column.name.as_str()).collect();
    let removed: Vec<&str> = schema.removed.iter().map(|column| column.name.as_str()).collect();
    let retyped =
        schema.retyped.iter().map(|column| retype(&column.name, &column.kind.before, &column.kind.after));
    columns(&added, &removed).into_iter().chain(retyped).collect()
}

fn columns(added: &[&str], removed: &[&str]) -> Option<Piece> {
    if added.is_empty() && removed.is_empty() {
        return None;
    }
    let signs = [("+", added, Paint::Good), ("-", removed, Paint::Bad)];
    let signs = signs.into_iter().filter(|(_, names, _)| !names.is_empty());
    Some(signs.fold(Piece::plain("columns"), |piece, (sign, names, paint)| {
        let number = format!("{sign}{}", count(names.len() as u64));
        piece.then(" ", None).then(&number, Some(paint)).then(&format!(" ({})", named(names)), None)
    }))
}

fn retype(name: &str, before: &dyn std::fmt::Display, after: &dyn std::fmt::Display) -> Piece {
    Piece::painted(&format!("{name} {before} -> {after}"), Paint::Notable)
}

/// The first few names.
fn named(names: &[&str]) -> String {
    let rest = names.len().saturating_sub(COLUMNS_NAMED);
    let shown = names[..names.len() - rest].join(", ");
    if rest > 0 { format!("{shown}, {} more", count(rest as u64)) } else { shown }
}

fn key(diff: &TableDiff) -> Piece {
    let columns = diff.key.columns.join(", ");
    match diff.key.origin {
        KeyOrigin::Declared => Piece::plain(&format!("key {columns} (declared)")),
        KeyOrigin::Found => Piece::plain(&format!("key {columns} (found)")),
        KeyOrigin::None => Piece::plain("no key: a changed row is one gone and one new"),
    }
}

/// What a reviewer should not miss.
fn flags(page: &mut Page<'_>, diff: &TableDiff) -> io::Result<()> {
    let missing: Vec<&str> = diff.key.not_in_both.iter().map(String::as_str).collect();
    if !missing.is_empty() {
        flag(page, &format!("the declared key is not used: {} not in both versions", named(&missing)))?;
    }
    let Sided { before, after } = diff.repeated_keys;
    if (before, after) != Default::default() {
        let told = |Duplicates { keys, rows }: Duplicates| {
            format!("{} in {}", counted(keys, "key"), counted(rows, "row"))
        };
        flag(page, &format!("keys that stand more than once: before {}, now {}", told(before), told(after)))?;
    }
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let gone = share(diff.rows.removed, diff.rows.before);
    if gone > ROWS_GONE && diff.key.origin != KeyOrigin::None {
        flag(page, &format!("{} of the rows are gone", percent(gone)))?;
    }
    for column in &diff.columns {
        let nulls = Sided {
            before: share(column.nulls.before, diff.rows.before),
            after: share(column.nulls.after, diff.rows.after),
        };
        if nulls.after - nulls.before >= NULLS_GREW {
            let (before, after) = (percent(nulls.before), percent(nulls.after));
            flag(page, &format!("{} without a value: {before} -> {after}", column.name))?;
        }
    }
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

fn flag(page: &mut Page<'_>, text: &str) -> io::Result<()> {
    flow::sentence(page, INDENT, &Piece::painted("!", Paint::Bad), text, Paint::Notable)
}

fn line(page: &mut Page<'_>, pieces: &[Piece]) -> io::Result<()> {
    flow::write(page, INDENT, &Piece::default(), pieces, usize::MAX)
}

/// Changed cells by column, most first; and columns with more or fewer nulls than before.
fn cells(page: &mut Page<'_>, columns: &[ColumnDiff]) -> io::Result<()> {
    let mut changed: Vec<&ColumnDiff> = columns.iter().filter(|column| column.changed > 0).collect();
    changed.sort_by_key(|column| std::cmp::Reverse(column.changed));
    let cells = changed.iter().map(|column| {
        Piece::plain(&column.name).then(&format!(" ~{}", count(column.changed)), Some(Paint::Notable))
    });
    by_column(page, "cells ", cells.collect())?;
    let other = columns.iter().filter(|column| column.nulls.before != column.nulls.after);
    let nulls = other.map(|column| {
        let Sided { before, after } = column.nulls;
        Piece::plain(&format!("{} {} -> {}", column.name, count(before), count(after)))
    });
    by_column(page, "nulls ", nulls.collect())
}

fn by_column(page: &mut Page<'_>, what: &str, mut pieces: Vec<Piece>) -> io::Result<()> {
    if pieces.is_empty() {
        return Ok(());
    }
    let rest = pieces.len().saturating_sub(COLUMNS_COUNTED);
    pieces.truncate(COLUMNS_COUNTED);
    if rest > 0 {
        pieces.push(Piece::painted(&format!("and {} more", counted(rest as u64, "column")), Paint::Faint));
    }
    flow::write(page, INDENT, &Piece::painted(what, Paint::Faint), &pieces, usize::MAX)
}

/// A few rows: changed, removed, added; and how many more there are.
fn samples(page: &mut Page<'_>, diff: &TableDiff) -> io::Result<()> {
    let RowCounts { added, removed, changed, .. } = diff.rows;
    let kinds = [
        (RowSampleKind::Changed, "~", Paint::Notable, changed),
        (RowSampleKind::Removed, "-", Paint::Bad, removed),
        (RowSampleKind::Added, "+", Paint::Good, added),
    ];
    for (kind, sign, paint, all) in kinds {
        let shown: Vec<&RowSample> = diff.samples.iter().filter(|sample| sample.kind == kind).collect();
        for sample in &shown {
            let lead =
                Piece::painted(sign, paint).then(&format!(" {} ", name(diff, sample)), Some(Paint::Heading));
            let lines = if kind == RowSampleKind::Changed { 4 } else { 1 };
            flow::write(page, INDENT, &lead, &values(diff, sample), lines)?;
        }
        let more = all - shown.len() as u64;
        if more > 0 && !shown.is_empty() {
            let lead = Piece::painted(sign, paint);
            flow::write(
                page,
                INDENT,
                &lead,
                &[Piece::painted(&format!("{} more", count(more)), Paint::Faint)],
                1,
            )?;
        }
    }
    Ok(())
}

/// `id=17`; without a key, or with a private one, `row 17`.
fn name(diff: &TableDiff, sample: &RowSample) -> String {
    if sample.key.is_empty() || sample.key.contains(&Shown::Private) {
        let number = sample.row.after.or(sample.row.before).unwrap_or_default();
        return format!("row {}", count(number.into()));
    }
    let columns = diff.key.columns.iter().zip(&sample.key);
    columns.map(|(column, value)| format!("{column}={}", shown(value))).collect::<Vec<_>>().join(" ")
}

/// The cells of a row, without those of the key.
fn values(diff: &TableDiff, sample: &RowSample) -> Vec<Piece> {
    let cells = sample.cells.iter().filter(|cell| !diff.key.columns.contains(&cell.column));
    cells.map(value).collect()
}

fn value(cell: &CellChange) -> Piece {
    let column = Piece::painted(&format!("{}: ", cell.column), Paint::Faint);
    let one = |value: &Shown| shown(value);
    match (&cell.before, &cell.after) {
        (Some(Shown::Private), _) | (_, Some(Shown::Private)) => column.then("(private)", Some(Paint::Faint)),
        (Some(before), Some(after)) => column
            .then(&one(before), Some(Paint::Bad))
            .then(" -> ", None)
            .then(&one(after), Some(Paint::Good)),
        (Some(value), None) | (None, Some(value)) => column.then(&one(value), None),
        (None, None) => column,
    }
}

/// A value as people read it: nothing and blanks are made visible.
fn shown(value: &Shown) -> String {
    match value {
        Shown::Nothing => "(nothing)".into(),
        Shown::Private => "(private)".into(),
        Shown::Text(text) if text.trim() != text || text.is_empty() => format!("\"{text}\""),
        Shown::Text(text) => text.clone(),
    }
}

/// What both pointers say, where the data is not here or was not asked for.
fn pointers(page: &mut Page<'_>, change: &Change, told: &ColumnsChange) -> io::Result<()> {
    let rows = |facts: &Option<FileFacts>| facts.as_ref().and_then(|facts| facts.rows);
    let mut pieces = Vec::new();
    if let (Some(before), Some(after), ChangeKind::Changed) =
        (rows(&change.before), rows(&change.after), change.kind)
    {
        pieces.push(Piece::plain(&if before == after {
            format!("rows {} as before", count(after))
        } else {
            format!("rows {} -> {}", count(before), count(after))
        }));
    }
    let names = |lines: &[ColumnLine]| lines.iter().map(|line| line.name.clone()).collect::<Vec<_>>();
    let (added, removed) = (names(&told.added), names(&told.removed));
    let added: Vec<&str> = added.iter().map(String::as_str).collect();
    let removed: Vec<&str> = removed.iter().map(String::as_str).collect();
    pieces.extend(columns(&added, &removed));
    for Sided { before, after } in &told.changed {
        if before.kind != after.kind {
            pieces.push(retype(&after.name, &before.kind, &after.kind));
        }
        if before.nulls != after.nulls {
            let nulls = format!("{} (nulls {} -> {})", after.name, count(before.nulls), count(after.nulls));
            pieces.push(Piece::plain(&nulls));
        }
    }
    pieces.push(Piece::painted("(told by the pointers)", Paint::Faint));
    line(page, &pieces)
}
