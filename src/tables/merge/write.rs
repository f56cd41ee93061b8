//! Writes the merged table as ours is written: its delimiter, line ends, byte order mark and quotes.

use memchr::{memchr, memchr3};

use crate::tables::csv::Cell;
use crate::tables::dialect::Dialect;

/// Writes rows into a buffer; each line end is written when the next row comes, for the last row of some files has none.
pub(super) struct RowWriter {
    delimiter: u8,
    line_end: Vec<u8>,
    pending: Vec<u8>,
    began: bool,
}

impl RowWriter {
    /// A writer of tables in this dialect, whose rows end in `line_end` where nothing else is known.
    pub(super) fn new(dialect: Dialect, line_end: Vec<u8>) -> Self {
        Self { delimiter: dialect.delimiter, line_end, pending: Vec::new(), began: false }
    }

    /// A row as it was written, and the line end that it had.
    pub(super) fn raw(&mut self, out: &mut Vec<u8>, text: &[u8], line_end: &[u8]) {
        self.begin_row(out);
        self.pending.extend_from_slice(line_end);
        out.extend_from_slice(text);
    }

    /// A row of these cells.
    pub(super) fn cells<'r>(&mut self, out: &mut Vec<u8>, cells: impl Iterator<Item = Cell<'r>>) {
        self.begin_row(out);
        cells.enumerate().for_each(|(place, cell)| self.cell(out, place, cell, b""));
    }

    /// Ends the row before.
    pub(super) fn begin_row(&mut self, out: &mut Vec<u8>) {
        if self.began {
            out.extend_from_slice(if self.pending.is_empty() { &self.line_end } else { &self.pending });
        }
        self.began = true;
        self.pending.clear();
    }

    /// The cell at this place of the row, with `more` behind its text.
    pub(super) fn cell(&self, out: &mut Vec<u8>, place: usize, cell: Cell<'_>, more: &[u8]) {
        if place > 0 {
            out.push(self.delimiter);
        }
        let needs_quotes =
            memchr3(b'"', b'\n', b'\r', cell.bytes).is_some() || memchr(self.delimiter, cell.bytes).is_some();
        if !cell.quoted && !needs_quotes {
            out.extend_from_slice(cell.bytes);
            out.extend_from_slice(more);
            return;
        }
        out.push(b'"');
        let mut rest = cell.bytes;
        while let Some(at) = memchr(b'"', rest) {
            out.extend_from_slice(&rest[..=at]);
            out.push(b'"');
            rest = &rest[at + 1..];
        }
        out.extend_from_slice(rest);
        out.extend_from_slice(more);
        out.push(b'"');
    }

    /// Ends the table, with a line end if `closed`.
    pub(super) fn finish(mut self, out: &mut Vec<u8>, closed: bool) {
        if closed && self.began {
            self.begin_row(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_or_were() {
        let mut out = Vec::new();
        let dialect = Dialect { delimiter: b';', line_end: b'\n', header: true };
        let mut writer = RowWriter::new(dialect, b"\r\n".to_vec());
        let cell = |text: &'static str, quoted| Cell { bytes: text.as_bytes(), quoted };
        writer.raw(&mut out, b"a;b", b"\n");
        writer.cells(&mut out, [cell("x;\"y\"", false), cell("", true)].into_iter());
        writer.cells(&mut out, [cell("1", false), cell("", false)].into_iter());
        writer.finish(&mut out, true);
        assert_eq!(out, b"a;b\n\"x;\"\"y\"\"\";\"\"\r\n1;\r\n");
    }
}
