//! A removal from beginning to end: what is needed is gathered, the sweep is planned and prepared beside everybody
//! else, then gathered once more while nobody else is there, and done.

use std::time::SystemTime;

use super::error::CollectError;
use super::reach::Reach;
use super::roots::Roots;
use super::shared::shared;
use crate::base::{Progress, Unit};
use crate::data::root::RootName;
use crate::data::workspace::Workspace;
use crate::objects::FooterEntry;
use crate::storage::store::{PackOnDisk, Swept, Worth};

/// A removal.
pub struct Removal<'a> {
    /// Where.
    pub workspace: &'a Workspace,
    /// What is needed beside what is gathered here.
    pub further: &'a [RootName],
    /// The moment that counts as now.
    pub now: SystemTime,
    /// When packs are written anew.
    pub worth: Worth,
    /// Plan and tell, remove nothing.
    pub dry_run: bool,
    /// How far it is.
    pub progress: &'a Progress,
}

/// Whether an item stays, by the pack that it lies in, itself, and what is needed.
pub type Stays<'a> = &'a dyn Fn(&PackOnDisk, &FooterEntry, &Reach) -> bool;

impl Removal<'_> {
    /// What is needed: all that is gathered and `counts`.
    ///
    /// # Errors
    ///
    /// [`CollectError`].
    pub fn needed(&self, counts: &dyn Fn(&RootName) -> bool) -> Result<(Roots, Reach), CollectError> {
        let roots = Roots::gather(self.workspace, self.further, self.now, None)?;
        let mut needed = Reach::default();
        self.follow(&roots, counts, &mut needed)?;
        Ok((roots, needed))
    }

    fn follow(
        &self,
        roots: &Roots,
        counts: &dyn Fn(&RootName) -> bool,
        needed: &mut Reach,
    ) -> Result<(), CollectError> {
        let total = Some(roots.versions.len() as u64);
        self.progress.begin("following what is needed", Unit::Items, total);
        let outcome = roots.versions.iter().filter(|(root, _)| counts(root)).try_for_each(|(root, _)| {
            self.progress.advance(1);
            needed.add(self.workspace.store(), root)
        });
        self.progress.end();
        roots.items.iter().for_each(|id| needed.add_item(*id));
        outcome
    }

    /// Removes what does not stay; `needed` is what [`Removal::needed`] found.
    ///
    /// # Errors
    ///
    /// [`CollectError`]; nothing that is needed has gone.
    pub fn run(
        &self,
        (roots, mut needed): (Roots, Reach),
        counts: &dyn Fn(&RootName) -> bool,
        stays: Stays<'_>,
    ) -> Result<Swept, CollectError> {
        let store = self.workspace.store();
        let shared = shared(self.workspace, &store.packs()?, self.now)?;
        let keeps = |pack: &PackOnDisk, entry: &FooterEntry| stays(pack, entry, &needed);
        let mut plan = store.plan_sweep(&keeps, &|content| shared.contains(content), self.worth)?;
        if self.dry_run || plan.is_empty() {
            return Ok(plan.sums);
        }
        // Whoever is in the way is told of before anything is copied in vain.
        drop(store.exclude()?);
        store.copy_for_sweep(&mut plan, self.progress)?;
        let alone = store.exclude()?;
        let again = Roots::gather(self.workspace, self.further, self.now, Some(&roots))?;
        needed.add_arrived(store)?;
        self.follow(&again, counts, &mut needed)?;
        Ok(alone.sweep(plan, &|pack, entry| stays(pack, entry, &needed))?)
    }
}
