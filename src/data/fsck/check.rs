//! The check: what is whole, what is damaged, what is not here.

use std::collections::{BTreeSet, HashMap, HashSet};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use super::error::FsckError;
use crate::base::{Digest, PART, Progress, RepoPath, Unit};
use crate::data::content::{Content, ReadError, WalkError, check_content};
use crate::data::needs::{Need, visit};
use crate::data::remotes;
use crate::data::root::RootName;
use crate::data::transfer::Knowledge;
use crate::data::versions::{self, Commits, Version};
use crate::data::workspace::Workspace;
use crate::storage::store::{PackFault, Store};

/// How to check.
#[derive(Debug, Clone)]
pub struct FsckOptions {
    /// The versions of every branch, tag, remote-tracking branch and stash, not only those of the index, the work tree and
    /// HEAD.
    pub all: bool,
    /// Bring back what is damaged or lost.
    pub repair: bool,
    /// Versions that no pointer names, and that layers above know of.
    pub further: Vec<Version>,
}

/// A damaged pack, and whom it hurts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// The pack, a file; after a repair, where it was set aside.
    pub pack: String,
    /// Items of it that are needed and damaged; none are known where its table cannot be read.
    pub items: u64,
    /// Paths that need them.
    pub paths: BTreeSet<String>,
}

/// A version of which something is nowhere, as far as is known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The path of the data.
    pub path: RepoPath,
    /// The version.
    pub version: Digest,
    /// Items that are missing or damaged.
    pub items: u64,
    /// Some of the files that need them.
    pub files: BTreeSet<String>,
}

/// What the check found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FsckReport {
    /// Versions that were checked.
    pub versions: u64,
    /// Items that they need, as far as their nodes are here.
    pub items: u64,
    /// Stored bytes that were read and hashed.
    pub bytes: u64,
    /// Versions of which something is not here, but on a remote.
    pub absent: u64,
    /// Packs that are damaged.
    pub damaged: Vec<Damaged>,
    /// Versions of which something is nowhere.
    pub lost: Vec<Lost>,
    /// Paths whose pointers name a content that its chunks do not make.
    pub mismatched: BTreeSet<RepoPath>,
}

impl FsckReport {
    /// Whether all is well.
    pub fn is_clean(&self) -> bool {
        self.damaged.is_empty() && self.lost.is_empty() && self.mismatched.is_empty()
    }
}

/// A check with what a repair must know beside.
pub(super) struct Checked {
    pub report: FsckReport,
    pub faults: Vec<PackFault>,
    /// Versions with damaged or lost items, and the files of them that need these; the empty path: the whole.
    pub hurt: Vec<(RepoPath, RootName, BTreeSet<Vec<u8>>)>,
    /// The items that are damaged or lost.
    pub bad: HashSet<Digest>,
}

/// Contents of one part that are checked before what was found is noted.
const AT_ONCE: usize = 1024;
/// How many files of a version are named.
const FILES_NAMED: usize = 5;

/// Checks everything that the pointers name.
pub(super) fn check(
    workspace: &Workspace,
    options: &FsckOptions,
    progress: &Progress,
) -> Result<Checked, FsckError> {
    let store = workspace.store();
    let versions = versions_to_check(workspace, options)?;
    let (mut ids, mut seen) = (HashSet::new(), HashSet::new());
    let (mut contents, mut met) = (Vec::new(), HashSet::new());
    for (path, root, current) in &versions {
        visit(store, root, &mut seen, &mut |need| match need {
            Need::Item(id, _) => {
                ids.insert(id);
            }
            Need::Content(id, manifest, size) => {
                if *current && met.insert((id, manifest)) {
                    contents.push((Content { id, manifest: Some(manifest), size }, path));
                }
            }
        });
    }
    drop((seen, met));
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort_unstable();
    let (proven, mismatched) = check_contents(store, &ids, &contents, progress);
    let checked = store.check_packs(&ids, &proven, progress)?;
    let bad: HashSet<_> =
        ids.iter().zip(&checked.whole).filter(|(_, whole)| !**whole).map(|(id, _)| *id).collect();
    let mut report = FsckReport {
        versions: versions.len() as u64,
        items: ids.len() as u64,
        bytes: checked.bytes,
        mismatched,
        ..FsckReport::default()
    };
    drop((ids, proven, contents));
    let damaged: HashSet<_> = checked.faults.iter().flat_map(|fault| &fault.items).copied().collect();
    let (hurt, users) = tell_versions(workspace, &versions, &bad, &damaged, &mut report);
    for fault in &checked.faults {
        let paths = fault.items.iter().filter_map(|id| users.get(id)).flatten().cloned().collect();
        let (pack, items) = (fault.pack.path.display().to_string(), fault.items.len() as u64);
        report.damaged.push(Damaged { pack, items, paths });
    }
    Ok(Checked { report, faults: checked.faults, hurt, bad })
}

