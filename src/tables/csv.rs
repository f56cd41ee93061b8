//! Delimited text, read in a stream.
//!
//! The grammar is RFC 4180 with what is met in practice: any of four delimiters, LF or CRLF, a byte order mark, blank
//! lines between rows skipped, a quote inside an unquoted cell taken as it is. The reader is our own because it must
//! tell an empty cell (`a,,b`: nothing) from an empty text (`a,"",b`), and a quote that is never closed, which would
//! swallow the rest of the table in silence, from a cell; a property test holds it to the `csv` crate otherwise.

use std::io::{BufRead, BufReader, Chain, Cursor, Read};

use memchr::{memchr, memchr_iter};

use super::dialect::Dialect;
use super::error::TableError;

/// Bytes from which the dialect is told.
pub(super) const BEGINNING: u64 = 64 << 10;

/// The largest row, in bytes: a file that is no table must not fill the memory as one row.
pub(super) const LARGEST_ROW: usize = 64 << 20;

/// What some writers put before text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// More columns than this are no table.
pub(super) const MOST_COLUMNS: usize = 1 << 16;

/// A cell as it is written, quotes removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    /// The bytes between the quotes, doubled quotes made one.
    pub bytes: &'a [u8],
    /// Whether it stood in quotes.
    pub quoted: bool,
}

/// One row: its cells lie in one buffer.
#[derive(Debug, Clone, Default)]
pub struct Record {
    bytes: Vec<u8>,
    cells: Vec<CellSpan>,
}

#[derive(Debug, Clone, Copy)]
struct CellSpan {
    start: usize,
    end: usize,
    quoted: bool,
}

impl Record {
    /// Number of cells.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it has no cell at all.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The cell of a column.
    pub fn get(&self, column: usize) -> Option<Cell<'_>> {
        let CellSpan { start, end, quoted } = *self.cells.get(column)?;
        Some(Cell { bytes: &self.bytes[start..end], quoted })
    }

    /// All cells in order.
    pub fn iter(&self) -> impl Iterator<Item = Cell<'_>> {
        (0..self.len()).filter_map(|column| self.get(column))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.cells.clear();
    }

    /// Ends the cell that began where the bytes ended at `start`.
    fn end_cell(&mut self, start: usize, quoted: bool) {
        self.cells.push(CellSpan { start, end: self.bytes.len(), quoted });
    }
}

/// Reads rows by a known delimiter and line end.
pub(super) struct RecordReader<R> {
    input: BufReader<R>,
    delimiter: u8,
    line_end: u8,
    raw: Vec<u8>,
    lines: u64,
    row_line: u64,
}

impl<'a> RecordReader<&'a [u8]> {
    /// Reads one row that was read before.
    pub(super) fn of_row(text: &'a [u8], dialect: Dialect) -> Self {
        Self::buffered(BufReader::with_capacity(text.len(), text), dialect.delimiter, dialect.line_end)
    }
}

impl<R: Read> RecordReader<R> {
    pub(super) fn new(input: R, delimiter: u8, line_end: u8) -> Self {
        Self::buffered(BufReader::with_capacity(128 << 10, input), delimiter, line_end)
    }

    fn buffered(input: BufReader<R>, delimiter: u8, line_end: u8) -> Self {
        Self { input, delimiter, line_end, raw: Vec::new(), lines: 0, row_line: 0 }
    }

    /// The line (from 1) where the row that was read last begins.
    pub(super) fn row_line(&self) -> u64 {
        self.row_line
    }

    /// The row that was read last as it is written: its text, and the line end behind it.
    fn raw(&self) -> (&[u8], &[u8]) {
        self.raw.split_at(self.text_end())
    }

