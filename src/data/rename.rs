//! Moves a tracked path: pointer, data and ignore line together. `git mv` on the pointer would leave the data behind.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::{Advice, Failure, PathError, Progress, RepoPath, typed};
use crate::data::tracked::{self, TrackedError};
use crate::data::workspace::{Workspace, WorkspaceError};
use crate::git::{GitError, pointer_file};
use crate::storage::durable::DurableError;

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renamed {
    /// Where it was.
    pub from: RepoPath,
    /// Where it is.
    pub to: RepoPath,
    /// Whether data was here to be moved; else only the pointer was.
    pub data_moved: bool,
}

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum RenameError {
    /// Something is there already.
    #[error("'{0}' exists already; nothing was moved")]
    Exists(RepoPath),
    /// It would lie inside itself, or inside another tracked directory.
    #[error("'{to}' lies inside the tracked directory '{inside}'; nothing was moved")]
    Inside {
        /// Where it should go.
        to: RepoPath,
        /// The directory.
        inside: RepoPath,
    },
    /// The system refused.
    #[error("cannot move '{}'", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A pointer.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// A name.
    #[error(transparent)]
    Name(#[from] PathError),
    /// The record cannot be written.
    #[error("it is moved, but cannot be noted")]
    Durable(#[from] DurableError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for RenameError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Tracked(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
            Self::Exists(path) => {
                vec![format!("remove it first: git mldata rm {path}, or rm {path}", path = typed(path))]
            }
            Self::Inside { .. } | Self::Io { .. } | Self::Name(_) => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Git(error) => error.failure(),
            Self::Workspace(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}

/// Moves the tracked path `from` to `to`, or into `to` when that is a folder which is not tracked.
///
/// # Errors
///
/// [`RenameError`]; everything is looked at before anything is moved.
pub fn rename(
    workspace: &Workspace,
    from: &RepoPath,
    to: &RepoPath,
    stage: bool,
) -> Result<Renamed, RenameError> {
    let _alone = workspace.hold_pointers()?;
    let (top, repository) = (workspace.top(), workspace.repository());
    let from = tracked::without_suffix(from);
    let mut to = tracked::without_suffix(to);
    if tracked::read(workspace, &from)?.is_none() {
        return Err(tracked::refused(workspace, from).into());
    }
    if to.under(top).is_dir() && tracked::read(workspace, &to)?.is_none() {
        to = to.join(from.name())?;
    }
    let (old, new) = (pointer_file(&from)?, pointer_file(&to)?);
    if let Some((inside, _)) = tracked::enclosing(workspace, &to)?.filter(|(inside, _)| *inside != to) {
        return Err(RenameError::Inside { to, inside });
    }
    let there = |path: &RepoPath| fs::symlink_metadata(path.under(top)).is_ok();
    if there(&to) || there(&new) {
        return Err(RenameError::Exists(to));
    }
    repository.refuse_beyond_link(&to)?;
    let failed = |path: &RepoPath| {
        let path = path.under(top);
        move |source| RenameError::Io { path, source }
    };
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder.under(top)).map_err(failed(&folder))?;
    }
    let data_moved = there(&from);
    // The new place is ignored before anything lies there, so that no `git add -A` in between takes the data in.
    let mut changed = repository.ignore(std::slice::from_ref(&to))?;
    if data_moved {
        fs::rename(from.under(top), to.under(top)).map_err(failed(&from))?;
    }
    fs::rename(old.under(top), new.under(top)).map_err(failed(&old))?;
    changed.extend(repository.unignore(std::slice::from_ref(&from))?);
    changed.extend([old, new]);
    let mut record = workspace.worktree_record(&Progress::hidden())?;
    record.rename(&from, &to);
    if stage {
        repository.stage(&changed)?;
    }
    record.save(false)?;
    Ok(Renamed { from, to, data_moved })
}
