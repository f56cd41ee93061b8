//! Packs copied into others: many small ones into few, and those that are needed but condemned into names that may live.
//!
//! The order is that of a push: new packs, then index and claim, then a look at `gc/`, and only then `moves/`. Root records
//! stay as they are: who misses a pack looks at `moves/`. Once a pack is moved whole nobody needs its old name, and the
//! next runs condemn and delete it as any other. Locators are not copied: they tell places in the old pack, and are hints.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Digest, Progress, RandomId, Unit};
use crate::data::transfer::TransferError;
use crate::objects::pack::TRAILER_LEN;
use crate::objects::pointer::PointerKind;
use crate::objects::root::MAX_INLINE_PACKS;
use crate::objects::{
    Berth, FinishedPack, Home, IndexBuilder, ItemKind, Moves, PackFooter, PackRef, PackSeries, RootPacks,
    RootRecord, SessionId, layout,
};
use crate::storage::remote::Remote;
use crate::storage::store::Stored;

use super::error::CollectRemoteError;
use super::needs::Needs;
use super::survey::Survey;
use super::verdict::Verdict;

/// A pack below this size is small, in bytes.
const SMALL: u64 = 8 << 20;
/// So many small packs are worth the work.
const MANY: usize = 16;
/// No run folds more, in bytes: so that it ends before its claim is old.
const MOST: u64 = 4 << 30;
/// Nodes keep the form in which they are stored; nothing is compressed anew.
const LEVEL: i32 = 3;

/// The packs that are to be folded.
pub(super) fn to_fold(survey: &Survey, verdict: &Verdict, needs: &Needs) -> Vec<Digest> {
    let is_open = |pack: &&Digest| !survey.moves.contains_key(*pack) && survey.packs.contains_key(*pack);
    let condemned = |pack: &&Digest| survey.records.condemned.contains(*pack);
    let needed: Vec<_> = needs.packs.keys().filter(is_open).collect();
    let size = |pack: &Digest| survey.packs.get(pack).map_or(0, |listed| listed.size);
    let old = |pack: &Digest| {
        survey.packs.get(pack).is_some_and(|listed| survey.is_older(listed.modified, survey.grace()))
    };
    let small = needed.iter().filter(|pack| !condemned(pack) && size(pack) < SMALL && old(pack));
    let mut small: Vec<Digest> = small.map(|pack| **pack).collect();
    if small.len() < MANY {
        small.clear();
    }
    let rescued = needed.iter().filter(|pack| condemned(pack) && verdict.kept.contains(**pack));
    let mut left = MOST;
    let mut fold: Vec<Digest> = rescued.map(|pack| **pack).chain(small).collect();
    fold.retain(|pack| {
        let fits = left >= size(pack);
        left -= if fits { size(pack) } else { 0 };
        fits
    });
    fold
}

/// Folds the packs. How many were.
///
/// # Errors
///
/// When the remote fails. A pack that is damaged is left as it is.
pub(super) fn fold(
    remote: &Remote,
    survey: &mut Survey,
    packs: &[Digest],
    progress: &Progress,
) -> Result<u64, CollectRemoteError> {
    if packs.is_empty() {
        return Ok(0);
    }
    survey.records.refresh(remote)?;
    let session = SessionId::begin(survey.records.epoch);
    progress.begin("folding", Unit::Items, Some(packs.len() as u64));
    let copied = copy(remote, session, packs, progress);
    progress.end();
    let Copied { packs: new, moved } = copied?;
    if moved.is_empty() {
        return Ok(0);
    }
    announce(remote, session, &new)?;
    survey.records.refresh(remote)?;
    let is_condemned = |pack: &PackRef| survey.records.condemned.contains(&pack.id);
    if session.epoch < survey.records.floor || new.iter().any(|(pack, _)| is_condemned(pack)) {
        // Somebody collected meanwhile. The copies are nobody's: a later run takes them away.
        return Ok(0);
    }
    for (pack, targets) in &moved {
        let targets = targets.iter().copied().collect();
        let moves = Moves { pack: *pack, targets, extensions: Vec::new() };
        remote.put(&layout::moves_name(pack), moves.encode()?)?;
    }
    Ok(moved.len() as u64)
}

