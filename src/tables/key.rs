//! Which columns tell rows apart.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use serde::Serialize;

use super::csv::Record;
use super::error::Sided;
use super::merge::Three;
use super::shape::TableShape;
use super::value::{ColumnType, is_null_word, trimmed};

/// Columns that may be found to be a key: the first ones, where keys stand.
const COLUMNS_SEARCHED: usize = 32;

/// How a key was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOrigin {
    /// The team says so.
    Declared,
    /// Unique and without nulls in both tables.
    Found,
    /// There is none: rows are counted as a multiset, and a changed row is one removed and one added.
    None,
}

/// The key by which rows were matched. Never a silent guess.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// Its columns; none without a key.
    pub columns: Vec<String>,
    /// How it was chosen.
    pub origin: KeyOrigin,
    /// Columns of the declared key that one of the tables does not have; then the declared key is not used.
    pub not_in_both: Vec<String>,
}

/// Looks for columns without nulls and without a value twice, while rows are read.
///
/// A hash of 64 bits stands for a value: a collision can only make a column no key.
pub(super) struct KeySearch {
    columns: Vec<Option<HashSet<u64>>>,
}

impl KeySearch {
    pub(super) fn new() -> Self {
        Self { columns: vec![Some(HashSet::new()); COLUMNS_SEARCHED] }
    }

    pub(super) fn see(&mut self, record: &Record) {
        for (seen, cell) in self.columns.iter_mut().zip(record.iter()) {
            let Some(values) = seen else { continue };
            let text = trimmed(cell.bytes);
            let hash = || BuildHasherDefault::<DefaultHasher>::default().hash_one(text);
            if text.is_empty() || is_null_word(text) || !values.insert(hash()) {
                *seen = None;
            }
        }
    }

    pub(super) fn values(&self, column: usize) -> Option<&HashSet<u64>> {
        self.columns.get(column)?.as_ref()
    }
}

/// The declared columns that are not in both tables.
pub(super) fn not_in_both(declared: &[String], names: Sided<&[String]>) -> Vec<String> {
    let in_both = |name: &&String| names.before.contains(name) && names.after.contains(name);
    declared.iter().filter(|name| !in_both(name)).cloned().collect()
}

/// The best key found: a column called like one, else the first that is unique and shared by half of the rows.
pub(super) fn found_key(shapes: Sided<&TableShape>, searches: Sided<&KeySearch>) -> Option<String> {
    let may_be_key = |kind| matches!(kind, ColumnType::Int64 | ColumnType::Utf8 | ColumnType::Date);
    let mut fallback = None;
    for (place, column) in shapes.after.columns.iter().enumerate() {
        let Some(place_before) = shapes.before.columns.iter().position(|other| other.name == column.name)
        else {
            continue;
        };
        let (Some(before), Some(after)) =
            (searches.before.values(place_before), searches.after.values(place))
        else {
            continue;
        };
        if !may_be_key(column.kind) || !may_be_key(shapes.before.columns[place_before].kind) {
            continue;
        }
        if is_called_key(&column.name) {
            return Some(column.name.clone());
        }
        let shared = before.intersection(after).count();
        if fallback.is_none() && shared > 0 && 2 * shared >= before.len().min(after.len()) {
            fallback = Some(column.name.clone());
        }
    }
    fallback
}

/// The key of a merge: the declared one where all versions have it; else a column that is unique in the base and, better,
/// in all. A column called like a key that is unique in the base alone is the key all the same: its repeated values are
/// then an error to be told, not rows to be counted.
pub(super) fn key_of_three(
    shapes: &Three<TableShape>,
    searches: &Three<&KeySearch>,
    declared: &[String],
) -> KeyUse {
    let has = |shape: &TableShape, name: &str| shape.columns.is_empty() || shape.column(name).is_some();
    let in_all = |name: &str| {
        has(&shapes.base, name) && shapes.ours.column(name).is_some() && shapes.theirs.column(name).is_some()
    };
    let not_in_both: Vec<String> = declared.iter().filter(|name| !in_all(name)).cloned().collect();
    if !declared.is_empty() && not_in_both.is_empty() {
        return KeyUse { columns: declared.to_vec(), origin: KeyOrigin::Declared, not_in_both };
    }
    let may_be_key = |kind| matches!(kind, ColumnType::Int64 | ColumnType::Utf8 | ColumnType::Date);
    let values = |shape: &TableShape, search: &'_ KeySearch, name: &str| {
        let place = shape.columns.iter().position(|column| column.name == name);
        place.is_some_and(|place| {
            let is_empty = shape.rows == 0;
            (is_empty || may_be_key(shape.columns[place].kind)) && search.values(place).is_some()
        })
    };
    let (mut called, mut unique) = (None, None);
    for column in &shapes.ours.columns {
        let name = column.name.as_str();
        let in_base = shapes.base.columns.is_empty() || values(&shapes.base, searches.base, name);
        if !in_all(name) || !in_base {
            continue;
        }
        let in_sides =
            values(&shapes.ours, searches.ours, name) && values(&shapes.theirs, searches.theirs, name);
        let is_called = is_called_key(name);
        if in_sides && is_called {
            called = Some(name);
            break;
        }
        if is_called && shapes.base.rows > 0 && called.is_none() {
            called = Some(name);
        }
        if in_sides && unique.is_none() {
            unique = Some(name);
        }
    }
    let found = called.or(unique).map(str::to_owned);
    let origin = if found.is_some() { KeyOrigin::Found } else { KeyOrigin::None };
    KeyUse { columns: found.into_iter().collect(), origin, not_in_both }
}

/// Whether a column is called like a key: `id`, `Key`, `user_id`, `userId`, `id_user`, `UUID`.
fn is_called_key(name: &str) -> bool {
    const WORDS: [&str; 5] = ["id", "key", "uuid", "guid", "uid"];
    let lower = name.to_lowercase();
    let ends_in_capitals = name.ends_with("Id") || name.ends_with("ID") || name.ends_with("Key");
    let mut parts = lower.split(|c: char| !c.is_alphanumeric());
    ends_in_capitals || parts.any(|part| WORDS.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys_are_recognised() {
        assert!(
            ["id", "ID", "user_id", "userId", "id user", "record-uuid", "Key"].into_iter().all(is_called_key)
        );
        assert!(!["width", "idea", "monkey", "valid", "species"].into_iter().any(is_called_key));
    }
}
