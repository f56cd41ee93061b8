//! The logs: one ref for each writer, on which only that writer appends.
//!
//! | ref | what |
//! | --- | --- |
//! | `refs/mlrun/w/<writer>` | the log of one writer; the clone's own, and those it has no remote for |
//! | `refs/mlrun/log` | the fold of several: the union of their trees |
//! | `refs/mlremotes/<remote>/w/<writer>`, `…/log` | the same, as a Git remote had them at the last sync |
//!
//! Every commit ends with a trailer `Lamport: N`. A record that is written gets a time one above the greatest in any log that
//! is here, so what a writer had seen comes before what it writes.

use std::thread;
use std::time::Duration;

use crate::base::{RandomId, RepoPath};
use crate::git::{EntryMode, Expected, GitError, NewCommit, ObjectId, Repository, Role, Signature};

use super::error::RunsError;
use super::layout::RecordName;
use super::writer::writer;

/// The refs that this clone owns.
pub const OWN_REFS: &str = "refs/mlrun/";
/// What the Git remotes had.
pub const REMOTE_REFS: &str = "refs/mlremotes/";

const TRIES: u32 = 60;
const TRAILER: &str = "Lamport";

/// Times beyond this are not believed: counting on from them would soon end.
const LATEST_TIME: u64 = 1 << 60;

/// One file, or folder, that is added to a log.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Where.
    pub path: RepoPath,
    /// What it is.
    pub mode: EntryMode,
    /// Its object.
    pub id: ObjectId,
}

/// The moment of an append.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Its Lamport time.
    pub lamport: u64,
    /// Who appends.
    pub writer: RandomId,
    /// The tree of the writer's log before.
    pub before: Option<ObjectId>,
}

impl Stamp {
    /// The name of the `n`-th record of this append.
    pub fn record(&self, n: u32) -> RecordName {
        RecordName { lamport: self.lamport, writer: self.writer, n }
    }
}

/// A new file of a log.
///
/// # Errors
///
/// [`RunsError`] when the blob cannot be written.
pub fn new_file(repository: &Repository, path: String, bytes: &[u8]) -> Result<NewEntry, RunsError> {
    let id = repository.write_blob(bytes)?;
    Ok(NewEntry { path: RepoPath::new(path).map_err(GitError::from)?, mode: EntryMode::File, id })
}

/// The ref of a writer's log.
pub fn log_ref(writer: &RandomId) -> String {
    format!("{OWN_REFS}w/{writer}")
}

/// Appends to the log of this clone what `make` gives; nothing is written where it gives nothing. Where another process
/// was faster, `make` is asked again with the new moment.
///
/// # Errors
///
/// [`RunsError::Busy`] when others were faster all the time, and what `make` and Git say.
pub fn append<F>(repository: &Repository, subject: &str, mut make: F) -> Result<Option<Stamp>, RunsError>
where
    F: FnMut(&Stamp) -> Result<Vec<NewEntry>, RunsError>,
{
    for attempt in 0..TRIES {
        let writer = writer(repository)?;
        let name = log_ref(&writer);
        let tip = repository.find_ref(&name)?;
        let before = tip.map(|tip| repository.commit_info(tip)).transpose()?.map(|tip| tip.tree);
        let stamp = Stamp { lamport: latest_time(repository)? + 1, writer, before };
        let entries = make(&stamp)?;
        if entries.is_empty() {
            return Ok(None);
        }
        let changes = entries.into_iter().map(|entry| (entry.path, Some((entry.mode, entry.id))));
        let tree = repository.edit_tree(before, changes)?;
        let parents: Vec<_> = tip.into_iter().collect();
        let commit = write_commit(repository, tree, &parents, subject, stamp.lamport)?;
        match repository.update_ref(&name, commit, tip.map_or(Expected::Absent, Expected::At), subject) {
            Ok(()) => return Ok(Some(stamp)),
            Err(GitError::RefMoved { .. } | GitError::RefExists { .. }) => {}
            // A lock that another process holds is worth waiting for, too.
            Err(GitError::Ref { .. }) if attempt + 1 < TRIES => {}
            Err(error) => return Err(error.into()),
        }
        thread::sleep(Duration::from_millis(u64::from(5 + attempt * 3)));
    }
    Err(RunsError::Busy)
}

