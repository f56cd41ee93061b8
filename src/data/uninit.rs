//! Leaves a plain repository behind: `uninit`.
//!
//! What a demanding user expects: every byte of the data stays where it lies; what is ours goes, and nothing else; what the
//! work tree lacks is named first, for without a pointer nobody would find it again. The store stays, unless it is asked for
//! and everything in it is elsewhere. The best peer is `git lfs uninstall`, which leaves pointers instead of data.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::{Advice, Failure, PathError, Progress, RepoPath, lines, refusal_hints, typed};
use crate::data::remotes;
use crate::data::root::RootName;
use crate::data::setup::{self, SetUpError};
use crate::data::status::counts;
use crate::data::tracked::{self, TrackedError};
use crate::data::versions::{self, Commits, VersionsError};
use crate::data::workspace::{Workspace, WorkspaceError};
use crate::data::worktree::{PathState, SnapshotError, compare};
use crate::git::{AttributesPlace, GitError, TEAM_FILE, pointer_file};
use crate::objects::pointer::{MAX_POINTER, Pointer};

/// How to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UninitOptions {
    /// Look at everything, tell what would be done, and do nothing.
    pub dry_run: bool,
    /// Remove the store as well.
    pub drop_store: bool,
}

/// What was taken away, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uninit {
    /// Data that Git sees from now on.
    pub data: Vec<RepoPath>,
    /// Bytes of it.
    pub bytes: u64,
    /// Files that were removed or changed, and are staged.
    pub staged: Vec<RepoPath>,
    /// Hooks that were removed.
    pub hooks: Vec<&'static str>,
    /// Settings of this clone that were removed.
    pub settings: Vec<String>,
    /// The store, where it is removed.
    pub store: Option<PathBuf>,
}

/// What stands in the way of one path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The work tree lacks some of it, or all.
    #[error("'{0}' is not here, or not all of it")]
    NotHere(RepoPath),
    /// Something older lies there.
    #[error("what lies at '{0}' is of another version than its pointer names")]
    Stale(RepoPath),
    /// A version of it is in the store alone.
    #[error("'{path}' has a version {version} that is in the store alone")]
    OnlyInStore {
        /// The path.
        path: RepoPath,
        /// The version.
        version: String,
    },
}

