//! `git mldata remote forget`: records of pushed versions that no ref names any more.
//!
//! A root record keeps its packs for ever; this is the one way to let one go. The policy is explicit, for a wrong guess
//! would lose data: the record is of the same repository *and* of the same home (forks share the repository's id); no ref
//! of that home names the version after everything was fetched that it has, branches, tags and all other refs alike; nor
//! does anything in this clone, in clones that share its store, or a registered model version; the record is at least 30
//! days old. Never from a shallow or single-branch clone. What is forgotten is named in a gc record first, so that
//! collections can tell a forgotten root from one that was lost.
//!
//! What remains to be assumed: Git moves the ref within 23 days after a push of data has said yes (a push counts a record
//! younger than 7 days as done).

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::base::{Digest, Progress, RandomId};
use crate::data::collect::roots::Roots;
use crate::data::remotes::{self, RemotesError};
use crate::data::transfer::survey::{Collected as Records, config_for_collecting};
use crate::data::transfer::{TransferError, With, home_remote};
use crate::data::workspace::Workspace;
use crate::git::Expected;
use crate::objects::gc_record::RootName;
use crate::objects::{Certificate, GcRecord, Home, RootRecord, layout};
use crate::storage::remote::{Listed, Remote, RemoteErrorKind};

use super::error::CollectRemoteError;
use super::survey::time_of;

/// The age from which records may be forgotten, unless another is given.
pub const FORGET_AGE: Duration = Duration::from_hours(24 * 30);

/// Where the refs of the Git remote are kept while they are looked at.
const SEEN: &str = "refs/mldata/seen/";

/// How to forget.
#[derive(Debug, Clone)]
pub struct ForgetOptions {
    /// Tell what would be forgotten, forget nothing.
    pub dry_run: bool,
    /// Records younger than this stay.
    pub age: Duration,
    /// The time, instead of that of the service: for tests.
    pub now: Option<SystemTime>,
    /// Versions that layers above know of: registered model versions, and what runs name.
    pub needed: BTreeSet<Digest>,
}

/// What was forgotten, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Forgotten {
    /// Nothing was changed.
    pub dry_run: bool,
    /// Records of this repository and home.
    pub records: u64,
    /// Of these, records that stay because they are young.
    pub young: u64,
    /// Records of the repository that other homes pushed: they stay.
    pub elsewhere: u64,
    /// The forgotten.
    pub forgotten: Vec<ForgottenRoot>,
}

/// A record that was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForgottenRoot {
    /// The version.
    pub root: Digest,
    /// The bytes of its contents.
    pub bytes: u64,
    /// The files in it.
    pub files: u64,
    /// Commits that held it, as far as the push told.
    pub commits: Vec<String>,
    /// The name of the record.
    pub object: String,
}

/// Forgets the versions of this repository and home that no ref names any more.
///
/// # Errors
///
/// [`CollectRemoteError`]; what a kill leaves is finished by the next run.
pub fn forget(
    workspace: &Workspace,
    remote: &str,
    options: &ForgetOptions,
    progress: &Progress,
) -> Result<With<Forgotten>, CollectRemoteError> {
    let settings = remotes::find(workspace, Some(remote))?;
    let repository = remotes::team_file(workspace)?.repository().ok_or(RemotesError::NotSetUp)?;
    let (git_remote, home) = home_remote(workspace).ok_or(CollectRemoteError::NoHome)?;
    sees_all(workspace, &git_remote.name)?;
    let (connection, mut knowledge) = match options.dry_run {
        true => remotes::open(workspace, &settings)?,
        false => remotes::open_to_send(workspace, &settings)?,
    };
    let (config, config_id) = config_for_collecting(&connection, &mut knowledge)?;
    let least = Duration::from_secs(u64::from(config.forget_min_days) * 24 * 3600);
    if options.age < least {
        return Err(CollectRemoteError::TooYoung { days: config.forget_min_days });
    }
    progress.begin("fetching refs", crate::base::Unit::Items, None);
    let named = named(workspace, &git_remote.push_url);
    progress.end();
    let mut named = named?;
    named.extend(&options.needed);
    let mut records = Records::default();
    records.refresh(&connection)?;
    let listed = connection.list(&layout::repository_folder(&repository))?;
    let now = time_of(&connection, options.dry_run, options.now)?;
    let is_old = |object: &Listed| {
        let age = object.modified.and_then(|modified| now.duration_since(modified).ok());
        age.is_some_and(|age| age >= options.age)
    };
    let home = Home::of(repository, &home);
    let mut done = Forgotten { dry_run: options.dry_run, ..Forgotten::default() };
    let mut names = BTreeSet::new();
    for object in listed {
        let Some(record) = read(&connection, repository, &object.name)? else { continue };
        if record.home != home {
            done.elsewhere += 1;
            continue;
        }
        done.records += 1;
        if named.contains(&record.root) {
            continue;
        }
        if !is_old(&object) {
            done.young += 1;
            continue;
        }
        names.insert(RootName { repository, root: record.root, session: record.session });
        let RootRecord { root, bytes, files, commits, .. } = record;
        done.forgotten.push(ForgottenRoot { root, bytes, files, commits, object: object.name });
    }
    if !options.dry_run && !names.is_empty() {
        let record = GcRecord {
            epoch: records.epoch + 1,
            nonce: RandomId::generate(),
            config: config_id,
            floor: records.floor,
            certificate: Certificate::None,
            condemned: BTreeSet::new(),
            forgotten: names,
            extensions: Vec::new(),
        };
        remove(&connection, &record)?;
    }
    Ok(With { remote: settings.name, done })
}

