//! Data beside its pointer is ignored by Git: a line in the `.gitignore` beside it, for everyone, and one in this
//! clone's `info/exclude`.
//!
//! The second line is for commits older than the first: when one of them is checked out, `git add -A` would add the data
//! raw, `git clean -fd` delete it, `git stash -u` put it into Git.

use gix::worktree::stack::state::ignore::Source;

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::RepoPath;
use crate::git::GitError;
use crate::git::Repository;
use crate::git::guarded_block::GuardedBlock;
use crate::git::text_file;

impl Repository {
    /// Ignores the data at each of `paths`. The `.gitignore` files that were changed, to be staged.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`], [`GitError::Bare`], and [`GitError::NotAFile`] for a `.gitignore` that is a symbolic link.
    pub fn ignore(&self, paths: &[RepoPath]) -> Result<Vec<RepoPath>, GitError> {
        self.edit_ignores(paths, |block, line| block.add(line))
    }

    /// Takes back what [`Repository::ignore`] wrote for each of `paths`. The `.gitignore` files that were changed, to be
    /// staged; one that held nothing else is removed.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`], [`GitError::Bare`].
    pub fn unignore(&self, paths: &[RepoPath]) -> Result<Vec<RepoPath>, GitError> {
        self.edit_ignores(paths, |block, line| block.remove(&line))
    }

    fn edit_ignores(
        &self,
        paths: &[RepoPath],
        edit: impl Fn(&mut GuardedBlock, String) -> bool,
    ) -> Result<Vec<RepoPath>, GitError> {
        let top = self.work_dir()?;
        let mut folders: BTreeMap<Option<RepoPath>, Vec<String>> = BTreeMap::new();
        for path in paths {
            folders.entry(path.parent()).or_default().push(anchored(path.name()));
        }
        let mut changed = Vec::new();
        paths.iter().try_for_each(|path| self.refuse_beyond_link(path))?;
        for (folder, lines) in folders {
            let file =
                folder.map_or_else(|| RepoPath::new(".gitignore"), |folder| folder.join(".gitignore"))?;
            if self.edit_block(&file.under(top), lines, &edit)? {
                changed.push(file);
            }
        }
        let whole = paths.iter().map(|path| anchored(path.as_str())).collect();
        self.edit_block(&self.common_dir().join("info").join("exclude"), whole, &edit)?;
        Ok(changed)
    }

    /// Edits our block in the file at `path`; whether it changed.
    fn edit_block(
        &self,
        path: &Path,
        lines: Vec<String>,
        edit: &impl Fn(&mut GuardedBlock, String) -> bool,
    ) -> Result<bool, GitError> {
        let text = text_file::read_unlinked(path)?;
        let mut block = GuardedBlock::parse(text.as_deref().unwrap_or_default());
        let changes = lines.into_iter().map(|line| edit(&mut block, line)).filter(|changed| *changed).count();
        if changes == 0 {
            return Ok(false);
        }
        let text = block.text();
        if text.is_empty() {
            text_file::remove(path)?
        } else {
            text_file::replace(self.temporaries()?.for_target(path), path, &text)?
        }
        Ok(true)
    }

    /// Whether Git ignores `path`, by any of its rules. (A path that is tracked is not asked about its rules by Git.)
    ///
    /// # Errors
    ///
    /// [`GitError::Index`], [`GitError::Io`] when rules cannot be read.
    pub fn is_ignored(&self, path: &RepoPath, is_folder: bool) -> Result<bool, GitError> {
        let index = self.read_index()?;
        let failed = |error: gix::Error| GitError::Index { path: self.index_path(), source: error.into() };
        let source = Source::WorktreeThenIdMappingIfNotSkipped;
        let mut rules = self.gix.excludes(&index, None, source).map_err(failed)?;
        let mode = is_folder.then_some(gix::index::entry::Mode::DIR);
        Ok(rules.at_path(path.as_str(), mode).map_err(failed)?.is_excluded())
    }
}

/// The pattern that matches `path`, counted from the folder of the file it stands in, and nothing else.
fn anchored(path: &str) -> String {
    let mut pattern = String::from("/");
    for c in path.chars() {
        if matches!(c, '\\' | '*' | '?' | '[') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
