//! Push, fetch and pull between a workspace and its remotes: which versions are meant.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::base::{Digest, Progress, RandomId, RepoPath};
use crate::data::content::{Presence, presence};
use crate::data::remotes::{self, RemoteSettings, RemotesError};
use crate::data::root::RootName;
use crate::data::tracked::{self, Tracked, TrackedError};
use crate::data::versions::{self, Commits, Version};
use crate::data::workspace::Workspace;
use crate::git::GitRemote;
use crate::objects::Home;
use crate::objects::pointer::Pointer;
use crate::storage::remote::Remote;

use super::fetch::Want;
use super::push::{Push, Pushed, Wish, push, push_relying_on_none_of};
use super::survey::{Collected, Roots};
use super::{Knowledge, TransferError};

/// A transfer with a remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct With<T> {
    /// The remote's name.
    pub remote: String,
    /// What was done.
    #[serde(flatten)]
    pub done: T,
}

/// How to push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PushOptions {
    /// Plan and tell, send nothing.
    pub dry_run: bool,
    /// Read so many percent of what is reused in packs that this clone did not send.
    pub verify: Option<u8>,
}

/// Brings every version that `commits` name (and the index, unless single commits are named) to a remote, and those
/// `beside` them that are whole here.
///
/// # Errors
///
/// [`TransferError`].
pub fn push_versions(
    workspace: &Workspace,
    remote: Option<&str>,
    commits: &Commits,
    beside: &[Version],
    options: PushOptions,
    progress: &Progress,
) -> Result<With<Pushed>, TransferError> {
    let batch = ToPush { named: versions::named(workspace, commits)?, beside, older: &[] };
    push_these(workspace, remote, batch, options, progress)
}

/// Brings those of `versions` to the default remote that are whole here and that no remote is known to hold. `None` where
/// there are none, and no remote was asked.
///
/// # Errors
///
/// [`TransferError`].
pub fn push_beside(
    workspace: &Workspace,
    versions: Vec<Version>,
    progress: &Progress,
) -> Result<Option<With<Pushed>>, TransferError> {
    let known: Vec<_> = remotes::list(workspace)?
        .iter()
        .map(|remote| Knowledge::open(workspace.common_dir(), &remote.name, &remote.url))
        .collect();
    let is_owed = |version: &Version| {
        !known.iter().any(|known| known.has_root(&version.root.id))
            && presence(workspace.store(), &version.root) == Presence::Whole
    };
    let owed: Vec<_> = versions.into_iter().filter(is_owed).collect();
    if owed.is_empty() {
        return Ok(None);
    }
    let batch = ToPush { named: Vec::new(), beside: &owed, older: &[] };
    push_these(workspace, None, batch, PushOptions::default(), progress).map(Some)
}

/// Versions that are to be pushed.
pub struct ToPush<'a> {
    /// Those that something names, newest first: what is missing of them is told.
    pub named: Vec<Version>,
    /// Those that are sent where they are whole.
    pub beside: &'a [Version],
    /// Older versions of the same paths: what the remote has of them need not be sent.
    pub older: &'a [Version],
}

/// Brings versions to a remote.
///
/// # Errors
///
/// [`TransferError`].
pub fn push_these(
    workspace: &Workspace,
    remote: Option<&str>,
    batch: ToPush<'_>,
    options: PushOptions,
    progress: &Progress,
) -> Result<With<Pushed>, TransferError> {
    let settings = remotes::find(workspace, remote)?;
    let wishes = wishes(batch);
    remotes::refuse_read_only(workspace, &settings)?;
    let (connection, mut knowledge) = match options.dry_run || wishes.is_empty() {
        true => remotes::open(workspace, &settings)?,
        false => remotes::open_to_send(workspace, &settings)?,
    };
    let team = remotes::team_file(workspace)?;
    let repository = team.repository().ok_or(RemotesError::NotSetUp)?;
    let (store, home) = (workspace.store(), Home::of(repository, &home_url(workspace)));
    let PushOptions { dry_run, verify } = options;
    let going =
        Push { store, remote: &connection, repository, home, dry_run, progress, origin: None, verify };
    let done = push(&going, &mut knowledge, &wishes)?;
    Ok(With { remote: settings.name, done })
}

/// Brings `versions` to a remote without relying on the packs `refused`, nor on records that name them. The remote, and the
/// repository's random id.
///
/// # Errors
///
/// [`TransferError`].
pub(in crate::data) fn push_without(
    workspace: &Workspace,
    settings: &RemoteSettings,
    versions: Vec<Version>,
    refused: BTreeSet<Digest>,
    progress: &Progress,
) -> Result<(Remote, RandomId), TransferError> {
    let (connection, mut knowledge) = remotes::open_to_send(workspace, settings)?;
    let team = remotes::team_file(workspace)?;
    let repository = team.repository().ok_or(RemotesError::NotSetUp)?;
    let (store, home) = (workspace.store(), Home::of(repository, &home_url(workspace)));
    let going = Push {
        store,
        remote: &connection,
        repository,
        home,
        dry_run: false,
        progress,
        origin: None,
        verify: None,
    };
    let batch = ToPush { named: versions, beside: &[], older: &[] };
    push_relying_on_none_of(&going, &mut knowledge, &wishes(batch), refused)?;
    Ok((connection, repository))
}

