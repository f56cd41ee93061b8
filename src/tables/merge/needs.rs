//! Which rows must be read again to write the merged table.

use super::plan::Plan;
use super::rows::{Item, Standing};
use super::schema::MergedColumn;
use super::three::{Three, Version};

/// Which rows of an item must be read.
#[derive(Clone, Copy)]
pub(super) struct Needs<'a> {
    pub(super) plan: &'a Plan<'a>,
    /// The version in whose order the rows stand.
    pub(super) leading: Version,
    pub(super) other: Version,
}

impl Needs<'_> {
    fn dropped_by(&self, version: Version) -> bool {
        self.plan.schema.columns.iter().any(|column| column.is_dropped_by(version))
    }

    /// Whether a row of the leading version must be mixed with that of the other.
    fn mixes(&self, item: &Item) -> bool {
        let added = |column: &MergedColumn| !column.is_in(Version::Base) && column.is_in(self.other);
        let in_both = *item.number.of(self.leading) > 0 && *item.number.of(self.other) > 0;
        in_both && (*item.changed.of(self.other) || self.plan.schema.columns.iter().any(added))
    }

    /// Whether one version changed the row, and the other dropped a column of it.
    fn edits_what_was_dropped(&self, item: &Item) -> bool {
        let Three { base, ours, theirs } = item.number;
        let in_all = base > 0 && ours > 0 && theirs > 0;
        let by = |editor: Version, other| *item.changed.of(editor) && self.dropped_by(other);
        in_all && (by(Version::Ours, Version::Theirs) || by(Version::Theirs, Version::Ours))
    }

    /// Whether the row cannot be copied as the leading version has it, but is made of cells.
    pub(super) fn looks_at_cells(&self, item: &Item) -> bool {
        self.mixes(item) || self.edits_what_was_dropped(item)
    }

    /// Calls `want` with each version whose row must be read aside.
    pub(super) fn of(&self, item: &Item, mut want: impl FnMut(Version)) {
        let base = item.number.base;
        let mixes = self.mixes(item);
        if mixes || *item.number.of(self.leading) == 0 {
            want(self.other);
        }
        let edited = self.edits_what_was_dropped(item);
        let by_both = item.changed.ours && item.changed.theirs;
        let told = item.standing == Standing::EditDelete;
        if base > 0 && (mixes && by_both || edited || told) {
            want(Version::Base);
        }
        if edited || told {
            // They are looked at before the rows are written, or told beside them.
            [Version::Ours, Version::Theirs]
                .into_iter()
                .filter(|version| *item.number.of(*version) > 0)
                .for_each(want);
        }
    }
}
