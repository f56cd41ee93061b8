//! Our hooks: small shell scripts beside what is there already, installed and removed without trace.
//!
//! They go where Git looks (`git rev-parse --git-path hooks`, so `core.hooksPath` counts). A hook of somebody else is kept
//! as `NAME.pre-mldata`; ours runs it first, with the same arguments and a copy of its input. Nothing is appended to it:
//! after an `exit` that would never run, and a hook may be written in any language. The last line of an installed script
//! is a check of the lines above, so that an old version of ours is told from a script that someone has edited: only what
//! is provably ours is replaced or removed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::Advice;
use crate::base::Digest;
use crate::git::GitError;
use crate::git::Repository;
use crate::git::text_file;

/// The scripts by the names of their hooks.
const SCRIPTS: [(&str, &str); 10] = [
    ("pre-commit", include_str!("../../hooks/pre-commit")),
    ("pre-merge-commit", include_str!("../../hooks/pre-merge-commit")),
    ("prepare-commit-msg", include_str!("../../hooks/prepare-commit-msg")),
    ("post-commit", include_str!("../../hooks/post-commit")),
    ("post-checkout", include_str!("../../hooks/post-checkout")),
    ("post-merge", include_str!("../../hooks/post-merge")),
    ("post-applypatch", include_str!("../../hooks/post-applypatch")),
    ("post-rewrite", include_str!("../../hooks/post-rewrite")),
    ("post-index-change", include_str!("../../hooks/post-index-change")),
    ("pre-push", include_str!("../../hooks/pre-push")),
];

/// What the last line of an installed script begins with.
const CHECK: &str = "# check ";
/// What the name of somebody else's hook ends with while ours is installed.
const SET_ASIDE: &str = "pre-mldata";
/// What other tools call a hook that they found and run: ours may be under these.
const SET_ASIDE_BY_OTHERS: [&str; 2] = ["legacy", "old"];

/// Why hooks could not be installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The folder of hooks is made anew by husky each time.
    #[error("the hooks in '{}' are written by husky", folder.display())]
    Husky {
        /// Where Git looks for hooks.
        folder: PathBuf,
    },
    /// The folder of hooks is not this clone's alone: it is tracked, or serves other repositories too.
    #[error("Git looks for hooks in '{}' (core.hooksPath), which is not this clone's alone", folder.display())]
    Shared {
        /// Where Git looks for hooks.
        folder: PathBuf,
    },
    /// The name under which somebody else's hook would be kept is taken.
    #[error("'{}' and '{}' both exist, and neither was written by git mldata", hook.display(), aside.display())]
    Occupied {
        /// The hook.
        hook: PathBuf,
        /// Where it would be kept.
        aside: PathBuf,
    },
    /// The repository or the file system refused.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Advice for HookError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Husky { .. } => vec![
                "add to .husky/pre-push, and likewise to the others: git-mldata hook pre-push \"$@\"".into(),
                "the hooks are: ".to_owned() + &SCRIPTS.map(|(name, _)| name).join(", "),
            ],
            Self::Shared { .. } => vec![
                "to install them there all the same: git mldata hooks install --shared".into(),
                "or go without hooks, and run 'git mldata push' and 'git mldata checkout' yourself".into(),
            ],
            Self::Occupied { .. } => vec!["remove the one that is no longer needed".into()],
            Self::Git(error) => error.hints(),
        }
    }
}

/// What is at the place of one hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HookState {
    /// Nothing.
    Absent,
    /// Our script, as this program writes it.
    Installed,
    /// Our script, as another version wrote it.
    Outdated,
    /// Our script, and somebody has edited it.
    Edited,
    /// Somebody else's; ours is not run.
    Foreign,
    /// Our script without the executable bit: Git does not run it.
    NotExecutable,
}

/// One hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HookStatus {
    /// Its name.
    pub name: &'static str,
    /// What is at its place.
    pub state: HookState,
    /// Whether somebody else's hook is run by ours.
    pub runs_another: bool,
}

