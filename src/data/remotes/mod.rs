//! The remotes of a repository: named places for packs.
//!
//! What the team shares (URL, region) lies in `ml.toml`; what one person needs (an endpoint behind a VPN, a profile) in
//! Git's own configuration, which wins. Credentials lie in neither. An address that came with a clone is asked for data
//! without further ado, but no data is sent to it, nor what opens an account as it is, until the user has said so: by adding
//! the remote, by [`trust`], by naming address and endpoint in Git's configuration, or by the variable [`TRUST`]. `origin` is
//! refused as a name: that is where Git's refs go, and one name for two places would mislead.

mod error;
mod trust;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::{Digest, RepoPath, typed};
use crate::data::content::holds_content;
use crate::data::root::RootName;
use crate::data::transfer::Knowledge;
use crate::data::workspace::Workspace;
use crate::data::worktree::FileRecord;
use crate::git::{TeamFile, TeamRemote, is_remote_name};
use crate::objects::tree::EntryKind;
use crate::storage::remote::{Access, Login, Remote, RemoteOptions, RemoteUrl, ServiceKind};

use self::trust::{is_trusted, is_trusted_by_environment, place_of};

pub use self::error::RemotesError;
pub use self::trust::{TRUST, trust};

/// One remote as it is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteSettings {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Options, the personal ones over those of the team.
    pub options: BTreeMap<String, String>,
    /// Whether it is meant where none is named.
    pub default: bool,
}

impl RemoteSettings {
    /// Whether data is only read from it: a mirror, or a web server.
    pub fn is_read_only(&self) -> bool {
        let is_web = |url: RemoteUrl| url.service() == ServiceKind::Http;
        self.options.get("access").is_some_and(|access| access == "read")
            || RemoteUrl::parse(&self.url).is_ok_and(is_web)
    }
}

/// What adding a remote found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteAdded {
    /// The remote.
    pub remote: RemoteSettings,
    /// As whom it is reached.
    pub identity: String,
    /// Whether anything lies there already.
    pub empty: bool,
    /// The file that was written, where the team's settings were changed.
    pub written: Option<RepoPath>,
}

/// The team's settings.
///
/// # Errors
///
/// [`RemotesError::NotSetUp`] where there are none.
pub fn team_file(workspace: &Workspace) -> Result<TeamFile, RemotesError> {
    workspace.repository().team_file()?.ok_or(RemotesError::NotSetUp)
}

/// All remotes, by name.
///
/// # Errors
///
/// [`RemotesError::TeamFile`].
pub fn list(workspace: &Workspace) -> Result<Vec<RemoteSettings>, RemotesError> {
    let Some(team) = workspace.repository().team_file()? else { return Ok(Vec::new()) };
    let default = default_name(workspace, &team);
    let settings = |(name, remote): (&String, &TeamRemote)| RemoteSettings {
        name: name.clone(),
        url: personal(workspace, name, "url").unwrap_or_else(|| remote.url.clone()),
        options: options(workspace, name, remote),
        default: default.as_ref() == Some(name),
    };
    Ok(team.remotes().iter().map(settings).collect())
}

fn default_name(workspace: &Workspace, team: &TeamFile) -> Option<String> {
    let personal = workspace.repository().setting("mldata.remote");
    personal.or_else(|| team.default_remote().map(str::to_owned))
}

/// The personal setting `mldata.NAME.KEY`.
fn personal(workspace: &Workspace, name: &str, key: &str) -> Option<String> {
    workspace.repository().setting(&format!("mldata.{name}.{key}"))
}

fn options(workspace: &Workspace, name: &str, remote: &TeamRemote) -> BTreeMap<String, String> {
    let mut options = remote.options.clone();
    for key in known_options(&remote.url) {
        if let Some(value) = personal(workspace, name, key) {
            options.insert((*key).to_owned(), value);
        }
    }
    options
}

/// The options that a remote at this URL knows; none where it is no URL of ours.
fn known_options(url: &str) -> &'static [&'static str] {
    RemoteUrl::parse(url).map_or(&[], |url| RemoteOptions::known(&url))
}

