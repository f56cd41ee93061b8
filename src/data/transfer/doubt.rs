//! Samples of what a push relies on: chunks that others are said to have sent.
//!
//! A table that hashes to the name of its pack proves what the pack should hold, not what it holds. Whoever may write to a
//! bucket could put a pack there whose table names your chunks and whose bytes are garbage; a push would then leave them out,
//! and nobody would know until they are needed. So `push --verify` reads samples of what is reused in packs that this
//! clone did not send itself, and holds them against their ids. A pack that fails is not relied on, and what it should hold is
//! sent. (`fsck --remote --read-data` reads everything, whoever sent it.)

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use crate::base::{Digest, RandomId, Unit};
use crate::objects::{ItemKind, PackRef};
use crate::storage::remote_reader::{Fetched, ReadError, RemoteReader, Wanted};

use super::plan::Plan;
use super::push::Push;
use super::{Knowledge, TransferError};

/// The packs that `plan` relies on, that this clone did not send, and of which `percent` of the reused items, by chance, are
/// not what they should be.
///
/// # Errors
///
/// When the remote fails.
pub(super) fn damaged_packs(
    push: &Push<'_>,
    knowledge: &Knowledge,
    plan: &Plan,
    percent: u8,
) -> Result<BTreeSet<Digest>, TransferError> {
    let foreign: Vec<_> = plan.reused.iter().filter(|pack| !knowledge.has_sent(&pack.id)).copied().collect();
    if foreign.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut relied: HashMap<Digest, Vec<Wanted>> = HashMap::new();
    for (id, place) in &plan.places {
        let wanted = Wanted { id: Some(*id), kind: ItemKind::Chunk, place: *place };
        relied.entry(place.pack.id).or_default().push(wanted);
    }
    // Of a folder that is reused it is known in which packs it lies, not where.
    let relies_on_folders = !plan.reused_nodes.is_empty();
    let reader = RemoteReader::new(push.remote);
    push.progress.begin("verifying", Unit::Items, Some(foreign.len() as u64));
    let look = |pack: &PackRef| -> Result<Option<Digest>, TransferError> {
        let answer = look(&reader, pack, relied.get(&pack.id), relies_on_folders, percent);
        push.progress.advance(1);
        match answer {
            Ok(()) => Ok(None),
            Err(ReadError::Remote(error)) => Err(error.into()),
            Err(_) => Ok(Some(pack.id)),
        }
    };
    let found: Result<Vec<_>, _> = foreign.par_iter().map(look).collect();
    push.progress.end();
    Ok(found?.into_iter().flatten().collect())
}

/// Reads a sample of the items of a pack that are `relied` on, and of `all` of its items where others of them may be.
fn look(
    reader: &RemoteReader,
    pack: &PackRef,
    relied: Option<&Vec<Wanted>>,
    all: bool,
    percent: u8,
) -> Result<(), ReadError> {
    let mut drawn = sample(relied.cloned().unwrap_or_default(), percent);
    if all || relied.is_none() {
        let mut items = Vec::new();
        for (pack, footer) in reader.footers(pack)? {
            let wanted = footer.places(pack).filter(|(entry, _)| entry.kind != ItemKind::Locator);
            items.extend(wanted.map(|(entry, place)| Wanted { id: Some(entry.id), kind: entry.kind, place }));
        }
        drawn.extend(sample(items, percent));
    }
    reader.read_each(&drawn, &|_, _: Fetched<'_>| Ok::<(), ReadError>(()))
}

/// So many percent of them, by chance; at least one.
fn sample(items: Vec<Wanted>, percent: u8) -> Vec<Wanted> {
    let wanted = (items.len() * usize::from(percent.min(100))).div_ceil(100);
    let chance = RandomId::generate();
    let lot = |item: &Wanted| {
        Digest::of(&[chance.as_bytes(), &item.id.unwrap_or_default().as_bytes()[..]].concat())
    };
    let mut drawn: Vec<_> = items.into_iter().map(|item| (lot(&item), item)).collect();
    drawn.sort_unstable_by_key(|(lot, _)| *lot);
    drawn.into_iter().take(wanted).map(|(_, item)| item).collect()
}
