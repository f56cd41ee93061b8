//! Writes the merged table row by row.

use std::io;

use crate::tables::csv::{Cell, Record, TableReader};
use crate::tables::error::TableError;

use super::cells::{Choice, Equal, choose, decimals};
use super::conflict::ConflictKind;
use super::needs::Needs;
use super::picked::Picked;
use super::plan::Plan;
use super::rows::{CountConflict, Item, Rows, Standing};
use super::schema::MergedColumn;
use super::tell::{Output, get, pick};
use super::three::{Three, Version};
use super::write::RowWriter;
use super::{Granularity, TableMerge, TableMergeError};

/// A merge whose rows are known.
pub(super) struct Emission<'a, 'o> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) rows: Rows,
    granularity: Granularity,
    pub(super) output: Output<'o>,
    leading: Version,
    pub(super) picked: Three<Picked>,
    /// The columns of the merged table, by place in the schema.
    columns: Vec<usize>,
    equal: Equal,
    /// The rows at hand.
    pub(super) records: Three<Record>,
}

impl<'a, 'o> Emission<'a, 'o> {
    /// Brings the rows in order and reads those aside that are needed out of order.
    pub(super) fn begin(
        plan: &'a Plan<'a>,
        mut rows: Rows,
        granularity: Granularity,
        output: Output<'o>,
    ) -> Result<Self, TableMergeError> {
        let leading = rows.leading();
        let other = if leading == Version::Ours { Version::Theirs } else { Version::Ours };
        rows.bring_in_order(leading, other);
        let needs = Needs { plan, leading, other };
        let mut wanted = Three::<Vec<u32>>::default();
        for item in &rows.items {
            needs.of(item, |version| wanted.of_mut(version).push(*item.number.of(version)));
        }
        for item in &rows.deleted {
            wanted.base.push(item.number.base);
            wanted.theirs.push(item.number.theirs);
        }
        for CountConflict { example: (version, number), .. } in &rows.counts {
            wanted.of_mut(*version).push(*number);
        }
        let scratch = output.to.scratch;
        let wanted = &wanted;
        let picked = Three::at_once(|version| pick(plan, version, wanted.of(version).clone(), scratch))?;
        let mut emission = Self {
            plan,
            rows,
            granularity,
            output,
            leading,
            picked,
            columns: Vec::new(),
            equal: Equal::default(),
            records: Three::default(),
        };
        emission.columns = emission.columns_kept()?;
        Ok(emission)
    }

    /// The columns of the merged table. One that theirs dropped stays if ours changed a cell of it.
    fn columns_kept(&mut self) -> Result<Vec<usize>, TableMergeError> {
        let columns = &self.plan.schema.columns;
        let mut stays: Vec<bool> = columns
            .iter()
            .map(|column| !column.is_dropped_by(Version::Ours) && !column.is_dropped_by(Version::Theirs))
            .collect();
        let doubtful: Vec<usize> = (0..columns.len())
            .filter(|at| columns[*at].is_dropped_by(Version::Theirs) && columns[*at].is_in(Version::Ours))
            .collect();
        if !doubtful.is_empty() {
            for item in std::mem::take(&mut self.rows.items) {
                if item.changed.ours && item.number.base > 0 && item.number.theirs > 0 {
                    self.fetch(&item, None)?;
                    for at in &doubtful {
                        stays[*at] |= self.choice(&columns[*at], &item).conflict.is_some();
                    }
                }
                self.rows.items.push(item);
            }
        }
        Ok((0..columns.len()).filter(|at| stays[*at]).collect())
    }

    /// Puts the rows of an item that were read aside into `records`; `here` is already there.
    pub(super) fn fetch(&mut self, item: &Item, here: Option<Version>) -> Result<(), TableMergeError> {
        for version in Version::ALL.into_iter().filter(|version| Some(*version) != here) {
            let number = *item.number.of(version);
            let record = self.records.of_mut(version);
            if !(number > 0 && get(self.picked.of_mut(version), version, number, record)?) {
                *record = Record::default();
            }
        }
        Ok(())
    }

