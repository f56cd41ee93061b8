//! What a writer must know of a remote before it plans: its configuration, what gc condemned, which roots are there.
//!
//! Steps 1 and 6 of the push of the remote protocol (see [`super::push`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use crate::base::{Digest, RandomId};
use crate::objects::gc_record::{Certificate, GcRecord, RootName};
use crate::objects::layout::{self, StoredId, stored_id};
use crate::objects::{Index, RecordName, RemoteConfig, SessionId};
use crate::storage::remote::{Listed, Remote, RemoteErrorKind};

use super::{Knowledge, TransferError};

/// A trusted record of this age need not be renewed: a root is never forgotten before it is a month old.
const YOUNG: Duration = Duration::from_secs(7 * 24 * 3600);
/// Up to so many roots are looked for one by one, whatever the repository has.
const ROOTS_ONE_BY_ONE: usize = 8;
/// Objects that a service tells with one request.
const PAGE: usize = 1000;

/// What the records of gc say together.
#[derive(Debug, Default)]
pub struct Collected {
    /// The highest epoch.
    pub epoch: u64,
    /// Sessions of a lower epoch are dead.
    pub floor: u64,
    /// Packs that no new root may name.
    pub condemned: BTreeSet<Digest>,
    certified: BTreeSet<RootName>,
    records: BTreeMap<RecordName, Met>,
}

/// A record that was read.
#[derive(Debug)]
pub struct Met {
    /// The record.
    pub record: GcRecord,
    /// When it was written, by the clock of the service.
    pub modified: Option<SystemTime>,
}

impl Collected {
    /// Lists the records and reads those that are new. Whether there were any.
    ///
    /// # Errors
    ///
    /// [`TransferError`] when one cannot be read: then nothing may be concluded.
    pub fn refresh(&mut self, remote: &Remote) -> Result<bool, TransferError> {
        let listed = remote.list(layout::GC)?;
        let names =
            listed.iter().filter_map(|object| Some((layout::parse_gc_name(&object.name)?, object.modified)));
        let new: Vec<_> = names.filter(|(name, _)| !self.records.contains_key(name)).collect();
        for (name, modified) in &new {
            let object = layout::gc_name(name);
            let bytes = match remote.get(&object) {
                // Collected since it was listed: what it said stands in a newer one.
                Err(error) if error.kind() == RemoteErrorKind::NotFound => continue,
                answer => answer?,
            };
            let damaged = |source| TransferError::Object { name: object.clone(), source };
            let record = GcRecord::decode(&bytes).map_err(|source| damaged(Some(source)))?;
            if record.encode()?.0 != *name {
                return Err(damaged(None));
            }
            self.epoch = self.epoch.max(record.epoch);
            self.floor = self.floor.max(record.floor);
            self.condemned.extend(&record.condemned);
            self.records.insert(*name, Met { record, modified: *modified });
        }
        self.certified = self.certificate();
        Ok(!new.is_empty())
    }

    fn certificate(&self) -> BTreeSet<RootName> {
        let mut records = self.records.values().map(|met| &met.record).rev();
        let newest = records.find(|record| record.certificate != Certificate::None);
        let roots = newest.and_then(|record| match &record.certificate {
            Certificate::None => None,
            Certificate::Here(roots) => Some(roots),
            Certificate::In(name) => match &self.records.get(name)?.record.certificate {
                Certificate::Here(roots) => Some(roots),
                _ => None,
            },
        });
        roots.cloned().unwrap_or_default()
    }

    /// The roots of the newest certificate.
    pub fn certified(&self) -> &BTreeSet<RootName> {
        &self.certified
    }

    /// All records, the oldest first.
    pub fn records(&self) -> &BTreeMap<RecordName, Met> {
        &self.records
    }

    /// Whether the record of a root may be relied on: its session lives, or gc found it whole.
    pub fn trusts(&self, repository: RandomId, root: Digest, session: SessionId) -> bool {
        session.epoch >= self.floor || self.certified.contains(&RootName { repository, root, session })
    }
}

/// The records of roots that a remote has.
#[derive(Debug, Default)]
pub struct Roots(BTreeMap<StoredId, Vec<(SessionId, Option<SystemTime>)>>);

impl Roots {
    /// Lists the records of these roots: one by one, or all of the repository where that takes fewer requests. `known`
    /// roots of it were met so far.
    ///
    /// # Errors
    ///
    /// When a listing fails.
    pub fn list(
        remote: &Remote,
        repository: RandomId,
        roots: &BTreeSet<Digest>,
        known: usize,
    ) -> Result<Self, TransferError> {
        let of_all = if remote.lists_flat() { 1 + known / PAGE } else { known.max(ROOTS_ONE_BY_ONE) };
        if roots.len() > of_all {
            return Self::list_all(remote, repository);
        }
        let mut found = Self::default();
        for root in roots {
            found.take(repository, remote.list(&layout::root_folder(&repository, root))?);
        }
        Ok(found)
    }

    /// Lists all of the repository.
    ///
    /// # Errors
    ///
    /// When the listing fails.
    pub fn list_all(remote: &Remote, repository: RandomId) -> Result<Self, TransferError> {
        let mut found = Self::default();
        found.take(repository, remote.list(&layout::repository_folder(&repository))?);
        Ok(found)
    }

    fn take(&mut self, repository: RandomId, listed: Vec<Listed>) {
        for object in listed {
            if let Some((owner, root, session)) = layout::parse_root_name(&object.name)
                && owner == repository
            {
                self.0.entry(root).or_default().push((session, object.modified));
            }
        }
    }

