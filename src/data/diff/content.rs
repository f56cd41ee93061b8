//! Where two versions of one tracked path differ.

use std::collections::BTreeSet;

use crate::base::RepoPath;
use crate::data::content::{Difference, MadeNodes, difference, joined};
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeEntry};
use crate::storage::store::Store;

use super::columns::table_facts;
use super::error::DiffError;
use super::result::{FileFacts, FileKind, NotHere};
use super::side::Version;

/// One file that differs, while its place in the result is still open.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// The path below the tracked path; empty for the tracked path itself.
    pub(super) below: Vec<u8>,
    /// What it was.
    pub(super) before: Option<TreeEntry>,
    /// What it is.
    pub(super) after: Option<TreeEntry>,
    /// What is missing to tell more.
    pub(super) not_here: Option<NotHere>,
}

/// The tracked path and its two versions.
pub(super) struct Pair {
    pub(super) path: RepoPath,
    pub(super) before: Option<Version>,
    pub(super) after: Option<Version>,
}

impl Pair {
    /// Whether both sides name the same version.
    pub(super) fn is_same(&self) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => before.root.is_same(&after.root),
            (before, after) => before.is_none() && after.is_none(),
        }
    }

    /// The files that differ, in the order of paths.
    ///
    /// # Errors
    ///
    /// [`DiffError::Walk`] for a damaged tree. A directory of which something is missing makes one draft.
    pub(super) fn drafts(&self, store: &Store) -> Result<Vec<Draft>, DiffError> {
        let is_tree = |version: &&Version| version.root.kind == PointerKind::Tree;
        let tree = |version: &Option<Version>| version.as_ref().filter(is_tree).cloned();
        let (tree_before, tree_after) = (tree(&self.before), tree(&self.after));
        let file =
            |version: &Option<Version>| version.as_ref().filter(|v| !is_tree(v)).map(|v| v.entry(store));
        let (before, after) = (file(&self.before), file(&self.after));
        let mut drafts = Vec::new();
        if before.is_some() || after.is_some() {
            drafts.push(Draft { below: Vec::new(), before, after, not_here: None });
        }
        if tree_before.is_none() && tree_after.is_none() {
            return Ok(drafts);
        }
        let made: Vec<&MadeNodes> = [&tree_before, &tree_after]
            .into_iter()
            .flatten()
            .filter_map(|version| made_nodes(version))
            .collect();
        let whole = |version: &Option<Version>| version.as_ref().map(|version| version.entry(store));
        let (before, after) = (whole(&tree_before), whole(&tree_after));
        let mut found = difference(store, &made, before, after)
            .map_err(|source| DiffError::Walk { path: self.path.clone(), source })?;
        drop_filled_directories(&mut found);
        drafts.extend(found.into_iter().map(Draft::from));
        Ok(drafts)
    }

    /// The path of a file below, as people read it.
    pub(super) fn full(&self, below: &[u8]) -> String {
        let path = self.path.as_str().as_bytes();
        let full = if below.is_empty() { path.to_owned() } else { joined(path, below) };
        String::from_utf8_lossy(&full).into_owned()
    }
}

impl From<Difference> for Draft {
    fn from(found: Difference) -> Self {
        let not_here = found.missing.map(|(before, after)| NotHere { before, after });
        Self { below: found.path, before: found.before, after: found.after, not_here }
    }
}

fn made_nodes(version: &Version) -> Option<&MadeNodes> {
    Some(&version.disk.as_ref()?.made.as_ref()?.nodes)
}

/// A directory that was empty and got files, or lost all of them, is told by these files.
fn drop_filled_directories(found: &mut Vec<Difference>) {
    let is_empty_directory =
        |entry: &Option<TreeEntry>| entry.as_ref().is_none_or(|entry| entry.kind == EntryKind::Directory);
    let paths: BTreeSet<Vec<u8>> = found.iter().map(|found| found.path.clone()).collect();
    found.retain(|found| {
        let below = [found.path.as_slice(), b"/"].concat();
        let filled = paths.range(below.clone()..).next().is_some_and(|path| path.starts_with(&below));
        !(filled && is_empty_directory(&found.before) && is_empty_directory(&found.after))
    });
}

/// What a side knows of a file: of a tracked path itself more than its entry tells.
pub(super) fn facts(entry: &TreeEntry, below: &[u8], version: Option<&Version>) -> FileFacts {
    let kind = match entry.kind {
        EntryKind::File => FileKind::File,
        EntryKind::Link => FileKind::Link,
        EntryKind::Directory | EntryKind::Split => FileKind::Directory,
    };
    let pointer = version.filter(|_| below.is_empty()).and_then(|version| version.pointer.as_ref());
    let (rows, columns) = table_facts(pointer.and_then(|pointer| pointer.shape.as_ref()));
    let TreeEntry { id, size, executable, .. } = *entry;
    // A directory with bytes has files: how many is not known here.
    let files = (entry.files > 0 || size == 0).then_some(entry.files);
    FileFacts { kind, id, size, files, executable, rows, columns }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;
    use crate::objects::tree::TreeSummary;

    #[test]
    fn a_directory_that_got_files_is_told_by_these() {
        let empty =
            || TreeEntry::directory(Vec::new(), TreeSummary { id: Digest::of(b"-"), size: 0, files: 0 });
        let file = || TreeEntry::file(Vec::new(), false, Digest::of(b"x"), 1, None);
        let found =
            |path: &str, before, after| Difference { path: path.into(), before, after, missing: None };
        let mut differences = vec![
            found("filled", Some(empty()), None),
            found("filled/new", None, Some(file())),
            found("replaced", Some(file()), None),
            found("replaced/new", None, Some(file())),
            found("void", None, Some(empty())),
        ];
        drop_filled_directories(&mut differences);
        let told: Vec<_> = differences.iter().map(|found| String::from_utf8_lossy(&found.path)).collect();
        assert_eq!(told, ["filled/new", "replaced", "replaced/new", "void"]);
    }
}