/// One wish for each version; older versions of the same path are bases of the newer ones.
fn wishes(batch: ToPush<'_>) -> Vec<Wish> {
    /// How far back a base is looked for.
    const BASES: usize = 4;
    let mut by_path: BTreeMap<RepoPath, Vec<Digest>> = BTreeMap::new();
    for version in batch.named.iter().chain(batch.older) {
        by_path.entry(version.path.clone()).or_default().push(version.root.id);
    }
    let wish = |version: Version, only_whole: bool| {
        let all = by_path.get(&version.path).map(Vec::as_slice).unwrap_or_default();
        let older: Vec<_> = all.iter().copied().skip_while(|id| *id != version.root.id).skip(1).collect();
        // What no commit names is most like what the newest ones name.
        let bases = if only_whole { all } else { &older };
        let bases = bases.iter().copied().filter(|id| *id != version.root.id).take(BASES).collect();
        let commits = version.commit.iter().map(ToString::to_string).collect();
        Wish { path: version.path, root: version.root, commits, bases, only_whole }
    };
    let beside = batch.beside.iter().cloned().map(|version| wish(version, true));
    let named: Vec<_> = batch.named.iter().cloned().map(|version| wish(version, false)).collect();
    named.into_iter().chain(beside).collect()
}

/// The Git remote that commits are pushed to, without secrets: the home of this repository's roots.
pub(super) fn home_url(workspace: &Workspace) -> String {
    home_remote(workspace).map(|(_, url)| url).unwrap_or_default()
}

/// The Git remote that commits are pushed to, and the normalised URL of it, without secrets.
pub(in crate::data) fn home_remote(workspace: &Workspace) -> Option<(GitRemote, String)> {
    let repository = workspace.repository();
    let name = repository.default_remote();
    let remote = repository.remotes().into_iter().find(|remote| Some(&remote.name) == name.as_ref());
    remote.map(|remote| {
        let home = normalised(&remote.push_url);
        (remote, home)
    })
}

/// One text for one place: without user, password, trailing slash and `.git`; scheme and host in lower case.
fn normalised(url: &str) -> String {
    let (scheme, rest) = url
        .split_once("://")
        .map_or((String::new(), url), |(scheme, rest)| (format!("{}://", scheme.to_ascii_lowercase()), rest));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or(host).to_ascii_lowercase();
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    format!("{scheme}{host}/{path}")
}

/// Which versions a fetch is to bring: those that the pointers of the work tree name.
///
/// # Errors
///
/// [`TrackedError`] for a path that names nothing tracked, or a pointer that cannot be used.
pub fn wants(workspace: &Workspace, paths: &[RepoPath]) -> Result<Vec<Want>, TrackedError> {
    let named: Vec<_> = paths.iter().map(tracked::without_suffix).collect();
    let found = tracked::tracked(workspace, paths)?;
    if let Some(fault) = found.faults.into_iter().next() {
        return Err(fault);
    }
    Ok(found.paths.into_iter().map(|Tracked { path, pointer, .. }| want(&named, path, &pointer)).collect())
}

/// Which versions a fetch is to bring: those that the pointers of a revision name, whatever the work tree tracks now.
/// Pointers of it that cannot be used are passed over.
///
/// # Errors
///
/// [`TrackedError`] for an unknown revision, or a path that names nothing tracked there.
pub fn wants_at(
    workspace: &Workspace,
    revision: &str,
    paths: &[RepoPath],
) -> Result<Vec<Want>, TrackedError> {
    let repository = workspace.repository();
    let named: Vec<_> = paths.iter().map(tracked::without_suffix).collect();
    let pointers = repository.commit_pointers(repository.resolve_commit(revision)?)?.good;
    let meets =
        |named: &RepoPath, path: &RepoPath| path.below(named).is_some() || named.below(path).is_some();
    if let Some(unknown) = named.iter().find(|named| !pointers.iter().any(|at| meets(named, &at.path))) {
        return Err(TrackedError::NotTracked(unknown.clone()));
    }
    let wanted =
        pointers.into_iter().filter(|at| named.is_empty() || named.iter().any(|n| meets(n, &at.path)));
    Ok(wanted.map(|at| want(&named, at.path, &at.pointer)).collect())
}

fn want(named: &[RepoPath], path: RepoPath, pointer: &Pointer) -> Want {
    let mut parts: Vec<Vec<u8>> =
        named.iter().filter_map(|named| named.below(&path)).map(|part| part.into()).collect();
    if parts.is_empty() {
        parts.push(Vec::new());
    }
    Want { root: RootName::from(pointer), path, parts }
}

/// Learns anew which versions a remote has, for `status`.
///
/// # Errors
///
/// [`TransferError`].
pub fn learn_roots(workspace: &Workspace, settings: &RemoteSettings) -> Result<u64, TransferError> {
    let (connection, mut knowledge) = remotes::open(workspace, settings)?;
    let team = remotes::team_file(workspace)?;
    let repository = team.repository().ok_or(RemotesError::NotSetUp)?;
    let mut collected = Collected::default();
    collected.refresh(&connection)?;
    let roots = Roots::list_all(&connection, repository)?;
    let named = versions::named(workspace, &Commits::All)?;
    let found = named.iter().filter_map(|version| {
        let root = version.root.id;
        let sessions = roots.sessions(&root).into_iter();
        let trusted = sessions.into_iter().find(|session| collected.trusts(repository, root, *session));
        trusted.map(|session| (root, session))
    });
    let found: Vec<_> = found.collect();
    let count = found.len() as u64;
    knowledge.replace_roots(found);
    knowledge.save()?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_one_home() {
        let same = ["https://Git.Example/acme/churn.git", "https://bob:secret@git.example/acme/churn/"];
        assert_eq!(normalised(same[0]), normalised(same[1]));
        assert!(!normalised(same[1]).contains("secret"));
        assert_ne!(normalised("https://git.example/a"), normalised("https://git.example/b"));
    }
}