/// The settings of the remote `name`, or of the default.
///
/// # Errors
///
/// [`RemotesError`] when there is none.
pub fn find(workspace: &Workspace, name: Option<&str>) -> Result<RemoteSettings, RemotesError> {
    let remotes = list(workspace)?;
    let known: Vec<_> = remotes.iter().map(|remote| remote.name.clone()).collect();
    let found = match name {
        Some(name) => remotes.into_iter().find(|remote| remote.name == name),
        None => remotes.into_iter().find(|remote| remote.default),
    };
    found.ok_or_else(|| match name {
        Some(name) => RemotesError::Unknown { name: name.to_owned(), known },
        None => RemotesError::NoDefault { known },
    })
}

/// The remotes that have this version, as far as is known here.
pub fn holders(workspace: &Workspace, root: &Digest) -> Vec<String> {
    let known = |remote: &RemoteSettings| {
        Knowledge::open(workspace.common_dir(), &remote.name, &remote.url).has_root(root)
    };
    list(workspace).unwrap_or_default().into_iter().filter(known).map(|remote| remote.name).collect()
}

/// Whether some of these files of the version `root` are nowhere but where they lie: the store lacks their contents, and
/// no remote is known to have the version.
pub fn is_only_copy(
    workspace: &Workspace,
    root: &RootName,
    files: impl IntoIterator<Item = FileRecord>,
) -> bool {
    let is_lost = |file: &FileRecord| {
        file.kind != EntryKind::Directory && !holds_content(workspace.store(), file.id, file.manifest)
    };
    files.into_iter().find(is_lost).is_some() && holders(workspace, &root.id).is_empty()
}

/// Makes sure that data may be sent to a remote at all.
///
/// # Errors
///
/// [`RemotesError::ReadOnly`].
pub fn refuse_read_only(workspace: &Workspace, settings: &RemoteSettings) -> Result<(), RemotesError> {
    if !settings.is_read_only() {
        return Ok(());
    }
    let others = list(workspace)?.into_iter().filter(|other| !other.is_read_only());
    let others = others.map(|other| other.name).collect();
    Err(RemotesError::ReadOnly { name: settings.name.clone(), others })
}

/// Opens a remote that data is to be sent to, without asking it anything, with what is known of it.
///
/// # Errors
///
/// [`RemotesError::ReadOnly`]; [`RemotesError::Unconfirmed`] where nobody but the clone names it; and others.
pub fn open_to_send(
    workspace: &Workspace,
    settings: &RemoteSettings,
) -> Result<(Remote, Knowledge), RemotesError> {
    refuse_read_only(workspace, settings)?;
    if !is_trusted(workspace, settings) {
        let (name, place) = (settings.name.clone(), place_of(settings));
        return Err(RemotesError::Unconfirmed { name, place });
    }
    open(workspace, settings)
}

/// Opens a remote, without asking it anything, with what is known of it.
///
/// # Errors
///
/// [`RemotesError`].
pub fn open(workspace: &Workspace, settings: &RemoteSettings) -> Result<(Remote, Knowledge), RemotesError> {
    let remote = connect(workspace, settings, is_trusted(workspace, settings))?;
    let knowledge = Knowledge::open(workspace.common_dir(), &settings.name, &settings.url);
    Ok((remote, knowledge))
}

/// Opens a place that is set nowhere, to read from it; a password goes there only if it is `trusted`, or if [`TRUST`] says so.
///
/// # Errors
///
/// [`RemotesError`].
pub fn connect_to_read(
    workspace: &Workspace,
    url: &str,
    options: BTreeMap<String, String>,
    trusted: bool,
) -> Result<Remote, RemotesError> {
    let settings = RemoteSettings { name: String::new(), url: url.to_owned(), options, default: false };
    let trusted = trusted || is_trusted_by_environment(&place_of(&settings));
    connect(workspace, &settings, trusted)
}

