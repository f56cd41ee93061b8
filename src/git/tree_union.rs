//! The union of trees: how logs of several writers become one.

use std::collections::BTreeMap;

use crate::git::EntryMode;
use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Repository;
use crate::git::TreeItem;

/// Deeper trees are not united: no log of ours is, and hostile input may be.
const DEEPEST: usize = 32;

impl Repository {
    /// The tree that has every path of every one of `trees`. Equal subtrees are not read.
    ///
    /// Where two trees have different things at one path, a folder wins over a file, folders are united, and of two
    /// files the one with the smaller id wins: so the result does not depend on the order, and nobody's conflict can
    /// stop another's log.
    ///
    /// # Errors
    ///
    /// Those of reading and writing trees.
    pub fn unite_trees(&self, trees: &[ObjectId]) -> Result<ObjectId, GitError> {
        self.unite(trees, DEEPEST)
    }

    fn unite(&self, trees: &[ObjectId], depth: usize) -> Result<ObjectId, GitError> {
        let mut distinct = trees.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        match distinct.as_slice() {
            [] => return self.write_tree([]),
            [only] => return Ok(*only),
            [smallest, ..] if depth == 0 => return Ok(*smallest),
            _ => {}
        }
        let mut named: BTreeMap<Vec<u8>, Vec<TreeItem>> = BTreeMap::new();
        for tree in &distinct {
            for item in self.read_tree(*tree)? {
                named.entry(item.name.clone()).or_default().push(item);
            }
        }
        let items =
            named.into_values().map(|items| self.unite_items(items, depth)).collect::<Result<Vec<_>, _>>()?;
        self.write_tree(items)
    }

    /// One entry out of those of one name.
    fn unite_items(&self, mut items: Vec<TreeItem>, depth: usize) -> Result<TreeItem, GitError> {
        // `EntryMode` puts folders first.
        items.sort_by_key(|item| (item.mode, item.id));
        let folders = items.iter().take_while(|item| item.mode == EntryMode::Folder);
        let folders: Vec<_> = folders.map(|item| item.id).collect();
        let mut first = items.swap_remove(0);
        if folders.len() > 1 {
            first.id = self.unite(&folders, depth - 1)?;
        }
        Ok(first)
    }
}
