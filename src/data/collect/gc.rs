//! `gc`: what nobody needs goes, after a time of grace; many small packs become few.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::error::CollectError;
use super::shared::shared;
use super::sweep::Removal;
use crate::base::{Digest, Progress};
use crate::data::root::RootName;
use crate::data::workspace::Workspace;
use crate::storage::store::{PackOnDisk, StoreError, Swept, Worth};

/// How long a pack is kept whole after something was put into it or relied on it, as `git gc` keeps what is unreachable.
pub const GRACE: Duration = Duration::from_hours(24 * 14);

/// A quarter of a pack must be for nothing before the rest is copied; four small packs become one.
const WORTH: Worth = Worth { one_of: 4, small_packs: 4 };
/// When commands that add fold packs by themselves.
const SCATTERED: Worth = Worth { one_of: 4, small_packs: 64 };

/// So many bytes of clones that no work tree has any more are left to gc.
const MOST_LEFT: u64 = 1 << 30;

/// How to collect.
#[derive(Debug, Clone)]
pub struct GcOptions {
    /// Plan and tell, remove nothing.
    pub dry_run: bool,
    /// Packs that were put or relied on within this time are kept.
    pub grace: Duration,
    /// The moment that counts as now; `None`: the present one.
    pub now: Option<SystemTime>,
    /// What is needed beside what Git names here: versions that layers above know of.
    pub further: Vec<RootName>,
}

/// What gc did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct GcSummary {
    /// Whether nothing was removed because only the plan was wanted.
    pub dry_run: bool,
    /// Versions that are needed.
    pub versions: u64,
    /// Items that they consist of, here or not.
    pub items: u64,
    /// What was done to the packs.
    #[serde(flatten)]
    pub swept: Swept,
}

/// Removes from the store what nobody needs.
///
/// # Errors
///
/// [`CollectError`]; nothing that is needed has gone.
pub fn gc(
    workspace: &Workspace,
    options: &GcOptions,
    progress: &Progress,
) -> Result<GcSummary, CollectError> {
    let now = options.now.unwrap_or_else(SystemTime::now);
    let removal = Removal {
        workspace,
        further: &options.further,
        now,
        worth: WORTH,
        dry_run: options.dry_run,
        progress,
    };
    let found = removal.needed(&|_| true)?;
    let (versions, items) = (found.0.versions.len() as u64, found.1.len());
    let is_young = |modified: SystemTime| {
        now.duration_since(modified).is_ok_and(|age| age < options.grace) || modified > now
    };
    let swept = removal
        .run(found, &|_| true, &|pack, entry, needed| is_young(pack.modified) || needed.has(&entry.id))?;
    Ok(GcSummary { dry_run: options.dry_run, versions, items, swept })
}

/// Makes few packs of many small ones, if there are too many, and packs clones that no work tree has any more, if they have
/// become large; loses nothing. When others use the store, it is left to
/// the next one, and nobody waits for it: so many packs slow nothing down yet.
///
/// # Errors
///
/// [`StoreError`].
pub fn fold(workspace: &Workspace, progress: &Progress) -> Result<Swept, StoreError> {
    let store = workspace.store();
    let packs = store.packs()?;
    // Where a work tree cannot be asked, clones are left to gc, which says so.
    let shared = shared(workspace, &packs, SystemTime::now()).ok();
    let shares = |content: &Digest| shared.as_ref().is_none_or(|shared| shared.contains(content));
    let is_left = |pack: &&PackOnDisk| pack.clone_of.is_some_and(|content| !shares(&content));
    let are_large = packs.iter().filter(is_left).map(|pack| pack.length).sum::<u64>() > MOST_LEFT;
    if !are_large && packs.iter().filter(|pack| pack.is_small()).count() < SCATTERED.small_packs {
        return Ok(Swept::default());
    }
    let in_use = |error| match error {
        StoreError::InUse { .. } => Ok(Swept::default()),
        error => Err(error),
    };
    if let Err(error) = store.exclude_at_once().map(drop) {
        return in_use(error);
    }
    let mut plan = store.plan_sweep(&|_, _| true, &|content| !are_large || shares(content), SCATTERED)?;
    if plan.is_empty() {
        return Ok(Swept::default());
    }
    store.copy_for_sweep(&mut plan, progress)?;
    match store.exclude() {
        Ok(alone) => alone.sweep(plan, &|_, _| true),
        Err(error) => in_use(error),
    }
}
