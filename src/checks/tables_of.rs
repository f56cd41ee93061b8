//! The two tables that a drift rule compares: where they are, and their columns.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

use crate::data::read::{At, file_at};
use crate::data::{ContentReader, ReadError, Workspace};
use crate::git::Repository;
use crate::models::{Catalog, ContentKind, ContentRecord, ModelRef, RegisteredVersion, committed_content};
use crate::runs::View;
use crate::storage::store::Store;
use crate::tables::{Column, Source, TableError, read_columns};

use super::error::CheckError;
use super::report::Lack;
use super::rule::{DriftRule, Rule};

/// Where a table is.
#[derive(Debug)]
pub(super) enum Table {
    /// A file of the work tree.
    File(PathBuf),
    /// A content of the store.
    Stored(ContentRecord),
}

/// The table that a drift rule watches: the file as it is in the work tree, or what its pointer names.
pub(super) fn current(workspace: &Workspace, rule: &Rule, drift: &DriftRule) -> Result<Table, CheckError> {
    let file = drift.data.under(workspace.top());
    if fs::metadata(&file).is_ok_and(|meta| meta.is_file()) {
        return Ok(Table::File(file));
    }
    let at = At { revision: None, path: Some(drift.data.clone()) };
    let root = file_at(workspace, &at).map_err(|source| CheckError::Current {
        rule: rule.name.clone(),
        path: drift.data.to_string(),
        source: Box::new(source),
    })?;
    let (path, kind) = (drift.data.to_string(), ContentKind::File);
    Ok(Table::Stored(ContentRecord { path, kind, blake3: root.id, size: root.size, manifest: root.manifest }))
}

/// The table that a drift rule compares with: what the model version was trained on, or what a revision has.
pub(super) fn reference(
    repository: &Repository,
    catalog: &Catalog,
    drift: &DriftRule,
) -> Result<Result<ContentRecord, Lack>, CheckError> {
    let named = &drift.reference;
    let lack = || Lack::NoReference { named: named.clone(), path: drift.data.to_string() };
    if let Some(model) = model_in(catalog, named) {
        let Some(version) = catalog.version(&model) else {
            return Ok(Err(Lack::NoVersion { named: named.clone() }));
        };
        return Ok(trained_on(repository, version, drift)?.ok_or_else(lack));
    }
    match repository.resolve_commit(named) {
        Ok(commit) => Ok(committed_content(repository, commit, &drift.data).map_err(|_| lack())),
        // A model that has no version yet looks like a revision that is not there.
        Err(_) if named.contains(['@', '#']) => Ok(Err(Lack::NoVersion { named: named.clone() })),
        Err(error) => Err(error.into()),
    }
}

/// The model version that a text names, if there is such a model.
fn model_in(catalog: &Catalog, named: &str) -> Option<ModelRef> {
    let named: ModelRef = named.parse().ok()?;
    catalog.model(&named.model).is_some().then_some(named)
}

/// What the run that made a version read at the rule's path; else what the version's commit has there.
fn trained_on(
    repository: &Repository,
    version: &RegisteredVersion,
    drift: &DriftRule,
) -> Result<Option<ContentRecord>, CheckError> {
    let run = version.run.map(|id| View::open(repository)?.run(&id)).transpose()?.flatten();
    let read = run.and_then(|run| run.inputs.into_iter().find(|input| input.path == drift.data.as_str()));
    if read.is_some() {
        return Ok(read);
    }
    let Ok(commit) = repository.resolve_commit(&version.commit) else { return Ok(None) };
    Ok(committed_content(repository, commit, &drift.data).ok())
}

/// The columns of a table.
pub(super) fn columns(
    workspace: &Workspace,
    rule: &Rule,
    table: &Table,
    private: &[String],
) -> Result<Vec<Column>, CheckError> {
    let (name, source): (String, Box<dyn Source + '_>) = match table {
        Table::File(path) => {
            let path = path.clone();
            (path.display().to_string(), Box::new(move || File::open(&path)))
        }
        Table::Stored(content) => {
            (content.path.clone(), Box::new(Stored { store: workspace.store(), content }))
        }
    };
    read_columns(source.as_ref(), private).map_err(|error| match (table, error) {
        (Table::Stored(content), TableError::Read(error)) if is_missing(&error) => {
            CheckError::MissingContent { rule: rule.name.clone(), content: Box::new(content.clone()) }
        }
        (_, source) => CheckError::Table { rule: rule.name.clone(), path: name.clone(), source },
    })
}

/// A content of the store as a source of rows.
struct Stored<'a> {
    store: &'a Store,
    content: &'a ContentRecord,
}

impl Source for Stored<'_> {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        let ContentRecord { blake3, manifest, size, .. } = *self.content;
        let reader = ContentReader::open(self.store, blake3, manifest, size);
        Ok(Box::new(reader.map_err(|error| io::Error::other(ReadError::Walk(error)))?))
    }
}

fn is_missing(error: &io::Error) -> bool {
    let source = error.get_ref().and_then(|source| source.downcast_ref::<ReadError>());
    source.is_some_and(ReadError::is_missing)
}
