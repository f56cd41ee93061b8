//! A repository, opened the way Git would open it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use gix::open::Options;
use gix::sec::trust::Mapping;

use crate::base::RepoPath;
use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::config_parameters;
use crate::git::error::Cause;
use crate::git::index::CachedIndex;

/// An opened repository. Cheap to clone; a clone may go to another thread.
#[derive(Clone)]
pub struct Repository {
    pub(super) gix: gix::Repository,
    pub(super) index: CachedIndex,
}

impl Repository {
    /// The repository of the current folder, with everything in the environment that Git honours: `GIT_DIR`,
    /// `GIT_WORK_TREE`, `GIT_INDEX_FILE`, `GIT_CEILING_DIRECTORIES`, `GIT_CONFIG_*`, and `git -c`.
    ///
    /// # Errors
    ///
    /// [`GitError::NotARepository`], [`GitError::Untrusted`], or [`GitError::Open`] when it is damaged.
    pub fn discover() -> Result<Self, GitError> {
        let folder = env::current_dir().map_err(GitError::io("find", "."))?;
        let settings =
            env::var("GIT_CONFIG_PARAMETERS").ok().and_then(|text| config_parameters::parse(&text));
        let options = options().cli_overrides(settings.unwrap_or_default());
        let search =
            gix::discover::upwards::Options { match_ceiling_dir_or_error: false, ..Default::default() };
        let opened = gix::ThreadSafeRepository::discover_with_environment_overrides_opts(
            &folder,
            search,
            Mapping { full: options.clone(), reduced: options },
        );
        let mut gix = opened.map_err(|error| open_error(&folder, error))?.to_thread_local();
        if work_tree_is_here(&gix) {
            gix.set_workdir(folder.clone()).map_err(|error| open_error(&folder, error))?;
        }
        Self::from_gix(gix, &folder)
    }

    /// The repository whose work tree or Git directory is exactly `folder`. The environment of the current repository
    /// (`GIT_DIR`, `GIT_INDEX_FILE`, `git -c`, …) does not count.
    ///
    /// # Errors
    ///
    /// As [`Repository::discover`].
    pub fn open(folder: &Path) -> Result<Self, GitError> {
        let mut permissions = gix::open::Permissions::all();
        permissions.env.git_prefix = gix::sec::Permission::Deny;
        let options = options().permissions(permissions);
        let opened = gix::open_opts(folder, options).map_err(|error| open_error(folder, error))?;
        Self::from_gix(opened, folder)
    }

    fn from_gix(mut gix: gix::Repository, folder: &Path) -> Result<Self, GitError> {
        gix.make_paths_absolute().map_err(|error| open_error(folder, error))?;
        let format = gix.config_snapshot().string("extensions.refStorage").map(|format| format.to_string());
        if let Some(format) = format.filter(|format| format != "files") {
            return Err(GitError::Unsupported { folder: folder.to_owned(), what: "refs", format });
        }
        // Git too speaks of the top of the work tree without links and dots.
        if let Some(top) = gix.workdir().and_then(|top| fs::canonicalize(top).ok()) {
            gix.set_workdir(top).map_err(|error| open_error(folder, error))?;
        }
        gix.object_cache_size_if_unset(4 << 20);
        Ok(Self { gix, index: CachedIndex::default() })
    }

    /// The top of the work tree, absolute, without symbolic links.
    ///
    /// # Errors
    ///
    /// [`GitError::Bare`] when there is none.
    pub fn work_dir(&self) -> Result<&Path, GitError> {
        self.gix.workdir().ok_or_else(|| GitError::Bare { git_dir: self.git_dir().to_owned() })
    }

    /// Whether there is no work tree.
    pub fn is_bare(&self) -> bool {
        self.gix.workdir().is_none()
    }

    /// The Git directory of this worktree, absolute: where its index, `HEAD` and what we keep per worktree lie.
    pub fn git_dir(&self) -> &Path {
        self.gix.git_dir()
    }

    /// The Git directory that all worktrees share, absolute: where objects, refs and the store lie.
    pub fn common_dir(&self) -> &Path {
        self.gix.common_dir()
    }

    /// The index that Git means (`GIT_INDEX_FILE` in a hook), absolute. It need not exist.
    pub fn index_path(&self) -> PathBuf {
        self.gix.index_path()
    }

    /// The current folder below the top of the work tree; `None` at the top, or outside.
    pub fn prefix(&self) -> Option<RepoPath> {
        let prefix = self.gix.prefix().ok()??;
        RepoPath::new(prefix.to_str()?).ok()
    }

    /// The path in the work tree that the user means by `path`, typed in the current folder.
    ///
    /// # Errors
    ///
    /// [`GitError::Outside`], [`GitError::Top`], [`GitError::BeyondLink`], or a name that is never written.
    pub fn resolve(&self, path: impl AsRef<Path>) -> Result<RepoPath, GitError> {
        let path = path.as_ref();
        self.resolve_or_top(path)?.ok_or_else(|| GitError::Top { path: path.to_owned() })
    }