    /// The sessions that recorded this root, the newest first.
    pub fn sessions(&self, root: &Digest) -> Vec<SessionId> {
        let mut records = self.0.get(&stored_id(root)).cloned().unwrap_or_default();
        records.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| b.0.cmp(&a.0)));
        records.into_iter().map(|(session, _)| session).collect()
    }

    /// Whether the record is so young that nobody will forget it soon. A record without a time, or from the future, is
    /// not: renewing costs a few requests, not renewing might cost the data.
    pub fn is_young(&self, root: &Digest, session: &SessionId) -> bool {
        let records = self.0.get(&stored_id(root)).map(Vec::as_slice).unwrap_or_default();
        let modified = records.iter().find(|record| record.0 == *session).and_then(|record| record.1);
        let age = modified.and_then(|modified| SystemTime::now().duration_since(modified).ok());
        age.is_some_and(|age| age < YOUNG)
    }
}

/// Reads the configuration for reading.
///
/// # Errors
///
/// [`TransferError::Empty`] where there is none; [`TransferError::Config`] where it is not for this program.
pub fn config_for_reading(remote: &Remote, knowledge: &mut Knowledge) -> Result<RemoteConfig, TransferError> {
    Ok(readable_config(remote, knowledge)?.0)
}

/// The configuration that is there, if this program can read what lies there, and its id.
fn readable_config(
    remote: &Remote,
    knowledge: &mut Knowledge,
) -> Result<(RemoteConfig, Digest), TransferError> {
    let config = read_config(remote, knowledge)?;
    let config = config.ok_or_else(|| TransferError::Empty { remote: remote.address().to_owned() })?;
    config.0.check_readable().map_err(|source| unusable(remote, source))?;
    Ok(config)
}

/// Reads the configuration for writing; makes one where there is none.
///
/// # Errors
///
/// [`TransferError`]; an unknown version is never written to.
pub fn config_for_writing(remote: &Remote, knowledge: &mut Knowledge) -> Result<(), TransferError> {
    let config = match read_config(remote, knowledge)? {
        Some((config, _)) => config,
        None => make_config(remote, knowledge)?,
    };
    config.check_writable().map_err(|source| unusable(remote, source))?;
    Ok(())
}

/// Reads the configuration for deleting, and tells its id; none is made where there is none.
///
/// # Errors
///
/// [`TransferError::Empty`] where there is none; an unknown version is never cleaned.
pub fn config_for_collecting(
    remote: &Remote,
    knowledge: &mut Knowledge,
) -> Result<(RemoteConfig, Digest), TransferError> {
    let config = readable_config(remote, knowledge)?;
    config.0.check_writable().map_err(|source| unusable(remote, source))?;
    Ok(config)
}

fn unusable(remote: &Remote, source: crate::objects::remote_config::RemoteConfigError) -> TransferError {
    TransferError::Config { remote: remote.address().to_owned(), source }
}

fn read_config(
    remote: &Remote,
    knowledge: &mut Knowledge,
) -> Result<Option<(RemoteConfig, Digest)>, TransferError> {
    match remote.get(layout::CONFIG) {
        Ok(bytes) => {
            let config = RemoteConfig::parse(&bytes).map_err(|source| unusable(remote, source))?;
            knowledge.meet(config.remote_id);
            Ok(Some((config, RemoteConfig::id_of(&bytes))))
        }
        Err(error) if error.kind() == RemoteErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Two first pushes may come at once: both write, both read again, and both use what they read. Nothing else is written
/// before.
fn make_config(remote: &Remote, knowledge: &mut Knowledge) -> Result<RemoteConfig, TransferError> {
    let lost = || TransferError::ConfigLost { remote: remote.address().to_owned() };
    if !remote.list(layout::ROOTS)?.is_empty() {
        return Err(lost());
    }
    let text = RemoteConfig::fresh().to_text().map_err(|source| unusable(remote, source))?;
    remote.put(layout::CONFIG, text.into_bytes())?;
    remote.stat(layout::CONFIG)?;
    Ok(read_config(remote, knowledge)?.ok_or_else(lost)?.0)
}

/// Brings the mirror of the remote's index up to date. Index objects of an epoch below `floor` are ignored.
///
/// # Errors
///
/// When the index cannot be listed, or an object of it not be kept; one that cannot be used is passed over, for it only
/// saves work.
pub fn refresh_index(
    remote: &Remote,
    knowledge: &Knowledge,
    floor: u64,
) -> Result<Vec<Index>, TransferError> {
    let listed = remote.list(layout::INDEX)?;
    let names: BTreeMap<_, _> = listed
        .into_iter()
        .filter_map(|object| Some((layout::parse_index_name(&object.name)?, object.name)))
        .collect();
    knowledge.drop_other_indexes(names.values());
    let mut indexes = Vec::new();
    for (name, object) in names.iter().filter(|(name, _)| name.epoch >= floor) {
        let bytes = match knowledge.index(object) {
            Some(bytes) => bytes,
            None => match remote.get(object) {
                Ok(bytes) => {
                    knowledge.keep_index(object, &bytes)?;
                    bytes
                }
                Err(error) if error.kind() == RemoteErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            },
        };
        let is_named = |index: &Index| index.encode().is_ok_and(|(encoded, _)| encoded == *name);
        indexes.extend(Index::decode(&bytes).ok().filter(is_named));
    }
    Ok(indexes)
}
