//! Which row of one table is which row of the other, by hashes alone.

use crate::base::Digest;

use super::csv::Cell;
use super::error::Sided;
use super::sample::Lowest;
use super::value::Comparison;

/// The first 128 bits of a BLAKE3 digest.
pub(super) type Hash = [u8; 16];

/// The hash of some cells of a row, equal for equal values only; `buffer` is reused from row to row.
pub(super) fn hash_cells<'r>(
    cells: impl Iterator<Item = (Option<Cell<'r>>, Comparison)>,
    buffer: &mut Vec<u8>,
) -> Hash {
    buffer.clear();
    for (cell, comparison) in cells {
        if let Some(cell) = cell {
            comparison.encode(cell, buffer);
        }
    }
    let mut hash = Hash::default();
    hash.copy_from_slice(&Digest::of(buffer).as_bytes()[..16]);
    hash
}

/// What is kept of a row. Sorting brings rows of one key together, equal ones among them next to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HashedRow {
    /// Of its key; without a key, of the row.
    pub(super) key: Hash,
    /// Of all columns that both tables have.
    pub(super) row: Hash,
    /// Its number in its table, from 1.
    pub(super) number: u32,
}

impl HashedRow {
    fn priority(&self) -> (u64, u32) {
        let [a, b, c, d, e, f, g, h, ..] = self.key;
        (u64::from_be_bytes([a, b, c, d, e, f, g, h]), self.number)
    }
}

/// A row that both tables have with other values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChangedRow {
    pub(super) number: Sided<u32>,
    pub(super) priority: (u64, u32),
}

/// Every row of both tables, in one of four places.
#[derive(Debug)]
pub(super) struct Matching {
    pub(super) unchanged: u64,
    pub(super) changed: Vec<ChangedRow>,
    /// Rows of the older table alone, and of the newer alone.
    pub(super) alone: Sided<u64>,
    /// Some of these, for people.
    pub(super) samples: Sided<Lowest<u32>>,
    /// Whether rows that both tables have stand in another order.
    pub(super) reordered: bool,
    /// Keys that stand more than once, and the rows that have them.
    pub(super) repeated: Sided<(u64, u64)>,
}

/// Matches the rows of two tables.
///
/// Rows of one key: equal rows are matched first, in the order in which they stand; then the rest in the order in which
/// they stand, as changed; what is left over is removed or added. So a row is never lost, whatever its key.
pub(super) fn match_rows(mut rows: Sided<Vec<HashedRow>>, samples: usize) -> Matching {
    rayon::join(|| rows.before.sort_unstable(), || rows.after.sort_unstable());
    let mut matcher = Matcher::new(samples, rows.before.len().min(rows.after.len()));
    let mut before = rows.before.chunk_by(|one, other| one.key == other.key).peekable();
    let mut after = rows.after.chunk_by(|one, other| one.key == other.key).peekable();
    loop {
        let keys = (before.peek().map(|group| group[0].key), after.peek().map(|group| group[0].key));
        let (takes_before, takes_after) = match keys {
            (None, None) => break,
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(one), Some(other)) => (one <= other, other <= one),
        };
        let old = if takes_before { before.next() } else { None };
        let new = if takes_after { after.next() } else { None };
        matcher.group(old.unwrap_or_default(), new.unwrap_or_default());
    }
    matcher.finish()
}

struct Matcher {
    matching: Matching,
    /// Numbers of rows that both tables have.
    pairs: Vec<(u32, u32)>,
    left: Sided<Vec<HashedRow>>,
}

impl Matcher {
    fn new(samples: usize, most_pairs: usize) -> Self {
        let matching = Matching {
            unchanged: 0,
            changed: Vec::new(),
            alone: Sided::default(),
            samples: Sided { before: Lowest::new(samples), after: Lowest::new(samples) },
            reordered: false,
            repeated: Sided::default(),
        };
        Self { matching, pairs: Vec::with_capacity(most_pairs), left: Sided::default() }
    }

    /// Matches all rows of one key.
    fn group(&mut self, before: &[HashedRow], after: &[HashedRow]) {
        count_repeated(&mut self.matching.repeated.before, before);
        count_repeated(&mut self.matching.repeated.after, after);
        self.take_equal(before, after);
        let Sided { before: mut old, after: mut new } = std::mem::take(&mut self.left);
        old.sort_unstable_by_key(|row| row.number);
        new.sort_unstable_by_key(|row| row.number);
        for (old, new) in old.iter().zip(&new) {
            self.pairs.push((old.number, new.number));
            let number = Sided { before: old.number, after: new.number };
            self.matching.changed.push(ChangedRow { number, priority: new.priority() });
        }
        let shared = old.len().min(new.len());
        for row in &old[shared..] {
            self.matching.alone.before += 1;
            self.matching.samples.before.offer(row.priority(), row.number);
        }
        for row in &new[shared..] {
            self.matching.alone.after += 1;
            self.matching.samples.after.offer(row.priority(), row.number);
        }
        old.clear();
        new.clear();
        self.left = Sided { before: old, after: new };
    }

    /// Matches equal rows of two groups sorted by row; the others go to `left`.
    fn take_equal(&mut self, mut before: &[HashedRow], mut after: &[HashedRow]) {
        while let ([old, old_rest @ ..], [new, new_rest @ ..]) = (before, after) {
            if old.row == new.row {
                self.pairs.push((old.number, new.number));
                self.matching.unchanged += 1;
                (before, after) = (old_rest, new_rest);
            } else if old.row < new.row {
                self.left.before.push(*old);
                before = old_rest;
            } else {
                self.left.after.push(*new);
                after = new_rest;
            }
        }
        self.left.before.extend_from_slice(before);
        self.left.after.extend_from_slice(after);
    }

    fn finish(mut self) -> Matching {
        self.pairs.sort_unstable();
        self.matching.reordered = !self.pairs.is_sorted_by_key(|(_, after)| *after);
        self.matching
    }
}

fn count_repeated((keys, rows): &mut (u64, u64), group: &[HashedRow]) {
    if group.len() > 1 {
        *keys += 1;
        *rows += group.len() as u64;
    }
}
