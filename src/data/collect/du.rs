//! `du`: how much data there is, and how much room it takes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use super::error::CollectError;
use crate::base::{Digest, RepoPath};
use crate::data::needs::{Need, visit};
use crate::data::root::RootName;
use crate::data::tracked::{self, TrackedError};
use crate::data::versions::{self, Commits};
use crate::data::workspace::Workspace;
use crate::storage::store::PackOnDisk;

/// Bytes of one version or path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Bytes {
    /// Of the contents, as they lie in a work tree.
    pub logical: u64,
    /// Of the local store, for this.
    pub stored: u64,
    /// Of the local store, for this alone.
    pub unique: u64,
}

/// One version of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionUsage {
    /// The version.
    pub version: Digest,
    /// The newest commit that names it; none where only the index or the work tree does.
    pub commit: Option<String>,
    /// Whether the pointer of the index or the work tree names it.
    pub current: bool,
    /// Its bytes.
    #[serde(flatten)]
    pub bytes: Bytes,
}

/// A path with its versions, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathUsage {
    /// The path.
    pub path: RepoPath,
    /// All its versions together; what is unique is not needed by any other path.
    #[serde(flatten)]
    pub bytes: Bytes,
    /// One by one; what is unique is not needed by any other version of any path.
    pub versions: Vec<VersionUsage>,
}

/// How much there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// The paths that were asked for.
    pub paths: Vec<PathUsage>,
    /// Files of the local store that hold items, and their bytes.
    pub packs: u64,
    /// Bytes of these files.
    pub pack_bytes: u64,
    /// Files of the local store that share their blocks with a file in a work tree, until one of the two changes.
    pub clones: u64,
    /// Bytes of these files.
    pub clone_bytes: u64,
}

/// Who needs an item: one, or several.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    One(u32),
    Many,
}

impl Owner {
    fn and(self, other: u32) -> Self {
        if self == Self::One(other) { self } else { Self::Many }
    }
}

struct Item {
    stored: u32,
    version: Owner,
    path: Owner,
    /// The version that counted it last.
    counted: u32,
}

/// How much room the versions of `paths` take (none: all tracked paths), of those that commits, index and work tree name.
///
/// # Errors
///
/// [`CollectError`].
pub fn usage(workspace: &Workspace, paths: &[RepoPath]) -> Result<Usage, CollectError> {
    let named: Vec<_> = paths.iter().map(tracked::without_suffix).collect();
    let mut versions: BTreeMap<RepoPath, Vec<(RootName, Option<String>)>> = BTreeMap::new();
    for at in workspace.repository().work_tree_pointers()?.good {
        versions.entry(at.path).or_default().push((RootName::from(&at.pointer), None));
    }
    let staged = workspace.repository().index_pointers()?.good;
    let mut current: BTreeSet<_> =
        staged.into_iter().map(|at| (at.path, RootName::from(&at.pointer))).collect();
    current.extend(versions.iter().flat_map(|(path, all)| all.iter().map(|(root, _)| (path.clone(), *root))));
    for version in versions::named(workspace, &Commits::All)? {
        let all = versions.entry(version.path).or_default();
        let commit = version.commit.map(|commit| commit.to_string());
        match all.iter_mut().find(|(root, _)| *root == version.root) {
            Some((_, known)) => *known = known.take().or(commit),
            None => all.push((version.root, commit)),
        }
    }
    let (counted, path_bytes) = count(workspace, &versions);
    let mut counted = counted.into_iter();
    let mut found = Vec::new();
    for ((path, all), bytes) in versions.into_iter().zip(path_bytes) {
        let usage_of = |(root, commit): (RootName, Option<String>)| VersionUsage {
            version: root.id,
            commit,
            current: current.contains(&(path.clone(), root)),
            bytes: counted.next().unwrap_or_default(),
        };
        let versions = all.into_iter().map(usage_of).collect();
        if named.is_empty() || named.iter().any(|named| path.below(named).is_some()) {
            found.push(PathUsage { path, bytes, versions });
        }
    }
    if let (true, Some(unknown)) = (found.is_empty(), named.first()) {
        return Err(TrackedError::NotTracked(unknown.clone()).into());
    }
    let packs = workspace.store().packs()?;
    let (clones, packs): (Vec<_>, Vec<_>) = packs.iter().partition(|pack| pack.clone_of.is_some());
    let bytes = |packs: &[&PackOnDisk]| packs.iter().map(|pack| pack.length).sum();
    Ok(Usage {
        paths: found,
        packs: packs.len() as u64,
        pack_bytes: bytes(&packs),
        clones: clones.len() as u64,
        clone_bytes: bytes(&clones),
    })
}

/// Counts all versions, in order, and their paths.
fn count(
    workspace: &Workspace,
    versions: &BTreeMap<RepoPath, Vec<(RootName, Option<String>)>>,
) -> (Vec<Bytes>, Vec<Bytes>) {
    let store = workspace.store();
    let stored_of = |id: &Digest| match store.contains(id) {
        true => store.find(id).ok().flatten().map_or(0, |found| found.stored),
        false => 0,
    };
    let mut items: HashMap<Digest, Item> = HashMap::new();
    let (mut counted, mut by_path): (Vec<Bytes>, Vec<Bytes>) = (Vec::new(), Vec::new());
    for all in versions.values() {
        let (path, first) = (by_path.len() as u32, counted.len() as u32);
        let mut of_path = Bytes::default();
        for (root, _) in all {
            let version = counted.len() as u32;
            let mut bytes = Bytes { logical: root.size, ..Bytes::default() };
            visit(store, root, &mut HashSet::new(), &mut |need| {
                let Need::Item(id, _) = need else { return };
                let mut new = false;
                let item = items.entry(id).or_insert_with(|| {
                    new = true;
                    let (one, of) = (Owner::One(version), Owner::One(path));
                    Item { stored: stored_of(&id), version: one, path: of, counted: version }
                });
                if !new && item.counted == version {
                    return;
                }
                let seen_in_path = !new && item.counted >= first;
                of_path.stored += if seen_in_path { 0 } else { u64::from(item.stored) };
                bytes.stored += u64::from(item.stored);
                (item.version, item.path) = (item.version.and(version), item.path.and(path));
                item.counted = version;
            });
            of_path.logical += root.size;
            counted.push(bytes);
        }
        by_path.push(of_path);
    }
    for item in items.values() {
        if let Owner::One(version) = item.version {
            counted[version as usize].unique += u64::from(item.stored);
        }
        if let Owner::One(path) = item.path {
            by_path[path as usize].unique += u64::from(item.stored);
        }
    }
    (counted, by_path)
}
