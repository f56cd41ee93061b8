//! Which rows the merged table has, and in which order; told by hashes alone.

use crate::tables::row_match::{Hash, HashedRow};

use super::three::{Three, Version};

/// The hashes of one version's rows.
#[derive(Debug, Default)]
pub(super) struct Hashed {
    /// Of the base: over the columns that it shares with ours. Of another version: over those that it shares with the base.
    pub(super) rows: Vec<HashedRow>,
    /// Of the base, where theirs shares other columns with it than ours: over those, by the number of the row less one.
    pub(super) shared_with_theirs: Vec<Hash>,
}

/// One row of the merged table. Numbers of rows count from 1; 0: the version does not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Item {
    pub(super) number: Three<u32>,
    /// Whether ours and theirs changed it.
    pub(super) changed: Three<bool>,
    pub(super) standing: Standing,
}

/// How sure it is that the row belongs to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// It does.
    #[default]
    Clean,
    /// Ours changed it, theirs deleted it.
    EditDelete,
}

/// How often a row without a key stands there, where both versions changed that differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CountConflict {
    /// A row of this kind, and in which version.
    pub(super) example: (Version, u32),
    pub(super) counts: Three<u64>,
}

/// All rows of the merged table, and the conflicts of whole rows that are not in it.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) items: Vec<Item>,
    /// Rows that ours deleted and theirs changed.
    pub(super) deleted: Vec<Item>,
    pub(super) counts: Vec<CountConflict>,
    /// Whether the rows that a version shares with the base stand in another order there.
    pub(super) moved: Three<bool>,
}

/// Rows that have one key and stand in one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RepeatedKey {
    pub(super) version: Version,
    pub(super) number: u32,
}

/// The most keys that are named as repeated.
const REPEATED_NAMED: usize = 20;

/// Unites the rows. `keyed`: a key tells rows apart; else rows are counted.
///
/// # Errors
///
/// Rows whose key is not theirs alone: then no row can be told from its brother.
pub(super) fn unite_rows(mut hashed: Three<Hashed>, keyed: bool) -> Result<Rows, Vec<RepeatedKey>> {
    let Three { base, ours, theirs } = &mut hashed;
    rayon::join(
        || ours.rows.sort_unstable(),
        || rayon::join(|| base.rows.sort_unstable(), || theirs.rows.sort_unstable()),
    );
    let mut union = Union {
        shared_with_theirs: &hashed.base.shared_with_theirs,
        rows: Rows::default(),
        pairs: Three::default(),
        repeated: Vec::new(),
    };
    let mut left = Three::from_each(|version| hashed.of(version).rows.as_slice());
    while let Some(key) =
        Version::ALL.iter().filter_map(|version| left.of(*version).first()).map(|row| row.key).min()
    {
        let group = Three::from_each(|version| take_group(left.of_mut(version), &key));
        if keyed { union.row(&group) } else { union.count(&group) }
    }
    let Union { mut rows, mut pairs, repeated, .. } = union;
    if !repeated.is_empty() {
        return Err(repeated);
    }
    for version in [Version::Ours, Version::Theirs] {
        let pairs = pairs.of_mut(version);
        pairs.sort_unstable();
        *rows.moved.of_mut(version) = !pairs.is_sorted_by_key(|(_, number)| *number);
    }
    rows.deleted.sort_unstable_by_key(|item| item.number.theirs);
    Ok(rows)
}

/// The rows of this key at the beginning of sorted rows.
fn take_group<'r>(rows: &mut &'r [HashedRow], key: &Hash) -> &'r [HashedRow] {
    let length = rows.iter().take_while(|row| row.key == *key).count();
    let (group, rest) = rows.split_at(length);
    *rows = rest;
    group
}

struct Union<'a> {
    shared_with_theirs: &'a [Hash],
    rows: Rows,
    /// Numbers of rows in the base and in the version.
    pairs: Three<Vec<(u32, u32)>>,
    repeated: Vec<RepeatedKey>,
}

