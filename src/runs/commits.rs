//! Where commits come from: which runs made the data that a commit adds, told again after history was rewritten.
//!
//! A record is written where there is something to tell: by the post-commit hook for a commit that adds what a run made,
//! and for one that repeats another (cherry-pick, squash), by the post-rewrite hook for amend and rebase. It lies at
//! `v1/commits/<aa>/<bb>/<commit>/<lamport>-<writer>-<n>.json`:
//!
//! ```json
//! {"version": 1, "time": "2026-11-22T18:00:00Z", "commit": "4c1f…", "tree": "9d2e…", "patch_id": "…", "change_id": "I…",
//!  "from": [{"how": "rebase", "commit": "77c0…"}], "runs": ["5e0c…"]}
//! ```
//!
//! Merges on a server run no hook of ours, so a commit that has no record is looked for by its tree, its patch id and
//! its `Change-Id`, in this order, and at last by the contents that it adds.
//! The notes `refs/notes/mlrun` (`git log --notes=mlrun`) are derived from the records.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::{Digest, RandomId};
use crate::git::{ObjectId, RebaseState, Repository};
use crate::storage::durable;

use super::error::RunsError;
use super::layout::{self, VERSION_FOLDER};
use super::log::{self, new_file};
use super::notes;
use super::record::{FORMAT, Versioned};
use super::state::Run;
use super::view::View;

/// How a commit came of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rewriting {
    /// `git commit --amend`.
    Amend,
    /// `git rebase`.
    Rebase,
    /// `git cherry-pick`.
    CherryPick,
    /// `git merge --squash`.
    Squash,
}

/// A commit that another one came of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// How.
    pub how: Rewriting,
    /// Its id.
    pub commit: String,
}

/// Where a commit comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRecord {
    /// The format: [`FORMAT`].
    pub version: u32,
    /// When this was recorded.
    pub time: Timestamp,
    /// The commit.
    pub commit: String,
    /// Its tree.
    pub tree: String,
    /// Its stable patch id; none for a merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch_id: Option<String>,
    /// Its `Change-Id` trailer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    /// The commits that it came of.
    #[serde(default)]
    pub from: Vec<Source>,
    /// The runs that made what it adds.
    pub runs: Vec<RandomId>,
}

impl CommitRecord {
    /// Whether the two are of the same commit, or of commits that are the same in this respect.
    fn is_like(&self, other: &Self, by: FoundBy) -> bool {
        let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
        match by {
            FoundBy::Commit => self.commit == other.commit,
            FoundBy::Tree => self.tree == other.tree,
            FoundBy::PatchId => same(&self.patch_id, &other.patch_id),
            FoundBy::ChangeId => same(&self.change_id, &other.change_id),
            FoundBy::Content => false,
        }
    }
}

impl Versioned for CommitRecord {
    fn version(&self) -> u32 {
        self.version
    }
}

/// By what the runs of a commit were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// A record of the commit itself.
    Commit,
    /// A record of a commit with the same tree.
    Tree,
    /// A record of a commit with the same patch id.
    PatchId,
    /// A record of a commit with the same `Change-Id`.
    ChangeId,
    /// The contents that the commit adds.
    Content,
}

/// The runs that made what a commit adds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Origin {
    /// The runs.
    pub runs: Vec<RandomId>,
    /// By what they were found; `None` if there are none.
    pub found_by: Option<FoundBy>,
}

/// What the prepare-commit-msg hook does: remembers the commits that are about to be repeated, for the post-commit hook,
/// which cannot see them any more.
///
/// # Errors
///
/// [`RunsError`]; the hook exits 0 all the same.
pub fn remember_sources(repository: &Repository) -> Result<(), RunsError> {
    let source = |how| move |commit: ObjectId| Source { how, commit: commit.to_string() };
    let picked = repository.picked_commit().into_iter().map(source(Rewriting::CherryPick));
    let squashed = repository.squashed_commits().into_iter().map(source(Rewriting::Squash));
    let sources: Vec<Source> = picked.chain(squashed).collect();
    let path = sources_file(repository);
    if sources.is_empty() {
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(RunsError::io("remove", path)(error))
            }
            _ => Ok(()),
        };
    }
    durable::create_folders(path.parent().unwrap_or(repository.git_dir()))?;
    let json = serde_json::to_vec(&sources).map_err(|error| RunsError::NewRecord(error.into()))?;
    Ok(durable::write_atomically(&path, &json)?)
}

fn sources_file(repository: &Repository) -> PathBuf {
    repository.git_dir().join("ml").join("commit-sources")
}

/// What the post-commit hook does: records where the commit that is checked out comes from, where there is something to
/// tell.
///
/// # Errors
///
/// [`RunsError`]; the hook exits 0 all the same.
pub fn after_commit(repository: &Repository) -> Result<Option<CommitRecord>, RunsError> {
    let path = sources_file(repository);
    let sources: Vec<Source> =
        fs::read(&path).ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    let _absent = fs::remove_file(&path);
    let Some(commit) = repository.head_commit()? else { return Ok(None) };
    Ok(record(repository, BTreeMap::from([(commit, sources)]))?.pop())
}