    /// As [`Repository::resolve`], and `None` for the top of the work tree.
    ///
    /// # Errors
    ///
    /// As [`Repository::resolve`], without [`GitError::Top`].
    pub fn resolve_or_top(&self, path: impl AsRef<Path>) -> Result<Option<RepoPath>, GitError> {
        let path = path.as_ref();
        let top = self.work_dir()?;
        let outside = || GitError::Outside { path: path.to_owned(), top: top.to_owned() };
        let absolute = lexically_clean(&self.gix.current_dir().join(path)).ok_or_else(outside)?;
        let below = match absolute.strip_prefix(top) {
            Ok(below) => below.to_owned(),
            Err(_) => real_path(&absolute).strip_prefix(top).map_err(|_| outside())?.to_owned(),
        };
        if below.as_os_str().is_empty() {
            return Ok(None);
        }
        let text = below.to_str().ok_or_else(|| GitError::NotUtf8 { path: path.to_owned() })?;
        let resolved = RepoPath::new(text.replace(std::path::MAIN_SEPARATOR, "/"))?;
        self.refuse_beyond_link(&resolved)?;
        Ok(Some(resolved))
    }

    /// Refuses a path that reaches its place through a symbolic link, or that lies in another repository, as `git add`
    /// does.
    ///
    /// # Errors
    ///
    /// [`GitError::BeyondLink`], [`GitError::OtherRepository`], [`GitError::Bare`].
    pub fn refuse_beyond_link(&self, path: &RepoPath) -> Result<(), GitError> {
        let top = self.work_dir()?;
        let mut parent = path.parent();
        while let Some(folder) = parent {
            let place = folder.under(top);
            if place.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
                return Err(GitError::BeyondLink { path: path.to_string(), link: folder.to_string() });
            }
            if place.join(".git").symlink_metadata().is_ok() {
                let (path, repository) = (path.to_string(), folder.to_string());
                return Err(GitError::OtherRepository { path, repository });
            }
            parent = folder.parent();
        }
        Ok(())
    }

    /// The commit that is checked out; `None` before the first one.
    ///
    /// # Errors
    ///
    /// [`GitError::Ref`] when `HEAD` is damaged.
    pub fn head_commit(&self) -> Result<Option<ObjectId>, GitError> {
        let failed = |error: gix::Error| GitError::Ref { name: "HEAD".into(), source: error.into() };
        let mut head = self.gix.head().map_err(failed)?;
        Ok(head.try_peel_to_id().map_err(failed)?.map(|id| ObjectId(id.detach())))
    }

    /// The branch that is checked out, without `refs/heads/` (it may have no commit yet); `None` when `HEAD` is
    /// detached.
    ///
    /// # Errors
    ///
    /// [`GitError::Ref`] when `HEAD` is damaged.
    pub fn head_branch(&self) -> Result<Option<String>, GitError> {
        let name = self.gix.head_name();
        let name = name.map_err(|error| GitError::Ref { name: "HEAD".into(), source: error.into() })?;
        Ok(name.map(|name| name.shorten().to_string()))
    }

    /// Whether history is cut: older commits exist, and are not here. Nothing may be concluded from what is missing.
    pub fn is_shallow(&self) -> bool {
        // A `shallow` file that cannot be read says that something was cut.
        self.gix.is_shallow().unwrap_or(true)
    }
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("git_dir", &self.git_dir()).finish_non_exhaustive()
    }
}

fn options() -> Options {
    Options::default().bail_if_untrusted(true)
}

/// Git's rule: with `GIT_DIR` and without any named work tree, the current folder is the top of the work tree. A linked
/// worktree names its own.
fn work_tree_is_here(gix: &gix::Repository) -> bool {
    let named = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let settings = gix.config_snapshot();
    let configured_bare = settings.boolean("core.bare") == Some(true);
    let configured_work_tree = settings.string("core.worktree").is_some();
    let linked = gix.git_dir().parent().and_then(Path::file_name) == Some(OsStr::new("worktrees"));
    named("GIT_DIR") && !named("GIT_WORK_TREE") && !configured_bare && !configured_work_tree && !linked
}

fn open_error(folder: &Path, error: gix::Error) -> GitError {
    let folder = folder.to_owned();
    let said = Cause::from(error);
    let text = said.to_string();
    if text.contains("sha256") {
        GitError::Unsupported { folder, what: "objects", format: "sha256".into() }
    } else if text.contains("safe.directory") || text.contains("ownership") || text.contains("owned by") {
        GitError::Untrusted { folder, source: said }
    } else if said.is_not_found()
        || text.contains("repository could not be found")
        || text.contains("Could not find a git repository")
    {
        GitError::NotARepository { folder, source: said }
    } else {
        GitError::Open { folder, source: said }
    }
}

/// `path` without `.` and `..`, by its text alone, as Git does it; `None` when it climbs above the root.
fn lexically_clean(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            part => clean.push(part),
        }
    }
    Some(clean)
}

/// `path` with the links of its existing parents resolved; its own last part is left as it is.
fn real_path(path: &Path) -> PathBuf {
    let Some((parent, name)) = path.parent().zip(path.file_name()) else {
        return path.to_owned();
    };
    fs::canonicalize(parent).unwrap_or_else(|_| real_path(parent)).join(name)
}
