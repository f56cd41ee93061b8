//! A tree that differs from one in the store in a few leaves: only the nodes on the way to these are read and made.
//!
//! What a demanding user expects of a second `add`: it costs what changed, whatever else the directory holds. Git keeps the
//! ids of folders beside its index for that (the cache tree); here the tree of the last version tells them, which the store
//! has anyway, and the record proves that nothing else changed.

use std::collections::BTreeMap;
use std::path::Path;

use super::walk::{DEEPEST, NodeSource, WalkError, is_empty_directory};
use super::write::{BuildError, PutNode, WriteError, build_node};
use crate::base::Digest;
use crate::data::worktree::located;
use crate::objects::tree::{EntryKind, TreeEntry, TreeError, TreeNode, TreeSummary};
use crate::objects::{DirectoryChange, FormatError, change_tree};
use crate::storage::store::Store;

/// The leaf that lies at a path below the top, its own name empty; `None` where there is none any more.
pub type Change = (Vec<u8>, Option<TreeEntry>);

/// Why a tree was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The tree that it comes from cannot be followed.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// The new tree cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Puts the nodes of the tree into the store that `base` becomes by `changes`, which come in order of their paths. As with
/// [`super::store_tree`], a directory is there if something lies in it, or if a leaf says so.
///
/// # Errors
///
/// [`ChangeError`].
pub fn store_changes(
    path: &Path,
    store: &Store,
    base: Digest,
    changes: &[Change],
    put: PutNode<'_>,
) -> Result<TreeSummary, ChangeError> {
    let top = store.node(base)?;
    let mut changing = Changing { path, store, put };
    match changing.directory(top, &[], changes, 0)? {
        Some(changed) => Ok(changed),
        None => changing.empty(&[]),
    }
}

/// The whole tree while it is changed.
struct Changing<'a> {
    /// Where it lies.
    path: &'a Path,
    store: &'a Store,
    put: PutNode<'a>,
}

/// What changes at one name of a directory.
#[derive(Default)]
struct AtName<'a> {
    /// The leaf of this name, if it is said what becomes of it.
    leaf: Option<&'a Option<TreeEntry>>,
    /// What lies below.
    below: &'a [Change],
}

impl Changing<'_> {
    /// The directory whose top node was `top`; `None` if nothing is left in it. Its path below the top of all, `folder`, is
    /// empty or ends with a slash.
    fn directory(
        &mut self,
        top: TreeNode,
        folder: &[u8],
        changes: &[Change],
        depth: usize,
    ) -> Result<Option<TreeSummary>, ChangeError> {
        if depth > DEEPEST {
            return Err(WalkError::TooDeep.into());
        }
        let by_name = by_name(folder.len(), changes);
        let names: Vec<_> = by_name.keys().copied().collect();
        let place = located(self.path, folder);
        let changed = change_tree(top, &names, &mut Directory { changing: self, folder, by_name, depth });
        changed.map_err(|failed| match failed {
            Failed::Build(error) => error.at(&place).into(),
            Failed::Change(error) => error,
        })
    }

    fn empty(&mut self, folder: &[u8]) -> Result<TreeSummary, ChangeError> {
        Ok(build_node(&located(self.path, folder), Vec::new(), self.put)?)
    }
}

/// The changes of a directory whose own path takes so many bytes, by the names that they concern.
fn by_name(folder: usize, changes: &[Change]) -> BTreeMap<&[u8], AtName<'_>> {
    let mut by_name: BTreeMap<&[u8], AtName<'_>> = BTreeMap::new();
    let mut rest = changes;
    while let Some((path, leaf)) = rest.first() {
        let name = &path[folder..];
        let taken = match name.iter().position(|byte| *byte == b'/') {
            None => {
                by_name.entry(name).or_default().leaf = Some(leaf);
                1
            }
            Some(slash) => {
                let within = &path[..=folder + slash];
                let count = rest.partition_point(|(path, _)| path.starts_with(within));
                by_name.entry(&name[..slash]).or_default().below = &rest[..count];
                count
            }
        };
        rest = &rest[taken..];
    }
    by_name
}

/// One directory while it is changed.
struct Directory<'a, 'b> {
    changing: &'a mut Changing<'b>,
    folder: &'a [u8],
    by_name: BTreeMap<&'a [u8], AtName<'a>>,
    depth: usize,
}

impl DirectoryChange for Directory<'_, '_> {
    type Error = Failed;

