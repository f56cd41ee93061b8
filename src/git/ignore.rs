//! Data beside its pointer is ignored by Git: a line in the `.gitignore` beside it, for everyone, and one in this
//! clone's `info/exclude`.
//!
//! The second line is for commits older than the first: when one of them is checked out, `git add -A` would add the data
//! raw, `git clean -fd` delete it, `git stash -u` put it into Git.
//!
//! Several commands may do so at once, in this worktree and in linked ones: they edit one after the other
//! ([`LockFile`]), and who finds everything as it should be waits for nobody.

use gix::worktree::stack::state::ignore::Source;

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::RepoPath;
use crate::git::GitError;
use crate::git::LockFile;
use crate::git::Repository;
use crate::git::guarded_block::GuardedBlock;
use crate::git::text_file::{self, LARGEST};

/// What became of one file.
#[derive(PartialEq)]
enum Edited {
    Changed,
    /// It had these lines, or lacked them, already.
    AsItWas(Vec<String>),
}

impl Repository {
    /// Ignores the data at each of `paths`. The `.gitignore` files to be staged: those that were changed, and those whose
    /// lines are not in the index, because a command that wrote them did not come that far.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`], [`GitError::Held`], [`GitError::Bare`], and [`GitError::NotAFile`] for a `.gitignore` that is a
    /// symbolic link.
    pub fn ignore(&self, paths: &[RepoPath]) -> Result<Vec<RepoPath>, GitError> {
        let mut to_stage = Vec::new();
        for (file, lines) in self.edit_ignores(paths, |block, line| block.add(line))? {
            let staged = match lines {
                Edited::Changed => false,
                Edited::AsItWas(lines) => self.has_staged(&file, &lines)?,
            };
            if !staged {
                to_stage.push(file);
            }
        }
        Ok(to_stage)
    }

    /// Takes back what [`Repository::ignore`] wrote for each of `paths`. The `.gitignore` files that were changed, to be
    /// staged; one that held nothing else is removed.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`], [`GitError::Held`], [`GitError::Bare`].
    pub fn unignore(&self, paths: &[RepoPath]) -> Result<Vec<RepoPath>, GitError> {
        let edited = self.edit_ignores(paths, |block, line| block.remove(line))?;
        Ok(edited
            .into_iter()
            .filter(|(_, edited)| *edited == Edited::Changed)
            .map(|(file, _)| file)
            .collect())
    }

    /// Fails as [`Repository::ignore`] would, as far as that can be told before: for a `.gitignore` that is no file, say.
    ///
    /// # Errors
    ///
    /// As [`Repository::ignore`].
    pub fn refuse_unignorable(&self, paths: &[RepoPath]) -> Result<(), GitError> {
        self.edit_ignores_at(paths, |path, _| text_file::read_unlinked(path).map(|_| false)).map(drop)
    }

    fn edit_ignores(
        &self,
        paths: &[RepoPath],
        edit: impl Fn(&mut GuardedBlock, &str) -> bool,
    ) -> Result<Vec<(RepoPath, Edited)>, GitError> {
        self.edit_ignores_at(paths, |path, lines| self.edit_block(path, lines, &edit))
    }

    /// Calls `edit` for each file that ignores some of `paths`, with the lines that do; it says whether it changed the file.
    fn edit_ignores_at(
        &self,
        paths: &[RepoPath],
        edit: impl Fn(&Path, &[String]) -> Result<bool, GitError>,
    ) -> Result<Vec<(RepoPath, Edited)>, GitError> {
        let top = self.work_dir()?;
        let mut folders: BTreeMap<Option<RepoPath>, Vec<String>> = BTreeMap::new();
        for path in paths {
            folders.entry(path.parent()).or_default().push(anchored(path.name()));
        }
        let mut edited = Vec::new();
        paths.iter().try_for_each(|path| self.refuse_beyond_link(path))?;
        for (folder, lines) in folders {
            let file =
                folder.map_or_else(|| RepoPath::new(".gitignore"), |folder| folder.join(".gitignore"))?;
            let changed = edit(&file.under(top), &lines)?;
            edited.push((file, if changed { Edited::Changed } else { Edited::AsItWas(lines) }));
        }
        let whole: Vec<_> = paths.iter().map(|path| anchored(path.as_str())).collect();
        edit(&self.common_dir().join("info").join("exclude"), &whole)?;
        Ok(edited)
    }

    /// Edits our block in the file at `path`; whether it changed.
    fn edit_block(
        &self,
        path: &Path,
        lines: &[String],
        edit: &impl Fn(&mut GuardedBlock, &str) -> bool,
    ) -> Result<bool, GitError> {
        let edited = || -> Result<Option<String>, GitError> {
            let text = text_file::read_unlinked(path)?;
            let mut block = GuardedBlock::parse(text.as_deref().unwrap_or_default());
            let changes = lines.iter().filter(|line| edit(&mut block, line)).count();
            Ok((changes > 0).then(|| block.text()))
        };
        if edited()?.is_none() {
            return Ok(false);
        }
        // Another command may have edited it by now: what counts is what it says while nobody else does.
        let _alone = LockFile::hold(&self.common_dir().join("ml").join("ignore.lock"))?;
        match edited()? {
            None => return Ok(false),
            Some(text) if text.is_empty() => text_file::remove(path)?,
            Some(text) => text_file::replace(self.temporaries()?.for_target(path), path, &text)?,
        }
        Ok(true)
    }

    /// Whether our block in the index's version of `file` has all `lines`.
    fn has_staged(&self, file: &RepoPath, lines: &[String]) -> Result<bool, GitError> {
        let Some((_, id)) = self.staged_entry(file)? else { return Ok(false) };
        // What Git itself cannot read is not ours to put right.
        let Ok(text) = self.read_blob(id, LARGEST) else { return Ok(true) };
        let block = GuardedBlock::parse(&String::from_utf8_lossy(&text));
        Ok(lines.iter().all(|line| block.lines.contains(line)))
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
