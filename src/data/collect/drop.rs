//! `drop`: the local copy of what a remote holds whole.
//!
//! What a demanding user expects: room on a laptop, and not one byte at risk. The remote is asked at that moment, not
//! remembered; what it does not hold whole stays, and is named with the reason; a modified file stays. What was dropped is
//! *absent*, never deleted: the nodes of current trees stay, so that `status`, `ls` and `add` go on without the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::error::CollectError;
use super::reach::Reach;
use super::sweep::Removal;
use super::vacate::vacate;
use crate::base::{Digest, Progress, RepoPath};
use crate::data::content::holds_some_content;
use crate::data::remotes;
use crate::data::root::RootName;
use crate::data::tracked::{self, TrackedError};
use crate::data::transfer::{Holding, TransferError, holding};
use crate::data::versions::{self, Commits};
use crate::data::workspace::Workspace;
use crate::objects::item::ItemKind;
use crate::storage::store::{Swept, Worth};

/// What is wanted goes, so little is enough for a pack to be written anew; small packs are left to gc.
const WORTH: Worth = Worth { one_of: 64, small_packs: usize::MAX };

/// What to drop.
#[derive(Debug, Clone, Default)]
pub struct DropOptions {
    /// Tracked paths, or folders of them; none: all.
    pub paths: Vec<RepoPath>,
    /// Only versions that no commit of this age or younger has, and that are not current.
    pub older_than: Option<Duration>,
    /// The data in the work tree, too.
    pub worktree: bool,
    /// Ask and tell, remove nothing.
    pub dry_run: bool,
    /// What is needed beside what Git names here: versions that layers above know of.
    pub further: Vec<RootName>,
}

/// A version that is dropped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dropped {
    /// The path of the data.
    pub path: RepoPath,
    /// The version.
    pub version: Digest,
    /// Bytes of its contents.
    pub size: u64,
    /// The remote that holds it.
    pub remote: String,
}

/// A version that stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Refused {
    /// The path of the data.
    pub path: RepoPath,
    /// The version.
    pub version: Digest,
    /// Why.
    pub why: String,
    /// Whether the reason is that no remote holds it whole.
    pub not_held: bool,
}

/// What was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DropSummary {
    /// Whether nothing was removed because only the plan was wanted.
    pub dry_run: bool,
    /// Versions whose contents need not be here any more.
    pub dropped: Vec<Dropped>,
    /// Versions that stay, and why.
    pub refused: Vec<Refused>,
    /// Files that were removed from the work tree.
    pub files: u64,
    /// Their bytes.
    pub file_bytes: u64,
    /// What was done to the packs.
    #[serde(flatten)]
    pub swept: Swept,
}

/// A version that is meant.
struct Meant {
    path: RepoPath,
    root: RootName,
    /// Whether the pointer of the index or the work tree names it.
    current: bool,
}

/// Drops the local copies of versions that a remote holds whole.
///
/// # Errors
///
/// [`CollectError`]; nothing has gone that is not on a remote.
pub fn drop_data(
    workspace: &Workspace,
    options: &DropOptions,
    progress: &Progress,
) -> Result<DropSummary, CollectError> {
    let meant = meant(workspace, options)?;
    let asked: BTreeSet<_> = meant.iter().map(|version| version.root).collect();
    let (held, refusals) = ask_remotes(workspace, &asked)?;
    let mut summary = DropSummary { dry_run: options.dry_run, ..DropSummary::default() };
    for Meant { path, root, .. } in &meant {
        let (path, version) = (path.clone(), root.id);
        match held.get(root) {
            Some(remote) => {
                summary.dropped.push(Dropped { path, version, size: root.size, remote: remote.clone() });
            }
            None => {
                let why = refusals.get(&root.id).cloned();
                let why = why.unwrap_or_else(|| NO_REMOTE.into());
                summary.refused.push(Refused { path, version, why, not_held: true });
            }
        }
    }
    if options.worktree {
        for version in meant.iter().filter(|version| version.current) {
            vacate(workspace, &version.path, &version.root, &held, &mut summary, progress)?;
        }
    }
    let stays: BTreeSet<_> = summary.refused.iter().map(|refused| refused.version).collect();
    let goes = |root: &RootName| held.contains_key(root) && !stays.contains(&root.id);
    summary.dropped.retain(|dropped| !stays.contains(&dropped.version));
    summary.refused.sort();
    if summary.dropped.is_empty() {
        return Ok(summary);
    }
    let (mut dropped, mut nodes) = (Reach::default(), Reach::of_nodes());
    for version in meant.iter().filter(|version| goes(&version.root)) {
        dropped.add(workspace.store(), &version.root)?;
        if version.current {
            nodes.add(workspace.store(), &version.root)?;
        }
    }
    let removal = Removal {
        workspace,
        further: &options.further,
        now: SystemTime::now(),
        worth: WORTH,
        dry_run: options.dry_run,
        progress,
    };
    let counts = |root: &RootName| !goes(root);
    let needed = removal.needed(&counts)?;
    summary.swept = removal.run(needed, &counts, &|_, entry, needed| {
        let is_node = entry.kind == ItemKind::Tree && nodes.has(&entry.id);
        !dropped.has(&entry.id) || needed.has(&entry.id) || is_node
    })?;
    summary.dropped.sort();
    Ok(summary)
}

