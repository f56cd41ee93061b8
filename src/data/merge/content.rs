//! Contents of tables out of the store, merged into a content of the store.

use std::io::{self, BufWriter, Read, Write};

use crate::base::{Progress, RepoPath};
use crate::data::content::{Content, ContentReader, Intake, holds_content, store_file};
use crate::data::shape::table_format;
use crate::data::workspace::Workspace;
use crate::git::TableRule;
use crate::storage::durable::{self, DurableError};
use crate::storage::store::Store;
use crate::tables::merge::{
    Conflict, Granularity, MergeOptions, MergeOutput, TableMergeError, Three, Version, merge_tables,
};
use crate::tables::{Source, TableError};

use super::error::MergeError;
use super::file::scratch;

/// A content of the store, read as a table.
struct Stored<'a> {
    store: &'a Store,
    /// `None`: there is no such version, which reads as an empty file.
    content: Option<Content>,
}

impl Source for Stored<'_> {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        let Some(Content { id, manifest, size }) = self.content else { return Ok(Box::new(io::empty())) };
        let reader = ContentReader::open(self.store, id, manifest, size);
        Ok(Box::new(reader.map_err(io::Error::other)?))
    }
}

/// What came of two versions of a table.
pub(super) struct MergedContent {
    pub(super) content: Content,
    pub(super) conflicts: Vec<Conflict>,
}

/// Merges the tables at `path`; `None` where they are no tables that can be merged by rows, or not all of them are here.
pub(super) fn merge_contents(
    workspace: &Workspace,
    intake: &Intake<'_>,
    path: &RepoPath,
    contents: &Three<Option<Content>>,
    rule: TableRule,
    progress: &Progress,
) -> Result<Option<MergedContent>, MergeError> {
    let store = workspace.store();
    let is_here = |version: &Version| {
        contents.of(*version).is_none_or(|content| holds_content(store, content.id, content.manifest))
    };
    if table_format(path.name().as_bytes()).is_none() || !Version::ALL.iter().all(is_here) {
        return Ok(None);
    }
    let sources = Three::from_each(|version| Stored { store, content: *contents.of(version) });
    let tables = Three::from_each(|version| sources.of(version) as &dyn Source);
    let TableRule { key, private } = rule;
    let options = MergeOptions { key, private, granularity: Granularity::Cell };
    let temporaries = workspace.repository().temporaries()?;
    let place = workspace.git_dir().join("merged");
    let mut file = durable::create_temp(temporaries.for_target(&place))?;
    let mut conflicts = Vec::new();
    let merged = {
        let mut table = BufWriter::new(&mut file);
        let output = MergeOutput {
            scratch: &scratch,
            table: &mut table,
            conflict: &mut |conflict| {
                conflicts.push(conflict.clone());
                Ok(())
            },
        };
        let merged = merge_tables(&tables, &options, output);
        let flushed = table.flush();
        flushed.map_err(|source| DurableError::new("write", &place, 0, source))?;
        merged
    };
    match merged {
        Ok(_) => {}
        // The store's answers come through the reader of the table: they are no fault of the table.
        Err(TableMergeError::Table { source: TableError::Read(source), .. }) => {
            return Err(MergeError::Read { path: path.clone(), source });
        }
        Err(TableMergeError::Write(source)) => {
            return Err(DurableError::new("write", &place, 0, source).into());
        }
        Err(TableMergeError::Table { .. }) => return Ok(None),
    }
    let (content, _) = store_file(file.path(), intake, progress)?;
    Ok(Some(MergedContent { content, conflicts }))
}
