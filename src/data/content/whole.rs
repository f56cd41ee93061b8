//! Versions that the store was seen to hold whole.
//!
//! Whether a version of a million files is here takes a look at a million ids. The answer stays true while every pack
//! that was there then is there still, so it is noted with a census of them: status and a second `add` ask the store
//! for nothing but that. A pack that was collected, dropped, or removed by hand ends it, and all is looked at again.
//!
//! One file in the folder of the store, `whole`: `mlwhole1`, a count of packs (u32) and their census, the ids of the roots,
//! BLAKE3 of all before. Damaged or missing, it is as if nothing had been seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::base::Digest;
use crate::data::root::RootName;
use crate::storage::durable::{self, DurableError};
use crate::storage::store::{Census, Store};

use super::presence::{Presence, presence};

const MAGIC: &[u8; 8] = b"mlwhole1";
/// More are not remembered.
const MOST: usize = 4096;

/// Versions that the store was seen to hold whole.
#[derive(Debug)]
pub struct WholeRoots<'a> {
    store: &'a Store,
    file: PathBuf,
    census: Option<Census>,
    roots: BTreeSet<Digest>,
    changed: bool,
}

impl<'a> WholeRoots<'a> {
    /// What is known of this store.
    pub fn open(store: &'a Store) -> Self {
        let file = store.path().join("whole");
        let census = store.census().ok();
        let noted = fs::read(&file).ok().and_then(|bytes| decode(&bytes));
        let holds = |(earlier, roots): (Census, _)| census.as_ref()?.covers(&earlier).then_some(roots);
        let roots = noted.and_then(holds).unwrap_or_default();
        Self { store, file, census, roots, changed: false }
    }

    /// Whether the store is known to hold all of `root`.
    pub fn has(&self, root: &RootName) -> bool {
        self.roots.contains(&root.id)
    }

    /// Notes that the store holds all of `root`.
    pub fn note(&mut self, root: &RootName) {
        if self.roots.len() >= MOST {
            self.roots.clear();
        }
        self.changed |= self.roots.insert(root.id);
    }

    /// How much of `root` the store holds.
    pub fn presence(&mut self, root: &RootName) -> Presence {
        if self.has(root) {
            return Presence::Whole;
        }
        let presence = presence(self.store, root);
        if presence == Presence::Whole {
            self.note(root);
        }
        presence
    }

    /// Writes down what was found, unless a pack went away meanwhile. What is lost by a failure is only time.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn save(&mut self) -> Result<(), DurableError> {
        let now = self.store.census().ok();
        let (Some(before), Some(now)) = (&self.census, now) else { return Ok(()) };
        // Packs that were sealed under another name since leave the note behind, too.
        if !now.covers(before) || (!self.changed && now == *before) {
            return Ok(());
        }
        durable::write_derived(&self.file, &encode(&now, &self.roots))?;
        self.changed = false;
        Ok(())
    }
}

fn encode(census: &Census, roots: &BTreeSet<Digest>) -> Vec<u8> {
    let census = census.encode();
    let mut out = MAGIC.to_vec();
    out.extend((census.len() as u32).to_le_bytes());
    out.extend(census);
    roots.iter().for_each(|root| out.extend(root.as_bytes()));
    let seal = Digest::of(&out);
    out.extend(seal.as_bytes());
    out
}

fn decode(bytes: &[u8]) -> Option<(Census, BTreeSet<Digest>)> {
    let (body, seal) = bytes.split_last_chunk::<32>()?;
    if Digest::of(body).as_bytes() != seal {
        return None;
    }
    let (length, rest) = body.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    let (census, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let (roots, left) = rest.as_chunks::<32>();
    let roots = roots.iter().map(|root| Digest::from_bytes(*root)).collect();
    left.is_empty().then_some((Census::decode(census)?, roots))
}
