//! Data that came from elsewhere, tracked from now on.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::base::{Progress, RepoPath};
use crate::data::content::Intake;
use crate::data::workspace::Workspace;

use super::version::Version;
use super::{AddError, AddOptions, AddSummary, How, add_through};

/// The table of a pointer that tells where its data came from.
pub const SOURCE: &str = "source";

/// Data that came from elsewhere and lies in the work tree now, to be tracked beside a pointer.
#[derive(Debug, Clone, Default)]
pub struct Arrival {
    /// Where it came from, for the pointer.
    pub source: Option<Table>,
    /// Git tracks the file at this path, which is to end.
    pub from_git: bool,
}

/// Adds what came from elsewhere, by path: as it lies there now, whole. History is not asked: that Git overwrites such a
/// path when an older commit is checked out is what its user chose.
///
/// # Errors
///
/// [`AddError`]. Until all contents are durable no pointer is touched.
pub fn take_over(
    workspace: &Workspace,
    arrivals: &BTreeMap<RepoPath, Arrival>,
    progress: &Progress,
) -> Result<AddSummary, AddError> {
    let options = AddOptions { all: true, sidecar: true, in_place: false, stage: true };
    let paths: Vec<_> = arrivals.keys().cloned().collect();
    let intake = match workspace.repository().setting_switch("mldata.reflink") {
        Some(false) => Intake::new(workspace.store()),
        _ => Intake::cloning(workspace.store()),
    };
    let mut with_sources = |versions: &mut Vec<Version>| {
        for version in versions {
            if let Some(source) =
                arrivals.get(&version.target.path).and_then(|arrival| arrival.source.as_ref())
            {
                let source = Value::Table(source.clone());
                version.pointer.unknown.insert(SOURCE.to_owned(), source);
            }
        }
        Ok(())
    };
    let from_git = arrivals.iter().filter(|(_, arrival)| arrival.from_git).map(|(path, _)| path.clone());
    let from_git: Vec<_> = from_git.collect();
    let how = How { options, from_git: &from_git };
    add_through(workspace, &intake, &paths, how, &mut with_sources, progress)
}
