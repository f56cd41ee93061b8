//! Which cells of the changed rows differ: the one step that looks at text again, and at that of differing rows only.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use super::csv::{Cell, Record, TableReader};
use super::error::{Side, Sided, TableDiffError, TableError};
use super::row_diff::{CommonColumn, Plan};
use super::row_match::{ChangedRow, Matching};
use super::sample::{CellChange, Lowest, Priority, RowSample, RowSampleKind, Shown};

/// Cells shown of a row that one table alone has.
const CELLS_OF_A_ROW: usize = 50;

/// Columns that are sure to be seen in some sample.
const COLUMNS_SAMPLED: usize = 20;

/// What the cells of the differing rows tell.
pub(super) struct CellDiff {
    /// Changed cells of each common column.
    pub(super) changed: Vec<u64>,
    /// Rows for people: removed, added, then changed, each by place.
    pub(super) samples: Vec<RowSample>,
}

/// Reads the differing rows of both tables side by side and compares their cells.
///
/// Changed rows are met at the same pace in both tables, so that of two tables in the same order hardly a row waits
/// for its partner; only rows that moved are held, until their partner comes.
pub(super) fn compare_cells(
    plan: &Plan<'_>,
    matching: Matching,
    samples: usize,
) -> Result<CellDiff, TableDiffError> {
    let alone = Sided {
        before: matching.samples.before.into_kept().into_values().collect::<Vec<_>>(),
        after: matching.samples.after.into_kept().into_values().collect::<Vec<_>>(),
    };
    let wanted = |side: Side, alone: &[u32]| {
        let changed = matching
            .changed
            .iter()
            .enumerate()
            .map(|(pair, row)| Wanted { number: *side.of(&row.number), pair: Some(pair as u32) });
        let mut wanted: Vec<_> =
            changed.chain(alone.iter().map(|number| Wanted { number: *number, pair: None })).collect();
        wanted.sort_unstable_by_key(|wanted| wanted.number);
        wanted
    };
    let mut before = WantedRows::open(plan, Side::Before, wanted(Side::Before, &alone.before))?;
    let mut after = WantedRows::open(plan, Side::After, wanted(Side::After, &alone.after))?;
    let mut pairs = Pairs::new(plan, &matching.changed, samples);
    let mut alone = Vec::new();
    loop {
        let old = before.next()?;
        let new = after.next()?;
        if old.is_none() && new.is_none() {
            break;
        }
        for (side, row) in [(Side::Before, old), (Side::After, new)] {
            match row {
                Some((Wanted { pair: Some(pair), .. }, record)) => pairs.meet(side, pair, record),
                Some((Wanted { number, pair: None }, record)) => {
                    alone.push(plan.row_alone(side, number, record))
                }
                None => {}
            }
        }
    }
    alone.sort_by_key(|sample| (sample.kind, sample.row.before, sample.row.after));
    let (changed, changed_samples) = pairs.finish();
    Ok(CellDiff { changed, samples: alone.into_iter().chain(changed_samples).collect() })
}

/// A row that must be read again.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    number: u32,
    /// The changed row that it is one half of.
    pair: Option<u32>,
}

/// Reads one table from wanted row to wanted row.
struct WantedRows<'a> {
    table: TableReader<Box<dyn Read + 'a>>,
    side: Side,
    wanted: std::vec::IntoIter<Wanted>,
    record: Record,
}

impl<'a> WantedRows<'a> {
    fn open(plan: &Plan<'a>, side: Side, wanted: Vec<Wanted>) -> Result<Self, TableDiffError> {
        let table = plan.open(side).map_err(|source| TableDiffError { side, source })?;
        Ok(Self { table, side, wanted: wanted.into_iter(), record: Record::default() })
    }

    fn next(&mut self) -> Result<Option<(Wanted, &Record)>, TableDiffError> {
        let Some(wanted) = self.wanted.next() else { return Ok(None) };
        let failed = |source| TableDiffError { side: self.side, source };
        while self.table.rows_read() < wanted.number {
            if !self.table.read(&mut self.record).map_err(failed)? {
                return Err(failed(TableError::ChangedWhileRead));
            }
        }
        Ok(Some((wanted, &self.record)))
    }
}