/// What the post-rewrite hook does: records the commits that came of others, given as pairs of old and new.
///
/// # Errors
///
/// [`RunsError`]; the hook exits 0 all the same.
pub fn after_rewrite(
    repository: &Repository,
    how: Rewriting,
    pairs: &[(ObjectId, ObjectId)],
) -> Result<Vec<CommitRecord>, RunsError> {
    // Inside a rebase every fixup is told as an amend first; what counts comes at its end.
    if how == Rewriting::Amend && repository.rebase_state() != RebaseState::None {
        return Ok(Vec::new());
    }
    let mut rewritten: BTreeMap<ObjectId, Vec<Source>> = BTreeMap::new();
    for (old, new) in pairs {
        rewritten.entry(*new).or_default().push(Source { how, commit: old.to_string() });
    }
    record(repository, rewritten)
}

/// Records the commits that have runs, by what they add or by what they came of.
fn record(
    repository: &Repository,
    commits: BTreeMap<ObjectId, Vec<Source>>,
) -> Result<Vec<CommitRecord>, RunsError> {
    let mut records = Vec::new();
    let view = View::open(repository)?;
    // Reading all runs is worth it only where a content is added.
    let mut known: Option<Vec<Run>> = None;
    for (commit, from) in commits {
        let added = added_contents(repository, commit)?;
        let mut runs = BTreeSet::new();
        if !added.is_empty() {
            let known = match &mut known {
                Some(known) => known,
                None => known.insert(view.runs()?),
            };
            runs.extend(makers(known, &added));
        }
        for source in &from {
            runs.extend(recorded(&view, &source.commit)?);
        }
        if !runs.is_empty() {
            records.push(described(repository, commit, from, runs.into_iter().collect())?);
        }
    }
    if records.is_empty() {
        return Ok(records);
    }
    if records.is_empty() {
        return Ok(records);
    }
    log::append(repository, "Record where commits come from", |stamp| {
        let entry = |(n, record): (u32, &CommitRecord)| {
            let path = format!("{}/{}", layout::commit_folder(&record.commit), stamp.record(n).file("json"));
            new_file(repository, path, &record.to_json().map_err(RunsError::NewRecord)?)
        };
        (0..).zip(&records).map(entry).collect()
    })?;
    notes::add(repository, &records)?;
    Ok(records)
}

fn described(
    repository: &Repository,
    commit: ObjectId,
    from: Vec<Source>,
    runs: Vec<RandomId>,
) -> Result<CommitRecord, RunsError> {
    let info = repository.commit_info(commit)?;
    Ok(CommitRecord {
        version: FORMAT,
        time: Timestamp::now(),
        commit: commit.to_string(),
        tree: info.tree.to_string(),
        patch_id: repository.patch_ids(&[commit])?.remove(&commit),
        change_id: info.trailer("Change-Id").map(str::to_owned),
        from,
        runs,
    })
}

/// The contents that a commit has and its first parent has not; none of a merge, which adds nothing of its own.
fn added_contents(repository: &Repository, commit: ObjectId) -> Result<BTreeSet<Digest>, RunsError> {
    let info = repository.commit_info(commit)?;
    if info.parents.len() > 1 {
        return Ok(BTreeSet::new());
    }
    // In a shallow clone the parent may not be here: then nothing is known to be new.
    let parent = info.parents.first().copied();
    if parent.is_some_and(|parent| !repository.has_object(parent)) {
        return Ok(BTreeSet::new());
    }
    let changes = repository.changed_pointers(parent, Some(commit))?.changes;
    Ok(changes.into_iter().filter_map(|change| change.new).map(|pointer| pointer.id).collect())
}

/// The runs that made one of the contents.
fn makers(runs: &[Run], contents: &BTreeSet<Digest>) -> BTreeSet<RandomId> {
    let made =
        |run: &&Run| !run.deleted && run.outputs.iter().any(|output| contents.contains(&output.blake3));
    runs.iter().filter(made).map(|run| run.id).collect()
}

/// The runs of all records of one commit.
fn recorded(view: &View<'_>, commit: &str) -> Result<BTreeSet<RandomId>, RunsError> {
    let records = records_below(view, &layout::commit_folder(commit))?;
    Ok(records.into_iter().flat_map(|record| record.runs).collect())
}

/// All records of commits.
///
/// # Errors
///
/// Those of Git.
pub(super) fn all_records(view: &View<'_>) -> Result<Vec<CommitRecord>, RunsError> {
    records_below(view, &format!("{VERSION_FOLDER}/commits"))
}

/// The records below a folder; those that this program cannot read are left out.
fn records_below(view: &View<'_>, folder: &str) -> Result<Vec<CommitRecord>, RunsError> {
    let mut records = Vec::new();
    for (_, file) in view.files_below(folder)? {
        match view.record(file, folder) {
            Ok(record) => records.push(record),
            Err(RunsError::Record { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(records)
}

/// The runs that made what a commit adds.
///
/// # Errors
///
/// Those of Git.
pub fn origin_of(
    repository: &Repository,
    view: &View<'_>,
    runs: &[Run],
    commit: ObjectId,
) -> Result<Origin, RunsError> {
    let here = described(repository, commit, Vec::new(), Vec::new())?;
    let records = all_records(view)?;
    for by in [FoundBy::Commit, FoundBy::Tree, FoundBy::PatchId, FoundBy::ChangeId] {
        let alike = records.iter().filter(|record| record.is_like(&here, by));
        let found: BTreeSet<_> = alike.flat_map(|record| record.runs.clone()).collect();
        if !found.is_empty() {
            return Ok(Origin { runs: found.into_iter().collect(), found_by: Some(by) });
        }
    }
    let found = makers(runs, &added_contents(repository, commit)?);
    let found_by = (!found.is_empty()).then_some(FoundBy::Content);
    Ok(Origin { runs: found.into_iter().collect(), found_by })
}
