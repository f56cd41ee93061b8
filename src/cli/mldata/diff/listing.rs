//! A diff for people: the verdict first, then each file, and what changed in the rows of tables.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use crate::base::RepoPath;
use crate::cli::amounts::{count, counted, size};
use crate::cli::escape::escape;
use crate::cli::page::{Cell, Page, Paint};
use crate::data::diff::{Change, ChangeKind, DataDiff, FileFacts, FileKind, SideName, TableChange, Totals};

use super::flow::{self, Piece};
use super::table;

/// Files of one kind that are listed of one tracked directory; more are counted.
const LISTED: usize = 10;

/// The longest path that others are aligned with, in columns.
const ALIGNED: usize = 40;

pub(super) fn write(page: &mut Page<'_>, found: &DataDiff) -> io::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    verdict(page, found)?;
    let (listed, folded) = fold(&found.changes);
    let width = listed.iter().map(|change| path(change).chars().count()).filter(|width| *width <= ALIGNED);
    let width = width.max().unwrap_or(0);
    for (at, change) in listed.iter().enumerate() {
        head(page, change, width)?;
        if let Some(table) = &change.table {
            table::write(page, change, table)?;
        }
        let is_last_of_path = listed.get(at + 1).is_none_or(|next| next.tracked != change.tracked);
        if is_last_of_path {
            for (kind, more) in folded.get(&change.tracked).into_iter().flatten() {
                let text = format!("and {} more below {}", counted(more.files, "file"), change.tracked);
                page.table(0, &[vec![word(*kind), Cell::left(text), Cell::left(size(more.bytes))]])?;
            }
        }
    }
    Ok(())
}

/// Files that are only counted.
#[derive(Default)]
struct More {
    files: u64,
    bytes: u64,
}

type Folded<'a> = BTreeMap<&'a RepoPath, BTreeMap<ChangeKind, More>>;

/// Which changes are listed, and how many are not, by tracked path and kind.
fn fold(changes: &[Change]) -> (Vec<&Change>, Folded<'_>) {
    let mut seen: BTreeMap<(&RepoPath, ChangeKind), usize> = BTreeMap::new();
    changes.iter().for_each(|change| *seen.entry((&change.tracked, change.kind)).or_default() += 1);
    let few = |change: &Change| seen[&(&change.tracked, change.kind)] <= LISTED + 2;
    let mut counted: BTreeMap<(&RepoPath, ChangeKind), usize> = BTreeMap::new();
    let (mut listed, mut folded) = (Vec::new(), Folded::new());
    for change in changes {
        let before = counted.entry((&change.tracked, change.kind)).or_default();
        if few(change) || *before < LISTED {
            *before += 1;
            listed.push(change);
            continue;
        }
        let more = folded.entry(&change.tracked).or_default().entry(change.kind).or_default();
        let facts = change.after.as_ref().or(change.before.as_ref());
        more.files += facts.and_then(|facts| facts.files).unwrap_or(1);
        more.bytes += facts.map_or(0, |facts| facts.size);
    }
    (listed, folded)
}

/// What differs, the first two lines: between what; how many paths, files and rows.
pub(super) fn verdict(page: &mut Page<'_>, found: &DataDiff) -> io::Result<()> {
    let Totals { compared, differing, added, removed, changed, renamed, not_here, rows, .. } = found.totals;
    page.painted(
        Paint::Heading,
        &escape(&format!("{} -> {}", side(&found.sides.before), side(&found.sides.after))),
    )?;
    let verb = if differing == 1 { "differs" } else { "differ" };
    let mut pieces =
        vec![Piece::plain(&format!("{} of {} {verb}", count(differing), counted(compared, "path")))];
    if added + removed + changed + renamed > 0 {
        let signed = table::signed("files", added, removed, changed);
        let comma = if added + removed + changed > 0 { "," } else { "" };
        let moved = if renamed > 0 { format!("{comma} {} renamed", count(renamed)) } else { String::new() };
        pieces.push(signed.then(&moved, None));
    }
    if rows.added + rows.removed + rows.changed > 0 {
        pieces.push(table::signed("rows", rows.added, rows.removed, rows.changed));
    }
    if not_here > 0 {
        pieces.push(Piece::painted(&format!("{} not here", count(not_here)), Paint::Notable));
    }
    flow::write(page, 0, &Piece::default(), &pieces, usize::MAX)
}