/// The versions, and whether all of their contents are to be read: those that the index, the work tree or HEAD name.
fn versions_to_check(
    workspace: &Workspace,
    options: &FsckOptions,
) -> Result<Vec<(RepoPath, RootName, bool)>, FsckError> {
    let repository = workspace.repository();
    let mut pointers = repository.index_pointers()?.good;
    pointers.extend(repository.work_tree_pointers()?.good);
    if let Some(head) = repository.head_commit()? {
        pointers.extend(repository.commit_pointers(head)?.good);
    }
    let current = pointers.into_iter().map(|at| (at.path, RootName::from(&at.pointer), true));
    let mut versions: Vec<_> = current.collect();
    versions.extend(options.further.iter().map(|version| (version.path.clone(), version.root, false)));
    if options.all {
        let named = versions::named(workspace, &Commits::All)?;
        versions.extend(named.into_iter().map(|version| (version.path, version.root, false)));
    }
    let mut seen = HashSet::new();
    versions.retain(|(path, root, _)| seen.insert((path.clone(), *root)));
    Ok(versions)
}

/// What became of a content of several chunks.
enum Soundness {
    /// Its chunks are whole, and make it.
    Sound(Vec<usize>),
    /// Its chunks are whole, and make another one.
    Other,
    /// Something of it is not here.
    Absent,
    /// Something of it is damaged.
    Damaged,
}

/// Reads contents of several chunks, large ones on all cores: whether their chunks make them is known only when all of a
/// content was read. Gives which of `ids` were proven on the way, so that they are read once, and the paths of contents that
/// are another one than their pointers or trees say, though every chunk is whole.
fn check_contents(
    store: &Store,
    ids: &[Digest],
    contents: &[(Content, &RepoPath)],
    progress: &Progress,
) -> (Vec<bool>, BTreeSet<RepoPath>) {
    progress.begin(
        "checking contents",
        Unit::Bytes,
        Some(contents.iter().map(|(content, _)| content.size).sum()),
    );
    let check = |content: &Content| {
        let mut proven = Vec::new();
        let checked =
            check_content(store, content, progress, &mut |id| proven.extend(ids.binary_search(&id)));
        match checked {
            Ok(()) => Soundness::Sound(proven),
            Err(ReadError::Mismatch(_) | ReadError::Walk(WalkError::Format(_))) => Soundness::Other,
            Err(error) if error.is_missing() => Soundness::Absent,
            Err(_) => Soundness::Damaged,
        }
    };
    let here = contents.iter().filter(|(content, _)| content.manifest.is_some_and(|id| store.contains(&id)));
    let (small, large): (Vec<_>, Vec<_>) = here.partition(|(content, _)| content.size <= PART);
    let (mut proven, mut is_damaged) = (vec![false; ids.len()], false);
    let mut mismatched = BTreeSet::new();
    let mut note = |path: &RepoPath, found: Soundness| match found {
        Soundness::Sound(places) => places.into_iter().for_each(|at| proven[at] = true),
        Soundness::Other => {
            mismatched.insert(path.clone());
        }
        Soundness::Absent => {}
        Soundness::Damaged => is_damaged = true,
    };
    for some in small.chunks(AT_ONCE) {
        let found: Vec<_> = some.par_iter().map(|(content, path)| (*path, check(content))).collect();
        found.into_iter().for_each(|(path, found)| note(path, found));
    }
    large.into_iter().for_each(|(content, path)| note(path, check(&content)));
    progress.end();
    if is_damaged {
        // After damage the store looks for another copy: which one was read is not known.
        proven.fill(false);
    }
    (proven, mismatched)
}

/// Versions with damaged or lost items, and the files that need these.
type Hurt = Vec<(RepoPath, RootName, BTreeSet<Vec<u8>>)>;

/// Tells which versions need what is not whole; returns them, and the paths that need each damaged item.
fn tell_versions(
    workspace: &Workspace,
    versions: &[(RepoPath, RootName, bool)],
    bad: &HashSet<Digest>,
    damaged: &HashSet<Digest>,
    report: &mut FsckReport,
) -> (Hurt, HashMap<Digest, BTreeSet<String>>) {
    let (mut hurt, mut users) = (Vec::new(), HashMap::<_, BTreeSet<_>>::new());
    if bad.is_empty() {
        return (hurt, users);
    }
    let known: Vec<_> = remotes::list(workspace)
        .unwrap_or_default()
        .iter()
        .map(|remote| Knowledge::open(workspace.common_dir(), &remote.name, &remote.url))
        .collect();
    for (path, root, _) in versions {
        let (mut missing, mut broken, mut files) = (HashSet::new(), HashSet::new(), BTreeSet::new());
        visit(workspace.store(), root, &mut HashSet::new(), &mut |need| {
            let Need::Item(id, below) = need else { return };
            if !bad.contains(&id) {
                return;
            }
            if damaged.contains(&id) {
                let name = if below.is_empty() { path.to_string() } else { shown(path, below) };
                users.entry(id).or_default().insert(name);
                broken.insert(id);
                files.insert(below.to_owned());
            } else if missing.insert(id) {
                files.insert(below.to_owned());
            }
        });
        let is_held = known.iter().any(|known| known.has_root(&root.id));
        if !missing.is_empty() && is_held {
            report.absent += 1;
        }
        if !broken.is_empty() || (!missing.is_empty() && !is_held) {
            let items = (missing.len() + broken.len()) as u64;
            if !is_held {
                let named = files.iter().take(FILES_NAMED).map(|below| shown(path, below)).collect();
                report.lost.push(Lost { path: path.clone(), version: root.id, items, files: named });
            }
            hurt.push((path.clone(), *root, files));
        }
    }
    (hurt, users)
}

fn shown(path: &RepoPath, below: &[u8]) -> String {
    match below {
        [] => path.to_string(),
        below => format!("{path}/{}", String::from_utf8_lossy(below)),
    }
}