/// All our hooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HooksStatus {
    /// Where Git looks for hooks.
    pub folder: PathBuf,
    /// Whether that is the folder of this clone (and not one that `core.hooksPath` names).
    pub is_own_folder: bool,
    /// Each hook.
    pub hooks: Vec<HookStatus>,
}

/// What was done about one hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HookChange {
    /// Ours is new.
    Installed,
    /// Ours is new, and runs somebody else's, which was there.
    InstalledBeside,
    /// Ours is a newer version.
    Updated,
    /// It was as it should be.
    Unchanged,
    /// Ours is gone.
    Removed,
    /// Ours is gone, and somebody else's is back in its place.
    Restored,
    /// Ours, but edited: it was left alone.
    LeftEdited,
}

impl Repository {
    /// What there is of our hooks.
    ///
    /// # Errors
    ///
    /// [`HookError::Git`].
    pub fn hooks_status(&self) -> Result<HooksStatus, HookError> {
        let folder = self.hooks_folder()?;
        let status = |(name, text): (&'static str, &str)| -> Result<HookStatus, HookError> {
            let state = state_of(&folder, name, text)?;
            let runs_another = state != HookState::Absent && aside(&folder, name, SET_ASIDE).exists();
            Ok(HookStatus { name, state, runs_another })
        };
        let hooks = SCRIPTS.into_iter().map(status).collect::<Result<_, _>>()?;
        Ok(HooksStatus { is_own_folder: folder == self.own_hooks_folder(), folder, hooks })
    }

    /// Installs our hooks where Git looks for hooks. A folder that is not this clone's alone is written to only if
    /// `even_shared`.
    ///
    /// # Errors
    ///
    /// [`HookError`]; what was done before it stays.
    pub fn install_hooks(&self, even_shared: bool) -> Result<Vec<(&'static str, HookChange)>, HookError> {
        let folder = self.hooks_folder()?;
        if folder.ends_with(".husky/_") {
            return Err(HookError::Husky { folder });
        }
        if !even_shared && folder != self.own_hooks_folder() {
            return Err(HookError::Shared { folder });
        }
        fs::create_dir_all(&folder).map_err(GitError::io("create", &folder))?;
        SCRIPTS.into_iter().map(|(name, text)| Ok((name, install(&folder, name, text)?))).collect()
    }

    /// Removes our hooks from where Git looks for hooks and from this clone's own folder, and puts back what was there.
    ///
    /// # Errors
    ///
    /// [`HookError`]; what was done before it stays.
    pub fn uninstall_hooks(&self) -> Result<Vec<(&'static str, HookChange)>, HookError> {
        let mut folders = vec![self.hooks_folder()?, self.own_hooks_folder()];
        folders.dedup();
        let mut changes = Vec::new();
        for folder in &folders {
            for (name, text) in SCRIPTS {
                changes.push((name, uninstall(folder, name, text)?));
            }
        }
        changes.retain(|(_, change)| *change != HookChange::Unchanged);
        Ok(changes)
    }

    fn own_hooks_folder(&self) -> PathBuf {
        self.common_dir().join("hooks")
    }

    /// Where Git looks for hooks; a relative `core.hooksPath` counts from the top of each worktree.
    fn hooks_folder(&self) -> Result<PathBuf, GitError> {
        let answer = self.program().args(["rev-parse", "--git-path", "hooks"]).text()?;
        let top = self.work_dir().unwrap_or(self.git_dir());
        let folder = top.join(answer);
        // One name for one folder, so that it can be compared; it may not exist yet.
        let parent = folder.parent().and_then(|parent| fs::canonicalize(parent).ok());
        let real = parent.zip(folder.file_name()).map(|(parent, name)| parent.join(name));
        let own = self.own_hooks_folder();
        let is_own =
            real.is_some() && real == fs::canonicalize(self.common_dir()).ok().map(|dir| dir.join("hooks"));
        Ok(if is_own { own } else { folder })
    }
}

/// The script as it is installed: with the check of its lines.
fn with_check(text: &str) -> String {
    format!("{text}{CHECK}{}\n", Digest::of(text.as_bytes()).short())
}

