//! One commit of another repository, without its files: for pointers that name data elsewhere.
//!
//! A new repository in a temporary folder fetches that commit alone, and of files only those that are asked for later (where
//! the server can do that). Nothing is checked out, no hook runs.

use std::path::Path;

use tempfile::TempDir;

use crate::git::GitError;
use crate::git::GitProgram;
use crate::git::ObjectId;
use crate::git::Repository;

/// A commit of another repository.
pub struct Borrowed {
    repository: Repository,
    commit: ObjectId,
    folder: TempDir,
}

impl Borrowed {
    /// Fetches `revision` (a branch, tag or commit; `None`: what its HEAD names) of the repository at `url`. An address that
    /// the user did not name (`named_by_user`) may not lead to a folder of this machine, nor run anything.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`] in Git's words, [`GitError::Io`].
    pub fn fetch(url: &str, revision: Option<&str>, named_by_user: bool) -> Result<Self, GitError> {
        let made = tempfile::Builder::new().prefix("git-ml-").tempdir();
        let folder = made.map_err(GitError::io("make", std::env::temp_dir()))?;
        let top = folder.path();
        let local = Path::new(url).canonicalize().ok().filter(|path| path.is_dir());
        let url = local.as_deref().map_or(url.into(), Path::to_string_lossy);
        let git = |args: &[&str]| {
            let call = GitProgram::elsewhere(top).env("GIT_TERMINAL_PROMPT", "0");
            let call = if named_by_user { call } else { call.env("GIT_PROTOCOL_FROM_USER", "0") };
            call.args(["-c", "core.hooksPath=/dev/null"]).args(args.iter().copied()).text()
        };
        git(&["init", "-q", "."])?;
        let settings = [
            ("remote.origin.url", url.as_ref()),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialclonefilter", "blob:none"),
            ("extensions.partialClone", "origin"),
            ("core.repositoryFormatVersion", "1"),
        ];
        for (key, value) in settings {
            git(&["config", key, value])?;
        }
        let fetch = ["fetch", "-q", "--filter=blob:none", "--no-recurse-submodules"];
        let one =
            [&fetch[..], &["--depth=1", "--no-tags", "--", "origin", revision.unwrap_or("HEAD")]].concat();
        let commit = match (git(&one), revision) {
            (Ok(_), _) => git(&["rev-parse", "--verify", "-q", "FETCH_HEAD^{commit}"])?,
            (Err(error), None) => return Err(error.into()),
            (Err(error), Some(revision)) => {
                // A short id, or `main~2`: the server knows only the names of its refs.
                let all = ["--tags", "--", "origin", "+refs/heads/*:refs/heads/*"];
                let wanted = format!("{revision}^{{commit}}");
                let found = git(&[&fetch[..], &all].concat())
                    .and_then(|_| git(&["rev-parse", "--verify", "-q", "--end-of-options", &wanted]));
                found.map_err(|_| error)?
            }
        };
        let repository = Repository::open(top)?;
        let commit = repository.resolve_commit(&commit)?;
        Ok(Self { repository, commit, folder })
    }

    /// The temporary repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The commit.
    pub fn commit(&self) -> ObjectId {
        self.commit
    }

    /// The folder that it lies in, which goes with this.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
