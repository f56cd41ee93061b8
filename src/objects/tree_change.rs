//! A directory that differs from another one in a few entries: of its nodes only those on the way to them are read and made.
//!
//! The rule of cutting looks at names alone and begins anew after each node ([`crate::objects::node`]). So where a node of
//! leaves begins where an older one began, and no entry between its first name and its last came, went or changed, it is
//! that older node. After a change nodes are made until one ends where an older one did, which is soon. What lies above the
//! leaves is one entry for some three hundred files, and made anew.

use crate::base::Digest;
use crate::objects::tree::{TreeEntry, TreeError, TreeNode, TreeSummary, build_above, check_entries, is_cut};
use crate::objects::wire::FormatError;
use crate::objects::{node, tree};

/// What is asked while a directory is changed.
pub trait DirectoryChange {
    /// Why it cannot go on.
    type Error: From<TreeError> + From<FormatError>;

    /// What becomes of the entry of `name`, given what it was; `None` for none.
    ///
    /// # Errors
    ///
    /// When that cannot be told.
    fn decide(&mut self, name: &[u8], before: Option<TreeEntry>) -> Result<Option<TreeEntry>, Self::Error>;

    /// The node `id` of the old directory.
    ///
    /// # Errors
    ///
    /// When it cannot be had.
    fn read(&mut self, id: Digest) -> Result<TreeNode, Self::Error>;

    /// Takes a node of the new directory, with its id.
    ///
    /// # Errors
    ///
    /// When it cannot be kept.
    fn put(&mut self, id: Digest, node: Vec<u8>) -> Result<(), Self::Error>;
}

/// Builds the directory whose top node was `top`, where the entries of the `names` (in order) become what `change` decides.
/// Nodes are put with those below before those above. Of the old ones only those are read that hold one of the names, and
/// those above the leaves. `None` where no entry is left.
///
/// The result is that of [`tree::build_tree`] with all entries.
///
/// # Errors
///
/// [`TreeError`] for entries that contradict themselves, [`FormatError`] for nodes that do not hold what those above them
/// say, and what `change` says.
pub fn change_tree<C: DirectoryChange>(
    top: TreeNode,
    names: &[&[u8]],
    change: &mut C,
) -> Result<Option<TreeSummary>, C::Error> {
    let mut made = Made { names, change, run: Vec::new(), done: Vec::new() };
    if top.level() == 0 {
        made.take_node(top, None)?;
        return made.finish();
    }
    let parents = above_leaves(top, made.change)?;
    let last = parents.len() - 1;
    for (number, parent) in parents.iter().enumerate() {
        for (at, split) in parent.entries().iter().enumerate() {
            let is_last = number == last && at + 1 == parent.entries().len();
            let end = (!is_last).then_some(split.name.as_slice());
            if made.run.is_empty() && !made.has_change_until(end) {
                made.done.push(split.clone());
                continue;
            }
            let node = made.change.read(split.id)?;
            parent.check_child(at, &node)?;
            made.take_node(node, end)?;
        }
    }
    made.finish()
}

/// The nodes of the level above the leaves, in order.
fn above_leaves<C: DirectoryChange>(top: TreeNode, change: &mut C) -> Result<Vec<TreeNode>, C::Error> {
    let mut nodes = vec![top];
    while nodes.first().is_some_and(|node| node.level() > 1) {
        let mut below = Vec::new();
        for node in &nodes {
            for (at, split) in node.entries().iter().enumerate() {
                let child = change.read(split.id)?;
                node.check_child(at, &child)?;
                below.push(child);
            }
        }
        nodes = below;
    }
    Ok(nodes)
}

/// The leaves of the new directory, as far as they are made.
struct Made<'a, C> {
    /// Names of which it is still to be decided.
    names: &'a [&'a [u8]],
    change: &'a mut C,
    /// The entries of a node that is not full.
    run: Vec<TreeEntry>,
    /// The nodes that are.
    done: Vec<TreeEntry>,
}

