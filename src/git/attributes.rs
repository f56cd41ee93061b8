//! Lines of ours in attribute files.

use std::path::PathBuf;

use crate::base::RepoPath;
use crate::git::GitError;
use crate::git::Repository;
use crate::git::guarded_block::GuardedBlock;
use crate::git::text_file;

/// What every clone must know, with or without our tool: a pointer is text that no line-end setting changes, and is never
/// merged line by line (a clone without our driver gets a plain conflict, not a mixture of two pointers); two branches
/// that each ignore something both do.
pub const SHARED_ATTRIBUTES: [&str; 2] =
    [".gitignore merge=union", "*.mld -text -merge linguist-language=TOML"];

/// Where attributes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributesPlace {
    /// `.gitattributes` at the top of the work tree: everyone.
    Shared,
    /// `info/attributes` in the Git directory: this clone and its worktrees. It wins over the shared ones.
    Local,
}

impl Repository {
    /// Makes our block in an attributes file say exactly `lines` (nothing: the block goes); whether anything changed.
    ///
    /// Never name a driver that is not set up in this clone: Git would merge line by line instead.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`], [`GitError::Bare`].
    pub fn set_attributes(&self, place: AttributesPlace, lines: &[&str]) -> Result<bool, GitError> {
        let path = self.attributes_file(place)?;
        let before = text_file::read_unlinked(&path)?.unwrap_or_default();
        let mut block = GuardedBlock::parse(&before);
        block.lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let after = block.text();
        if after == before {
            return Ok(false);
        }
        if after.is_empty() {
            text_file::remove(&path)?
        } else {
            text_file::replace(self.temporaries()?.for_target(&path), &path, &after)?
        }
        Ok(true)
    }

    /// The lines of our block in an attributes file.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`], [`GitError::Bare`].
    pub fn attributes(&self, place: AttributesPlace) -> Result<Vec<String>, GitError> {
        let text = text_file::read_unlinked(&self.attributes_file(place)?)?.unwrap_or_default();
        Ok(GuardedBlock::parse(&text).lines)
    }

    /// The path of the shared attributes file in the work tree, to be staged.
    ///
    /// # Errors
    ///
    /// None in practice: the name is a good one.
    pub fn shared_attributes_path(&self) -> Result<RepoPath, GitError> {
        Ok(RepoPath::new(".gitattributes")?)
    }

    fn attributes_file(&self, place: AttributesPlace) -> Result<PathBuf, GitError> {
        Ok(match place {
            AttributesPlace::Shared => self.work_dir()?.join(".gitattributes"),
            AttributesPlace::Local => self.common_dir().join("info").join("attributes"),
        })
    }
}