fn connect(workspace: &Workspace, settings: &RemoteSettings, trusted: bool) -> Result<Remote, RemotesError> {
    let url = RemoteUrl::parse(&settings.url)?;
    let options = RemoteOptions::from_map(&url, &settings.options)?;
    let place = url.login_place().filter(|_| trusted);
    let login = place.and_then(|(protocol, host, path)| {
        workspace.repository().login(protocol, host, path, options.user.as_deref())
    });
    let login = login.map(|(user, password)| Login::new(user, password));
    let access = Access { name: settings.name.clone(), trusted, ssh: ssh_command(workspace), login };
    Ok(Remote::open(&url, &options, &access, workspace.top())?)
}

/// The command that stands for `ssh`, where Git is told of one: in the same order.
fn ssh_command(workspace: &Workspace) -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let program = || variable("GIT_SSH").map(typed);
    variable("GIT_SSH_COMMAND").or_else(|| workspace.repository().setting("core.sshCommand")).or_else(program)
}

/// Sets a remote, after it was reached. `local` options go to this clone's Git configuration, the others to `ml.toml`.
///
/// # Errors
///
/// [`RemotesError`]; nothing is written when it cannot be reached.
pub fn add(
    workspace: &Workspace,
    name: &str,
    url: &str,
    options: BTreeMap<String, String>,
    local: bool,
    stage: bool,
) -> Result<RemoteAdded, RemotesError> {
    if name == "origin" || !is_remote_name(name) {
        return Err(RemotesError::Name(name.to_owned()));
    }
    let team = team_file(workspace)?;
    let is_known = |team: &TeamFile| team.remotes().contains_key(name);
    if is_known(&team) && !local {
        return Err(RemotesError::Exists(name.to_owned()));
    }
    let default = team.default_remote().is_none_or(|default| default == name);
    let settings = RemoteSettings { name: name.to_owned(), url: url.to_owned(), options, default };
    let remote = connect(workspace, &settings, true)?;
    remote.check()?;
    let empty = remote.list("")?.is_empty();
    let identity = remote.whoami().to_string();
    let shared = if local { BTreeMap::new() } else { settings.options.clone() };
    // Reaching it took long: others may have written meanwhile.
    let _alone = workspace.hold_pointers()?;
    let mut team = team_file(workspace)?;
    let known = is_known(&team);
    if known && !local {
        return Err(RemotesError::Exists(name.to_owned()));
    }
    if local {
        for (key, value) in &settings.options {
            let key = format!("mldata.{name}.{key}");
            workspace.repository().write_setting(&key, value)?;
        }
    }
    workspace.repository().write_setting(&format!("mldata.{name}.trusted"), &place_of(&settings))?;
    let written = if !known {
        team.set_remote(name, TeamRemote { url: url.to_owned(), options: shared });
        Some(write(workspace, &team, stage)?)
    } else {
        workspace.repository().write_setting(&format!("mldata.{name}.url"), url)?;
        None
    };
    Ok(RemoteAdded { remote: settings, identity, empty, written })
}

/// Forgets a remote: its settings and what is known of it. What lies there is not touched.
///
/// # Errors
///
/// [`RemotesError`].
pub fn remove(workspace: &Workspace, name: &str, stage: bool) -> Result<RemoteSettings, RemotesError> {
    let settings = find(workspace, Some(name))?;
    let _alone = workspace.hold_pointers()?;
    let mut team = team_file(workspace)?;
    team.remove_remote(name);
    write(workspace, &team, stage)?;
    for key in known_options(&settings.url).iter().copied().chain(["url", "trusted"]) {
        workspace.repository().remove_setting(&format!("mldata.{name}.{key}"), None)?;
    }
    Knowledge::open(workspace.common_dir(), name, &settings.url).forget();
    Ok(settings)
}

fn write(workspace: &Workspace, team: &TeamFile, stage: bool) -> Result<RepoPath, RemotesError> {
    let path = workspace.repository().write_team_file(team)?;
    if stage {
        workspace.repository().stage(std::slice::from_ref(&path))?;
    }
    Ok(path)
}