/// Whether `installed` was written by some version of this program and not changed since.
fn is_unedited(installed: &str) -> bool {
    installed.rfind(CHECK).is_some_and(|at| installed == with_check(&installed[..at]))
}

/// Whether it was written by some version of this program.
fn is_ours(installed: &str) -> bool {
    installed.lines().any(|line| line.starts_with("# Installed by git mldata"))
}

fn aside(folder: &Path, name: &str, suffix: &str) -> PathBuf {
    folder.join(format!("{name}.{suffix}"))
}

/// What stands at `path`; a file that is no text is somebody else's.
fn read(path: &Path) -> Result<Option<String>, GitError> {
    match text_file::read(path) {
        Err(GitError::Io { source, .. }) if source.kind() == ErrorKind::InvalidData => {
            Ok(Some(String::new()))
        }
        answer => answer,
    }
}

fn state_of(folder: &Path, name: &str, text: &str) -> Result<HookState, GitError> {
    let path = folder.join(name);
    let Some(installed) = read(&path)? else { return Ok(HookState::Absent) };
    if !is_ours(&installed) {
        // Another tool may have found ours and run it from its own hook.
        let mut others = SET_ASIDE_BY_OTHERS.into_iter().map(|suffix| aside(folder, name, suffix));
        let kept = others.any(|path| read(&path).ok().flatten().is_some_and(|text| is_ours(&text)));
        return Ok(if kept { HookState::Installed } else { HookState::Foreign });
    }
    Ok(match () {
        () if !is_unedited(&installed) => HookState::Edited,
        () if !is_executable(&path) => HookState::NotExecutable,
        () if installed == with_check(text) => HookState::Installed,
        () => HookState::Outdated,
    })
}

fn install(folder: &Path, name: &str, text: &str) -> Result<HookChange, HookError> {
    let path = folder.join(name);
    let change = match state_of(folder, name, text)? {
        HookState::Installed => return Ok(HookChange::Unchanged),
        HookState::Edited => return Ok(HookChange::LeftEdited),
        HookState::Absent => HookChange::Installed,
        HookState::Outdated | HookState::NotExecutable => HookChange::Updated,
        HookState::Foreign => {
            let kept = aside(folder, name, SET_ASIDE);
            if kept.symlink_metadata().is_ok() {
                return Err(HookError::Occupied { hook: path, aside: kept });
            }
            fs::rename(&path, &kept).map_err(GitError::io("rename", &path))?;
            HookChange::InstalledBeside
        }
    };
    text_file::replace(folder, &path, &with_check(text))?;
    make_executable(&path).map_err(GitError::io("make executable", &path))?;
    Ok(change)
}

fn uninstall(folder: &Path, name: &str, text: &str) -> Result<HookChange, HookError> {
    let path = folder.join(name);
    match state_of(folder, name, text)? {
        HookState::Edited => return Ok(HookChange::LeftEdited),
        HookState::Absent | HookState::Foreign => return Ok(HookChange::Unchanged),
        HookState::Installed | HookState::Outdated | HookState::NotExecutable => {}
    }
    if !read(&path)?.is_some_and(|installed| is_ours(&installed)) {
        let others = SET_ASIDE_BY_OTHERS.into_iter().map(|suffix| aside(folder, name, suffix));
        for kept in others.filter(|path| read(path).ok().flatten().is_some_and(|text| is_unedited(&text))) {
            text_file::remove(&kept)?;
        }
        return Ok(HookChange::Removed);
    }
    let kept = aside(folder, name, SET_ASIDE);
    if kept.symlink_metadata().is_ok() {
        fs::rename(&kept, &path).map_err(GitError::io("rename", &kept))?;
        return Ok(HookChange::Restored);
    }
    text_file::remove(&path)?;
    Ok(HookChange::Removed)
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0)
}

/// For whoever may read it.
#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = path.metadata()?.permissions();
    permissions.set_mode(permissions.mode() | (permissions.mode() & 0o444) >> 2);
    fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
fn is_executable(_path: &Path) -> bool {
    true
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
