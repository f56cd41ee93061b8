//! What lies on the remote, listed in the order on which safety rests.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;

use crate::base::{Digest, RandomId};
use crate::data::transfer::survey::{Collected as Records, config_for_collecting};
use crate::data::transfer::tables::packs_of;
use crate::data::transfer::{Knowledge, TransferError};
use crate::objects::gc_record::RootName;
use crate::objects::layout::{self, known_id, stored_id};
use crate::objects::{Index, Moves, PackRef, RecordName, RemoteConfig, RootPacks, RootRecord, SessionId};
use crate::storage::remote::{Listed, Remote, RemoteErrorKind};
use crate::storage::remote_reader::{ReadError, RemoteReader};

use super::error::CollectRemoteError;
use super::run::CollectRemote;

/// A root record that was read.
pub(in crate::data) struct Root {
    /// Its name.
    pub(in crate::data) name: RootName,
    /// The packs that it names; `None` where its pack set cannot be read, because a pack is missing.
    pub(in crate::data) packs: Option<Vec<PackRef>>,
    /// The packs that it names itself.
    pub(in crate::data) meta: Vec<PackRef>,
}

impl Root {
    /// The name of the object.
    pub(in crate::data) fn object(&self) -> String {
        layout::root_name(&self.name.repository, &self.name.root, &self.name.session)
    }
}

/// A claim that was read.
pub(in crate::data) struct Claim {
    /// Its push.
    pub(in crate::data) session: SessionId,
    /// The name of the object.
    pub(in crate::data) object: String,
    /// The packs that it names.
    pub(in crate::data) packs: Vec<PackRef>,
}

/// What lies on the remote.
pub(in crate::data) struct Survey {
    /// The time.
    pub(in crate::data) now: SystemTime,
    /// What the remote says about itself, and its id.
    pub(in crate::data) config: (RemoteConfig, Digest),
    /// The names of the records that were there before claims and roots were listed, with their times: only these are
    /// acted upon.
    pub(in crate::data) before: BTreeMap<RecordName, Option<SystemTime>>,
    /// The epoch before anything else was listed.
    pub(in crate::data) epoch: u64,
    /// All records, those too that came in between.
    pub(in crate::data) records: Records,
    /// All claims.
    pub(in crate::data) claims: Vec<Claim>,
    /// All roots.
    pub(in crate::data) roots: Vec<Root>,
    /// All index objects that can be read.
    pub(in crate::data) indexes: BTreeMap<RecordName, Index>,
    /// All packs.
    pub(in crate::data) packs: BTreeMap<Digest, Listed>,
    /// What was folded.
    pub(in crate::data) moves: BTreeMap<Digest, Moves>,
    /// Objects that are not ours.
    pub(in crate::data) foreign: Vec<String>,
    /// What writers that were killed left of objects, each older than any push may take.
    pub(in crate::data) unfinished: Vec<Listed>,
    /// Roots and claims that cannot be understood.
    pub(in crate::data) unreadable: Vec<String>,
    /// Claims that went between the listing and the reading.
    pub(in crate::data) gone_claims: Vec<(SessionId, String)>,
}

impl Survey {
    /// Looks at everything.
    pub(in crate::data) fn take(
        collect: &CollectRemote<'_>,
        knowledge: &mut Knowledge,
    ) -> Result<Self, CollectRemoteError> {
        let remote = collect.remote;
        let config = config_for_collecting(remote, knowledge)?;
        let mut records = Records::default();
        records.refresh(remote)?;
        let epoch = records.epoch;
        let before = records.records().iter().map(|(name, met)| (*name, met.modified)).collect();
        let claims = remote.list(layout::CLAIMS)?;
        let roots = remote.list(layout::ROOTS)?;
        let indexes = remote.list(layout::INDEX)?;
        records.refresh(remote)?;
        let all = remote.list("")?;
        let now = time_of(remote, collect.dry_run, collect.now)?;
        let mut survey = Self {
            now,
            config,
            before,
            epoch,
            records,
            claims: Vec::new(),
            roots: Vec::new(),
            indexes: BTreeMap::new(),
            packs: BTreeMap::new(),
            moves: BTreeMap::new(),
            foreign: Vec::new(),
            unfinished: Vec::new(),
            unreadable: Vec::new(),
            gone_claims: Vec::new(),
        };
        survey.sort_out(remote, all)?;
        let is_left = |object: &Listed| survey.is_older(object.modified, survey.session_life());
        survey.unfinished = remote.unfinished()?.into_iter().filter(is_left).collect();
        survey.read_roots(remote, knowledge, &roots)?;
        survey.read_claims(remote, &claims)?;
        survey.read_indexes(remote, knowledge, &indexes)?;
        Ok(survey)
    }

