//! Finds what is missing, short or damaged.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use crate::base::{Digest, Progress, RandomId, Unit};
use crate::data::collect_remote::fold::whole_items;
use crate::data::collect_remote::moved::keeps;
use crate::data::collect_remote::survey::{Root, Survey};
use crate::data::collect_remote::{CollectRemote, CollectRemoteError};
use crate::data::remotes;
use crate::data::transfer::With;
use crate::data::workspace::Workspace;
use crate::objects::layout;
use crate::storage::remote::{Remote, RemoteErrorKind};

use super::{hurt, repair};

/// How to check.
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckOptions {
    /// Read so many percent of the packs; `None`: look at their sizes only.
    pub read_percent: Option<u8>,
    /// Send anew what this store has of the damaged.
    pub repair: bool,
}

/// What is wrong with a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// It is not there.
    Missing,
    /// It is shorter or longer than its records say.
    WrongSize,
    /// Its bytes are not those that its name promises.
    Damaged,
}

/// A pack that is not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The pack.
    pub pack: Digest,
    /// What is wrong.
    pub harm: Harm,
    /// Names of the records that need it.
    pub needed_by: Vec<String>,
}

/// A version that cannot be read whole from the remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hurt {
    /// The version.
    pub root: Digest,
    /// The name of its record.
    pub object: String,
    /// The repository that pushed it.
    pub repository: RandomId,
    /// Commits that hold it, as far as is known.
    pub commits: Vec<String>,
    /// The paths at which commits of this repository hold it.
    pub paths: Vec<String>,
    /// The files that are hurt, below the path, as far as it can be told; at most 1,000.
    pub files: Vec<String>,
    /// Whether gc counts on it; a record of a push that never ended is not counted on.
    pub is_trusted: bool,
    /// Whether another record of the same version is whole.
    pub is_elsewhere: bool,
    /// Whether it was sent anew.
    pub repaired: bool,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Checked {
    /// Root records.
    pub roots: u64,
    /// Packs that they need.
    pub packs: u64,
    /// Packs that were read.
    pub read_packs: u64,
    /// Their bytes.
    pub read_bytes: u64,
    /// What is damaged.
    pub damage: Vec<Damage>,
    /// What that hurts.
    pub hurt: Vec<Hurt>,
    /// Records that cannot be understood.
    pub unreadable: Vec<String>,
    /// Objects that are not ours.
    pub foreign: Vec<String>,
}

impl Checked {
    /// Whether everything that is counted on is whole, now.
    pub fn is_whole(&self) -> bool {
        let is_open = |hurt: &Hurt| hurt.is_trusted && !hurt.repaired;
        self.unreadable.is_empty() && !self.hurt.iter().any(is_open)
    }
}

/// Checks a remote.
///
/// # Errors
///
/// [`CollectRemoteError`] when the remote cannot be read; damage is told in the result.
pub fn check_remote(
    workspace: &Workspace,
    remote: &str,
    options: CheckOptions,
    progress: &Progress,
) -> Result<With<Checked>, CollectRemoteError> {
    let settings = remotes::find(workspace, Some(remote))?;
    let (connection, mut knowledge) = remotes::open(workspace, &settings)?;
    let looking =
        CollectRemote { remote: &connection, dry_run: true, now: None, force_records: &[], progress };
    let survey = Survey::take(&looking, &mut knowledge)?;
    let mut needs = needs_of(&survey);
    let mut harmed = structure(&survey, &needs);
    let mut done = Checked {
        roots: survey.roots.len() as u64,
        packs: needs.len() as u64,
        unreadable: survey.unreadable.clone(),
        foreign: survey.foreign.clone(),
        ..Checked::default()
    };
    if let Some(percent) = options.read_percent {
        let sample = sample(&survey, &needs, &harmed, percent);
        (done.read_packs, done.read_bytes) = sample_size(&survey, &sample);
        harmed.extend(read(&connection, &sample, done.read_bytes, progress)?);
    }
    done.damage = harmed
        .iter()
        .map(|(pack, harm)| Damage {
            pack: *pack,
            harm: *harm,
            needed_by: needs.remove(pack).unwrap_or_default().into_iter().collect(),
        })
        .collect();
    done.hurt = hurt::tell(workspace, &connection, &survey, &harmed)?;
    if options.repair && !done.hurt.is_empty() {
        repair::repair(workspace, &settings, &survey, &harmed, &mut done.hurt, progress)?;
    }
    Ok(With { remote: settings.name, done })
}

