//! The contents that the logs of runs name. No commit need name them, so whoever sends or keeps data asks here, too.

use std::collections::HashSet;

use crate::base::{RandomId, RepoPath};
use crate::data::RootName;
use crate::data::versions::Version;
use crate::git::Repository;
use crate::models::{ContentKind, ContentRecord};
use crate::objects::pointer::PointerKind;

use super::error::RunsError;
use super::state::Run;
use super::view::View;

/// What a content is to the run that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The run read it.
    Input,
    /// The run made it.
    Output,
    /// It holds points of the run's metrics.
    Points,
}

/// A content that a run names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The run.
    pub run: RandomId,
    /// What it is to the run.
    pub role: Role,
    /// Where it lay, or for points a name to show.
    pub path: String,
    /// The content.
    pub root: RootName,
}

impl Recorded {
    /// The content as a version that no commit names; `None` where its path is none.
    pub fn version(&self) -> Option<Version> {
        let path = RepoPath::new(self.path.as_str()).ok()?;
        Some(Version { path, root: self.root, commit: None })
    }
}

/// Whose logs are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logs {
    /// Those that this clone writes.
    Own,
    /// All that are here.
    All,
}

/// What logs name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedContents {
    /// Contents of runs that are not deleted, each once for each role. They need not be here.
    pub contents: Vec<Recorded>,
    /// Runs that this program cannot read: it is not known what they name.
    pub unreadable: u64,
}

/// The contents that logs name. What is still in a spool is not in a log (see [`super::recover`]).
///
/// # Errors
///
/// Those of Git.
pub fn recorded_contents(repository: &Repository, logs: Logs) -> Result<RecordedContents, RunsError> {
    let view = match logs {
        Logs::Own => View::of_own(repository)?,
        Logs::All => View::open(repository)?,
    };
    let mut seen = HashSet::new();
    let (runs, unreadable) = view.readable_runs()?;
    let recorded = runs.into_iter().filter(|run| !run.deleted).flat_map(|run| contents_of(&run));
    let contents = recorded.filter(|found| seen.insert((found.root, found.role))).collect();
    Ok(RecordedContents { contents, unreadable })
}

/// The contents that one run names.
pub fn contents_of(run: &Run) -> Vec<Recorded> {
    let content = |role| {
        move |content: &ContentRecord| {
            let path = content.path.clone();
            Recorded { run: run.id, role, path, root: root_of(content) }
        }
    };
    let inputs = run.inputs.iter().map(content(Role::Input));
    let outputs = run.outputs.iter().map(content(Role::Output));
    let points = run.points.iter().map(|points| {
        let path = format!("metrics of run {}", run.id.short());
        Recorded { run: run.id, role: Role::Points, path, root: points.root() }
    });
    inputs.chain(outputs).chain(points).collect()
}

fn root_of(content: &ContentRecord) -> RootName {
    let kind = match content.kind {
        ContentKind::File => PointerKind::File,
        ContentKind::Tree => PointerKind::Tree,
    };
    RootName { kind, id: content.blake3, manifest: content.manifest, size: content.size }
}
