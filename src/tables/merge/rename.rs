//! Columns that one version calls otherwise than the base.
//!
//! A guess is no rename: a column counts as renamed only where the base's name is gone, the new name is new, and every row
//! that both versions have holds the same value in both. One edited cell, and it is a column dropped and another added;
//! then an edit of the other version is a conflict, and nothing is lost.

use crate::tables::csv::Record;
use crate::tables::error::TableError;
use crate::tables::row_match::{Hash, hash_cells};
use crate::tables::value::{ColumnType, Comparison};

use super::scanned::Scanned;
use super::schema::{Renames, names};

/// Columns that are looked at on each side: a table that lost more was made anew.
const COLUMNS_SEARCHED: usize = 16;

/// The columns of `base` that `other` calls otherwise, if `key` tells rows apart.
pub(super) fn find_renames(
    base: &Scanned<'_>,
    other: &Scanned<'_>,
    key: &[String],
) -> Result<Renames, TableError> {
    let (before, after) = (names(&base.shape), names(&other.shape));
    let alone = |names: &[String], others: &[String]| {
        let alone = (0..names.len()).filter(|place| !others.contains(&names[*place]));
        alone.take(COLUMNS_SEARCHED).collect::<Vec<_>>()
    };
    let (gone, new) = (alone(&before, &after), alone(&after, &before));
    let kind = |scanned: &Scanned<'_>, place: usize| scanned.shape.columns[place].kind;
    let mut pairs: Vec<(usize, usize)> = gone
        .iter()
        .flat_map(|old| new.iter().map(move |now| (*old, *now)))
        .filter(|(old, now)| kind(base, *old) == kind(other, *now) && kind(base, *old) != ColumnType::Null)
        .collect();
    if pairs.is_empty() || key.is_empty() {
        return Ok(Renames::new());
    }
    let (old, now) = rayon::join(|| base.cell_hashes(key, &gone), || other.cell_hashes(key, &new));
    let (old, now) = (old?, now?);
    let place = |places: &[usize], at: usize| places.iter().position(|place| *place == at);
    let mut shared = 0_u64;
    let mut new_rows = now.iter().peekable();
    for (key, cells) in &old {
        while new_rows.next_if(|(other, _)| other < key).is_some() {}
        let Some((_, others)) = new_rows.peek().filter(|(other, _)| other == key) else { continue };
        shared += 1;
        pairs.retain(|(old, now)| {
            let cell = place(&gone, *old).map(|at| cells[at]);
            cell == place(&new, *now).map(|at| others[at])
        });
        if pairs.is_empty() {
            break;
        }
    }
    let mut renames = Renames::new();
    if shared == 0 {
        return Ok(renames);
    }
    // A column at the same place is the likelier one.
    pairs.sort_by_key(|(old, now)| (old.abs_diff(*now), *old));
    let mut taken = Vec::new();
    for (old, now) in pairs {
        if !renames.contains_key(&before[old]) && !taken.contains(&now) {
            renames.insert(before[old].clone(), after[now].clone());
            taken.push(now);
        }
    }
    Ok(renames)
}

impl Scanned<'_> {
    /// For each row the hash of its key and those of its cells at `places`, sorted by key.
    fn cell_hashes(&self, key: &[String], places: &[usize]) -> Result<Vec<(Hash, Vec<Hash>)>, TableError> {
        let mut hashes = Vec::new();
        let Some(mut table) = self.open()? else { return Ok(hashes) };
        let kind = |place: usize| self.shape.columns[place].kind;
        let how = |place: usize| Comparison::between(kind(place), kind(place));
        let key: Vec<usize> =
            (0..self.shape.columns.len()).filter(|at| key.contains(&self.shape.columns[*at].name)).collect();
        let (mut record, mut buffer) = (Record::default(), Vec::new());
        while table.read(&mut record)? {
            let mut hash = |places: &[usize]| {
                hash_cells(places.iter().map(|place| (record.get(*place), how(*place))), &mut buffer)
            };
            let row = hash(&key);
            hashes.push((row, places.iter().map(|place| hash(&[*place])).collect()));
        }
        hashes.sort_unstable();
        Ok(hashes)
    }
}
