//! Exact facts about a content, for those who read a pointer's diff.
//!
//! Two tools that add the same bytes write the same facts; so there are no estimates, no times, and no values of the
//! data. Facts of a later version of this block (`shape = 2`) are kept as unknown keys.

use toml::{Table, Value};

use crate::objects::pointer::PointerKind;

/// Version of the block.
pub(super) const SHAPE: i64 = 1;
/// No more lines of extensions or folders.
pub const MAX_LINES: usize = 20;

/// What a content or tree looks like from afar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A file that is a table: block `[table]`.
    Table {
        /// `csv`, `tsv`, ….
        format: String,
        /// Count of rows, without the header.
        rows: u64,
        /// A line for each column: `id int64 nulls=0`.
        columns: Vec<String>,
    },
    /// A tree: block `[tree]`.
    Tree {
        /// Count of files and links.
        files: u64,
        /// Bytes of all contents.
        bytes: u64,
        /// A line for each extension, the most frequent first: `png files=1200 bytes=31457280`; at most 20.
        extensions: Vec<String>,
        /// A line for each folder at the top, as the extensions; at most 20.
        folders: Vec<String>,
    },
}

impl Shape {
    /// Takes the block of a pointer of this kind out of `keys`; leaves what it does not know.
    pub(super) fn take(kind: PointerKind, keys: &mut Table) -> Option<Self> {
        let (name, read): (_, fn(&Table) -> Option<Self>) = match kind {
            PointerKind::File => ("table", Self::read_table),
            PointerKind::Tree => ("tree", Self::read_tree),
        };
        let shape = read(keys.get(name)?.as_table()?)?;
        keys.remove(name);
        Some(shape)
    }

    fn read_table(block: &Table) -> Option<Self> {
        Self::is_known(block, 4)?;
        let format = block.get("format")?.as_str()?.to_owned();
        let (rows, columns) = (number(block, "rows")?, lines(block, "columns", usize::MAX)?);
        Some(Self::Table { format, rows, columns })
    }

    fn read_tree(block: &Table) -> Option<Self> {
        Self::is_known(block, 5)?;
        Some(Self::Tree {
            files: number(block, "files")?,
            bytes: number(block, "bytes")?,
            extensions: lines(block, "extensions", MAX_LINES)?,
            folders: lines(block, "folders", MAX_LINES)?,
        })
    }

    /// Of this version, with so many keys and no more.
    fn is_known(block: &Table, keys: usize) -> Option<()> {
        (block.get("shape")?.as_integer()? == SHAPE && block.len() == keys).then_some(())
    }
}

fn number(block: &Table, key: &str) -> Option<u64> {
    u64::try_from(block.get(key)?.as_integer()?).ok()
}

fn lines(block: &Table, key: &str, most: usize) -> Option<Vec<String>> {
    let lines = block.get(key)?.as_array()?;
    let texts = lines.iter().map(|line| Value::as_str(line).map(str::to_owned));
    texts.collect::<Option<Vec<_>>>().filter(|lines| lines.len() <= most)
}
