//! Tells what the versions disagree about.

use std::io;

use crate::tables::csv::Record;
use crate::tables::sample::Shown;
use crate::tables::source::Source;

use super::conflict::{Conflict, ConflictKind, NamedCells, Said};
use super::emit::Emission;
use super::picked::{Picked, Scratch};
use super::plan::Plan;
use super::rows::{CountConflict, Item, RepeatedKey};
use super::schema::MergedColumn;
use super::three::{Three, Version};
use super::{MergeOutput, TableMerge, TableMergeError};

/// Where the merge goes, and how many conflicts went there.
pub(super) struct Output<'a> {
    pub(super) to: MergeOutput<'a>,
    pub(super) conflicts: u64,
}

impl<'a> Output<'a> {
    pub(super) fn new(to: MergeOutput<'a>) -> Self {
        Self { to, conflicts: 0 }
    }

    pub(super) fn tell(&mut self, conflict: &Conflict) -> io::Result<()> {
        self.conflicts += 1;
        (self.to.conflict)(conflict)
    }
}

/// The table as ours has it, because its rows cannot be told apart.
pub(super) fn keep_ours(
    plan: &Plan<'_>,
    ours: &dyn Source,
    kind: ConflictKind,
    repeated: &[RepeatedKey],
    mut output: Output<'_>,
) -> Result<TableMerge, TableMergeError> {
    io::copy(&mut ours.open()?, output.to.table)?;
    for conflict in &plan.schema.conflicts {
        output.tell(conflict)?;
    }
    for RepeatedKey { version, number } in repeated {
        let mut picked = pick(plan, *version, vec![*number], output.to.scratch)?;
        let mut record = Record::default();
        get(&mut picked, *version, *number, &mut record)?;
        let key = cells_of(plan.key_columns(), *version, &record);
        let mut said = Three { base: Said::Absent, ours: Said::Absent, theirs: Said::Absent };
        *said.of_mut(*version) = Said::Row(cells_of(plan.schema.columns.iter(), *version, &record));
        output.tell(&Conflict { kind, key, column: None, said })?;
    }
    if repeated.is_empty() {
        let said = Three { base: Said::Absent, ours: Said::Absent, theirs: Said::Absent };
        let column = plan.schema.same_name().map(str::to_owned);
        output.tell(&Conflict { kind, key: NamedCells::default(), column, said })?;
    }
    let (key, conflicts) = (plan.key.clone(), output.conflicts);
    Ok(TableMerge { key, rows: None, conflicts, reordered_by_both: false })
}

pub(super) fn pick(
    plan: &Plan<'_>,
    version: Version,
    wanted: Vec<u32>,
    scratch: &(dyn Fn() -> io::Result<Box<dyn Scratch>> + Sync),
) -> Result<Picked, TableMergeError> {
    let table = if wanted.is_empty() { None } else { plan.open(version)? };
    Picked::read(table, wanted, scratch()?).map_err(|source| TableMergeError::Table { version, source })
}

pub(super) fn get(
    picked: &mut Picked,
    version: Version,
    number: u32,
    record: &mut Record,
) -> Result<bool, TableMergeError> {
    picked.get(number, record).map_err(|source| TableMergeError::Table { version, source })
}

/// Cells of a row with the names of their columns; private ones say no value.
fn cells_of<'c>(
    columns: impl Iterator<Item = &'c MergedColumn>,
    version: Version,
    record: &Record,
) -> NamedCells {
    let cells = columns.filter_map(|column| {
        let cell = column.cell(version, Some(record))?;
        Some((column.name.clone(), Shown::whole(cell, column.private)))
    });
    NamedCells(cells.collect())
}

impl Emission<'_, '_> {
    /// The key of the row whose records are at hand.
    fn key(&self, item: &Item) -> NamedCells {
        let there =
            |version: &Version| *item.number.of(*version) > 0 && !self.records.of(*version).is_empty();
        let version = [Version::Ours, Version::Theirs, Version::Base].into_iter().find(there);
        let key = version.map(|version| cells_of(self.plan.key_columns(), version, self.records.of(version)));
        key.unwrap_or_default()
    }

    pub(super) fn tell_cell(
        &mut self,
        kind: ConflictKind,
        column: &MergedColumn,
        item: &Item,
    ) -> io::Result<()> {
        let cells = self.cells(column);
        let said = |version| match *cells.of(version) {
            Some(cell) => Said::Cell(Shown::whole(cell, column.private)),
            None => Said::Absent,
        };
        let (key, column) = (self.key(item), Some(column.name.clone()));
        let conflict = Conflict { kind, key, column, said: Three::from_each(said) };
        self.output.tell(&conflict)
    }

    pub(super) fn tell_row(&mut self, kind: ConflictKind, item: &Item) -> io::Result<()> {
        let said = |version| {
            let record = self.records.of(version);
            if *item.number.of(version) == 0 || record.is_empty() {
                return Said::Absent;
            }
            Said::Row(cells_of(self.plan.schema.columns.iter(), version, record))
        };
        let conflict = Conflict { kind, key: self.key(item), column: None, said: Three::from_each(said) };
        self.output.tell(&conflict)
    }

    /// Conflicts of rows that the merged table does not have, and of how often a row stands there.
    pub(super) fn tell_what_is_not_there(&mut self) -> Result<(), TableMergeError> {
        for item in std::mem::take(&mut self.rows.deleted) {
            self.fetch(&item, None)?;
            self.tell_row(ConflictKind::DeleteEdit, &item)?;
        }
        for CountConflict { example: (version, number), counts } in std::mem::take(&mut self.rows.counts) {
            let mut record = Record::default();
            get(self.picked.of_mut(version), version, number, &mut record)?;
            let key = cells_of(self.plan.schema.columns.iter(), version, &record);
            let said = Three::from_each(|version| Said::Count(*counts.of(version)));
            self.output.tell(&Conflict { kind: ConflictKind::Count, key, column: None, said })?;
        }
        Ok(())
    }
}
