//! Which files a repository has, by name or by attribute: for those who move in from other tools.

use gix::bstr::ByteSlice;

use crate::base::RepoPath;
use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Repository;

/// A file of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Its path.
    pub path: RepoPath,
    /// The blob that the index has of it.
    pub blob: ObjectId,
    /// Whether it is executable.
    pub executable: bool,
}

impl Repository {
    /// The names of the files that the index has, or that are not tracked and not ignored, and that are `wanted`; sorted.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`], [`GitError::WorkTree`], [`GitError::Bare`].
    pub fn files_where(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<String>, GitError> {
        let index = self.read_index()?;
        let tracked = index.entries().iter().filter_map(|entry| entry.path(&index).to_str().ok());
        let mut names: Vec<_> = tracked.filter(|name| wanted(name)).map(str::to_owned).collect();
        names.extend(self.untracked_files(wanted)?);
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The regular files of the index that match `patterns` (Git's pathspecs; none: all) and whose attribute `name` is
    /// `value`. Names that are no UTF-8, or that are never written, are left out.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`].
    pub fn files_with_attribute(
        &self,
        name: &str,
        value: &str,
        patterns: &[String],
    ) -> Result<Vec<IndexFile>, GitError> {
        let listed = self.program().args(["ls-files", "-z", "--stage", "--"]).args(patterns).run()?;
        let line = |line: &[u8]| {
            let (mode, blob, path) = parse_stage(line)?;
            Some(IndexFile { executable: mode == "100755", path, blob })
        };
        let files: Vec<_> = listed.split(|byte| *byte == 0).filter_map(line).collect();
        let paths: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
        let values = self.attribute_of(name, &paths)?;
        Ok(files.into_iter().zip(values).filter(|(_, found)| found == value).map(|(file, _)| file).collect())
    }

    /// The value of the attribute `name` of each of `paths`, in Git's words.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`].
    pub fn attribute_of(&self, name: &str, paths: &[RepoPath]) -> Result<Vec<String>, GitError> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<u8> =
            paths.iter().flat_map(|path| [path.as_str().as_bytes(), b"\0"].concat()).collect();
        let told = self.program().args(["check-attr", "-z", "--stdin", name]).input(asked).run()?;
        // A path, the attribute, its value; in the order in which they were asked for.
        let fields: Vec<&[u8]> = told.split(|byte| *byte == 0).collect();
        Ok(fields.chunks_exact(3).map(|fields| String::from_utf8_lossy(fields[2]).into_owned()).collect())
    }
}

/// `MODE BLOB STAGE TAB PATH` of a regular file without a conflict.
fn parse_stage(line: &[u8]) -> Option<(&str, ObjectId, RepoPath)> {
    let (facts, path) = std::str::from_utf8(line).ok()?.split_once('\t')?;
    let mut facts = facts.split(' ');
    let (mode, blob, stage) = (facts.next()?, facts.next()?, facts.next()?);
    let is_file = matches!(mode, "100644" | "100755") && stage == "0";
    is_file.then_some(())?;
    Some((mode, blob.parse().ok()?, RepoPath::new(path).ok()?))
}