    /// Reads the next row that is not blank; `false` at the end.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, TableError> {
        record.clear();
        loop {
            self.raw.clear();
            if !self.read_line()? {
                return Ok(false);
            }
            self.row_line = self.lines;
            if self.text_end() > 0 {
                break;
            }
        }
        if memchr(b'"', &self.raw).is_some() {
            self.split_quoted(record)?;
        } else {
            let text = &self.raw[..self.text_end()];
            record.bytes.extend_from_slice(text);
            let mut start = 0;
            for end in memchr_iter(self.delimiter, text) {
                record.cells.push(CellSpan { start, end, quoted: false });
                start = end + 1;
            }
            record.cells.push(CellSpan { start, end: text.len(), quoted: false });
        }
        Ok(true)
    }

    /// Appends one line with its end to `raw`; `false` at the end of the input.
    fn read_line(&mut self) -> Result<bool, TableError> {
        let room = LARGEST_ROW.saturating_sub(self.raw.len());
        let read = self.input.by_ref().take(room as u64).read_until(self.line_end, &mut self.raw)?;
        self.lines += 1;
        if self.raw.len() >= LARGEST_ROW {
            return Err(TableError::RowTooLarge { line: self.row_line.max(1) });
        }
        Ok(read > 0)
    }

    /// Where the text of `raw` ends and the line end begins.
    fn text_end(&self) -> usize {
        let text = self.raw.strip_suffix(&[self.line_end]).unwrap_or(&self.raw);
        text.strip_suffix(b"\r").unwrap_or(text).len()
    }

    fn split_quoted(&mut self, record: &mut Record) -> Result<(), TableError> {
        let mut at = 0;
        loop {
            let start = record.bytes.len();
            let quoted = self.raw.get(at) == Some(&b'"');
            if quoted {
                at = self.quoted_part(at + 1, record)?;
            }
            let rest = &self.raw[at..self.text_end().max(at)];
            let length = memchr(self.delimiter, rest);
            record.bytes.extend_from_slice(&rest[..length.unwrap_or(rest.len())]);
            record.end_cell(start, quoted);
            match length {
                Some(length) => at += length + 1,
                None => return Ok(()),
            }
        }
    }

    /// Takes the text from `at`, behind the opening quote, into `record`; the place behind the closing quote.
    fn quoted_part(&mut self, mut at: usize, record: &mut Record) -> Result<usize, TableError> {
        loop {
            match memchr(b'"', &self.raw[at..]) {
                None => {
                    record.bytes.extend_from_slice(&self.raw[at..]);
                    at = self.raw.len();
                    if !self.read_line()? {
                        return Err(TableError::UnclosedQuote { line: self.row_line });
                    }
                }
                Some(length) => {
                    record.bytes.extend_from_slice(&self.raw[at..at + length]);
                    at += length + 1;
                    if self.raw.get(at) != Some(&b'"') {
                        return Ok(at);
                    }
                    record.bytes.push(b'"');
                    at += 1;
                }
            }
        }
    }
}

/// A table: names of its columns, then row after row, all of the same width.
pub struct TableReader<R> {
    rows: RecordReader<Chain<Cursor<Vec<u8>>, R>>,
    dialect: Dialect,
    head: Vec<u8>,
    names: Vec<String>,
    pending: Option<Record>,
    rows_read: u32,
}

impl<R: Read> TableReader<R> {
    /// Opens a table: finds its dialect and reads its header.
    ///
    /// Columns without a name are named `column1`, `column2` by their place; the second `x` is named `x#2`.
    ///
    /// # Errors
    ///
    /// [`TableError`] when it is no table of text in UTF-8.
    pub fn open(mut input: R) -> Result<Self, TableError> {
        let mut beginning = Vec::new();
        input.by_ref().take(BEGINNING).read_to_end(&mut beginning)?;
        let whole = (beginning.len() as u64) < BEGINNING;
        if beginning.starts_with(&[0xff, 0xfe]) || beginning.starts_with(&[0xfe, 0xff]) {
            return Err(TableError::WideText);
        }
        if beginning.contains(&0) {
            return Err(TableError::Binary);
        }
        let mark = if beginning.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let mut head: Vec<u8> = beginning.drain(..mark).collect();
        let dialect = Dialect::of(&beginning, whole);
        let mut rows =
            RecordReader::new(Cursor::new(beginning).chain(input), dialect.delimiter, dialect.line_end);
        let mut first = Record::default();
        if !rows.read(&mut first)? {
            return Err(TableError::Empty);
        }
        if first.len() > MOST_COLUMNS {
            return Err(TableError::TooManyColumns);
        }
        let names = if dialect.header { names_of(&first) } else { names_of_places(first.len()) };
        let pending = (!dialect.header).then_some(first);
        if dialect.header {
            head.extend_from_slice(&rows.raw);
        }
        Ok(Self { rows, dialect, head, names, pending, rows_read: 0 })
    }

