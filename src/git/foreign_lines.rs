//! Lines that other tools wrote into `.gitignore` and `.gitattributes` files, taken out where we take over.
//!
//! What lies in our own block is never touched, nor a line that says anything else.

use std::collections::BTreeMap;

use gix::glob::pattern::Case;
use gix::glob::wildmatch::Mode;

use crate::base::RepoPath;
use crate::git::GitError;
use crate::git::LockFile;
use crate::git::Repository;
use crate::git::guarded_block::GuardedBlock;
use crate::git::text_file;

/// The attributes that Git LFS writes for its patterns.
const OF_LFS: [&str; 6] = ["filter=lfs", "diff=lfs", "merge=lfs", "-text", "lockable", "text=unset"];

impl Repository {
    /// Takes the line `/NAME` for each of `paths` out of the `.gitignore` beside it: that is how DVC ignores data. The files
    /// that were changed, to be staged.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`], [`GitError::Held`], [`GitError::NotAFile`].
    pub fn drop_ignore_lines(&self, paths: &[RepoPath]) -> Result<Vec<RepoPath>, GitError> {
        let mut folders: BTreeMap<Option<RepoPath>, Vec<String>> = BTreeMap::new();
        for path in paths {
            folders.entry(path.parent()).or_default().push(format!("/{}", path.name()));
        }
        let mut changed = Vec::new();
        for (folder, lines) in folders {
            let file =
                folder.map_or_else(|| RepoPath::new(".gitignore"), |folder| folder.join(".gitignore"))?;
            let edit = |line: &str| (!lines.iter().any(|ours| ours == line)).then(|| line.to_owned());
            if self.edit_foreign_lines(&file, &edit)?.is_some() {
                changed.push(file);
            }
        }
        Ok(changed)
    }

    /// Takes the attributes of Git LFS out of every `.gitattributes` of the index: from the lines whose pattern matches one
    /// of `imported`, and from all lines if `everything`; a line that matches one of `left` stays. The files that were
    /// changed, to be staged, with the text that they had.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`], [`GitError::Io`], [`GitError::Held`], [`GitError::NotAFile`].
    pub fn drop_lfs_attributes(
        &self,
        imported: &[RepoPath],
        left: &[RepoPath],
        everything: bool,
    ) -> Result<Vec<(RepoPath, String)>, GitError> {
        let mut changed = Vec::new();
        for file in self.files_where(&|name| name == ".gitattributes" || name.ends_with("/.gitattributes"))? {
            let file = RepoPath::new(file)?;
            let folder = file.parent();
            let any = |paths: &[RepoPath], pattern: &str| {
                paths.iter().any(|path| matches_below(pattern, folder.as_ref(), path))
            };
            let edit = |line: &str| {
                let pattern = line.split_whitespace().next().unwrap_or_default();
                let is_of_lfs = line.split_whitespace().skip(1).any(|word| word == "filter=lfs");
                let goes = is_of_lfs && !any(left, pattern) && (everything || any(imported, pattern));
                if goes { without_lfs(line) } else { Some(line.to_owned()) }
            };
            if let Some(before) = self.edit_foreign_lines(&file, &edit)? {
                changed.push((file, before));
            }
        }
        Ok(changed)
    }

    /// Gives files of the work tree the texts back that they had.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`], [`GitError::NotAFile`].
    pub fn restore_texts(&self, texts: &[(RepoPath, String)]) -> Result<(), GitError> {
        for (file, text) in texts {
            let path = file.under(self.work_dir()?);
            text_file::replace(self.temporaries()?.for_target(&path), &path, text)?;
        }
        Ok(())
    }

    /// Passes each line of a file that is not ours through `edit`, which gives what it becomes; the text that it had,
    /// if anything changed. A file that has nothing left is removed.
    fn edit_foreign_lines(
        &self,
        file: &RepoPath,
        edit: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, GitError> {
        self.refuse_beyond_link(file)?;
        let path = file.under(self.work_dir()?);
        let _alone = LockFile::hold(&self.common_dir().join("ml").join("ignore.lock"))?;
        let Some(before) = text_file::read_unlinked(&path)? else { return Ok(None) };
        let after = GuardedBlock::parse(&before).with_foreign_lines(edit).text();
        if after == before {
            return Ok(None);
        }
        if after.trim().is_empty() {
            text_file::remove(&path)?;
        } else {
            text_file::replace(self.temporaries()?.for_target(&path), &path, &after)?;
        }
        Ok(Some(before))
    }
}

/// Whether a pattern of an attributes file in `folder` matches `path`, by Git's rules.
fn matches_below(pattern: &str, folder: Option<&RepoPath>, path: &RepoPath) -> bool {
    let below = match folder {
        Some(folder) => path.below(folder),
        None => Some(path.as_str()),
    };
    let Some(below) = below else { return false };
    let Some(pattern) = gix::glob::parse(pattern.trim_matches('"')) else { return false };
    let name = below.rfind('/').map(|slash| slash + 1);
    pattern.matches_repo_relative_path(
        below.into(),
        name,
        Some(false),
        Case::Sensitive,
        Mode::NO_MATCH_SLASH_LITERAL,
    )
}

/// The line without the attributes of LFS; `None` where it says nothing else.
fn without_lfs(line: &str) -> Option<String> {
    let words: Vec<_> = line.split_whitespace().filter(|word| !OF_LFS.contains(word)).collect();
    (words.len() > 1).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_git_matches_them() {
        let path = |text: &str| RepoPath::new(text).unwrap();
        let folder = path("data");
        assert!(matches_below("*.bin", None, &path("a/b/x.bin")));
        assert!(matches_below("data/**", None, &path("data/x/y")));
        assert!(!matches_below("/x.bin", None, &path("a/x.bin")));
        assert!(matches_below("/x.bin", Some(&folder), &path("data/x.bin")));
        assert!(!matches_below("*.bin", Some(&folder), &path("other/x.bin")));
    }

    #[test]
    fn what_else_a_line_says_stays() {
        assert_eq!(without_lfs("*.bin filter=lfs diff=lfs merge=lfs -text"), None);
        let kept = without_lfs("*.bin filter=lfs diff=lfs merge=lfs -text whitespace=-trailing-space");
        assert_eq!(kept.as_deref(), Some("*.bin whitespace=-trailing-space"));
    }
}
