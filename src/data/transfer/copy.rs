//! Versions from one remote to another, past the work tree: a mirror, or a move to another bucket.
//!
//! What a demanding user expects: a copy of terabytes takes no room here, goes on where it stopped, sends only what the
//! other side lacks, and never leaves a version there that is not whole. So nothing is copied as it lies: chunks are read
//! from the one, each is verified, and they go into new packs of the other by the protocol of every push
//! ([`super::push`]). To copy packs under their own names would be cheaper, and would break the rule that a name is never used
//! twice: the other side may have condemned and deleted that very pack after an earlier copy, and a late DELETE would hit the
//! new one. Only nodes, which are small, come into the local store on the way.
//!
//! Peers: `restic copy` packs anew as well, snapshot by snapshot; `rclone copy` of the bucket itself knows nothing of what
//! belongs together, and a root may arrive before its packs.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use rayon::prelude::*;
use serde::Serialize;

use crate::base::{Digest, Progress, RandomId, RepoPath};
use crate::data::remotes::{self, RemotesError};
use crate::data::root::RootName;
use crate::data::versions::{self, Commits};
use crate::data::workspace::Workspace;
use crate::objects::{Home, Place, RootRecord, layout};
use crate::storage::remote::{Listed, Remote, RemoteErrorKind};

use super::fetch::{Fetch, Want, locate};
use super::origin::Origin;
use super::push::{Push, Pushed, PushedVersion, Wish, push};
use super::survey::{Collected, config_for_reading};
use super::{Knowledge, TransferError};

/// Versions that go together, at most.
const TOGETHER: usize = 64;
/// Bytes of their contents, at most, unless one version has more.
const TOGETHER_BYTES: u64 = 4 << 30;
/// Files of them, at most, unless one version has more.
const TOGETHER_FILES: u64 = 200_000;

/// What a copy did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Copied {
    /// The remote that was read.
    pub from: String,
    /// The remote that was written.
    pub to: String,
    /// Versions that are now on the other remote and were not.
    pub copied: Vec<PushedVersion>,
    /// Versions that were there.
    pub known: u64,
    /// Packs sent.
    pub packs: u64,
    /// Bytes sent in them; of a dry run, at most so many.
    pub bytes: u64,
    /// Versions of which the first remote holds something damaged.
    pub damaged: Vec<DamagedVersion>,
}

/// A version that could not be copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamagedVersion {
    /// The version.
    #[serde(flatten)]
    pub version: PushedVersion,
    /// What is wrong with it.
    pub problem: String,
}

/// What is to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyOptions {
    /// The versions of every repository that shares the remote, not of this one alone.
    pub all: bool,
    /// Tell what would be copied, and copy nothing.
    pub dry_run: bool,
}

/// A record of the remote that is read, with the path of its data.
struct Found {
    record: RootRecord,
    path: RepoPath,
}

/// Copies the versions that the remote `from` has to the remote `to`, oldest first.
///
/// # Errors
///
/// [`TransferError`]; what was copied until then stays, and a second try goes on from there.
pub fn copy_versions(
    workspace: &Workspace,
    from: &str,
    to: &str,
    options: CopyOptions,
    progress: &Progress,
) -> Result<Copied, TransferError> {
    let (from, to) = (remotes::find(workspace, Some(from))?, remotes::find(workspace, Some(to))?);
    remotes::refuse_read_only(workspace, &to)?;
    let (source, mut of_source) = remotes::open(workspace, &from)?;
    let (target, mut own) = match options.dry_run {
        true => remotes::open(workspace, &to)?,
        false => remotes::open_to_send(workspace, &to)?,
    };
    let repository = remotes::team_file(workspace)?.repository().ok_or(RemotesError::NotSetUp)?;
    config_for_reading(&source, &mut of_source)?;
    let folder = if options.all { layout::ROOTS.to_owned() } else { layout::repository_folder(&repository) };
    let there = records(&target, &own, &folder)?;
    // What is known of other repositories' versions is of no use to this clone, and would mislead it.
    let scratch = tempfile::tempdir().map_err(TransferError::Scratch)?;
    let mut foreign = Knowledge::open(scratch.path(), &to.name, &to.url);
    let mut copied = Copied { from: from.name, to: to.name, ..Copied::default() };
    for group in groups(found(workspace, &source, &of_source, &folder)?) {
        let Some(Found { record, .. }) = group.first() else { continue };
        let knowledge = if record.repository == repository { &mut own } else { &mut foreign };
        let (known, new): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|found| there.contains_key(&owned(&found.record)));
        copied.known += known.len() as u64;
        for (_, record) in known.iter().filter_map(|found| there.get(&owned(&found.record))) {
            knowledge.note_root(record.root, record.session);
        }
        let copy = Copy { workspace, source: &source, target: &target, options, progress };
        copy.group(knowledge, &new, &mut copied)?;
    }
    own.save()?;
    Ok(copied)
}