/// What was copied.
struct Copied {
    /// The new packs.
    packs: Vec<(PackRef, PackFooter)>,
    /// The old packs of which everything was copied, and where it lies now.
    moved: BTreeMap<Digest, BTreeSet<PackRef>>,
}

fn copy(
    remote: &Remote,
    session: SessionId,
    packs: &[Digest],
    progress: &Progress,
) -> Result<Copied, TransferError> {
    let mut new = Vec::new();
    let mut deliver = |pack: FinishedPack<Vec<u8>>| -> Result<Vec<u8>, TransferError> {
        let memory = remote.put(&layout::pack_name(&pack.pack.id), pack.out)?;
        new.push((pack.pack, pack.footer));
        Ok(memory)
    };
    let mut series = PackSeries::new(session, LEVEL, &mut deliver);
    let mut berths: BTreeMap<Digest, Vec<Berth>> = BTreeMap::new();
    for pack in packs {
        let items = whole_items(&remote.get(&layout::pack_name(pack))?, pack);
        progress.advance(1);
        for (entry, stored) in items.into_iter().flatten() {
            if entry.kind != ItemKind::Locator {
                let berth = series.put_stored(&entry, &stored)?;
                berths.entry(*pack).or_default().push(berth);
            }
        }
    }
    let series = series.finish()?;
    let place = |berth: &Berth| series.place(berth).map(|place| place.pack);
    let moved = berths.into_iter().map(|(pack, berths)| (pack, berths.iter().filter_map(place).collect()));
    Ok(Copied { moved: moved.collect(), packs: new })
}

/// The items of a pack as they are stored; `None` where any of it is damaged: a damaged copy must not replace anything.
pub(in crate::data) fn whole_items(
    bytes: &[u8],
    pack: &Digest,
) -> Option<Vec<(crate::objects::FooterEntry, Vec<u8>)>> {
    let trailer = crate::objects::pack::Trailer::decode(bytes.last_chunk::<TRAILER_LEN>()?).ok()?;
    let end = bytes.len() - TRAILER_LEN;
    let footer = bytes.get(end.checked_sub(trailer.footer_len as usize)?..end)?;
    let footer = PackFooter::decode(footer).ok().filter(|footer| footer.id() == *pack)?;
    if Digest::of(bytes.get(..footer.pack_ref().footer_offset() as usize)?) != footer.data_hash {
        return None;
    }
    let entries: Vec<_> = footer.places(footer.pack_ref()).map(|(entry, place)| (*entry, place)).collect();
    let item = |(entry, place): (crate::objects::FooterEntry, crate::objects::Place)| {
        let (from, to) = (place.offset as usize, (place.offset + place.stored) as usize);
        let bytes = bytes.get(from..to)?.to_vec();
        let stored = Stored { kind: entry.kind, codec: entry.codec, bytes, raw: entry.raw };
        stored.open(&entry.id)?;
        Some((entry, stored.bytes))
    };
    entries.into_iter().map(item).collect()
}

/// Index and claims of the new packs.
fn announce(
    remote: &Remote,
    session: SessionId,
    packs: &[(PackRef, PackFooter)],
) -> Result<(), CollectRemoteError> {
    let mut builder = IndexBuilder::new(session.epoch);
    packs.iter().for_each(|(pack, footer)| builder.add(*pack, footer));
    let (name, bytes) = builder.finish().encode()?;
    remote.put(&layout::index_name(&name), bytes)?;
    let nobody = RandomId::generate();
    for (packs, number) in packs.chunks(MAX_INLINE_PACKS).zip(0..) {
        let mut packs: Vec<_> = packs.iter().map(|(pack, _)| *pack).collect();
        packs.sort_unstable();
        let claim = RootRecord {
            repository: nobody,
            home: Home::of(nobody, ""),
            session,
            kind: PointerKind::Tree,
            root: Digest::ZERO,
            manifest: None,
            bytes: 0,
            files: 0,
            bases: Vec::new(),
            commits: Vec::new(),
            top: None,
            top_copy: None,
            locator: None,
            locator_copy: None,
            packs: RootPacks::Inline(packs),
            meta_packs: Vec::new(),
            profiles: None,
            extensions: Vec::new(),
        };
        remote.put(&layout::claim_name(&session, number), claim.encode_claim()?)?;
    }
    Ok(())
}
