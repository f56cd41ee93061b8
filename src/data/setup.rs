//! Sets a repository and its clones up: `init`, its undo, and the local part that a clone needs.
//!
//! Shared (committed, staged by `init`): `ml.toml` with the repository's random id, a block in `.gitattributes`. Local to
//! the clone: hooks, where fetched run records go, and that notes follow rewritten commits. Everything local can be taken
//! back without trace; nothing of anybody else is overwritten.

use serde::Serialize;

use crate::base::{Advice, Failure, RandomId, RepoPath};
use crate::data::drivers;
use crate::data::in_place;
use crate::data::workspace::Workspace;
use crate::git::{
    AttributesPlace, GitError, HookChange, HookError, SHARED_ATTRIBUTES, TEAM_FILE, TeamFile, TeamFileError,
};

/// How to set up.
#[derive(Debug, Clone, Copy)]
pub struct SetUpOptions {
    /// Install hooks.
    pub hooks: bool,
    /// Stage what is written to the work tree.
    pub stage: bool,
}

/// What was set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetUp {
    /// The random id of the repository.
    pub repository: RandomId,
    /// Whether it is new: nobody had set this repository up before.
    pub created: bool,
    /// Files of the work tree that were written.
    pub written: Vec<RepoPath>,
    /// What was done about each hook; none where hooks were not wanted or could not be installed.
    pub hooks: Vec<(&'static str, HookChange)>,
    /// Why hooks could not be installed, and what to do.
    pub hooks_refused: Option<(String, Vec<String>)>,
    /// Settings of this clone that were written.
    pub settings: Vec<String>,
}

/// Why a repository could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The team's settings.
    #[error(transparent)]
    TeamFile(#[from] TeamFileError),
    /// The hooks.
    #[error(transparent)]
    Hooks(#[from] HookError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Advice for SetUpError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::TeamFile(error) => error.hints(),
            Self::Hooks(error) => error.hints(),
            Self::Git(error) => error.hints(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Git(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}

/// Where lineage notes live. A pattern, for Git would warn of a ref that does not exist before the first run.
const NOTES: &str = "refs/notes/mlrun*";

/// Sets the repository and this clone up. What is set up already stays as it is.
///
/// # Errors
///
/// [`SetUpError`].
pub fn init(workspace: &Workspace, options: SetUpOptions) -> Result<SetUp, SetUpError> {
    let repository = workspace.repository();
    let mut written = Vec::new();
    let alone = workspace.hold_pointers()?;
    let known = repository.team_file()?;
    let missing_here = !workspace.top().join(TEAM_FILE).exists();
    let mut team = known.unwrap_or_else(|| TeamFile::new(RandomId::generate()));
    let created = team.repository().is_none() || missing_here;
    if team.repository().is_none() {
        team = TeamFile::new(RandomId::generate());
    }
    if created {
        written.push(repository.write_team_file(&team)?);
    }
    let lines = shared_lines(&repository.attributes(AttributesPlace::Shared)?);
    if repository
        .set_attributes(AttributesPlace::Shared, &lines.iter().map(String::as_str).collect::<Vec<_>>())?
    {
        written.push(repository.shared_attributes_path()?);
    }
    if options.stage {
        repository.stage(&written)?;
    }
    drop(alone);
    let mut set_up = set_up_clone(workspace, options.hooks)?;
    set_up.repository = team.repository().unwrap_or_default();
    set_up.created = created;
    set_up.written = written;
    Ok(set_up)
}

/// What `.gitattributes` must say, and what it says of patterns.
fn shared_lines(now: &[String]) -> Vec<String> {
    let further = now.iter().filter(|line| !SHARED_ATTRIBUTES.contains(&line.as_str()));
    SHARED_ATTRIBUTES.iter().map(|line| (*line).to_owned()).chain(further.cloned()).collect()
}

/// The local part alone: what a fresh clone of a repository that was set up needs.
///
/// # Errors
///
/// [`SetUpError`].
pub fn set_up_clone(workspace: &Workspace, hooks: bool) -> Result<SetUp, SetUpError> {
    let repository = workspace.repository();
    let mut settings = Vec::new();
    for remote in repository.remotes() {
        let key = format!("remote.{}.fetch", remote.name);
        if repository.add_setting(&key, &run_refspec(&remote.name))? {
            settings.push(key);
        }
    }
    for (key, value) in [("notes.rewriteRef", NOTES), ("notes.rewriteMode", "cat_sort_uniq")] {
        let is_free = key == "notes.rewriteRef" || repository.setting(key).is_none();
        if is_free && repository.add_setting(key, value)? {
            settings.push(key.to_owned());
        }
    }
    settings.extend(drivers::register(repository)?);
    if in_place::register(repository)? {
        settings.push("filter.mldata".into());
    }
    let (mut changes, mut refused) = (Vec::new(), None);
    if hooks {
        match repository.install_hooks(false) {
            Ok(done) => changes = done,
            Err(
                error @ (HookError::Husky { .. } | HookError::Shared { .. } | HookError::Occupied { .. }),
            ) => {
                refused = Some((error.to_string(), error.hints()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    repository.write_setting("mldata.setUp", "true")?;
    let id = repository.team_file()?.and_then(|team| team.repository()).unwrap_or_default();
    let (created, written) = (false, Vec::new());
    Ok(SetUp { repository: id, created, written, hooks: changes, hooks_refused: refused, settings })
}

/// Whether the local part was done in this clone.
pub fn is_set_up(workspace: &Workspace) -> bool {
    workspace.repository().setting_switch("mldata.setUp").unwrap_or(false)
}

/// Takes the local part back: hooks, settings. Data, pointers and what is committed stay.
///
/// # Errors
///
/// [`SetUpError`].
pub fn undo(workspace: &Workspace) -> Result<SetUp, SetUpError> {
    let repository = workspace.repository();
    let hooks = repository.uninstall_hooks()?;
    let mut settings = in_place::unregister(repository)?;
    for remote in repository.remotes() {
        let key = format!("remote.{}.fetch", remote.name);
        if repository.remove_setting(&key, Some(&run_refspec(&remote.name)))? {
            settings.push(key);
        }
    }
    for (key, value) in [
        ("notes.rewriteRef", Some(NOTES)),
        ("notes.rewriteMode", Some("cat_sort_uniq")),
        ("mldata.setUp", None),
    ] {
        if repository.remove_setting(key, value)? {
            settings.push(key.to_owned());
        }
    }
    settings.extend(drivers::unregister(repository)?);
    let id = repository.team_file()?.and_then(|team| team.repository()).unwrap_or_default();
    Ok(SetUp { repository: id, created: false, written: Vec::new(), hooks, hooks_refused: None, settings })
}

/// Fetched run records of others go beside our own, never over them.
fn run_refspec(remote: &str) -> String {
    format!("+refs/mlrun/*:refs/mlremotes/{remote}/*")
}