    pub(super) fn cells(&self, column: &MergedColumn) -> Three<Option<Cell<'_>>> {
        Three::from_each(|version| column.cell(version, Some(self.records.of(version))))
    }

    fn choice(&mut self, column: &MergedColumn, item: &Item) -> Choice {
        let Self { equal, records, .. } = self;
        let cells = Three::from_each(|version| column.cell(version, Some(records.of(version))));
        choose(equal, column, item, &cells)
    }

    /// Writes the table. `closed` and `line_end` are how ours ends its lines.
    pub(super) fn write(mut self, closed: bool, line_end: Vec<u8>) -> Result<TableMerge, TableMergeError> {
        let plan = self.plan;
        for conflict in &plan.schema.conflicts {
            self.output.tell(conflict)?;
        }
        let mut body = Vec::new();
        std::mem::swap(&mut body, &mut self.rows.items);
        let version = self.leading;
        let changed = |source| TableMergeError::Table { version, source };
        let Some(mut leading) = plan.open(self.leading)? else {
            return Err(changed(TableError::ChangedWhileRead));
        };
        let ours = match plan.open(Version::Ours)? {
            Some(ours) => ours,
            None => return Err(changed(TableError::ChangedWhileRead)),
        };
        let copies = self.copies_rows_of(self.leading) && leading.dialect() == ours.dialect();
        let line_end = if line_end.is_empty() { vec![ours.dialect().line_end] } else { line_end };
        // The writer borrows the output, and conflicts are told between rows: so rows go through a buffer.
        let mut rows = Vec::with_capacity(256 << 10);
        let mut writer = RowWriter::new(ours.dialect(), line_end);
        self.write_head(&ours, &mut writer, &mut rows)?;
        let (mut record, mut number) = (Record::default(), 0);
        for item in &body {
            let here = *item.number.of(self.leading);
            while number < here {
                if !leading.read(&mut record).map_err(changed)? {
                    return Err(changed(TableError::ChangedWhileRead));
                }
                number += 1;
            }
            if here > 0 && copies && !self.needs().looks_at_cells(item) {
                let (text, end) = leading.raw_row();
                writer.raw(&mut rows, text, end);
                if item.standing == Standing::EditDelete {
                    self.fetch(item, None)?;
                    self.tell_row(ConflictKind::EditDelete, item)?;
                }
            } else {
                let in_hand = (here > 0).then_some(self.leading);
                if in_hand.is_some() {
                    std::mem::swap(self.records.of_mut(self.leading), &mut record);
                }
                self.fetch(item, in_hand)?;
                self.write_cells(item, &mut writer, &mut rows)?;
            }
            if rows.len() > 192 << 10 {
                self.output.to.table.write_all(&rows)?;
                rows.clear();
            }
        }
        writer.finish(&mut rows, closed);
        self.output.to.table.write_all(&rows)?;
        self.output.to.table.flush()?;
        self.tell_what_is_not_there()?;
        Ok(TableMerge {
            key: plan.key.clone(),
            rows: Some(body.len() as u64),
            conflicts: self.output.conflicts,
            reordered_by_both: self.rows.moved.ours && self.rows.moved.theirs,
        })
    }

    fn needs(&self) -> Needs<'a> {
        let other = if self.leading == Version::Ours { Version::Theirs } else { Version::Ours };
        Needs { plan: self.plan, leading: self.leading, other }
    }

    /// Whether the columns of the merged table are just those of this version, so that its rows can be copied.
    fn copies_rows_of(&self, version: Version) -> bool {
        let columns = &self.plan.schema.columns;
        let places = self.columns.iter().map(|at| *columns[*at].place.of(version));
        let all = self.plan.tables.of(version).shape.columns.len();
        self.columns.len() == all && places.eq((0..all).map(Some))
    }

    /// The header: as ours wrote it, where the columns are ours.
    fn write_head<R: io::Read>(
        &self,
        ours: &TableReader<R>,
        writer: &mut RowWriter,
        rows: &mut Vec<u8>,
    ) -> Result<(), TableMergeError> {
        if !ours.dialect().header {
            rows.extend_from_slice(ours.head());
            return Ok(());
        }
        let (mark, header) = ours.split_head();
        rows.extend_from_slice(mark);
        let columns: Vec<_> = self.columns.iter().map(|at| &self.plan.schema.columns[*at]).collect();
        let is_named_by = |version: Version, column: &MergedColumn| {
            let place = (*column.place.of(version))?;
            let name = &self.plan.tables.of(version).shape.columns[place].name;
            (*name == column.name).then_some(place)
        };
        let is_ours = columns.iter().all(|column| is_named_by(Version::Ours, column).is_some());
        if is_ours && self.copies_rows_of(Version::Ours) {
            let end = header.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
            writer.raw(rows, &header[..end], &header[end..]);
            return Ok(());
        }
        let mut headers = Three::<Record>::default();
        for version in Version::ALL {
            if let Some(table) = self.plan.open(version)? {
                let read = table.header();
                *headers.of_mut(version) =
                    read.map_err(|source| TableMergeError::Table { version, source })?;
            }
        }
        let cells = columns.iter().map(|column| {
            let found = [Version::Ours, Version::Theirs, Version::Base]
                .into_iter()
                .find_map(|version| headers.of(version).get(is_named_by(version, column)?));
            found.unwrap_or(Cell { bytes: column.name.as_bytes(), quoted: false })
        });
        writer.cells(rows, cells);
        Ok(())
    }

    /// Writes a row made from the cells of several versions, and tells its conflicts.
    fn write_cells(
        &mut self,
        item: &Item,
        writer: &mut RowWriter,
        rows: &mut Vec<u8>,
    ) -> Result<(), TableMergeError> {
        let columns = &self.plan.schema.columns;
        let mut choices = Vec::with_capacity(columns.len());
        for column in columns {
            choices.push(self.choice(column, item));
        }
        let edited_by_both = item.changed.ours && item.changed.theirs;
        let disagree =
            |at: &usize| choices[*at].from == Some(Version::Theirs) && columns[*at].is_in(Version::Ours);
        let is_row_conflict = self.granularity == Granularity::Row
            && edited_by_both
            && (0..columns.len()).any(|at| disagree(&at) || choices[at].conflict.is_some());
        if is_row_conflict {
            for (choice, column) in choices.iter_mut().zip(columns) {
                choice.conflict = None;
                if column.is_in(Version::Ours) {
                    choice.from = Some(Version::Ours);
                }
            }
            self.tell_row(ConflictKind::Row, item)?;
        }
        if item.standing == Standing::EditDelete {
            self.tell_row(ConflictKind::EditDelete, item)?;
        }
        for (choice, column) in choices.iter().zip(columns) {
            if let Some(kind) = choice.conflict {
                self.tell_cell(kind, column, item)?;
            }
        }
        writer.begin_row(rows);
        for (place, at) in self.columns.iter().enumerate() {
            let cells = self.cells(&columns[*at]);
            let chosen = choices[*at].from.and_then(|version| *cells.of(version));
            let cell = chosen.unwrap_or(Cell { bytes: b"", quoted: false });
            let from_theirs = choices[*at].from == Some(Version::Theirs);
            let more = if from_theirs { decimals(&columns[*at], cells.ours, cell) } else { b"" };
            writer.cell(rows, place, cell, more);
        }
        Ok(())
    }
}