/// Writes a commit of a log.
///
/// # Errors
///
/// Those of Git.
pub fn write_commit(
    repository: &Repository,
    tree: ObjectId,
    parents: &[ObjectId],
    subject: &str,
    lamport: u64,
) -> Result<ObjectId, RunsError> {
    let who = repository.signature(Role::Committer).unwrap_or_else(|_| nobody());
    let message = format!("{subject}\n\n{TRAILER}: {lamport}\n");
    let new = NewCommit { tree, parents, author: &who, committer: &who, message: &message };
    Ok(repository.write_commit(&new)?)
}

/// Who has told Git no name still has runs.
fn nobody() -> Signature {
    let seconds = jiff::Timestamp::now().as_second();
    Signature { name: "git-mlrun".into(), email: "git-mlrun@localhost".into(), seconds, offset: 0 }
}

/// The newest commits of all logs that are here, without repetitions.
///
/// # Errors
///
/// Those of Git.
pub fn tips(repository: &Repository) -> Result<Vec<ObjectId>, RunsError> {
    let mut tips = tips_below(repository, OWN_REFS)?;
    tips.extend(tips_below(repository, REMOTE_REFS)?);
    tips.sort_unstable();
    tips.dedup();
    Ok(tips)
}

/// The newest commits of the logs below [`OWN_REFS`] or [`REMOTE_REFS`].
///
/// # Errors
///
/// Those of Git.
pub fn tips_below(repository: &Repository, prefix: &str) -> Result<Vec<ObjectId>, RunsError> {
    let refs = repository.refs_below(prefix)?;
    Ok(refs.into_iter().filter(|found| is_log(&found.name)).map(|found| found.target).collect())
}

/// Whether a ref of one of the two prefixes is a log.
pub fn is_log(name: &str) -> bool {
    let below = match (name.strip_prefix(OWN_REFS), name.strip_prefix(REMOTE_REFS)) {
        (Some(below), _) => Some(below),
        // The name of a remote may have slashes.
        (_, Some(below)) if below.ends_with("/log") => Some("log"),
        (_, Some(below)) => below.rfind("/w/").map(|at| &below[at + 1..]),
        _ => None,
    };
    let writer = |id: &str| id.parse::<RandomId>().is_ok();
    below.is_some_and(|below| below == "log" || below.strip_prefix("w/").is_some_and(writer))
}

/// The Lamport time of a commit of a log; 0 for one that tells none.
///
/// # Errors
///
/// Those of Git.
pub fn time_of(repository: &Repository, commit: ObjectId) -> Result<u64, RunsError> {
    let info = repository.commit_info(commit)?;
    let told = info.trailer(TRAILER).and_then(|time| time.parse().ok());
    Ok(told.filter(|time| *time < LATEST_TIME).unwrap_or(0))
}

/// The greatest Lamport time of all logs that are here.
fn latest_time(repository: &Repository) -> Result<u64, RunsError> {
    let times = tips(repository)?.into_iter().map(|tip| time_of(repository, tip));
    times.reduce(|a, b| Ok(a?.max(b?))).unwrap_or(Ok(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_that_are_logs_are_told_from_others() {
        let writer = "0123456789abcdef0123456789abcdef";
        for name in [
            format!("refs/mlrun/w/{writer}"),
            "refs/mlrun/log".into(),
            format!("refs/mlremotes/my/fork/w/{writer}"),
            "refs/mlremotes/origin/log".into(),
        ] {
            assert!(is_log(&name), "{name}");
        }
        for name in ["refs/mlrun/w/x", "refs/mlrun/epoch", "refs/mlremotes/origin/w/log2", "refs/heads/log"] {
            assert!(!is_log(name), "{name}");
        }
    }
}
