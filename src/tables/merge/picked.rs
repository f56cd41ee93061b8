//! Rows of one version that are needed out of order, held aside until they are.

use std::collections::HashMap;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use crate::tables::csv::{Record, RecordReader, TableReader};
use crate::tables::dialect::Dialect;
use crate::tables::error::TableError;

/// A place for rows that wait: in memory or in a file, as the caller decides by their size.
pub trait Scratch: Read + Write + Seek + Send {}

impl<T: Read + Write + Seek + Send> Scratch for T {}

/// The rows of one version that were asked for.
pub(super) struct Picked {
    scratch: Box<dyn Scratch>,
    /// Where each lies, and how long it is.
    places: HashMap<u32, (u64, usize)>,
    dialect: Option<Dialect>,
    raw: Vec<u8>,
}

impl Picked {
    /// Reads `table` up to the last of the `wanted` rows, and keeps those.
    pub(super) fn read<R: Read>(
        table: Option<TableReader<R>>,
        mut wanted: Vec<u32>,
        scratch: Box<dyn Scratch>,
    ) -> Result<Self, TableError> {
        wanted.sort_unstable();
        wanted.dedup();
        let mut out = BufWriter::with_capacity(64 << 10, scratch);
        let mut places = HashMap::with_capacity(wanted.len());
        let dialect = table.as_ref().map(TableReader::dialect);
        if let Some(mut table) = table {
            let (mut record, mut at) = (Record::default(), 0);
            for number in wanted {
                while table.rows_read() < number {
                    if !table.read(&mut record)? {
                        return Err(TableError::ChangedWhileRead);
                    }
                }
                let (text, _) = table.raw_row();
                out.write_all(text)?;
                places.insert(number, (at, text.len()));
                at += text.len() as u64;
            }
        }
        let scratch = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Self { scratch, places, dialect, raw: Vec::new() })
    }

    /// Puts the row of this number into `record`; whether it was asked for before.
    pub(super) fn get(&mut self, number: u32, record: &mut Record) -> Result<bool, TableError> {
        let (Some((at, length)), Some(dialect)) = (self.places.get(&number), self.dialect) else {
            return Ok(false);
        };
        self.raw.resize(*length, 0);
        self.scratch.seek(SeekFrom::Start(*at))?;
        self.scratch.read_exact(&mut self.raw)?;
        RecordReader::of_row(&self.raw, dialect).read(record)
    }
}
