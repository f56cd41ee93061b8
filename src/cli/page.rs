//! Text for people: lines, aligned columns, and colour where it is wanted. Meaning never rests on colour alone.

use std::fmt::{Arguments, Display};
use std::io::{self, Write};

use super::escape::escape;

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// As it should be; added.
    Good,
    /// Something is missing or lost; removed.
    Bad,
    /// Worth a look; changed.
    Notable,
    /// Leads what follows.
    Heading,
    /// Less important than the rest.
    Faint,
}

impl Paint {
    /// The terminal's code for it.
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Notable => "33",
            Self::Heading => "1",
            Self::Faint => "2",
        }
    }

    /// `text` in this colour, or as it is.
    pub(crate) fn on(self, text: &str, coloured: bool) -> String {
        if coloured && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[m", self.code())
        } else {
            text.to_owned()
        }
    }
}

/// One field of a table. Its text is escaped.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    paint: Option<Paint>,
    right: bool,
}

impl Cell {
    /// A field that begins at the left of its column.
    pub(crate) fn left(text: impl Display) -> Self {
        Self { text: escape(&text.to_string()).into_owned(), paint: None, right: false }
    }

    /// A field that ends at the right of its column: numbers and sizes.
    pub(crate) fn right(text: impl Display) -> Self {
        Self { right: true, ..Self::left(text) }
    }

    /// The same field in a colour.
    pub(crate) fn paint(self, paint: Paint) -> Self {
        Self { paint: Some(paint), ..self }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// What a report is written on.
pub(crate) struct Page<'a> {
    out: &'a mut dyn Write,
    coloured: bool,
}

impl<'a> Page<'a> {
    /// A page over `out`.
    pub(crate) fn new(out: &'a mut dyn Write, coloured: bool) -> Self {
        Self { out, coloured }
    }

    /// One line. What others have named must be escaped by the caller, with [`escape`].
    pub(crate) fn line(&mut self, text: Arguments<'_>) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// One line in a colour.
    pub(crate) fn painted(&mut self, paint: Paint, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", paint.on(text, self.coloured))
    }

    /// Rows whose columns are aligned, two blanks apart, each line led by `indent` blanks. Nothing is written behind the
    /// last field of a row that is not empty.
    pub(crate) fn table(&mut self, indent: usize, rows: &[Vec<Cell>]) -> io::Result<()> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column: usize| rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in rows {
            self.row(indent, row, &widths)?;
        }
        Ok(())
    }

    /// `text` in a colour, if there are colours, for a line that has several.
    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        paint.on(text, self.coloured)
    }

    /// Names and values, one pair a line.
    pub(crate) fn fields(&mut self, indent: usize, fields: &[(&str, String)]) -> io::Result<()> {
        let row =
            |(name, value): &(&str, String)| vec![Cell::left(name).paint(Paint::Faint), Cell::left(value)];
        self.table(indent, &fields.iter().map(row).collect::<Vec<_>>())
    }

    fn row(&mut self, indent: usize, row: &[Cell], widths: &[usize]) -> io::Result<()> {
        let mut line = String::new();
        let mut blanks = indent;
        for (cell, width) in row.iter().zip(widths) {
            let slack = width.saturating_sub(cell.width());
            let (before, after) = if cell.right { (slack, 0) } else { (0, slack) };
            if !cell.text.is_empty() {
                line.extend(std::iter::repeat_n(' ', blanks + before));
                line += &cell
                    .paint
                    .map_or_else(|| cell.text.clone(), |paint| paint.on(&cell.text, self.coloured));
                blanks = after;
            } else {
                blanks += slack;
            }
            blanks += if *width > 0 { 2 } else { 0 };
        }
        writeln!(self.out, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(coloured: bool, rows: &[Vec<Cell>]) -> String {
        let mut bytes = Vec::new();
        Page::new(&mut bytes, coloured).table(2, rows).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn columns_are_aligned_and_lines_end_at_their_last_word() {
        let rows = [
            vec![Cell::left("data/images.mld"), Cell::right("40 GB"), Cell::left("here")],
            vec![Cell::left("a.mld"), Cell::right("1.1 GB"), Cell::left("")],
        ];
        assert_eq!(drawn(false, &rows), "  data/images.mld   40 GB  here\n  a.mld            1.1 GB\n");
    }

    #[test]
    fn colour_does_not_move_a_column() {
        let rows = [
            vec![Cell::left("a").paint(Paint::Good), Cell::left("x")],
            vec![Cell::left("bcd"), Cell::left("y")],
        ];
        assert_eq!(drawn(true, &rows), "  \x1b[32ma\x1b[m    x\n  bcd  y\n");
    }

    #[test]
    fn a_name_cannot_give_orders_to_the_terminal() {
        assert_eq!(drawn(false, &[vec![Cell::left("\x1b[2J")]]), "  \\u{1b}[2J\n");
    }
}
