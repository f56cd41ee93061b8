//! What stands in one cell of the merged table.

use crate::tables::csv::Cell;
use crate::tables::value::{ColumnType, Comparison};

use super::conflict::ConflictKind;
use super::rows::Item;
use super::schema::MergedColumn;
use super::three::{Three, Version};

/// Compares cells by value.
#[derive(Debug, Default)]
pub(super) struct Equal {
    one: Vec<u8>,
    other: Vec<u8>,
}

impl Equal {
    /// Whether two cells have the same value.
    pub(super) fn is_same(&mut self, how: Comparison, one: Cell<'_>, other: Cell<'_>) -> bool {
        if one == other {
            return true;
        }
        self.one.clear();
        self.other.clear();
        how.encode(one, &mut self.one);
        how.encode(other, &mut self.other);
        self.one == self.other
    }

    /// As [`Equal::is_same`], where a row may be missing.
    fn is_unchanged(&mut self, how: Comparison, before: Option<Cell<'_>>, now: Option<Cell<'_>>) -> bool {
        match (before, now) {
            (Some(before), Some(now)) => self.is_same(how, before, now),
            (before, now) => before.is_none() && now.is_none(),
        }
    }
}

/// Which version's cell is taken, and whether the versions disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    /// `None`: the cell is empty, for no version has the row and the column.
    pub(super) from: Option<Version>,
    pub(super) conflict: Option<ConflictKind>,
}

impl Choice {
    const fn clean(from: Version) -> Self {
        Self { from: Some(from), conflict: None }
    }

    fn of(from: Version, conflict: Option<ConflictKind>) -> Self {
        Self { from: Some(from), conflict }
    }
}

/// Chooses one cell. `cells` are those that are known: that of the base only where both changed the row, or one of them
/// changed it and a column was dropped.
pub(super) fn choose(
    equal: &mut Equal,
    column: &MergedColumn,
    item: &Item,
    cells: &Three<Option<Cell<'_>>>,
) -> Choice {
    use Version::{Ours, Theirs};
    let how = column.comparison;
    let Three { base, ours, theirs } = *cells;
    match (item.number.ours > 0, item.number.theirs > 0) {
        (true, false) => return Choice { from: column.is_in(Ours).then_some(Ours), conflict: None },
        (false, _) => return Choice { from: column.is_in(Theirs).then_some(Theirs), conflict: None },
        (true, true) => {}
    }
    let had_row = item.number.base > 0;
    match (column.is_in(Ours), column.is_in(Theirs)) {
        (true, false) => {
            let edited = column.is_dropped_by(Theirs)
                && had_row
                && item.changed.ours
                && !equal.is_unchanged(how, base, ours);
            Choice::of(Ours, edited.then_some(ConflictKind::EditDrop))
        }
        (false, _) => {
            let edited = column.is_dropped_by(Ours)
                && had_row
                && item.changed.theirs
                && !equal.is_unchanged(how, base, theirs);
            Choice::of(Theirs, edited.then_some(ConflictKind::DropEdit))
        }
        (true, true) if equal.is_unchanged(how, ours, theirs) => Choice::clean(Ours),
        (true, true) if !had_row => Choice::of(Ours, Some(ConflictKind::AddAdd)),
        (true, true) if column.is_added_by_both() => {
            let typed_alike = column.kinds.ours == column.kinds.theirs;
            // Different types are one conflict of the column, not one of each cell.
            Choice::of(Ours, typed_alike.then_some(ConflictKind::Cell))
        }
        (true, true) if !item.changed.theirs => Choice::clean(Ours),
        (true, true) if !item.changed.ours || equal.is_unchanged(how, base, ours) => Choice::clean(Theirs),
        (true, true) if equal.is_unchanged(how, base, theirs) => Choice::clean(Ours),
        (true, true) => Choice::of(Ours, Some(ConflictKind::Cell)),
    }
}

/// The decimals that a whole number of theirs gets where ours made the column one of floats, as ours writes them: `11`
/// becomes `11.0` beside `10.0`.
pub(super) fn decimals<'r>(column: &MergedColumn, ours: Option<Cell<'r>>, theirs: Cell<'_>) -> &'r [u8] {
    let retyped = column.kinds.ours == ColumnType::Float64
        && column.kinds.theirs == ColumnType::Int64
        && column.kinds.base != ColumnType::Float64;
    let is_whole = |text: &[u8]| {
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    let Some(ours) = ours.filter(|_| retyped && is_whole(theirs.bytes)) else { return b"" };
    let point = ours.bytes.iter().position(|byte| *byte == b'.').unwrap_or(ours.bytes.len());
    let (whole, rest) = ours.bytes.split_at(point);
    if is_whole(whole) && rest.len() > 1 && rest[1..].iter().all(|byte| *byte == b'0') { rest } else { b"" }
}
