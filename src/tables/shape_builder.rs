//! The shape of a table, from bytes that somebody else reads: `add` reads a file once, and its shape comes from the same
//! read.
//!
//! A table without quotes is cut at line ends into blocks, which threads count side by side; counts add up in any order.
//! From the first quote on, only reading from the front tells where a row ends: one thread goes on alone. Memory is
//! bounded by a few blocks: whoever pushes waits when the threads are behind.

use std::io::{self, Read};
use std::mem;
use std::num::NonZero;
use std::panic;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use memchr::{memchr, memchr_iter, memrchr};

use super::csv::{BEGINNING, Cell, LARGEST_ROW, Record, RecordReader, TableReader};
use super::dialect::Dialect;
use super::error::TableError;
use super::shape::{ColumnScan, TableShape, scan};

/// Bytes that are counted in one go.
const BLOCK: usize = 1 << 20;
/// Blocks that wait for a thread.
const WAITING: usize = 2;
/// More threads than these find nothing to do: whoever pushes is the slower one.
const MOST_THREADS: usize = 4;

/// Takes a table piece by piece and tells its shape at the end. A small table needs no thread.
pub struct ShapeBuilder {
    bytes: Vec<u8>,
    stage: Stage,
}

enum Stage {
    /// Not enough was seen to tell how the table is written.
    Beginning,
    /// Blocks without quotes.
    Blocks(Blocks),
    /// From the front, by one thread.
    InOrder(InOrder),
    /// It is no table; the rest does not matter.
    Failed(TableError),
}

impl Default for ShapeBuilder {
    fn default() -> Self {
        Self { bytes: Vec::new(), stage: Stage::Beginning }
    }
}

impl ShapeBuilder {
    /// Takes the next bytes of the table.
    pub fn push(&mut self, bytes: &[u8]) {
        if matches!(self.stage, Stage::Failed(_)) {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() < BLOCK {
            return;
        }
        self.stage = match mem::replace(&mut self.stage, Stage::Beginning) {
            Stage::Beginning => begin(&mut self.bytes),
            Stage::Blocks(blocks) => blocks.take(&mut self.bytes),
            Stage::InOrder(mut rest) => {
                rest.send(mem::take(&mut self.bytes));
                Stage::InOrder(rest)
            }
            failed @ Stage::Failed(_) => failed,
        };
    }

    /// The shape of all that was pushed.
    ///
    /// # Errors
    ///
    /// [`TableError`] when it is no table.
    pub fn finish(self) -> Result<TableShape, TableError> {
        match self.stage {
            Stage::Beginning => scan(TableReader::open(&self.bytes[..])?, None),
            Stage::Blocks(blocks) => blocks.finish(self.bytes),
            Stage::InOrder(mut rest) => {
                rest.send(self.bytes);
                rest.finish()
            }
            Stage::Failed(error) => Err(error),
        }
    }
}

/// Finds how the table is written, and counts what is there of it.
fn begin(bytes: &mut Vec<u8>) -> Stage {
    let opened = TableReader::open(&bytes[..bytes.len().min(BEGINNING as usize)]);
    let (dialect, names) = match opened {
        Ok(table) => (table.dialect(), table.names().to_vec()),
        // A row may be longer than the beginning.
        Err(TableError::UnclosedQuote { .. }) => return InOrder::whole(mem::take(bytes)),
        Err(error) => return Stage::Failed(error),
    };
    if memchr(b'"', bytes).is_some() || memchr(dialect.line_end, &bytes[..BEGINNING as usize]).is_none() {
        return InOrder::whole(mem::take(bytes));
    }
    let mark = if bytes.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    let header = if dialect.header { header_end(&bytes[mark..], dialect) } else { 0 };
    bytes.drain(..mark + header);
    let lines = u64::from(dialect.header);
    Blocks::new(dialect, names, lines).take(bytes)
}

/// Where the first line ends that is not blank: [`TableReader::open`] found one.
fn header_end(bytes: &[u8], dialect: Dialect) -> usize {
    let mut at = 0;
    for end in memchr_iter(dialect.line_end, bytes) {
        if !text_of(&bytes[at..end]).is_empty() {
            return end + 1;
        }
        at = end + 1;
    }
    bytes.len()
}

/// A line without the CR that belongs to its end.
fn text_of(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What was counted in a part of a table.
#[derive(Default)]
struct Counted {
    columns: Vec<ColumnScan>,
    rows: u64,
    lines: u64,
    failed: Option<TableError>,
}

impl Counted {
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.lines += other.lines;
        for (column, more) in self.columns.iter_mut().zip(&other.columns) {
            column.add(*more);
        }
    }
}

/// Counts whole lines without quotes.
fn count(block: &[u8], dialect: Dialect, width: usize) -> Counted {
    let mut counted = Counted { columns: vec![ColumnScan::default(); width], ..Counted::default() };
    let mut at = 0;
    while at < block.len() {
        let end = memchr(dialect.line_end, &block[at..]).map_or(block.len(), |length| at + length);
        let line = text_of(&block[at..end]);
        at = end + 1;
        counted.lines += 1;
        if line.is_empty() {
            continue;
        }
        let found = count_line(line, dialect.delimiter, &mut counted.columns);
        if found != width {
            counted.failed = Some(TableError::Ragged { line: counted.lines, found, expected: width });
            break;
        }
        counted.rows += 1;
    }
    counted
}

fn count_line(line: &[u8], delimiter: u8, columns: &mut [ColumnScan]) -> usize {
    let (mut found, mut start) = (0, 0);
    for end in memchr_iter(delimiter, line).chain([line.len()]) {
        if let Some(column) = columns.get_mut(found) {
            column.see(Cell { bytes: &line[start..end], quoted: false });
        }
        (found, start) = (found + 1, end + 1);
    }
    found
}

type Block = (u64, Vec<u8>);

/// Threads that count blocks.
struct Blocks {
    dialect: Dialect,
    names: Vec<String>,
    /// Lines before the first block.
    lines: u64,
    number: u64,
    sender: SyncSender<Block>,
    threads: Vec<JoinHandle<Vec<(u64, Counted)>>>,
}

impl Blocks {
    fn new(dialect: Dialect, names: Vec<String>, lines: u64) -> Self {
        let (sender, receiver) = sync_channel::<Block>(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        let width = names.len();
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
        let threads = (0..threads).map(|_| {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || count_blocks(&receiver, dialect, width))
        });
        Self { dialect, names, lines, number: 0, sender, threads: threads.collect() }
    }