/// Why nothing was taken away.
#[derive(Debug, thiserror::Error)]
pub enum UninitError {
    /// Something would be lost.
    #[error("something would be lost; nothing was changed:{}", lines(.0))]
    Obstacles(Vec<Obstacle>),
    /// The store belongs to others, too.
    #[error("the store '{}' does not lie in this repository, so it is not removed; nothing was changed", .0.display())]
    SharedStore(PathBuf),
    /// A file cannot be removed.
    #[error("cannot remove '{}'", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// What is tracked.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// What lies here.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The versions.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// Hooks and settings.
    #[error(transparent)]
    SetUp(#[from] SetUpError),
    /// A name.
    #[error(transparent)]
    Name(#[from] PathError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for UninitError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Obstacles(obstacles) => {
                let one = |obstacle: &Obstacle| match obstacle {
                    Obstacle::NotHere(path) => format!("git mldata pull {}", typed(path)),
                    Obstacle::Stale(path) => format!("git mldata checkout {}", typed(path)),
                    Obstacle::OnlyInStore { .. } => {
                        "git mldata push      brings all versions to a remote".into()
                    }
                };
                let mut hints: Vec<String> = obstacles.iter().map(one).collect();
                hints.dedup();
                hints.truncate(3);
                hints
            }
            Self::SharedStore(_) => vec!["git mldata uninit      leaves the store where it is".into()],
            Self::Io { path, source } => refusal_hints(path, source),
            Self::Tracked(error) => error.hints(),
            Self::Snapshot(error) => error.hints(),
            Self::Versions(error) => error.hints(),
            Self::SetUp(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
            Self::Name(_) => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Obstacles(_) => Failure::AnswerIsNo,
            Self::Git(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}

/// The sections of Git's configuration that are ours.
const SECTIONS: [&str; 4] = ["filter.mldata", "diff.mldata", "merge.mldata", "mldata"];

/// Takes pointers, ignore lines, attributes, hooks and settings away; data stays.
///
/// # Errors
///
/// [`UninitError`]; everything is looked at before anything is changed.
pub fn uninit(
    workspace: &Workspace,
    options: UninitOptions,
    progress: &Progress,
) -> Result<Uninit, UninitError> {
    let repository = workspace.repository();
    let found = tracked::tracked(workspace, &[])?;
    if let Some(fault) = found.faults.into_iter().next() {
        return Err(fault.into());
    }
    let record = workspace.worktree_record(progress)?;
    let (mut obstacles, mut safe) = (Vec::new(), Vec::new());
    let unchanged = repository.unchanged_in_place()?;
    for item in &found.paths {
        if item.in_place {
            match is_data(workspace, &item.path)? {
                false => obstacles.push(Obstacle::NotHere(item.path.clone())),
                true if unchanged.contains(&item.path) => safe.push(RootName::from(&item.pointer)),
                true => {}
            }
            continue;
        }
        let (files, _) = counts(workspace.store(), &item.pointer);
        let root = RootName::from(&item.pointer);
        let (state, _) =
            compare(workspace.store(), workspace.top(), &item.path, &record, &root, files, progress)?;
        match state {
            PathState::Same => safe.push(root),
            PathState::Modified { .. } => {}
            PathState::Stale { .. } | PathState::Mixed => obstacles.push(Obstacle::Stale(item.path.clone())),
            PathState::Absent | PathState::Partial { .. } => {
                obstacles.push(Obstacle::NotHere(item.path.clone()));
            }
        }
    }
    let store = options.drop_store.then(|| workspace.store().path().to_owned());
    if let Some(store) = &store {
        if !store.starts_with(workspace.common_dir()) {
            return Err(UninitError::SharedStore(store.clone()));
        }
        for version in versions::named(workspace, &Commits::All)? {
            let is_safe = safe.iter().any(|root| root.is_same(&version.root));
            if !is_safe && remotes::holders(workspace, &version.root.id).is_empty() {
                let version_id = version.root.id.short().to_string();
                obstacles.push(Obstacle::OnlyInStore { path: version.path, version: version_id });
            }
        }
    }
    if !obstacles.is_empty() {
        return Err(UninitError::Obstacles(obstacles));
    }
    let data: Vec<_> = found.paths.iter().map(|item| item.path.clone()).collect();
    let bytes = found.paths.iter().map(|item| item.pointer.size).sum();
    let mut done = Uninit { data, bytes, staged: Vec::new(), hooks: Vec::new(), settings: Vec::new(), store };
    let (in_place, beside): (Vec<_>, Vec<_>) = found.paths.iter().partition(|item| item.in_place);
    let pointers: Result<Vec<_>, _> = beside.iter().map(|item| pointer_file(&item.path)).collect();
    let pointers = pointers?;
    let in_place: Vec<_> = in_place.iter().map(|item| item.path.clone()).collect();
    if options.dry_run {
        done.staged = [pointers, in_place].concat();
        return Ok(done);
    }
    // Hooks first: they would follow what is taken away.
    let undone = setup::undo(workspace)?;
    done.hooks = undone.hooks.into_iter().map(|(name, _)| name).collect();
    done.settings = undone.settings;
    let alone = workspace.hold_pointers()?;
    for file in pointers.iter().chain(&[RepoPath::new(TEAM_FILE)?]) {
        let path = file.under(workspace.top());
        match fs::remove_file(&path) {
            Ok(()) => done.staged.push(file.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(UninitError::Io { path, source }),
        }
    }
    done.staged.extend(repository.unignore(&done.data)?);
    if repository.set_attributes(AttributesPlace::Shared, &[])? {
        done.staged.push(repository.shared_attributes_path()?);
    }
    repository.set_attributes(AttributesPlace::Local, &[])?;
    repository.stage(&done.staged)?;
    // What lies there is data; what Git has of it is its pointer.
    repository.unstage(&in_place)?;
    done.staged.extend(in_place);
    done.settings.extend(repository.remove_sections(&SECTIONS)?);
    drop(alone);
    if let Some(path) = &done.store {
        fs::remove_dir_all(path).map_err(|source| UninitError::Io { path: path.clone(), source })?;
    }
    Ok(done)
}

/// Whether the data itself lies at a path that is tracked in place, not its pointer.
fn is_data(workspace: &Workspace, path: &RepoPath) -> Result<bool, UninitError> {
    let place = path.under(workspace.top());
    match fs::symlink_metadata(&place) {
        Ok(metadata) if metadata.len() > MAX_POINTER as u64 => Ok(true),
        Ok(_) => {
            let bytes = fs::read(&place).map_err(|source| UninitError::Io { path: place, source })?;
            Ok(Pointer::parse(&bytes).is_err())
        }
        Err(_) => Ok(false),
    }
}
