//! Removing items from a store that others use meanwhile.
//!
//! Packs never change, so an item goes with its pack, after the items beside it that stay were copied. In this order:
//!
//! 1. *Plan*, as a reader: which packs have enough that may go, or are so small that many make one.
//! 2. *Copy* what stays of these packs into other packs, as any writer does, and make it last. From here on every item that
//!    stays lies in two places, so a kill leaves at most a pack too many, which the next sweep finds.
//! 3. *Sweep*, while nobody else uses the store: what is to be kept is asked for once more, and a pack goes only if it was
//!    not relied on meanwhile (its time says so) and if everything of it that is to be kept is found in packs that stay.
//!
//! So only the last step keeps others waiting, and it only reads tables and removes files.

use std::collections::HashSet;
use std::fs::File;
use std::path::PathBuf;
use std::time::SystemTime;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use super::error::StoreError;
use super::exclusion::Exclusion;
use super::handle::Store;
use super::open_pack::OpenPack;
use super::packs::{PackItem, PackOnDisk};
use super::writer::StoreWriter;
use crate::base::{Digest, Progress, Unit};
use crate::objects::{Encoder, FooterEntry};

/// Chunks of a clone that are encoded at once.
const AT_ONCE: usize = 128;
/// Packs below this length, in bytes, are worth making one.
const SMALL: u64 = 8 << 20;

/// Says whether an item stays, given the pack that it lies in.
pub type Keeps<'a> = &'a dyn Fn(&PackOnDisk, &FooterEntry) -> bool;

/// Says whether the clone of a content still shares its blocks with a work tree.
pub type Shares<'a> = &'a dyn Fn(&Digest) -> bool;

/// When packs are written anew. Clones are, compressed, as soon as they share their blocks with nobody.
#[derive(Debug, Clone, Copy)]
pub struct Worth {
    /// A pack is written anew when one of so many of its bytes may go: 4 for a quarter.
    pub one_of: u64,
    /// Small packs are made one when there are so many of them.
    pub small_packs: usize,
}

/// A pack that is to go.
#[derive(Debug)]
struct Victim {
    pack: PackOnDisk,
    /// Its time when it was seen last by this sweep: a later one says that somebody relied on it.
    seen: SystemTime,
    /// What is to be copied.
    stays: Vec<PackItem>,
    /// How many bytes that is, as stored.
    copied: u64,
}

/// What a sweep is to do.
#[derive(Debug, Default)]
pub struct Plan {
    victims: Vec<Victim>,
    /// What it comes to.
    pub sums: Swept,
}

/// What a sweep did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Swept {
    /// Packs of the store before.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packs that went.
    pub removed_packs: u64,
    /// Those of them of which something was copied.
    pub rewritten_packs: u64,
    /// Items that went for good.
    pub removed_items: u64,
    /// Bytes by which the store shrank.
    pub freed: u64,
    /// Packs that cannot be read; they were left alone.
    pub damaged_packs: u64,
}

impl Plan {
    /// Whether nothing is to go.
    pub const fn is_empty(&self) -> bool {
        self.victims.is_empty()
    }
}

impl PackOnDisk {
    /// Whether it is so small that many such packs are worth making one.
    pub const fn is_small(&self) -> bool {
        self.length < SMALL && self.clone_of.is_none()
    }
}

