//! Patch ids: what a commit changes, as an id that outlives rebase and cherry-pick.

use std::collections::BTreeMap;

use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Repository;

/// So many commits are asked for at once: their patches pass through memory.
const AT_ONCE: usize = 64;

impl Repository {
    /// The patch id (`git patch-id --stable`) of each commit that changes something. Merges have none.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`].
    pub fn patch_ids(&self, commits: &[ObjectId]) -> Result<BTreeMap<ObjectId, String>, GitError> {
        let mut ids = BTreeMap::new();
        for commits in commits.chunks(AT_ONCE) {
            let list: String = commits.iter().map(|commit| format!("{commit}\n")).collect();
            let diff = self.program().args(["diff-tree", "--stdin", "--patch", "--root", "--no-ext-diff"]);
            let patches = diff.args(["--no-textconv", "--no-renames", "--full-index"]).input(list).run()?;
            let answer = self.program().args(["patch-id", "--stable"]).input(patches).text()?;
            let line = |line: &str| {
                let (patch, commit) = line.split_once(' ')?;
                Some((commit.parse().ok()?, patch.to_owned()))
            };
            ids.extend(answer.lines().filter_map(line));
        }
        Ok(ids)
    }
}