    fn decide(&mut self, name: &[u8], before: Option<TreeEntry>) -> Result<Option<TreeEntry>, Failed> {
        let AtName { leaf, below } = self.by_name.remove(name).unwrap_or_default();
        let is_folder = |entry: &TreeEntry| entry.kind == EntryKind::Directory && !is_empty_directory(entry);
        let (before_folder, before_leaf) = match before {
            Some(entry) if is_folder(&entry) => (Some(entry), None),
            leaf => (None, leaf),
        };
        let path = [self.folder, name, b"/"].concat();
        let folder = match below {
            [] => before_folder,
            below => {
                let top = match before_folder {
                    Some(entry) => {
                        let top = self.changing.store.node(entry.id)?;
                        top.check_top(entry.size, entry.files)?;
                        top
                    }
                    None => TreeNode::default(),
                };
                let changed = self.changing.directory(top, &path, below, self.depth + 1)?;
                changed.map(|changed| TreeEntry::directory(name.to_owned(), changed))
            }
        };
        let leaf = leaf
            .map_or(before_leaf, |leaf| leaf.clone().map(|leaf| TreeEntry { name: name.to_owned(), ..leaf }));
        match (folder, leaf) {
            (Some(folder), Some(leaf)) if !is_empty_directory(&leaf) => {
                Err(TreeError::Twice { name: folder.name }.into())
            }
            (Some(folder), _) => Ok(Some(folder)),
            (None, Some(leaf)) if is_empty_directory(&leaf) => {
                Ok(Some(TreeEntry::directory(leaf.name, self.changing.empty(&path)?)))
            }
            (None, leaf) => Ok(leaf),
        }
    }

    fn read(&mut self, id: Digest) -> Result<TreeNode, Failed> {
        Ok(self.changing.store.node(id)?)
    }

    fn put(&mut self, id: Digest, node: Vec<u8>) -> Result<(), Failed> {
        (self.changing.put)(id, &node).map_err(|source| BuildError::Store(source).into())
    }
}

/// What can go wrong in a directory, before its place is known, or below it.
enum Failed {
    Build(BuildError),
    Change(ChangeError),
}

impl From<BuildError> for Failed {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<TreeError> for Failed {
    fn from(error: TreeError) -> Self {
        Self::Build(error.into())
    }
}

impl From<ChangeError> for Failed {
    fn from(error: ChangeError) -> Self {
        Self::Change(error)
    }
}

impl From<WalkError> for Failed {
    fn from(error: WalkError) -> Self {
        Self::Change(error.into())
    }
}

impl From<FormatError> for Failed {
    fn from(error: FormatError) -> Self {
        Self::Change(WalkError::from(error).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::content::{Intake, store_tree};
    use crate::objects::item::ItemKind;

    type Leaves = BTreeMap<Vec<u8>, TreeEntry>;

    fn leaf(text: &str) -> TreeEntry {
        match text {
            "/" => crate::data::worktree::FileRecord::of_leaf(&TreeEntry::directory(
                Vec::new(),
                TreeSummary { id: super::super::empty_directory(), size: 0, files: 0 },
            ))
            .leaf(),
            text => TreeEntry::file(Vec::new(), false, Digest::of(text.as_bytes()), text.len() as u64, None),
        }
    }

    fn leaves(all: &[(&str, &str)]) -> Leaves {
        all.iter().map(|(path, text)| (path.as_bytes().to_vec(), leaf(text))).collect()
    }

    fn stored(store: &Store, leaves: &Leaves) -> TreeSummary {
        let intake = Intake::new(store);
        let given = leaves.iter().map(|(path, leaf)| (path.as_slice(), leaf.clone()));
        let tree = store_tree(Path::new(""), given, &mut |id, node| intake.put(id, ItemKind::Tree, node));
        intake.sync().unwrap();
        tree.unwrap()
    }

    #[test]
    fn a_changed_tree_is_the_one_that_all_its_leaves_make() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("ml"));
        let old = leaves(&[
            ("a", "1"),
            ("a-b/x", "1"),
            ("c/d/e/f", "1"),
            ("c/d/g", "1"),
            ("h", "/"),
            ("i/j", "/"),
            ("k/l/m", "1"),
        ]);
        let base = stored(&store, &old);
        let none = "";
        for (number, changes) in [
            &[("a", "2")][..],
            &[("a", none), ("a/b", "1")],
            &[("c/d/e/f", none)],
            &[("c/d/e", "/"), ("c/d/e/f", none)],
            &[("c/d/e", "1"), ("c/d/e/f", none)],
            &[("h", none), ("h/new", "1")],
            &[("i/j", none)],
            &[("k/l/m", none), ("k/n", "1"), ("new/deep/er", "1"), ("z", "1")],
            &[
                ("a", none),
                ("a-b/x", none),
                ("c/d/e/f", none),
                ("c/d/g", none),
                ("h", none),
                ("i/j", none),
                ("k/l/m", none),
            ],
        ]
        .into_iter()
        .enumerate()
        {
            let changes: Vec<Change> = changes
                .iter()
                .map(|(path, text)| (path.as_bytes().to_vec(), (*text != none).then(|| leaf(text))))
                .collect();
            let mut new = old.clone();
            for (path, leaf) in &changes {
                match leaf {
                    Some(leaf) => drop(new.insert(path.clone(), leaf.clone())),
                    None => drop(new.remove(path)),
                }
            }
            let wanted = stored(&store, &new);
            let found = store_changes(Path::new(""), &store, base.id, &changes, &mut |_, _| Ok(()));
            assert_eq!(found.unwrap(), wanted, "case {number}");
        }
    }
}