/// With `mldata.keepLocal=false`: drops what the remotes hold whole, after a push. `further` tells what is needed beside
/// what Git names here.
///
/// # Errors
///
/// As [`drop_data`], and what `further` says.
pub fn drop_pushed<E: From<CollectError>>(
    workspace: &Workspace,
    further: impl FnOnce() -> Result<Vec<RootName>, E>,
    progress: &Progress,
) -> Result<Option<DropSummary>, E> {
    if workspace.repository().setting_switch("mldata.keepLocal") != Some(false) {
        return Ok(None);
    }
    let options = DropOptions { further: further()?, ..DropOptions::default() };
    Ok(Some(drop_data(workspace, &options, progress)?))
}

const NO_REMOTE: &str = "there is no remote";

/// The versions that are meant: of them, something must be here.
fn meant(workspace: &Workspace, options: &DropOptions) -> Result<Vec<Meant>, CollectError> {
    let repository = workspace.repository();
    let named: Vec<_> = options.paths.iter().map(tracked::without_suffix).collect();
    let is_named =
        |path: &RepoPath| named.is_empty() || named.iter().any(|named| path.below(named).is_some());
    let mut pointers = repository.index_pointers()?.good;
    pointers.extend(repository.work_tree_pointers()?.good);
    let current: BTreeSet<_> =
        pointers.iter().map(|at| (at.path.clone(), RootName::from(&at.pointer))).collect();
    let mut all: BTreeMap<(RepoPath, RootName), bool> = BTreeMap::new();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut known = false;
    for version in versions::named(workspace, &Commits::All)? {
        let key = (version.path, version.root);
        if !is_named(&key.0) {
            continue;
        }
        known = true;
        let old_enough = match (options.older_than, version.commit) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(age), Some(commit)) => {
                let made = repository.commit_info(commit)?.committer.seconds;
                i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(made) > age.as_secs() as i64
            }
        };
        let is_current = current.contains(&key);
        if old_enough && !(is_current && options.older_than.is_some()) {
            all.insert(key, is_current);
        }
    }
    if options.older_than.is_none() {
        for key in current.into_iter().filter(|(path, _)| is_named(path)) {
            known = true;
            all.insert(key, true);
        }
    }
    if let (false, Some(unknown)) = (known, named.first()) {
        return Err(TrackedError::NotTracked(unknown.clone()).into());
    }
    let mut meant = Vec::new();
    for ((path, root), current) in all {
        if (current && options.worktree) || (root.size > 0 && holds_some_content(workspace.store(), &root)) {
            meant.push(Meant { path, root, current });
        }
    }
    Ok(meant)
}

/// Versions with the remote that holds each.
type Held = BTreeMap<RootName, String>;
/// Versions with the reason why each stays.
type Refusals = BTreeMap<Digest, String>;

/// Asks the remotes, the default one first, until one holds each version. Gives who holds which, and why the others stay.
fn ask_remotes(workspace: &Workspace, roots: &BTreeSet<RootName>) -> Result<(Held, Refusals), CollectError> {
    let (mut held, mut refusals) = (BTreeMap::new(), BTreeMap::new());
    let mut remotes = remotes::list(workspace).map_err(TransferError::from)?;
    remotes.sort_by_key(|remote| !remote.default);
    for remote in remotes {
        let left: BTreeSet<_> = roots.iter().filter(|root| !held.contains_key(*root)).copied().collect();
        if left.is_empty() {
            break;
        }
        let Holding { whole, others } = match holding(workspace, &remote, &left) {
            Ok(answer) => answer,
            Err(error) => {
                let why = format!("'{}' cannot be asked: {error}", remote.name);
                Holding {
                    others: left.iter().map(|root| (root.id, why.clone())).collect(),
                    ..Holding::default()
                }
            }
        };
        for root in left {
            if whole.contains(&root.id) {
                held.insert(root, remote.name.clone());
            } else if let Some(why) = others.get(&root.id) {
                refusals.entry(root.id).or_insert_with(|| format!("'{}': {why}", remote.name));
            }
        }
    }
    Ok((held, refusals))
}