    /// Sends the whole lines of `bytes`, and leaves the rest there.
    fn take(mut self, bytes: &mut Vec<u8>) -> Stage {
        if memchr(b'"', bytes).is_some() {
            return self.go_on_in_order(mem::take(bytes));
        }
        let Some(end) = memrchr(self.dialect.line_end, bytes) else {
            return if bytes.len() < LARGEST_ROW {
                Stage::Blocks(self)
            } else {
                Stage::Failed(TableError::RowTooLarge { line: self.lines + 1 })
            };
        };
        let mut next = Vec::with_capacity(BLOCK + BLOCK / 4);
        next.extend_from_slice(&bytes[end + 1..]);
        bytes.truncate(end + 1);
        self.send(mem::replace(bytes, next));
        Stage::Blocks(self)
    }

    fn send(&mut self, block: Vec<u8>) {
        // A thread that is gone is told of when it is joined.
        let _ = self.sender.send((self.number, block));
        self.number += 1;
    }

    /// The sums of all blocks.
    fn sums(self) -> Result<(Counted, Dialect, Vec<String>), TableError> {
        drop(self.sender);
        let mut counted: Vec<_> = self.threads.into_iter().flat_map(joined).collect();
        counted.sort_by_key(|(number, _)| *number);
        let columns = vec![ColumnScan::default(); self.names.len()];
        let mut sums = Counted { columns, lines: self.lines, ..Counted::default() };
        for (_, block) in counted {
            if let Some(error) = block.failed {
                return Err(error.behind(sums.lines));
            }
            sums.add(&block);
        }
        Ok((sums, self.dialect, self.names))
    }

    fn finish(mut self, rest: Vec<u8>) -> Result<TableShape, TableError> {
        if memchr(b'"', &rest).is_some() {
            return match self.go_on_in_order(rest) {
                Stage::InOrder(rest) => rest.finish(),
                Stage::Failed(error) => Err(error),
                Stage::Beginning | Stage::Blocks(_) => Err(TableError::Empty),
            };
        }
        self.send(rest);
        let (sums, dialect, names) = self.sums()?;
        TableShape::of(dialect, names, sums.rows, &sums.columns)
    }

    /// Everything from `rest` on is read by one thread.
    fn go_on_in_order(self, rest: Vec<u8>) -> Stage {
        match self.sums() {
            Err(error) => Stage::Failed(error),
            Ok((sums, dialect, names)) => {
                let mut in_order = InOrder::start(move |input| {
                    let rows = RecordReader::new(input, dialect.delimiter, dialect.line_end);
                    count_in_order(rows, sums, dialect, names)
                });
                in_order.send(rest);
                Stage::InOrder(in_order)
            }
        }
    }
}

fn count_blocks(receiver: &Mutex<Receiver<Block>>, dialect: Dialect, width: usize) -> Vec<(u64, Counted)> {
    let mut done: Vec<(u64, Counted)> = Vec::new();
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, block)) = next else { return done };
        // Behind a failure nothing counts any more, but earlier blocks still may fail first.
        if done.last().is_none_or(|(_, last)| last.failed.is_none()) {
            done.push((number, count(&block, dialect, width)));
        }
    }
}