impl Union<'_> {
    /// Decides about the rows of one key.
    fn row(&mut self, group: &Three<&[HashedRow]>) {
        for version in Version::ALL {
            if let [first, _, ..] = group.of(version)
                && self.repeated.len() < REPEATED_NAMED
            {
                self.repeated.push(RepeatedKey { version, number: first.number });
            }
        }
        let row = Three::from_each(|version| group.of(version).first().copied());
        let number = Three::from_each(|version| row.of(version).map_or(0, |row| row.number));
        let base_for_theirs = row.base.map(|base| {
            let other = self.shared_with_theirs.get(base.number.saturating_sub(1) as usize);
            other.copied().unwrap_or(base.row)
        });
        let ours_changed = row.ours.is_some_and(|ours| row.base.is_none_or(|base| base.row != ours.row));
        let theirs_changed = row.theirs.is_some_and(|theirs| base_for_theirs != Some(theirs.row));
        let changed = Three { base: false, ours: ours_changed, theirs: theirs_changed };
        let mut item = Item { number, changed, standing: Standing::Clean };
        for version in [Version::Ours, Version::Theirs] {
            let here = *number.of(version);
            if number.base > 0 && here > 0 {
                self.pairs.of_mut(version).push((number.base, here));
            }
        }
        match (number.base > 0, number.ours > 0, number.theirs > 0) {
            (true, true, false) if !ours_changed => return,
            (true, true, false) => item.standing = Standing::EditDelete,
            (true, false, true) => {
                self.rows.deleted.extend(theirs_changed.then_some(item));
                return;
            }
            (_, false, false) => return,
            _ => {}
        }
        self.rows.items.push(item);
    }

    /// Decides how often a row without a key stands in the table.
    fn count(&mut self, group: &Three<&[HashedRow]>) {
        let counts = Three::from_each(|version| group.of(version).len());
        let result = match counts {
            Three { base, ours, theirs } if theirs == base || ours == theirs => ours,
            Three { base, ours, theirs } if ours == base => theirs,
            Three { ours, .. } => {
                let told = Version::ALL
                    .iter()
                    .find_map(|version| group.of(*version).first().map(|row| (*version, row.number)));
                let counts = Three::from_each(|version| *counts.of(version) as u64);
                self.rows.counts.extend(told.map(|example| CountConflict { example, counts }));
                ours
            }
        };
        for at in 0..result {
            let number = Three::from_each(|version| group.of(version).get(at).map_or(0, |row| row.number));
            self.rows.items.push(Item { number, ..Item::default() });
        }
        for version in [Version::Ours, Version::Theirs] {
            let pairs = group.base.iter().zip(*group.of(version));
            self.pairs.of_mut(version).extend(pairs.map(|(base, here)| (base.number, here.number)));
        }
    }
}

impl Rows {
    /// The version in whose order the rows stand: ours, unless only theirs has another one than the base.
    pub(super) fn leading(&self) -> Version {
        if self.moved.theirs && !self.moved.ours { Version::Theirs } else { Version::Ours }
    }

    /// Brings the rows in the order of the `leading` version. What it does not have stands behind the row that it stands
    /// behind in the `other`, and behind what the leading version added there.
    pub(super) fn bring_in_order(&mut self, leading: Version, other: Version) {
        let last = self.items.iter().map(|item| *item.number.of(leading)).max().unwrap_or(0) as usize;
        // For each row of the leading version: the last of the rows that it alone added right behind it.
        let mut is_own = vec![false; last + 2];
        for item in &self.items {
            let own = *item.number.of(other) == 0;
            is_own[*item.number.of(leading) as usize] = own;
        }
        let mut run_end: Vec<u32> = (0..).take(last + 2).collect();
        for at in (0..last).rev() {
            if is_own[at + 1] {
                run_end[at] = run_end[at + 1];
            }
        }
        self.items.sort_unstable_by_key(|item| *item.number.of(other));
        let mut behind = 0;
        let mut order: Vec<((u32, u32), Item)> = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let (here, there) = (*item.number.of(leading), *item.number.of(other));
            if here > 0 {
                order.push(((here, 0), *item));
                if there > 0 {
                    behind = here;
                }
            } else {
                order.push(((run_end[behind as usize], there), *item));
            }
        }
        order.sort_unstable_by_key(|(place, _)| *place);
        self.items = order.into_iter().map(|(_, item)| item).collect();
    }
}
