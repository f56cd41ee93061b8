//! What a remote holds whole, asked at this moment: before the only other copy goes.
//!
//! Nothing that was noted before is believed. A version counts only if a record of it can be read now, is of this
//! repository and of the Git remote that this clone pushes to (who forgets the roots of another home knows nothing of the
//! refs of this one), and is counted by gc, and if every pack that it names is there and condemned by nobody.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Digest;
use crate::data::remotes::{self, RemoteSettings, RemotesError};
use crate::data::root::RootName;
use crate::data::workspace::Workspace;
use crate::objects::{Home, PackRef, RootRecord, layout};
use crate::storage::remote::{Remote, RemoteErrorKind};
use crate::storage::remote_reader::{ReadError, RemoteReader};

use super::TransferError;
use super::exchange::home_url;
use super::survey::{Collected, Roots, config_for_reading};
use super::tables::packs_of;

/// Up to so many packs are asked for one by one; more by listing all.
const PACKS_ONE_BY_ONE: usize = 64;

/// What a remote says of some versions.
#[derive(Debug, Default)]
pub struct Holding {
    /// Versions that it holds whole.
    pub whole: BTreeSet<Digest>,
    /// The others, and why they do not count.
    pub others: BTreeMap<Digest, String>,
}

/// Asks a remote which of `roots` it holds whole now.
///
/// # Errors
///
/// [`TransferError`] when it cannot be asked: then it holds nothing, as far as is known.
pub fn holding(
    workspace: &Workspace,
    settings: &RemoteSettings,
    roots: &BTreeSet<RootName>,
) -> Result<Holding, TransferError> {
    let (remote, mut knowledge) = remotes::open(workspace, settings)?;
    let team = remotes::team_file(workspace)?;
    let repository = team.repository().ok_or(RemotesError::NotSetUp)?;
    let home = Home::of(repository, &home_url(workspace));
    config_for_reading(&remote, &mut knowledge)?;
    let ids: BTreeSet<_> = roots.iter().map(|root| root.id).collect();
    let listed = Roots::list(&remote, repository, &ids, ids.len())?;
    let mut collected = Collected::default();
    collected.refresh(&remote)?;
    let reader = RemoteReader::new(&remote);
    let (mut held, mut candidates) = (Holding::default(), Vec::new());
    for root in roots {
        let mut why = "it has no record of it";
        let mut found = None;
        for session in listed.sessions(&root.id) {
            let name = layout::root_name(&repository, &root.id, &session);
            let Some(record) = record(&remote, &name)? else { continue };
            let is_it = (record.kind, record.root, record.manifest, record.bytes)
                == (root.kind, root.id, root.manifest, root.size);
            if !is_it || record.session != session || record.repository != repository {
                why = "its record is damaged";
            } else if record.home != home {
                why = "it was pushed for another Git remote";
            } else if !collected.trusts(repository, root.id, session) {
                why = "its record is too old to count";
            } else {
                match packs_of(&reader, &record) {
                    Ok(packs) if !packs.iter().any(|pack| collected.condemned.contains(&pack.id)) => {
                        found = Some(packs);
                        break;
                    }
                    Ok(_) => why = "a pack that it needs is about to go there",
                    Err(TransferError::Read(ReadError::Remote(error))) => return Err(error.into()),
                    Err(_) => why = "the list of its packs is damaged",
                }
            }
        }
        match found {
            Some(packs) => candidates.push((root.id, packs)),
            None => {
                held.others.insert(root.id, why.to_owned());
            }
        }
    }
    let there = there(&remote, &candidates)?;
    for (root, packs) in candidates {
        match packs.iter().find(|pack| there.get(&pack.id) != Some(&u64::from(pack.size))) {
            None => {
                held.whole.insert(root);
            }
            Some(_) => {
                held.others.insert(root, "a pack that it needs is not there".to_owned());
            }
        }
    }
    Ok(held)
}

/// A root record as it is on the remote now; `None` where it is gone or damaged.
fn record(remote: &Remote, name: &str) -> Result<Option<RootRecord>, TransferError> {
    match remote.get(name) {
        Ok(bytes) => Ok(RootRecord::decode(&bytes).ok()),
        Err(error) if error.kind() == RemoteErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Which of these packs are there, with their lengths in bytes.
fn there(
    remote: &Remote,
    candidates: &[(Digest, Vec<PackRef>)],
) -> Result<BTreeMap<Digest, u64>, TransferError> {
    let packs: BTreeSet<_> = candidates.iter().flat_map(|(_, packs)| packs).copied().collect();
    let mut there = BTreeMap::new();
    if packs.len() <= PACKS_ONE_BY_ONE {
        for pack in packs {
            if let Some(found) = remote.stat(&layout::pack_name(&pack.id))? {
                there.insert(pack.id, found.size);
            }
        }
        return Ok(there);
    }
    let names: BTreeMap<_, _> = packs.iter().map(|pack| (layout::pack_name(&pack.id), pack.id)).collect();
    for object in remote.list(layout::PACKS)? {
        if let Some(id) = names.get(&object.name) {
            there.insert(*id, object.size);
        }
    }
    Ok(there)
}