fn count_in_order(
    mut rows: RecordReader<Pieces>,
    mut sums: Counted,
    dialect: Dialect,
    names: Vec<String>,
) -> Result<TableShape, TableError> {
    let mut record = Record::default();
    loop {
        match rows.read(&mut record) {
            Ok(true) if record.len() == names.len() => {}
            Ok(true) => {
                let (line, found, expected) = (rows.row_line(), record.len(), names.len());
                return Err(TableError::Ragged { line, found, expected }.behind(sums.lines));
            }
            Ok(false) => return TableShape::of(dialect, names, sums.rows, &sums.columns),
            Err(error) => return Err(error.behind(sums.lines)),
        }
        sums.rows += 1;
        for (column, cell) in sums.columns.iter_mut().zip(record.iter()) {
            column.see(cell);
        }
    }
}

/// One thread that reads what is sent to it from the front.
struct InOrder {
    sender: SyncSender<Vec<u8>>,
    thread: JoinHandle<Result<TableShape, TableError>>,
}

impl InOrder {
    /// Reads a whole table that begins with `bytes`.
    fn whole(bytes: Vec<u8>) -> Stage {
        let mut in_order = Self::start(|input| scan(TableReader::open(input)?, None));
        in_order.send(bytes);
        Stage::InOrder(in_order)
    }

    fn start(read: impl FnOnce(Pieces) -> Result<TableShape, TableError> + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        let input = Pieces { receiver, piece: io::Cursor::default() };
        Self { sender, thread: thread::spawn(move || read(input)) }
    }

    fn send(&mut self, bytes: Vec<u8>) {
        // The thread ends early where it is no table; that is told when it is joined.
        let _ = self.sender.send(bytes);
    }

    fn finish(self) -> Result<TableShape, TableError> {
        drop(self.sender);
        joined(self.thread)
    }
}

/// What a thread gave; a panic goes on here.
fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))
}

/// The pieces that are sent to a thread, as one stream.
struct Pieces {
    receiver: Receiver<Vec<u8>>,
    piece: io::Cursor<Vec<u8>>,
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(out)?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            match self.receiver.recv() {
                Ok(piece) => self.piece = io::Cursor::new(piece),
                Err(_) => return Ok(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape by pieces of a length, and by reading from the front.
    fn both(text: &[u8], piece: usize) -> [Result<TableShape, String>; 2] {
        let mut builder = ShapeBuilder::default();
        text.chunks(piece).for_each(|piece| builder.push(piece));
        let in_order = TableReader::open(text).and_then(|table| scan(table, None));
        [builder.finish(), in_order].map(|shape| shape.map_err(|error| error.to_string()))
    }

    fn rows(count: usize, row: impl Fn(usize) -> String) -> String {
        (0..count).map(row).collect()
    }

    #[test]
    fn any_way_of_reading_gives_the_same() {
        let plain = |at: usize| format!("{at},{}.5,north,2024-01-{:02}\n", at % 7, at % 28 + 1);
        let header = "id,price,place,day\n";
        let quoted_late = |at: usize| {
            if at == 60_000 { "1,2,\"a\n,\"\"b\",\n".to_owned() } else { plain(at) }
        };
        let ragged = |at: usize| if at == 90_000 { "1,2\n".to_owned() } else { plain(at) };
        let unclosed = |at: usize| if at == 90_000 { "1,2,\"x,4\n".to_owned() } else { plain(at) };
        let blank = |at: usize| if at.is_multiple_of(1000) { "\r\n".to_owned() } else { plain(at) };
        let tables = [
            format!("{header}{}", rows(100_000, plain)),
            format!("\u{feff}\n{header}{}5,,x,NA", rows(100_000, blank)),
            rows(100_000, plain),
            format!("{header}{}", rows(100_000, quoted_late)),
            format!("{header}{}\"5\",,x,NA", rows(90_000, plain)),
            format!("{header}{}", rows(100_000, ragged)),
            format!("{header}{}", rows(100_000, unclosed)),
            format!("\"id\",price,place,day\n{}", rows(60_000, plain)),
            format!("{}\n1\n", "x".repeat(2 << 20)),
            format!("a,b\n\0{}", rows(60_000, plain)),
            "a,b\n1,2\n".to_owned(),
            String::new(),
        ];
        for (at, table) in tables.iter().enumerate() {
            let piece = if at % 2 == 0 { 70_001 } else { 3 << 20 };
            let [by_pieces, in_order] = both(table.as_bytes(), piece);
            assert_eq!(by_pieces, in_order, "table {at} in pieces of {piece}");
        }
    }
}
