//! Where the new version of a directory can differ from the last one at all.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::content::difference;
use crate::data::root::RootName;
use crate::data::worktree::{FileRecord, Files, PathRecord};
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeEntry};
use crate::storage::store::Store;

use super::{OnDisk, is_within};

/// The names at which the new version can differ from the last one.
pub(super) struct Concern {
    pub names: BTreeSet<Vec<u8>>,
    /// The leaves of the last version at these names.
    pub before: BTreeMap<Vec<u8>, TreeEntry>,
    /// Files of the last version outside of the parts that are to be added.
    pub elsewhere: u64,
}

impl Concern {
    /// `None` where it cannot be told: where the record does not hold all of its version, a switch was cut short, the pointer
    /// moved on and only parts are to be added, or the nodes in which the two versions differ are not here.
    pub fn of(
        store: &Store,
        disk: &OnDisk<'_>,
        base: &RootName,
        record: Option<&PathRecord>,
    ) -> Option<Self> {
        let record = record.filter(|record| record.complete && record.root.kind == PointerKind::Tree)?;
        let in_scope = |name: &[u8]| disk.scopes.iter().any(|scope| is_within(name, scope));
        let is_same = record.root.is_same(base);
        if disk.mixed || !is_same && !disk.scopes.iter().any(Vec::is_empty) {
            return None;
        }
        let mut names: BTreeSet<_> = disk.files.unlike(&record.files, &in_scope).into_iter().collect();
        let recorded = |name: &Vec<u8>| Some((name.clone(), record.files.get(name)?.leaf()));
        let mut before: BTreeMap<_, _> = names.iter().filter_map(recorded).collect();
        let news = match is_same {
            true => Vec::new(),
            false => difference(store, &[], Some(record.root.tree()), Some(base.tree())).ok()?,
        };
        for new in news {
            if new.missing.is_some() {
                return None;
            }
            match new.after {
                Some(leaf) => drop(before.insert(new.path.clone(), leaf)),
                None => drop(before.remove(&new.path)),
            }
            names.insert(new.path);
        }
        let is_elsewhere =
            |(name, file): &(&[u8], FileRecord)| file.kind != EntryKind::Directory && !in_scope(name);
        let elsewhere = record.files.iter().filter(is_elsewhere).count() as u64;
        Some(Self { names, before, elsewhere })
    }

    /// Those that are on the disk.
    pub fn on_disk<'a>(&'a self, files: &'a Files) -> impl Iterator<Item = (&'a [u8], FileRecord)> {
        self.names.iter().filter_map(|name| Some((name.as_slice(), files.get(name)?)))
    }
}
