//! Where commits come from.

use crate::git::{GitError, ObjectId, Repository};

use super::error::RunsError;

/// The stable patch id of a commit against its first parent, as `git patch-id --stable` tells it; none for a commit that
/// changes nothing, and for a merge.
///
/// # Errors
///
/// Those of the `git` program.
pub fn patch_id(repository: &Repository, commit: ObjectId) -> Result<Option<String>, RunsError> {
    let commit = commit.to_string();
    let plain = ["--no-ext-diff", "--no-textconv"];
    let patch = repository.program().args(["diff-tree", "--patch", "--root"]).args(plain).args([&commit]);
    let patch = patch.run().map_err(GitError::from)?;
    if patch.is_empty() {
        return Ok(None);
    }
    let told =
        repository.program().args(["patch-id", "--stable"]).input(patch).text().map_err(GitError::from)?;
    Ok(told.split_whitespace().next().map(str::to_owned))
}