/// The changed rows, their halves put together as they come.
struct Pairs<'a> {
    plan: &'a Plan<'a>,
    rows: &'a [ChangedRow],
    waiting: HashMap<u32, Record>,
    changed: Vec<u64>,
    samples: Lowest<RowSample>,
    by_column: Vec<Lowest<RowSample>>,
    encoded: Sided<Vec<u8>>,
}

impl<'a> Pairs<'a> {
    fn new(plan: &'a Plan<'a>, rows: &'a [ChangedRow], samples: usize) -> Self {
        let columns = plan.common.len();
        let sampled = if samples > 0 { columns.min(COLUMNS_SAMPLED) } else { 0 };
        Self {
            plan,
            rows,
            waiting: HashMap::new(),
            changed: vec![0; columns],
            samples: Lowest::new(samples),
            by_column: (0..sampled).map(|_| Lowest::new(1)).collect(),
            encoded: Sided::default(),
        }
    }

    fn meet(&mut self, side: Side, pair: u32, record: &Record) {
        match self.waiting.remove(&pair) {
            None => {
                self.waiting.insert(pair, record.clone());
            }
            Some(other) if side == Side::After => self.compare(pair, &other, record),
            Some(other) => self.compare(pair, record, &other),
        }
    }

    fn compare(&mut self, pair: u32, before: &Record, after: &Record) {
        let plan = self.plan;
        let mut differing = Vec::new();
        for (place, column) in plan.common.iter().enumerate() {
            let (Some(old), Some(new)) = (column.cell(Side::Before, before), column.cell(Side::After, after))
            else {
                continue;
            };
            self.encoded.before.clear();
            self.encoded.after.clear();
            column.comparison.encode(old, &mut self.encoded.before);
            column.comparison.encode(new, &mut self.encoded.after);
            if self.encoded.before != self.encoded.after {
                self.changed[place] += 1;
                differing.push((place, column, old, new));
            }
        }
        let row = self.rows[pair as usize];
        let sample = || RowSample {
            kind: RowSampleKind::Changed,
            row: Sided { before: Some(row.number.before), after: Some(row.number.after) },
            key: plan.key_shown(Side::After, after),
            cells: differing.iter().map(|(_, column, old, new)| changed_cell(column, *old, *new)).collect(),
        };
        offer(&mut self.samples, row.priority, sample);
        for (place, ..) in &differing {
            if let Some(samples) = self.by_column.get_mut(*place) {
                offer(samples, row.priority, sample);
            }
        }
    }

    fn finish(self) -> (Vec<u64>, Vec<RowSample>) {
        let chosen = self.by_column.into_iter().chain([self.samples]);
        let by_priority: BTreeMap<Priority, RowSample> = chosen.flat_map(Lowest::into_kept).collect();
        let mut samples: Vec<_> = by_priority.into_values().collect();
        samples.sort_by_key(|sample| sample.row.after);
        (self.changed, samples)
    }
}

fn offer(samples: &mut Lowest<RowSample>, priority: Priority, sample: impl Fn() -> RowSample) {
    if samples.takes(priority) {
        samples.offer(priority, sample());
    }
}

fn changed_cell(column: &CommonColumn, before: Cell<'_>, after: Cell<'_>) -> CellChange {
    let (before, after) = Shown::pair(before, after, column.private);
    CellChange { column: column.name.clone(), before: Some(before), after: Some(after) }
}

impl Plan<'_> {
    /// A sample of a row that one table alone has.
    fn row_alone(&self, side: Side, number: u32, record: &Record) -> RowSample {
        let names = side.of(&self.names).iter();
        let cells = names.zip(record.iter()).take(CELLS_OF_A_ROW).map(|(name, cell)| {
            let shown = Some(Shown::of(cell, self.private.covers(name)));
            let (before, after) = if side == Side::Before { (shown, None) } else { (None, shown) };
            CellChange { column: name.clone(), before, after }
        });
        let (kind, row) = match side {
            Side::Before => (RowSampleKind::Removed, Sided { before: Some(number), after: None }),
            Side::After => (RowSampleKind::Added, Sided { before: None, after: Some(number) }),
        };
        RowSample { kind, row, key: self.key_shown(side, record), cells: cells.collect() }
    }

    fn key_shown(&self, side: Side, record: &Record) -> Vec<Shown> {
        let cells = self.key.iter().filter_map(|place| {
            let column = &self.common[*place];
            Some(Shown::of(column.cell(side, record)?, column.private))
        });
        cells.collect()
    }
}
