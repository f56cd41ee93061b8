//! The work tree as a tree of Git, so that the code of a run can be had again though nobody committed it.
//!
//! In it are the tracked files as they are now, and the untracked ones that Git does not ignore. Left out, and named, are
//! files that look like secrets and large ones; of a tracked one the committed version stays, since that is in Git
//! anyhow. The index of the user is not touched: Git works on a copy.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::base::RepoPath;
use crate::git::EntryMode;
use crate::git::GitError;
use crate::git::GitProgram;
use crate::git::ObjectId;
use crate::git::Repository;

/// Why a file is not in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// Its name is that of a secret.
    Secret,
    /// It is larger than the limit, in bytes.
    TooLarge(u64),
    /// It is another repository.
    Repository,
    /// It is a socket, a pipe or a device, or its name is never written.
    Unsupported,
}

/// A file that is not in a snapshot as it is in the work tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its path.
    pub path: String,
    /// Why.
    pub reason: LeftOutReason,
}

/// The work tree as a tree of Git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The tree. Nothing refers to it yet, so Git may collect it after some weeks.
    pub tree: ObjectId,
    /// What is not in it.
    pub left_out: Vec<LeftOut>,
}

/// Names of files that hold secrets, in lower case, `*` for anything.
const SECRET_NAMES: [&str; 22] = [
    ".env*",
    "*.env",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.ppk",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "credentials*",
    ".git-credentials",
    ".netrc",
    ".pgpass",
    ".pypirc",
    ".htpasswd",
    "service-account*.json",
    "secrets.*",
];

/// Whether a file of this name is taken for a secret.
pub fn looks_like_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let mode = gix::glob::wildmatch::Mode::empty();
    SECRET_NAMES.iter().any(|pattern| gix::glob::wildmatch((*pattern).into(), name.as_str().into(), mode))
}

impl Repository {
    /// Writes the work tree as a tree; a changed or new file of more than `limit` bytes is left out.
    ///
    /// # Errors
    ///
    /// [`GitError::Bare`], [`GitError::Io`], [`GitError::Program`].
    pub fn snapshot(&self, limit: u64) -> Result<Snapshot, GitError> {
        let top = self.work_dir()?;
        let state = self.work_tree_state()?;
        let (mut taken, mut left_out) = (Vec::new(), Vec::new());
        for path in state.changed.into_iter().chain(state.untracked) {
            match reason_to_leave_out(top, &path, limit) {
                Some(reason) => left_out.push(LeftOut { path, reason }),
                None => taken.push(path),
            }
        }
        let folder = tempfile::tempdir().map_err(GitError::io("create", std::env::temp_dir()))?;
        let index = folder.path().join("index");
        if self.index_path().exists() {
            fs::copy(self.index_path(), &index).map_err(GitError::io("copy", self.index_path()))?;
        }
        let update = |options: &[&str], list: String| -> Result<(), GitError> {
            let call = self.on_copy(&index).args(["update-index", "-z"]).args(options).input(list);
            call.run().map(drop).map_err(GitError::from)
        };
        update(&["--index-info"], self.committed_entries(&left_out)?)?;
        update(
            &["--add", "--remove", "--replace", "--stdin"],
            taken.iter().map(|path| format!("{path}\0")).collect(),
        )?;
        let tree = self.on_copy(&index).args(["write-tree"]).text()?;
        let tree = tree.parse().map_err(|_| GitError::Io {
            action: "read a tree from the index",
            path: index,
            source: std::io::ErrorKind::InvalidData.into(),
        })?;
        Ok(Snapshot { tree, left_out })
    }

    /// A call on a copy of the index, in which nothing is shared with the original.
    fn on_copy(&self, index: &Path) -> GitProgram {
        let settings = ["-c", "core.splitIndex=false", "-c", "core.fsmonitor=false"];
        self.program().env("GIT_INDEX_FILE", index).args(settings)
    }

    /// The lines that put what is left out back to what `HEAD` has, or take it out of the index.
    fn committed_entries(&self, left_out: &[LeftOut]) -> Result<String, GitError> {
        let head = self.head_commit()?.map(|commit| self.commit_info(commit)).transpose()?;
        let mut lines = String::new();
        for LeftOut { path, .. } in left_out {
            let committed = match (&head, RepoPath::new(path.as_str())) {
                (Some(head), Ok(path)) => self.entry_at(head.tree, &path)?,
                _ => None,
            };
            let (mode, id) = match committed {
                Some((EntryMode::Folder, _)) | None => ("0", "0".repeat(40)),
                Some((EntryMode::File, id)) => ("100644", id.to_string()),
                Some((EntryMode::Executable, id)) => ("100755", id.to_string()),
                Some((EntryMode::Link, id)) => ("120000", id.to_string()),
                Some((EntryMode::Submodule, id)) => ("160000", id.to_string()),
            };
            if !path.ends_with('/') {
                lines += &format!("{mode} {id}\t{path}\0");
            }
        }
        Ok(lines)
    }
}

fn reason_to_leave_out(top: &Path, path: &str, limit: u64) -> Option<LeftOutReason> {
    if path.ends_with('/') {
        return Some(LeftOutReason::Repository);
    }
    let Ok(checked) = RepoPath::new(path) else {
        return Some(LeftOutReason::Unsupported);
    };
    if looks_like_secret(checked.name()) {
        return Some(LeftOutReason::Secret);
    }
    // A file that is gone is taken as gone, a submodule as its commit.
    let meta = checked.under(top).symlink_metadata().ok()?;
    let supported = meta.is_file() || meta.is_symlink() || meta.is_dir();
    match meta.len() {
        _ if !supported => Some(LeftOutReason::Unsupported),
        size if meta.is_file() && size > limit => Some(LeftOutReason::TooLarge(size)),
        _ => None,
    }
}
