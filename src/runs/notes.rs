//! Notes on commits, `refs/notes/mlrun`: a view for `git log --notes=mlrun`, derived from the records of commits. It is
//! never pushed; each clone makes its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{RandomId, RepoPath};
use crate::git::{EntryMode, Expected, GitError, Repository};

use super::commits::{CommitRecord, all_records};
use super::error::RunsError;
use super::log;
use super::view::View;

const NOTES: &str = "refs/notes/mlrun";

/// Adds notes for new records.
///
/// # Errors
///
/// Those of Git.
pub fn add(repository: &Repository, records: &[CommitRecord]) -> Result<(), RunsError> {
    let mut runs: BTreeMap<&str, BTreeSet<RandomId>> = BTreeMap::new();
    for record in records {
        runs.entry(&record.commit).or_default().extend(&record.runs);
    }
    let tip = repository.find_ref(NOTES)?;
    let before = tip.map(|tip| repository.commit_info(tip)).transpose()?.map(|info| info.tree);
    let mut changes = Vec::with_capacity(runs.len());
    for (commit, runs) in runs {
        // One folder for the first two digits, as Git itself begins to do it.
        let Some((folder, rest)) = commit.split_at_checked(2) else { continue };
        let path = RepoPath::new(format!("{folder}/{rest}")).map_err(GitError::from)?;
        let lines: String = runs.iter().map(|run| format!("git-mlrun {run}\n")).collect();
        changes.push((path, Some((EntryMode::File, repository.write_blob(lines.as_bytes())?))));
    }
    let tree = repository.edit_tree(before, changes)?;
    if Some(tree) == before {
        return Ok(());
    }
    let parents: Vec<_> = tip.into_iter().collect();
    let commit = log::write_commit(repository, tree, &parents, "Notes of runs", 0)?;
    match repository.update_ref(NOTES, commit, tip.map_or(Expected::Absent, Expected::At), "runs") {
        // Another process writes them too; the next sync writes all.
        Err(GitError::RefMoved { .. } | GitError::RefExists { .. }) => Ok(()),
        done => Ok(done?),
    }
}

/// Writes the notes for all records, also those that came from others.
///
/// # Errors
///
/// Those of Git.
pub fn refresh(repository: &Repository) -> Result<(), RunsError> {
    let records = all_records(&View::open(repository)?)?;
    if records.is_empty() { Ok(()) } else { add(repository, &records) }
}