    /// Whether something was written at least so long ago. What has no time, or one of the future, was not.
    pub(in crate::data) fn is_older(&self, modified: Option<SystemTime>, than: Duration) -> bool {
        let age = modified.and_then(|modified| self.now.duration_since(modified).ok());
        age.is_some_and(|age| age >= than)
    }

    /// Whether a pack is there, in its full length.
    pub(in crate::data) fn holds(&self, pack: &PackRef) -> bool {
        self.packs.get(&pack.id).is_some_and(|listed| listed.size == u64::from(pack.size))
    }

    /// How long a condemned pack waits.
    pub(in crate::data) fn grace(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.0.grace_h) * 3600)
    }

    /// How long a push may take.
    pub(in crate::data) fn session_life(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.0.session_days) * 24 * 3600)
    }

    fn sort_out(&mut self, remote: &Remote, all: Vec<Listed>) -> Result<(), CollectRemoteError> {
        let mut moves = Vec::new();
        for object in all {
            let name = object.name.as_str();
            if let Some(pack) = layout::parse_pack_name(name) {
                self.packs.insert(known_id(&pack), object);
            } else if layout::parse_moves_name(name).is_some() {
                moves.push(object.name);
            } else if !is_ours(name) {
                self.foreign.push(object.name);
            }
        }
        let read = |name: &String| Ok((name.clone(), get(remote, name)?));
        let read: Vec<_> = moves.par_iter().map(read).collect::<Result<_, CollectRemoteError>>()?;
        for (name, bytes) in read {
            match bytes.map(|bytes| Moves::decode(&bytes)) {
                Some(Ok(moves)) if layout::moves_name(&moves.pack) == name => {
                    self.moves.insert(moves.pack, moves);
                }
                Some(_) => self.foreign.push(name),
                None => {}
            }
        }
        Ok(())
    }

    fn read_roots(
        &mut self,
        remote: &Remote,
        knowledge: &Knowledge,
        listed: &[Listed],
    ) -> Result<(), CollectRemoteError> {
        let reader = RemoteReader::new(remote);
        let sets = Mutex::new(HashMap::new());
        let read = |object: &Listed| read_root(remote, &reader, knowledge, &sets, &object.name);
        let listed: Vec<_> =
            listed.iter().filter(|object| layout::parse_root_name(&object.name).is_some()).collect();
        let read: Vec<_> =
            listed.par_iter().map(|object| read(object)).collect::<Result<_, CollectRemoteError>>()?;
        for (object, root) in listed.into_iter().zip(read) {
            match root {
                Reading::Read(root) => self.roots.push(root),
                Reading::Gone => {}
                Reading::Unreadable => self.unreadable.push(object.name.clone()),
            }
        }
        Ok(())
    }

    fn read_claims(&mut self, remote: &Remote, listed: &[Listed]) -> Result<(), CollectRemoteError> {
        let reader = RemoteReader::new(remote);
        let listed: Vec<_> =
            listed.iter().filter(|object| layout::parse_claim_name(&object.name).is_some()).collect();
        let read = |object: &&Listed| -> Result<Reading<Claim>, CollectRemoteError> {
            let Some(bytes) = get(remote, &object.name)? else { return Ok(Reading::Gone) };
            let Ok(claim) = RootRecord::decode_claim(&bytes) else { return Ok(Reading::Unreadable) };
            let named = layout::parse_claim_name(&object.name).map(|(session, _)| session);
            if named != Some(claim.session) {
                return Ok(Reading::Unreadable);
            }
            // Of a claim whose pack set is gone, the rest holds.
            let packs = readable(packs_of(&reader, &claim))?.unwrap_or_else(|| own_packs(&claim));
            Ok(Reading::Read(Claim { session: claim.session, object: object.name.clone(), packs }))
        };
        let read: Vec<_> = listed.par_iter().map(read).collect::<Result<_, _>>()?;
        for (object, claim) in listed.into_iter().zip(read) {
            match claim {
                Reading::Read(claim) => self.claims.push(claim),
                Reading::Gone => {
                    let session = layout::parse_claim_name(&object.name).map(|(session, _)| session);
                    self.gone_claims.extend(session.map(|session| (session, object.name.clone())));
                }
                Reading::Unreadable => self.unreadable.push(object.name.clone()),
            }
        }
        Ok(())
    }

    fn read_indexes(
        &mut self,
        remote: &Remote,
        knowledge: &Knowledge,
        listed: &[Listed],
    ) -> Result<(), CollectRemoteError> {
        let named = |object: &Listed| Some((object.name.clone(), layout::parse_index_name(&object.name)?));
        let listed: Vec<_> = listed.iter().filter_map(named).collect();
        let read = |(object, name): &(String, RecordName)| -> Result<Option<(RecordName, Index)>, CollectRemoteError> {
            let bytes = match knowledge.index(object) {
                Some(bytes) => bytes,
                None => match get(remote, object)? {
                    Some(bytes) => bytes,
                    None => return Ok(None),
                },
            };
            let index = Index::decode(&bytes).ok();
            let index = index.filter(|index| index.encode().is_ok_and(|(encoded, _)| encoded == *name));
            Ok(index.map(|index| (*name, index)))
        };
        let read: Vec<_> = listed.par_iter().map(read).collect::<Result<_, _>>()?;
        self.indexes.extend(read.into_iter().flatten());
        Ok(())
    }
}