fn side(name: &SideName) -> Cow<'_, str> {
    match name {
        SideName::WorkTree => "work tree".into(),
        SideName::Index => "index".into(),
        SideName::Nothing => "nothing".into(),
        SideName::Commit { revision, commit } => {
            let short = commit.short();
            if short.starts_with(revision) || revision.starts_with(&short) {
                short.into()
            } else {
                format!("{revision} ({short})").into()
            }
        }
    }
}

/// The line of one file.
fn head(page: &mut Page<'_>, change: &Change, width: usize) -> io::Result<()> {
    let padded = format!("{:<width$}", path(change));
    let mut row =
        vec![word(change.kind), Cell::left(padded).paint(Paint::Heading), Cell::left(sizes(change))];
    row.push(Cell::left(files(change)));
    row.push(Cell::left(match &change.from {
        Some(from) => format!("from {from}"),
        None => facts_of_new_table(change),
    }));
    row.push(Cell::left(remark(change)).paint(Paint::Notable));
    page.table(0, &[row])
}

/// What happened, in one word of one width.
pub(super) fn word(kind: ChangeKind) -> Cell {
    let (word, paint) = match kind {
        ChangeKind::Added => ("added  ", Paint::Good),
        ChangeKind::Removed => ("removed", Paint::Bad),
        ChangeKind::Changed => ("changed", Paint::Notable),
        ChangeKind::Renamed => ("renamed", Paint::Notable),
    };
    Cell::left(word).paint(paint)
}

/// The path; of a directory with a slash behind it.
pub(super) fn path(change: &Change) -> Cow<'_, str> {
    let facts = change.after.as_ref().or(change.before.as_ref());
    match facts {
        Some(facts) if facts.kind == FileKind::Directory => format!("{}/", change.path).into(),
        _ => change.path.as_str().into(),
    }
}

pub(super) fn sizes(change: &Change) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before.size == after.size => size(after.size),
        (Some(before), Some(after)) => {
            let (old, new) = (size(before.size), size(after.size));
            if old != new {
                return format!("{old} -> {new}");
            }
            let sign = if after.size > before.size { '+' } else { '-' };
            format!("{new} ({sign}{})", size(after.size.abs_diff(before.size)))
        }
        (Some(facts), None) | (None, Some(facts)) => size(facts.size),
        (None, None) => String::new(),
    }
}

/// How many files a directory has.
fn files(change: &Change) -> String {
    let files = |facts: &Option<FileFacts>| {
        facts.as_ref().filter(|facts| facts.kind == FileKind::Directory).and_then(|facts| facts.files)
    };
    match (files(&change.before), files(&change.after)) {
        (Some(before), Some(after)) if before != after => {
            format!("{} -> {}", count(before), counted(after, "file"))
        }
        (_, Some(files)) | (Some(files), _) => counted(files, "file"),
        (None, None) => String::new(),
    }
}

fn facts_of_new_table(change: &Change) -> String {
    let facts = match change.kind {
        ChangeKind::Added => &change.after,
        ChangeKind::Removed => &change.before,
        ChangeKind::Changed | ChangeKind::Renamed => &None,
    };
    let rows = facts.as_ref().and_then(|facts| facts.rows.zip(facts.columns));
    rows.map_or_else(String::new, |(rows, columns)| {
        format!("{}, {}", counted(rows, "row"), counted(columns, "column"))
    })
}

/// What is worth knowing beside: that it is not here, that it is another kind of thing, that it may be executed now.
pub(super) fn remark(change: &Change) -> String {
    if change.not_here.is_some() {
        return "not here".into();
    }
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return String::new() };
    let kind = |facts: &FileFacts| match facts.kind {
        FileKind::File => "file",
        FileKind::Link => "link",
        FileKind::Directory => "directory",
    };
    if before.kind != after.kind {
        return format!("{} -> {}", kind(before), kind(after));
    }
    match (before.executable, after.executable) {
        (false, true) => "executable now".into(),
        (true, false) => "no longer executable".into(),
        _ if matches!(change.table, Some(TableChange::Unreadable { .. })) => "no readable table".into(),
        _ => String::new(),
    }
}