    /// How the table is written.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The bytes before the first row, as they are written: a byte order mark, and the header with its line end.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The byte order mark, and the header with its line end.
    pub(super) fn split_head(&self) -> (&[u8], &[u8]) {
        let mark = if self.head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        self.head.split_at(mark)
    }

    /// The cells of the header, as they are written.
    pub(super) fn header(&self) -> Result<Record, TableError> {
        let mut header = Record::default();
        let (_, text) = self.split_head();
        RecordReader::of_row(text, self.dialect).read(&mut header)?;
        Ok(header)
    }

    /// The row that was read last, as it is written: its text, and the line end behind it (none at the end of some files).
    pub(super) fn raw_row(&self) -> (&[u8], &[u8]) {
        self.rows.raw()
    }

    /// The names of the columns, all different.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads the next row into `record`; `false` behind the last one.
    ///
    /// # Errors
    ///
    /// [`TableError`], also for a row that has not one cell for each column.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, TableError> {
        if let Some(first) = self.pending.take() {
            *record = first;
        } else if !self.rows.read(record)? {
            return Ok(false);
        }
        if record.len() != self.names.len() {
            let (line, found, expected) = (self.rows.row_line(), record.len(), self.names.len());
            return Err(TableError::Ragged { line, found, expected });
        }
        self.rows_read = self.rows_read.checked_add(1).ok_or(TableError::TooManyRows)?;
        Ok(true)
    }

    /// Rows read so far: the number (from 1) of the row that was read last, the header not counted.
    pub fn rows_read(&self) -> u32 {
        self.rows_read
    }
}

fn names_of_places(columns: usize) -> Vec<String> {
    (1..=columns).map(|place| format!("column{place}")).collect()
}

fn names_of(header: &Record) -> Vec<String> {
    let mut seen = std::collections::HashMap::<String, usize>::new();
    let mut names = Vec::with_capacity(header.len());
    for (place, cell) in header.iter().enumerate() {
        let written = String::from_utf8_lossy(cell.bytes).trim().to_owned();
        let name = if written.is_empty() { format!("column{}", place + 1) } else { written };
        let times = seen.entry(name.clone()).and_modify(|times| *times += 1).or_insert(1);
        names.push(if *times == 1 { name } else { format!("{name}#{times}") });
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<Vec<(String, bool)>>, TableError> {
        let mut reader = TableReader::open(text.as_bytes())?;
        let mut record = Record::default();
        let mut rows = Vec::new();
        while reader.read(&mut record)? {
            let cell = |cell: Cell<'_>| (String::from_utf8_lossy(cell.bytes).into_owned(), cell.quoted);
            rows.push(record.iter().map(cell).collect());
        }
        Ok(rows)
    }

    fn cell(text: &str, quoted: bool) -> (String, bool) {
        (text.to_owned(), quoted)
    }

    #[test]
    fn quotes_line_ends_and_blank_lines() {
        let text = "\u{feff}a,b,c\r\n1,\"x,\"\"y\"\"\r\nz\",\r\n\r\n,\"\",q\"q\r\n";
        let expected = vec![
            vec![cell("1", false), cell("x,\"y\"\r\nz", true), cell("", false)],
            vec![cell("", false), cell("", true), cell("q\"q", false)],
        ];
        assert_eq!(rows(text).unwrap(), expected);
    }

    #[test]
    fn damage_is_told_with_its_line() {
        assert!(matches!(rows("a,b\n1,2\n\"3,4\n5,6\n"), Err(TableError::UnclosedQuote { line: 3 })));
        assert!(matches!(
            rows("a,b\n1,2\n\n3\n"),
            Err(TableError::Ragged { line: 4, found: 1, expected: 2 })
        ));
        assert!(matches!(rows(""), Err(TableError::Empty)));
        assert!(matches!(rows("a,b\n\0,1\n"), Err(TableError::Binary)));
        assert!(matches!(TableReader::open(&b"\xff\xfea\0"[..]), Err(TableError::WideText)));
    }

    #[test]
    fn every_column_gets_a_name_of_its_own() {
        let names = |text: &str| TableReader::open(text.as_bytes()).unwrap().names().to_vec();
        assert_eq!(names("x,,x,\"y\"\na,b,c,d\n"), ["x", "column2", "x#2", "y"]);
        assert_eq!(names("1.5,2\n3.5,4\n"), ["column1", "column2"]);
    }
}
