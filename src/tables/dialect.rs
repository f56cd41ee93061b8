//! How a table of delimited text is written, found from its beginning.

use serde::Serialize;

use super::csv::{Record, RecordReader};
use super::value::{ColumnType, is_year, type_of};

/// Delimiters that are looked for, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Rows of the beginning that decide.
const ROWS_LOOKED_AT: usize = 200;

/// How a table of delimited text is written. Quotes are always `"`, doubled inside a quoted cell (RFC 4180).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dialect {
    /// The byte between cells.
    pub delimiter: u8,
    /// The last byte of a line: LF (with or without CR before it), or CR where a file has no LF at all.
    pub line_end: u8,
    /// Whether the first line names the columns.
    pub header: bool,
}

impl Default for Dialect {
    /// As RFC 4180 says, with the line ends of Unix.
    fn default() -> Self {
        Self { delimiter: b',', line_end: b'\n', header: true }
    }
}

impl Dialect {
    /// The dialect of a table that begins with `beginning` (without byte order mark), or is that as a `whole`.
    ///
    /// The delimiter is the one by which most rows have as many cells as the first. There is no header where every
    /// column of numbers or dates begins with a number or date; two or more years alone count as names.
    pub fn of(beginning: &[u8], whole: bool) -> Self {
        let line_end = if beginning.contains(&b'\r') && !beginning.contains(&b'\n') { b'\r' } else { b'\n' };
        let rows_by = |delimiter| first_rows(beginning, whole, delimiter, line_end);
        let mut best = (0.0, 0, b',');
        for delimiter in DELIMITERS {
            let rows = rows_by(delimiter);
            let cells = rows.first().map_or(0, Record::len);
            let agreeing = rows.iter().filter(|row| row.len() == cells).count();
            let share = agreeing as f64 / rows.len().max(1) as f64;
            if cells > 1 && (share, cells) > (best.0, best.1) {
                best = (share, cells, delimiter);
            }
        }
        let delimiter = best.2;
        Self { delimiter, line_end, header: has_header(&rows_by(delimiter)) }
    }
}

/// The first rows, without the last one where that may be cut.
fn first_rows(beginning: &[u8], whole: bool, delimiter: u8, line_end: u8) -> Vec<Record> {
    let mut reader = RecordReader::new(beginning, delimiter, line_end);
    let mut rows = Vec::new();
    let mut record = Record::default();
    while rows.len() < ROWS_LOOKED_AT && matches!(reader.read(&mut record), Ok(true)) {
        rows.push(record.clone());
    }
    if !whole && rows.len() > 1 && rows.len() < ROWS_LOOKED_AT {
        rows.pop();
    }
    rows
}

fn has_header(rows: &[Record]) -> bool {
    let Some((first, rest)) = rows.split_first().filter(|(_, rest)| !rest.is_empty()) else { return true };
    let is_measured = |kind| matches!(kind, Some(ColumnType::Int64 | ColumnType::Float64 | ColumnType::Date));
    let mut measured = 0;
    let mut years = 0;
    for column in 0..first.len() {
        let mut types = rest.iter().filter_map(|row| type_of(row.get(column)?));
        if !types.next().is_some_and(|kind| is_measured(Some(kind)))
            || !types.all(|kind| is_measured(Some(kind)))
        {
            continue;
        }
        let Some(name) = first.get(column) else { continue };
        if type_of(name).is_some() && !is_measured(type_of(name)) {
            return true;
        }
        measured += usize::from(is_measured(type_of(name)));
        years += usize::from(is_year(name.bytes));
    }
    measured == 0 || (years == measured && years > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(text: &str) -> (char, bool) {
        let dialect = Dialect::of(text.as_bytes(), true);
        (dialect.delimiter as char, dialect.header)
    }

    #[test]
    fn delimiters_are_found_by_agreement() {
        assert_eq!(dialect("a,b\n1,2\n3,4\n"), (',', true));
        assert_eq!(dialect("a;b\n1,5;2,5\n3,5;4\n"), (';', true));
        assert_eq!(dialect("a\tb\nx, y\tz\nx\tz\n"), ('\t', true));
        assert_eq!(dialect("a|b\n\"1|2\"|3\n"), ('|', true));
        assert_eq!(dialect("one column\nx\n"), (',', true));
        assert_eq!(dialect(""), (',', true));
    }

    #[test]
    fn a_first_line_of_data_is_no_header() {
        assert_eq!(dialect("5.1,3.5,setosa\n4.9,3.0,setosa\n4,3,x\n"), (',', false));
        assert_eq!(dialect("39, State-gov, 77516\n50, Private, 8331\n"), (',', false));
        assert_eq!(dialect("country,2007,2008\nNorway,1.5,2.5\nChile,1,2\n"), (',', true));
        assert_eq!(dialect(",species,mass\n0,Adelie,1\n1,Gentoo,2\n"), (',', true));
        assert_eq!(dialect("word,other\nx,y\n"), (',', true));
    }

    #[test]
    fn old_line_ends_are_found() {
        assert_eq!(Dialect::of(b"a,b\r1,2\r", true).line_end, b'\r');
        assert_eq!(Dialect::of(b"a,b\r\n1,2\r\n", true).line_end, b'\n');
    }
}