/// The packs that records need, through what they were folded into, and the names of the records.
fn needs_of(survey: &Survey) -> BTreeMap<Digest, BTreeSet<String>> {
    let mut needs: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
    for root in &survey.roots {
        for pack in named(root) {
            let kept = keeps(survey, pack).map(|keeps| keeps.packs);
            for pack in kept.unwrap_or_else(|| vec![pack.id]) {
                needs.entry(pack).or_default().insert(root.object());
            }
        }
    }
    needs
}

/// The packs that a root names, as far as they can be told.
pub(super) fn named(root: &Root) -> &[crate::objects::PackRef] {
    root.packs.as_ref().unwrap_or(&root.meta)
}

/// What the listing tells.
fn structure(survey: &Survey, needs: &BTreeMap<Digest, BTreeSet<String>>) -> BTreeMap<Digest, Harm> {
    let mut harmed = BTreeMap::new();
    for pack in needs.keys().filter(|pack| !survey.packs.contains_key(*pack)) {
        harmed.insert(*pack, Harm::Missing);
    }
    for pack in survey.roots.iter().flat_map(named) {
        if survey.packs.contains_key(&pack.id) && !survey.holds(pack) && keeps(survey, pack).is_none() {
            harmed.insert(pack.id, Harm::WrongSize);
        }
    }
    harmed
}

/// So many percent of the packs that are there, by chance; at least one.
fn sample(
    survey: &Survey,
    needs: &BTreeMap<Digest, BTreeSet<String>>,
    harmed: &BTreeMap<Digest, Harm>,
    percent: u8,
) -> Vec<Digest> {
    let there = |pack: &&Digest| survey.packs.contains_key(*pack) && !harmed.contains_key(*pack);
    let all: Vec<_> = needs.keys().filter(there).copied().collect();
    let wanted = (all.len() * usize::from(percent.min(100))).div_ceil(100);
    let chance = RandomId::generate();
    let mut drawn: Vec<_> = all
        .into_iter()
        .map(|pack| (Digest::of(&[chance.as_bytes(), &pack.as_bytes()[..]].concat()), pack))
        .collect();
    drawn.sort_unstable();
    drawn.into_iter().take(wanted).map(|(_, pack)| pack).collect()
}

fn sample_size(survey: &Survey, sample: &[Digest]) -> (u64, u64) {
    let bytes = sample.iter().filter_map(|pack| survey.packs.get(pack)).map(|listed| listed.size).sum();
    (sample.len() as u64, bytes)
}

/// Reads packs whole.
fn read(
    remote: &Remote,
    packs: &[Digest],
    bytes: u64,
    progress: &Progress,
) -> Result<BTreeMap<Digest, Harm>, CollectRemoteError> {
    progress.begin("reading", Unit::Bytes, Some(bytes));
    let read = |pack: &Digest| -> Result<Option<(Digest, Harm)>, CollectRemoteError> {
        let bytes = match remote.get(&layout::pack_name(pack)) {
            Err(error) if error.kind() == RemoteErrorKind::NotFound => {
                return Ok(Some((*pack, Harm::Missing)));
            }
            answer => answer?,
        };
        progress.advance(bytes.len() as u64);
        Ok(whole_items(&bytes, pack).is_none().then_some((*pack, Harm::Damaged)))
    };
    let found: Result<Vec<_>, _> = packs.par_iter().map(read).collect();
    progress.end();
    Ok(found?.into_iter().flatten().collect())
}