impl<C: DirectoryChange> Made<'_, C> {
    /// Whether a name up to and with `end` is among those that change; the last node has no end.
    fn has_change_until(&self, end: Option<&[u8]>) -> bool {
        self.names.first().is_some_and(|name| end.is_none_or(|end| *name <= end))
    }

    /// Takes the entries of a node, and decides about all names up to its end.
    fn take_node(&mut self, node: TreeNode, end: Option<&[u8]>) -> Result<(), C::Error> {
        for entry in node.into_entries() {
            while let Some(name) = self.names.first().filter(|name| **name < entry.name.as_slice()) {
                self.decide(name, None)?;
            }
            match self.names.first().filter(|name| **name == entry.name) {
                Some(name) => self.decide(name, Some(entry))?,
                None => self.push(entry)?,
            }
        }
        while let Some(name) = self.names.first().filter(|_| self.has_change_until(end)) {
            self.decide(name, None)?;
        }
        Ok(())
    }

    fn decide(&mut self, name: &[u8], before: Option<TreeEntry>) -> Result<(), C::Error> {
        self.names = &self.names[1..];
        let Some(entry) = self.change.decide(name, before)? else { return Ok(()) };
        check_entries(std::slice::from_ref(&entry))?;
        self.push(entry)
    }

    fn push(&mut self, entry: TreeEntry) -> Result<(), C::Error> {
        let cut = is_cut(&entry.name, 0);
        self.run.push(entry);
        if node::is_full(self.run.len(), tree::MAX_TREE_ENTRIES, cut) { self.end_run() } else { Ok(()) }
    }

    fn end_run(&mut self) -> Result<(), C::Error> {
        let node = TreeNode::leaf(std::mem::take(&mut self.run));
        self.done.push(tree::store_node(node, &mut |id, bytes| self.change.put(id, bytes))?);
        Ok(())
    }

    fn finish(mut self) -> Result<Option<TreeSummary>, C::Error> {
        if !self.run.is_empty() {
            self.end_run()?;
        }
        if self.done.is_empty() {
            return Ok(None);
        }
        build_above(self.done, 1, &mut |id, bytes| self.change.put(id, bytes)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;
    use crate::objects::tree::build_tree;

    #[derive(Debug)]
    struct Fault;

    impl From<TreeError> for Fault {
        fn from(_: TreeError) -> Self {
            Self
        }
    }

    impl From<FormatError> for Fault {
        fn from(_: FormatError) -> Self {
            Self
        }
    }

    type Entries = BTreeMap<Vec<u8>, TreeEntry>;

    fn entry(name: &str, text: &str) -> TreeEntry {
        TreeEntry::file(name.as_bytes().to_vec(), false, Digest::of(text.as_bytes()), text.len() as u64, None)
    }

    fn built(entries: &Entries, nodes: &mut HashMap<Digest, Vec<u8>>) -> TreeSummary {
        let mut sink = |id, bytes| {
            nodes.insert(id, bytes);
            Ok::<_, Fault>(())
        };
        build_tree(entries.values().cloned().collect(), &mut sink).unwrap()
    }

    struct Work<'a> {
        changes: &'a BTreeMap<String, Option<String>>,
        nodes: &'a HashMap<Digest, Vec<u8>>,
        read: usize,
        made: usize,
    }

    impl DirectoryChange for Work<'_> {
        type Error = Fault;

        fn decide(&mut self, name: &[u8], _: Option<TreeEntry>) -> Result<Option<TreeEntry>, Fault> {
            let name = std::str::from_utf8(name).unwrap();
            Ok(self.changes[name].as_ref().map(|text| entry(name, text)))
        }

        fn read(&mut self, id: Digest) -> Result<TreeNode, Fault> {
            self.read += 1;
            Ok(TreeNode::decode(&self.nodes[&id])?)
        }

        fn put(&mut self, _: Digest, _: Vec<u8>) -> Result<(), Fault> {
            self.made += 1;
            Ok(())
        }
    }

    #[test]
    fn a_changed_directory_is_the_one_that_all_its_entries_make_and_few_nodes_are_read() {
        let name = |number: usize| format!("{:08}.jpg", number * 7);
        let all: Entries = (0..20_000).map(|n| (name(n).into_bytes(), entry(&name(n), "1"))).collect();
        let mut nodes = HashMap::new();
        let before = built(&all, &mut nodes);
        let text = |name: String, text: Option<&str>| (name, text.map(str::to_owned));
        let cases = [
            vec![text(name(5), Some("2"))],
            vec![text(name(5), None), text(name(19_999), None)],
            vec![text("00000001".into(), Some("new")), text("zzz".into(), Some("new"))],
            (0..300).map(|n| text(format!("00070000-{n}"), Some("x"))).collect(),
            (9_000..11_000).map(|n| text(name(n), None)).collect(),
            (0..20_000).map(|n| text(name(n), None)).collect(),
            (10..20_000).map(|n| text(name(n), None)).collect(),
            vec![text("no such name".into(), None)],
        ];
        for changes in cases {
            let mut next = all.clone();
            for (name, text) in &changes {
                match text {
                    Some(text) => drop(next.insert(name.clone().into_bytes(), entry(name, text))),
                    None => drop(next.remove(name.as_bytes())),
                }
            }
            let wanted = built(&next, &mut HashMap::new());
            let changes: BTreeMap<String, Option<String>> = changes.into_iter().collect();
            let names: Vec<&[u8]> = changes.keys().map(String::as_bytes).collect();
            let mut work = Work { changes: &changes, nodes: &nodes, read: 0, made: 0 };
            let top = TreeNode::decode(&nodes[&before.id]).unwrap();
            let found = change_tree(top, &names, &mut work).unwrap();
            assert_eq!(found, (!next.is_empty()).then_some(wanted), "{} changes", names.len());
            if names.len() < 5 {
                assert!(work.read <= 6 && work.made <= 8, "{} nodes read, {} made", work.read, work.made);
            }
        }
    }
}