impl Store {
    /// Plans a sweep that keeps what `keeps` says, and leaves clones alone that `shares` names.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    pub fn plan_sweep(&self, keeps: Keeps<'_>, shares: Shares<'_>, worth: Worth) -> Result<Plan, StoreError> {
        let (mut plan, mut small) = (Plan::default(), Vec::new());
        // Of equal beginnings one may be taken for the other: then the last step, which compares whole ids, keeps the pack.
        let mut seen: HashSet<u64> = HashSet::new();
        for pack in self.packs()? {
            (plan.sums.packs, plan.sums.bytes) = (plan.sums.packs + 1, plan.sums.bytes + pack.length);
            let Some(items) = pack.items() else {
                // An open one is just being begun, or sealed.
                plan.sums.damaged_packs += u64::from(pack.sealed && pack.again()?.is_some());
                continue;
            };
            let all = items.len() as u64;
            let stored = |items: &[PackItem]| items.iter().map(|(entry, _)| u64::from(entry.stored)).sum();
            let before: u64 = stored(&items);
            let stays: Vec<_> = items
                .into_iter()
                .filter(|(entry, _)| keeps(&pack, entry) && seen.insert(beginning(&entry.id)))
                .collect();
            let after: u64 = stored(&stays);
            let goes = all - stays.len() as u64;
            let victim = Victim { seen: pack.modified, pack, stays, copied: after };
            if let Some(content) = victim.pack.clone_of {
                if victim.stays.is_empty() || !shares(&content) {
                    plan.sums.count(&victim, goes);
                    plan.victims.push(victim);
                }
                continue;
            }
            if all == 0 {
                continue;
            }
            if victim.stays.is_empty() || (before - after) * worth.one_of >= before.max(1) && goes > 0 {
                plan.sums.count(&victim, goes);
                plan.victims.push(victim);
            } else if victim.pack.is_small() {
                small.push((victim, goes));
            }
        }
        if small.len() >= worth.small_packs.max(2) {
            for (victim, goes) in small {
                plan.sums.count(&victim, goes);
                plan.victims.push(victim);
            }
        }
        Ok(plan)
    }

    /// Copies what stays of the packs that are to go, and makes it last. A pack that somebody appends to, or that is
    /// damaged, is left out of the plan.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing has gone then.
    pub fn copy_for_sweep(&self, plan: &mut Plan, progress: &Progress) -> Result<(), StoreError> {
        let _using = self.enter(progress)?;
        let writer = self.writer();
        let bytes = plan.victims.iter().flat_map(|victim| &victim.stays);
        let bytes = bytes.map(|(entry, _)| u64::from(entry.stored)).sum();
        progress.begin("copying what stays", Unit::Bytes, Some(bytes));
        let outcome = self.close_open(&mut plan.victims).and_then(|()| {
            let mut copied = Vec::new();
            for mut victim in std::mem::take(&mut plan.victims) {
                if victim.copy(&writer, progress)? {
                    copied.push(victim);
                }
            }
            plan.victims = copied;
            writer.sync()
        });
        progress.end();
        outcome
    }

    /// Seals the open packs among the victims, so that nobody appends to them any more; those in use are spared. All come
    /// first: what is copied must not land in one of them.
    fn close_open(&self, victims: &mut Vec<Victim>) -> Result<(), StoreError> {
        let mut closed = Vec::new();
        for mut victim in std::mem::take(victims) {
            if !victim.pack.sealed {
                let Some(path) = self.seal_open(&victim)? else { continue };
                (victim.pack.path, victim.pack.sealed) = (path, true);
                let Some(now) = victim.pack.again()? else { continue };
                victim.seen = now.modified;
            }
            closed.push(victim);
        }
        *victims = closed;
        Ok(())
    }

    /// Seals an open pack; `None` if somebody has it, or has appended to it.
    fn seal_open(&self, victim: &Victim) -> Result<Option<PathBuf>, StoreError> {
        let table = victim.pack.path.with_extension("table");
        if victim.pack.again()?.is_none_or(|now| now.modified != victim.seen) {
            return Ok(None);
        }
        let Some(open) = OpenPack::take(table)? else { return Ok(None) };
        let is_longer = victim.pack.again()?.is_none_or(|now| now.length != victim.pack.length);
        if is_longer || open.is_empty() {
            return Ok(None);
        }
        let path = open.seal(&self.path().join("packs"))?;
        self.index_to_change().forget();
        Ok(Some(path))
    }
}

impl Swept {
    fn count(&mut self, victim: &Victim, items: u64) {
        self.removed_packs += 1;
        self.rewritten_packs += u64::from(!victim.stays.is_empty());
        self.removed_items += items;
        self.freed += victim.pack.length.saturating_sub(victim.copied);
    }
}

