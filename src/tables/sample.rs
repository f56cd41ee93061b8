//! A few rows for people to look at, chosen so that the same tables always give the same rows.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::csv::Cell;
use super::error::Sided;

/// The longest text shown of one cell, in characters.
const LONGEST_TEXT: usize = 80;

/// What is shown of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// There is nothing in it (an empty cell without quotes). Serializes as null.
    Nothing,
    /// Its text, cut to 80 characters around the first difference; cut ends are marked with `…`.
    Text(String),
    /// It is private. Serializes as `{"private": true}`.
    Private,
}

impl Shown {
    /// Shows one cell alone.
    pub(super) fn of(cell: Cell<'_>, private: bool) -> Self {
        Self::window(cell, private, 0)
    }

    /// Shows one cell with all its text.
    pub(super) fn whole(cell: Cell<'_>, private: bool) -> Self {
        match cell {
            _ if private => Self::Private,
            Cell { bytes: b"", quoted: false } => Self::Nothing,
            Cell { bytes, .. } => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
        }
    }

    /// Shows two cells that differ, both from about where they differ.
    pub(super) fn pair(before: Cell<'_>, after: Cell<'_>, private: bool) -> (Self, Self) {
        let (one, other) = (String::from_utf8_lossy(before.bytes), String::from_utf8_lossy(after.bytes));
        let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
        let longest = one.chars().count().max(other.chars().count());
        let start = if longest > LONGEST_TEXT { same.saturating_sub(LONGEST_TEXT / 4) } else { 0 };
        (Self::window(before, private, start), Self::window(after, private, start))
    }

    fn window(cell: Cell<'_>, private: bool, start: usize) -> Self {
        if private {
            return Self::Private;
        }
        if cell.bytes.is_empty() && !cell.quoted {
            return Self::Nothing;
        }
        let text = String::from_utf8_lossy(cell.bytes);
        let mut shown = String::from(if start > 0 { "…" } else { "" });
        let mut rest = text.chars().skip(start);
        shown.extend(rest.by_ref().take(LONGEST_TEXT));
        if rest.next().is_some() {
            shown.push('…');
        }
        Self::Text(shown)
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Private => serializer.collect_map([("private", true)]),
        }
    }
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowSampleKind {
    /// Only the older table has it.
    Removed,
    /// Only the newer table has it.
    Added,
    /// Both have it, with other values.
    Changed,
}

/// One row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowSample {
    /// What happened to it.
    pub kind: RowSampleKind,
    /// Its number (from 1, the header not counted) in each table that has it.
    pub row: Sided<Option<u32>>,
    /// Its key, in the order of the key's columns.
    pub key: Vec<Shown>,
    /// Changed: the cells that differ. Added and removed: its cells, the first 50.
    pub cells: Vec<CellChange>,
}

/// One cell of a row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellChange {
    /// The column.
    pub column: String,
    /// What stood there; absent in added rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Shown>,
    /// What stands there; absent in removed rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Shown>,
}

/// The place of a row in the choice of samples: by hash, so that the choice is spread over the table, then by number.
pub(super) type Priority = (u64, u32);

/// Keeps the things of lowest priority, at most `limit`.
#[derive(Debug)]
pub(super) struct Lowest<T> {
    kept: BTreeMap<Priority, T>,
    limit: usize,
}

impl<T> Lowest<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { kept: BTreeMap::new(), limit }
    }

    /// Whether a thing of this priority would be kept.
    pub(super) fn takes(&self, priority: Priority) -> bool {
        let last = self.kept.last_key_value();
        self.kept.len() < self.limit || (self.limit > 0 && last.is_some_and(|(last, _)| priority < *last))
    }

    pub(super) fn offer(&mut self, priority: Priority, thing: T) {
        if self.takes(priority) {
            self.kept.insert(priority, thing);
            if self.kept.len() > self.limit {
                self.kept.pop_last();
            }
        }
    }

    pub(super) fn into_kept(self) -> BTreeMap<Priority, T> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shown_where_they_differ() {
        let (one, other) = ("a".repeat(100) + "1" + &"b".repeat(100), "a".repeat(100) + "2");
        let cell = |text| Cell { bytes: str::as_bytes(text), quoted: false };
        let (before, after) = Shown::pair(cell(&one), cell(&other), false);
        let start = "…".to_owned() + &"a".repeat(20);
        assert_eq!(before, Shown::Text(start.clone() + "1" + &"b".repeat(59) + "…"));
        assert_eq!(after, Shown::Text(start + "2"));
    }

    #[test]
    fn the_lowest_are_kept_in_whatever_order_they_come() {
        let keep = |numbers: &[u64]| {
            let mut lowest = Lowest::new(2);
            numbers.iter().for_each(|number| lowest.offer((*number, 0), *number));
            lowest.into_kept().into_values().collect::<Vec<_>>()
        };
        assert_eq!((keep(&[5, 1, 4, 2]), keep(&[2, 1, 4, 5])), (vec![1, 2], vec![1, 2]));
    }
}
