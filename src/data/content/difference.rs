//! Where two trees differ. Equal subtrees have equal ids and are not read, so they need not even be here.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::base::Digest;
use crate::objects::tree::{EntryKind, TreeEntry, TreeNode};
use crate::storage::store::Store;

use super::walk::{DEEPEST, NodeSource, WalkError, directory_of, is_empty_directory, joined};

/// Nodes of a tree that was made and not stored.
pub type MadeNodes = HashMap<Digest, Vec<u8>>;

/// One path at which two trees differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The path below the top; empty for the whole tree.
    pub path: Vec<u8>,
    /// The file, link or empty directory before; any directory where something is missing.
    pub before: Option<TreeEntry>,
    /// The same after.
    pub after: Option<TreeEntry>,
    /// Directories that differ, and of which the store lacks a node: of the first tree, of the second.
    pub missing: Option<(bool, bool)>,
}

/// The store, and nodes beside it.
struct Nodes<'a> {
    store: &'a Store,
    made: &'a [&'a MadeNodes],
}

impl NodeSource for Nodes<'_> {
    fn node(&self, id: Digest) -> Result<TreeNode, WalkError> {
        match self.made.iter().find_map(|made| made.get(&id)) {
            Some(bytes) => Ok(TreeNode::decode(bytes)?),
            None => self.store.node(id),
        }
    }
}