impl Victim {
    /// Copies what stays; whether all of it could be.
    fn copy(&mut self, writer: &StoreWriter, progress: &Progress) -> Result<bool, StoreError> {
        if self.stays.is_empty() {
            return Ok(true);
        }
        let file = self.pack.open()?;
        if self.pack.clone_of.is_some() {
            return self.copy_encoded(&file, writer, progress);
        }
        for item in &self.stays {
            let Some(stored) = self.pack.read(&file, item)? else { return Ok(false) };
            writer.copy(item.0.id, &stored)?;
            progress.advance(u64::from(item.0.stored));
        }
        Ok(true)
    }

    /// Copies what stays of a clone, in which all is raw.
    fn copy_encoded(
        &mut self,
        file: &File,
        writer: &StoreWriter,
        progress: &Progress,
    ) -> Result<bool, StoreError> {
        let (mut encoder, mut copied) = (Encoder::default(), 0);
        for items in self.stays.chunks(AT_ONCE) {
            let encode = |(number, item): (usize, &PackItem)| {
                let mut encoder = encoder.at(number as u64);
                let stored = self.pack.read(file, item)?;
                Ok((stored.map(|stored| stored.encoded(&mut encoder)), encoder))
            };
            let encoded: Result<Vec<_>, StoreError> = items.par_iter().enumerate().map(encode).collect();
            let encoded = encoded?;
            encoder = Encoder::united(encoded.iter().map(|(_, encoder)| *encoder));
            for ((entry, _), (stored, _)) in items.iter().zip(&encoded) {
                let Some(stored) = stored else { return Ok(false) };
                writer.copy(entry.id, stored)?;
                copied += stored.bytes.len() as u64;
                progress.advance(u64::from(entry.stored));
            }
        }
        self.copied = copied;
        Ok(true)
    }
}

impl Exclusion {
    /// Removes the packs of `plan`, as far as nobody relied on them since, and as far as all that `keeps` says of them is in
    /// packs that stay.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; whatever has gone then was not needed.
    pub fn sweep(&self, plan: Plan, keeps: Keeps<'_>) -> Result<Swept, StoreError> {
        let mut victims = Vec::new();
        for victim in plan.victims {
            let now = victim.pack.again()?;
            if now.is_some_and(|now| now.modified == victim.seen) {
                victims.push(victim);
            }
        }
        let kept_of = |victim: &Victim| -> Option<Vec<Digest>> {
            let items = victim.pack.items()?;
            let kept = items.into_iter().filter(|(entry, _)| keeps(&victim.pack, entry));
            Some(kept.map(|(entry, _)| entry.id).collect())
        };
        let mut nowhere: HashSet<Digest> = victims.iter().filter_map(kept_of).flatten().collect();
        let paths: HashSet<_> = victims.iter().map(|victim| victim.pack.path.clone()).collect();
        let packs = self.store().packs()?;
        for pack in packs.iter().filter(|pack| !paths.contains(&pack.path)) {
            if nowhere.is_empty() {
                break;
            }
            pack.items().unwrap_or_default().iter().for_each(|(entry, _)| {
                nowhere.remove(&entry.id);
            });
        }
        let mut swept = Swept { damaged_packs: plan.sums.damaged_packs, ..Swept::default() };
        (swept.packs, swept.bytes) = (plan.sums.packs, plan.sums.bytes);
        let mut files = Vec::new();
        for victim in &victims {
            let needed = kept_of(victim).is_none_or(|kept| kept.iter().any(|id| nowhere.contains(id)));
            if needed {
                continue;
            }
            let items = victim.pack.items().map_or(0, |items| items.len() as u64);
            swept.count(victim, items.saturating_sub(victim.stays.len() as u64));
            files.extend(victim.pack.files());
        }
        self.remove(&files)?;
        Ok(swept)
    }
}

/// The first eight bytes of an id.
fn beginning(id: &Digest) -> u64 {
    id.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