/// One direction of a copy.
struct Copy<'a> {
    workspace: &'a Workspace,
    source: &'a Remote,
    target: &'a Remote,
    options: CopyOptions,
    progress: &'a Progress,
}

impl Copy<'_> {
    /// Copies versions of one repository and home; where one of them is damaged, each by itself.
    fn group(
        &self,
        knowledge: &mut Knowledge,
        group: &[Found],
        copied: &mut Copied,
    ) -> Result<(), TransferError> {
        if group.is_empty() {
            return Ok(());
        }
        match self.send(knowledge, group) {
            Ok(pushed) => {
                copied.known += pushed.known;
                copied.packs += pushed.packs;
                copied.bytes += pushed.bytes;
                copied.copied.extend(pushed.sent);
                Ok(())
            }
            Err(error) if error.is_damage() && group.len() > 1 => {
                group.chunks(1).try_for_each(|one| self.group(knowledge, one, copied))
            }
            Err(error) if error.is_damage() => {
                let version = PushedVersion::from(&group[0].wish());
                copied.damaged.push(DamagedVersion { version, problem: error.with_causes() });
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn send(&self, knowledge: &mut Knowledge, group: &[Found]) -> Result<Pushed, TransferError> {
        let Some(RootRecord { repository, home, .. }) = group.first().map(|found| &found.record) else {
            return Ok(Pushed::default());
        };
        let (store, progress) = (self.workspace.store(), self.progress);
        let fetch = Fetch { store, remote: self.source, repository: *repository, progress };
        let mut places: HashMap<Digest, Place> = HashMap::new();
        for found in group {
            let want = Want { path: found.path.clone(), root: found.root(), parts: vec![Vec::new()] };
            places.extend(locate(&fetch, &want, &found.record)?);
        }
        let origin = Origin::new(self.source, places);
        let going = Push {
            store,
            remote: self.target,
            repository: *repository,
            home: *home,
            dry_run: self.options.dry_run,
            progress,
            origin: Some(&origin),
            verify: None,
        };
        let wishes: Vec<_> = group.iter().map(Found::wish).collect();
        let pushed = push(&going, knowledge, &wishes)?;
        match pushed.missing.first() {
            Some(lost) => Err(TransferError::Unlocated { id: lost.root }),
            None => Ok(pushed),
        }
    }
}

impl Found {
    fn root(&self) -> RootName {
        let RootRecord { kind, root: id, manifest, bytes: size, .. } = self.record;
        RootName { kind, id, manifest, size }
    }

    fn wish(&self) -> Wish {
        let bases = self.record.bases.iter().map(|base| base.root).collect();
        let commits = self.record.commits.clone();
        Wish { path: self.path.clone(), root: self.root(), commits, bases, only_whole: false }
    }
}

/// What makes two records one version of one owner. Forks share the repository's id, and differ in their home.
type Owned = (RandomId, Digest, Home);

fn owned(record: &RootRecord) -> Owned {
    (record.repository, record.root, record.home)
}

/// The records of a remote that count, the newest for each version and owner, with their times by its clock. Those that
/// were read before are kept here: a name is never used twice.
fn records(
    remote: &Remote,
    kept: &Knowledge,
    folder: &str,
) -> Result<HashMap<Owned, (Option<SystemTime>, RootRecord)>, TransferError> {
    let mut collected = Collected::default();
    collected.refresh(remote)?;
    let read = |object: Listed| -> Result<_, TransferError> {
        let Some((owner, root, session)) = layout::parse_root_name(&object.name) else { return Ok(None) };
        let is_named = |record: &RootRecord| {
            (record.repository, layout::stored_id(&record.root), record.session) == (owner, root, session)
        };
        let known = kept.record(&layout::known_id(&root), &session);
        let known = known.and_then(|bytes| RootRecord::decode(&bytes).ok()).filter(is_named);
        let record = match known {
            Some(record) => Some(record),
            None => {
                let bytes = match remote.get(&object.name) {
                    Err(error) if error.kind() == RemoteErrorKind::NotFound => return Ok(None),
                    answer => answer?,
                };
                let record = RootRecord::decode(&bytes).ok().filter(is_named);
                record
                    .map(|record| kept.keep_record(&record.root, &session, &bytes).map(|()| record))
                    .transpose()?
            }
        };
        let trusted = record.filter(|record| collected.trusts(owner, record.root, session));
        Ok(trusted.map(|record| (object.modified, record)))
    };
    let read: Result<Vec<_>, TransferError> = remote.list(folder)?.into_par_iter().map(read).collect();
    let mut newest = HashMap::new();
    for (modified, record) in read?.into_iter().flatten() {
        match newest.entry(owned(&record)) {
            Entry::Vacant(entry) => drop(entry.insert((modified, record))),
            Entry::Occupied(mut entry) if entry.get().0 < modified => drop(entry.insert((modified, record))),
            Entry::Occupied(_) => {}
        }
    }
    Ok(newest)
}

/// The versions that a remote has, the oldest first: bases come before what was built upon them.
fn found(
    workspace: &Workspace,
    remote: &Remote,
    kept: &Knowledge,
    folder: &str,
) -> Result<Vec<Found>, TransferError> {
    let named = versions::named(workspace, &Commits::All)?;
    let paths: HashMap<Digest, RepoPath> =
        named.into_iter().map(|version| (version.root.id, version.path)).collect();
    let mut records: Vec<_> = records(remote, kept, folder)?.into_values().collect();
    records.sort_by(|(a, one), (b, other)| (a, one.session, one.root).cmp(&(b, other.session, other.root)));
    let found = records.into_iter().filter_map(|(_, record)| {
        let unnamed = || RepoPath::new(record.root.short().to_string()).ok();
        let path = paths.get(&record.root).cloned().or_else(unnamed)?;
        Some(Found { record, path })
    });
    Ok(found.collect())
}

/// Versions that go together: of one repository and home, not too many, not too large.
fn groups(found: Vec<Found>) -> Vec<Vec<Found>> {
    let owner = |found: &Found| (found.record.repository, found.record.home);
    let owners: Vec<(RandomId, Home)> = found.iter().map(owner).collect::<HashSet<_>>().into_iter().collect();
    let mut by_owner: Vec<Vec<Found>> = owners.iter().map(|_| Vec::new()).collect();
    for found in found {
        if let Some(at) = owners.iter().position(|known| *known == owner(&found)) {
            by_owner[at].push(found);
        }
    }
    let mut groups = Vec::new();
    for found in by_owner {
        let (mut group, mut bytes, mut files) = (Vec::new(), 0_u64, 0_u64);
        for found in found {
            bytes = bytes.saturating_add(found.record.bytes);
            files = files.saturating_add(found.record.files);
            let is_much = group.len() >= TOGETHER || bytes > TOGETHER_BYTES || files > TOGETHER_FILES;
            if is_much && !group.is_empty() {
                groups.push(std::mem::take(&mut group));
                (bytes, files) = (found.record.bytes, found.record.files);
            }
            group.push(found);
        }
        groups.push(group);
    }
    groups
}