/// What became of a record that was listed.
enum Reading<T> {
    Read(T),
    Gone,
    Unreadable,
}

/// Pack sets that were read: roots share them.
type Sets = Mutex<HashMap<Digest, Vec<PackRef>>>;

fn read_root(
    remote: &Remote,
    reader: &RemoteReader,
    knowledge: &Knowledge,
    sets: &Sets,
    object: &str,
) -> Result<Reading<Root>, CollectRemoteError> {
    let Some((repository, root, session)) = layout::parse_root_name(object) else {
        return Ok(Reading::Unreadable);
    };
    let known = |record: &RootRecord| {
        (record.repository, stored_id(&record.root), record.session) == (repository, root, session)
    };
    let kept = knowledge.record(&known_id(&root), &session);
    let kept = kept.and_then(|bytes| RootRecord::decode(&bytes).ok()).filter(known);
    let record = match kept {
        Some(record) => record,
        None => {
            let Some(bytes) = get(remote, object)? else { return Ok(Reading::Gone) };
            let Some(record) = RootRecord::decode(&bytes).ok().filter(known) else {
                return Ok(Reading::Unreadable);
            };
            knowledge.keep_record(&record.root, &session, &bytes).map_err(TransferError::from)?;
            record
        }
    };
    let name = RootName { repository, root: record.root, session };
    let meta = own_packs(&record);
    let RootPacks::Set { id, .. } = record.packs else {
        return Ok(Reading::Read(Root { name, packs: Some(meta.clone()), meta }));
    };
    let met = sets.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
    let packs = match met {
        Some(packs) => Some([packs, meta.clone()].concat()),
        None => readable(packs_of(reader, &record))?.inspect(|packs| {
            sets.lock().unwrap_or_else(PoisonError::into_inner).insert(id, packs.clone());
        }),
    };
    Ok(Reading::Read(Root { name, packs, meta }))
}

/// The packs that stand in a record itself.
fn own_packs(record: &RootRecord) -> Vec<PackRef> {
    let mut packs = record.meta_packs.clone();
    match &record.packs {
        RootPacks::Inline(inline) => packs.extend(inline),
        RootPacks::Set { place, .. } => packs.push(place.pack),
    }
    packs.extend([record.top, record.locator, record.profiles].into_iter().flatten().map(|place| place.pack));
    packs.sort_unstable();
    packs.dedup();
    packs
}

/// `None` for what cannot be read because something is missing or damaged.
fn readable<T>(read: Result<T, TransferError>) -> Result<Option<T>, CollectRemoteError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(TransferError::Read(ReadError::Remote(error))) => Err(error.into()),
        Err(TransferError::Read(_) | TransferError::Format(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The bytes of an object; `None` where it went since it was listed.
fn get(remote: &Remote, name: &str) -> Result<Option<Vec<u8>>, CollectRemoteError> {
    match remote.get(name) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == RemoteErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The time by the clock of the service: that of an object which is written for it. Where nothing is to be changed, the
/// clock of this machine, for a forecast.
pub(in crate::data) fn time_of(
    remote: &Remote,
    dry_run: bool,
    given: Option<SystemTime>,
) -> Result<SystemTime, CollectRemoteError> {
    if let Some(now) = given {
        return Ok(now);
    }
    if dry_run {
        return Ok(SystemTime::now());
    }
    let name = layout::clock_name(&RandomId::generate());
    remote.put(&name, Vec::new())?;
    let told = remote.stat(&name)?.and_then(|object| object.modified);
    remote.delete(&name)?;
    told.ok_or_else(|| CollectRemoteError::NoTime { remote: remote.address().to_owned() })
}

fn is_ours(name: &str) -> bool {
    name == layout::CONFIG
        || layout::parse_gc_name(name).is_some()
        || layout::parse_index_name(name).is_some()
        || layout::parse_claim_name(name).is_some()
        || layout::parse_root_name(name).is_some()
}

/// The roots that are listed, by name.
pub(in crate::data) fn names(roots: &[Root]) -> BTreeSet<RootName> {
    roots.iter().map(|root| root.name).collect()
}
