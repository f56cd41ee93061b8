//! Why a table cannot be read. No message holds a value of the table: it may be private.

use std::io;

use serde::Serialize;

use crate::base::Advice;

/// Why a table cannot be read. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The reader failed.
    #[error("cannot read the table")]
    Read(#[from] io::Error),
    /// There is no header.
    #[error("the table is empty")]
    Empty,
    /// A NUL byte: not delimited text.
    #[error("the file is binary, not a table of text")]
    Binary,
    /// UTF-16 or UTF-32, told by the byte order mark.
    #[error("the table is written in UTF-16 or UTF-32")]
    WideText,
    /// A quoted cell has no end.
    #[error("line {line}: a quote is opened and never closed")]
    UnclosedQuote {
        /// Where the quote is opened.
        line: u64,
    },
    /// A row has more or fewer cells than the header.
    #[error("line {line}: {found} cells, where the first line has {expected}")]
    Ragged {
        /// Where the row begins.
        line: u64,
        /// The cells of the row.
        found: usize,
        /// The cells of the first line.
        expected: usize,
    },
    /// One row is larger than a row may be.
    #[error("line {line}: a row of more than {} MiB", super::csv::LARGEST_ROW >> 20)]
    RowTooLarge {
        /// Where the row begins.
        line: u64,
    },
    /// More columns than a table may have.
    #[error("more than {} columns", super::csv::MOST_COLUMNS)]
    TooManyColumns,
    /// More rows than a diff can number.
    #[error("more than {} rows", u32::MAX)]
    TooManyRows,
    /// A second read gave other rows than the first.
    #[error("the table changed while it was read")]
    ChangedWhileRead,
}

impl TableError {
    /// The same error, in a part before which there are so many `lines`.
    pub(super) fn behind(mut self, lines: u64) -> Self {
        if let Self::UnclosedQuote { line } | Self::Ragged { line, .. } | Self::RowTooLarge { line } =
            &mut self
        {
            *line += lines;
        }
        self
    }
}

impl Advice for TableError {
    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::WideText => "write it as UTF-8, for example with 'iconv -f UTF-16 -t UTF-8'",
            Self::UnclosedQuote { .. } => "close the quote, or double it where it is part of the text",
            Self::Ragged { .. } => "quote cells that contain the delimiter; is the file complete?",
            Self::ChangedWhileRead => "wait until it is written, then try again",
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

/// One of the two tables of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The older one.
    Before,
    /// The newer one.
    After,
}

impl Side {
    /// The value of this side.
    pub fn of<T>(self, sided: &Sided<T>) -> &T {
        match self {
            Self::Before => &sided.before,
            Self::After => &sided.after,
        }
    }
}

/// One value for each side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Sided<T> {
    /// Of the older table.
    pub before: T,
    /// Of the newer table.
    pub after: T,
}

/// Why two tables cannot be compared.
#[derive(Debug, thiserror::Error)]
#[error("cannot compare the rows: {} is no readable table", match .side {
    Side::Before => "the older version",
    Side::After => "the newer version",
})]
pub struct TableDiffError {
    /// The table that cannot be read.
    pub side: Side,
    /// Why not.
    #[source]
    pub source: TableError,
}

impl Advice for TableDiffError {
    fn hints(&self) -> Vec<String> {
        self.source.hints()
    }
}