/// Where two trees differ, in the order of paths: given by entries that name them. Nodes may lie in `made` instead of
/// the store; a directory of which a node lies nowhere is told as missing.
///
/// # Errors
///
/// [`WalkError`] for damage: nodes that do not hold what their parents declare are errors.
pub fn difference(
    store: &Store,
    made: &[&MadeNodes],
    before: Option<TreeEntry>,
    after: Option<TreeEntry>,
) -> Result<Vec<Difference>, WalkError> {
    let nodes = Nodes { store, made };
    let mut found = Vec::new();
    let id = |folder: &Option<TreeEntry>| folder.as_ref().map(|folder| folder.id);
    let mut open = Vec::new();
    if id(&before) != id(&after) {
        open.push((Vec::new(), before, after, 0));
    }
    while let Some((below, before, after, depth)) = open.pop() {
        if depth > DEEPEST {
            return Err(WalkError::TooDeep);
        }
        let folders = [before.as_ref(), after.as_ref()];
        let Some([old, new]) = here(nodes.unequal(folders, depth > 0))? else {
            let is_missing = |folder| Ok::<_, WalkError>(here(nodes.entries(folder, depth > 0))?.is_none());
            let missing = (is_missing(before.as_ref())?, is_missing(after.as_ref())?);
            found.push(Difference { path: below, before, after, missing: Some(missing) });
            continue;
        };
        for (name, before, after) in paired(old, new) {
            let path = joined(&below, &name);
            let (before_leaf, before_folder) = split(before);
            let (after_leaf, after_folder) = split(after);
            if essence(&before_leaf) != essence(&after_leaf) {
                let (before, after) = (before_leaf, after_leaf);
                found.push(Difference { path: path.clone(), before, after, missing: None });
            }
            if id(&before_folder) != id(&after_folder) {
                open.push((path, before_folder, after_folder, depth + 1));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

impl Nodes<'_> {
    /// The entries of a directory; none where there is no directory.
    fn entries(&self, folder: Option<&TreeEntry>, checked: bool) -> Result<Vec<TreeEntry>, WalkError> {
        let top = self.top(folder, checked)?;
        top.map_or(Ok(Vec::new()), |top| directory_of(self, top))
    }

    /// The entries of two directories but for those in nodes that both have, which are not opened.
    fn unequal(
        &self,
        folders: [Option<&TreeEntry>; 2],
        checked: bool,
    ) -> Result<[Vec<TreeEntry>; 2], WalkError> {
        let [before, after] = folders.map(|folder| self.top(folder, checked));
        let mut open = [before?, after?].map(|top| top.into_iter().collect::<Vec<_>>());
        loop {
            let levels = open.each_ref().map(|nodes| nodes.first().map_or(0, TreeNode::level));
            let highest = levels[0].max(levels[1]);
            if highest == 0 {
                return Ok(open.map(|nodes| nodes.into_iter().flat_map(TreeNode::into_entries).collect()));
            }
            let ids =
                |nodes: &[TreeNode]| nodes.iter().flat_map(TreeNode::entries).map(|split| split.id).collect();
            let [before, after]: [HashSet<Digest>; 2] = open.each_ref().map(|nodes| ids(nodes));
            let shared = if levels[0] == levels[1] { &before & &after } else { HashSet::new() };
            for (nodes, _) in open.iter_mut().zip(levels).filter(|(_, level)| *level == highest) {
                let mut below = Vec::new();
                for node in nodes.iter() {
                    let splits = node.entries().iter().enumerate();
                    for (at, split) in splits.filter(|(_, split)| !shared.contains(&split.id)) {
                        let child = self.node(split.id)?;
                        node.check_child(at, &child)?;
                        below.push(child);
                    }
                }
                *nodes = below;
            }
        }
    }

    fn top(&self, folder: Option<&TreeEntry>, checked: bool) -> Result<Option<TreeNode>, WalkError> {
        let Some(folder) = folder else { return Ok(None) };
        let top = self.node(folder.id)?;
        if checked {
            top.check_top(folder.size, folder.files)?;
        }
        Ok(Some(top))
    }
}

/// `None` for what is only missing.
fn here<T>(read: Result<T, WalkError>) -> Result<Option<T>, WalkError> {
    match read {
        Err(error) if error.is_missing() => Ok(None),
        read => read.map(Some),
    }
}

/// An entry as a leaf or as a directory with something in it.
fn split(entry: Option<TreeEntry>) -> (Option<TreeEntry>, Option<TreeEntry>) {
    match entry {
        Some(entry) if entry.kind == EntryKind::Directory && !is_empty_directory(&entry) => {
            (None, Some(entry))
        }
        leaf => (leaf, None),
    }
}

/// What makes two leaves of one path the same.
fn essence(leaf: &Option<TreeEntry>) -> Option<(EntryKind, bool, Digest)> {
    leaf.as_ref().map(|leaf| (leaf.kind, leaf.executable, leaf.id))
}

type Pair = (Vec<u8>, Option<TreeEntry>, Option<TreeEntry>);

/// Entries of equal name side by side.
fn paired(before: Vec<TreeEntry>, after: Vec<TreeEntry>) -> Vec<Pair> {
    let mut pairs: BTreeMap<Vec<u8>, (Option<TreeEntry>, Option<TreeEntry>)> = BTreeMap::new();
    for entry in before {
        let name = entry.name.clone();
        pairs.entry(name).or_default().0 = Some(entry);
    }
    for entry in after {
        let name = entry.name.clone();
        pairs.entry(name).or_default().1 = Some(entry);
    }
    pairs.into_iter().map(|(name, (before, after))| (name, before, after)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::content::store_tree;

    fn tree(leaves: &[(&str, &str)]) -> (TreeEntry, MadeNodes) {
        let leaves = leaves.iter().map(|(path, text)| {
            let id = Digest::of(text.as_bytes());
            (path.as_bytes(), TreeEntry::file(Vec::new(), false, id, text.len() as u64, None))
        });
        let mut nodes = MadeNodes::new();
        let mut put = |id, node: &[u8]| {
            nodes.insert(id, node.to_vec());
            Ok(())
        };
        let top = store_tree(std::path::Path::new(""), leaves, &mut put).unwrap();
        (TreeEntry::directory(Vec::new(), top), nodes)
    }

    /// Path, whether it is there before and after, whether either is not here.
    type Told<'a> = (&'a str, bool, bool, Option<(bool, bool)>);

    fn told(found: &[Difference]) -> Vec<Told<'_>> {
        let told = |found: &Difference| (found.before.is_some(), found.after.is_some(), found.missing);
        let all = found.iter().map(|found| (std::str::from_utf8(&found.path).unwrap(), told(found)));
        all.map(|(path, (before, after, missing))| (path, before, after, missing)).collect()
    }

    #[test]
    fn only_what_differs_is_read_and_what_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("ml"));
        let (before, mut old) = tree(&[("a/1", "1"), ("b/deep/2", "2"), ("c/3", "3"), ("same/4", "4")]);
        let (after, mut new) = tree(&[("a/1", "1!"), ("b/deep/2", "2!"), ("c", "3"), ("same/4", "4")]);
        let (same, _) = tree(&[("4", "4")]);
        old.remove(&same.id);
        new.remove(&same.id);
        let found = difference(&store, &[&old, &new], Some(before.clone()), Some(after.clone())).unwrap();
        let wanted = [
            ("a/1", true, true, None),
            ("b/deep/2", true, true, None),
            ("c", false, true, None),
            ("c/3", true, false, None),
        ];
        assert_eq!(told(&found), wanted);

        let (deep, _) = tree(&[("2", "2")]);
        old.remove(&deep.id);
        let found = difference(&store, &[&old, &new], Some(before.clone()), Some(after)).unwrap();
        assert_eq!(told(&found)[1], ("b/deep", true, true, Some((true, false))));
        let found = difference(&store, &[], Some(before), None).unwrap();
        assert_eq!(told(&found), [("", true, false, Some((true, false)))]);
    }
}