/// Says that roots are forgotten, then deletes their records.
///
/// # Errors
///
/// When the record cannot be written (nothing was deleted then), or a root not be deleted.
pub fn remove(remote: &Remote, record: &GcRecord) -> Result<(), CollectRemoteError> {
    let (name, bytes) = record.encode()?;
    remote.put(&layout::gc_name(&name), bytes)?;
    for root in &record.forgotten {
        remote.delete(&layout::root_name(&root.repository, &root.root, &root.session))?;
    }
    Ok(())
}

/// Refuses clones that do not see all of the history of their home.
fn sees_all(workspace: &Workspace, git_remote: &str) -> Result<(), CollectRemoteError> {
    let repository = workspace.repository();
    if repository.is_shallow() {
        return Err(CollectRemoteError::NotAll { what: "shallow" });
    }
    if repository.setting_switch(&format!("remote.{git_remote}.promisor")) == Some(true) {
        return Err(CollectRemoteError::NotAll { what: "partial" });
    }
    let fetched = repository.setting_values(&format!("remote.{git_remote}.fetch"));
    let is_all = |spec: &String| spec.trim_start_matches('+').starts_with("refs/heads/*:");
    if fetched.iter().any(is_all) {
        Ok(())
    } else {
        Err(CollectRemoteError::NotAll { what: "single-branch" })
    }
}

/// Every version that a ref of the home names, or anything here.
fn named(workspace: &Workspace, url: &str) -> Result<BTreeSet<Digest>, CollectRemoteError> {
    let repository = workspace.repository();
    repository.fetch(url, &[format!("+refs/*:{SEEN}*")], true)?;
    let mut named = BTreeSet::new();
    let seen = repository.refs_below(SEEN)?;
    let mut tips: Vec<_> =
        seen.iter().filter_map(|found| repository.resolve_commit(&found.name).ok()).collect();
    tips.sort_unstable();
    tips.dedup();
    for found in repository.history(&tips, &[])? {
        named.insert(found?.pointer.id);
    }
    for found in &seen {
        repository.delete_ref(&found.name, Expected::Anything)?;
    }
    let here = Roots::gather(workspace, &[], SystemTime::now(), None)?;
    named.extend(here.versions.iter().map(|(root, _)| root.id));
    Ok(named)
}

/// A root record; `None` where it went since, or cannot be understood: that one stays.
fn read(
    remote: &Remote,
    repository: RandomId,
    object: &str,
) -> Result<Option<RootRecord>, CollectRemoteError> {
    let bytes = match remote.get(object) {
        Err(error) if error.kind() == RemoteErrorKind::NotFound => return Ok(None),
        answer => answer.map_err(TransferError::from)?,
    };
    let record = RootRecord::decode(&bytes).ok();
    Ok(record.filter(|record| {
        record.repository == repository
            && layout::root_name(&repository, &record.root, &record.session) == object
    }))
}
