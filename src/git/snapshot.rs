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

/// How much of what no commit has is taken into a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotLimits {
    /// Bytes of one file.
    pub file: u64,
    /// Bytes of all together.
    pub sum: u64,
    /// Their number.
    pub files: usize,
}

/// Why a file is not in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// Its name is that of a secret.
    Secret,
    /// It is larger than the limit; its bytes.
    TooLarge(u64),
    /// So much had been taken before that there was no room.
    NoRoom,
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
    /// The number of files, left out or not, by which the work tree differs from the commit.
    pub differing: usize,
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
    /// Writes the work tree as a tree. Changed and new files beyond the limits are left out.
    ///
    /// # Errors
    ///
    /// [`GitError::Bare`], [`GitError::Io`], [`GitError::Program`].
    pub fn snapshot(&self, limits: &SnapshotLimits) -> Result<Snapshot, GitError> {
        let top = self.work_dir()?;
        let state = self.work_tree_state()?;
        let (mut taken, mut left_out) = (Vec::new(), Vec::new());
        let mut room = *limits;
        let differing = state.changed.len() + state.untracked.len();
        for path in state.changed.into_iter().chain(state.untracked) {
            match room.take(top, &path) {
                Err(reason) => left_out.push(LeftOut { path, reason }),
                Ok(()) => taken.push(path),
            }
        }
        let head = self.head_commit()?.map(|commit| self.commit_info(commit)).transpose()?;
        if let Some(head) = head.filter(|_| taken.is_empty()) {
            return Ok(Snapshot { tree: head.tree, left_out, differing });
        }
        let tree = self.tree_with(&taken, &left_out)?;
        Ok(Snapshot { tree, left_out, differing })
    }

    /// The tree of the index, with `taken` as they are in the work tree and `left_out` as they are in `HEAD`.
    fn tree_with(&self, taken: &[String], left_out: &[LeftOut]) -> Result<ObjectId, GitError> {
        let folder = tempfile::tempdir().map_err(GitError::io("create", std::env::temp_dir()))?;
        let index = folder.path().join("index");
        if self.index_path().exists() {
            fs::copy(self.index_path(), &index).map_err(GitError::io("copy", self.index_path()))?;
        }
        let update = |options: &[&str], list: String| -> Result<(), GitError> {
            let call = self.on_copy(&index).args(["update-index", "-z"]).args(options).input(list);
            call.run().map(drop).map_err(GitError::from)
        };
        if !left_out.is_empty() {
            update(&["--index-info"], self.committed_entries(left_out)?)?;
        }
        update(
            &["--add", "--remove", "--replace", "--stdin"],
            taken.iter().map(|path| format!("{path}\0")).collect(),
        )?;
        let tree = self.on_copy(&index).args(["write-tree"]).text()?;
        tree.parse().map_err(|_| GitError::Io {
            action: "read a tree from the index",
            path: index,
            source: std::io::ErrorKind::InvalidData.into(),
        })
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

impl SnapshotLimits {
    /// Takes the file at `path` into account, or tells why it is to be left out.
    fn take(&mut self, top: &Path, path: &str) -> Result<(), LeftOutReason> {
        if path.ends_with('/') {
            return Err(LeftOutReason::Repository);
        }
        let checked = RepoPath::new(path).map_err(|_| LeftOutReason::Unsupported)?;
        if looks_like_secret(checked.name()) {
            return Err(LeftOutReason::Secret);
        }
        // A file that is gone is taken as gone, a submodule as its commit.
        let Ok(meta) = checked.under(top).symlink_metadata() else { return Ok(()) };
        if meta.is_dir() || meta.is_symlink() {
            return Ok(());
        }
        match meta.len() {
            _ if !meta.is_file() => Err(LeftOutReason::Unsupported),
            size if size > self.file => Err(LeftOutReason::TooLarge(size)),
            size if size > self.sum || self.files == 0 => Err(LeftOutReason::NoRoom),
            size => {
                self.sum -= size;
                self.files -= 1;
                Ok(())
            }
        }
    }
}
