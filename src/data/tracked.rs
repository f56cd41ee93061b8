//! The tracked paths of the work tree: those that have a pointer.

use crate::base::{Advice, PathError, RepoPath, typed};
use crate::data::workspace::Workspace;
use crate::git::{GitError, PointerAt, PointerFault, pointer_file};
use crate::objects::pointer::{Pointer, SUFFIX};

/// Why a pointer cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TrackedError {
    /// It cannot be read, or is no pointer.
    #[error("the pointer '{file}' cannot be used")]
    Pointer {
        /// The file.
        file: String,
        /// Why.
        #[source]
        fault: PointerFault,
    },
    /// Nothing tracks the path.
    #[error("'{0}' is not tracked by git mldata")]
    NotTracked(RepoPath),
    /// Git itself does it.
    #[error("'{0}' is tracked in place: it is Git's to move and to remove")]
    InPlace(RepoPath),
    /// The name cannot have a pointer.
    #[error(transparent)]
    Name(#[from] PathError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Advice for TrackedError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Pointer { file, fault } => {
                fault_hints(fault).iter().map(|hint| hint.replace("PATH.mld", file)).collect()
            }
            Self::NotTracked(path) => {
                vec![format!("git mldata add {path}", path = typed(path)), "git mldata status".into()]
            }
            Self::InPlace(path) => {
                let path = typed(path);
                vec![format!("git mv {path} NEW-PATH, or git rm {path}")]
            }
            Self::Git(error) => error.hints(),
            Self::Name(_) => Vec::new(),
        }
    }
}

fn fault_hints(fault: &PointerFault) -> Vec<String> {
    match fault {
        PointerFault::Text(error) => error.hints(),
        PointerFault::Unreadable(error) => error.hints(),
        PointerFault::Unmerged => {
            vec!["git mldata resolve --ours PATH.mld      or --theirs".into()]
        }
        PointerFault::Name(_) | PointerFault::NotAFile => Vec::new(),
    }
}

/// A tracked path with its pointer.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracked {
    /// The path of the data.
    pub path: RepoPath,
    /// What its pointer says.
    pub pointer: Pointer,
    /// Whether the pointer lies under the data's own name, and Git itself keeps the file in step.
    pub in_place: bool,
}

/// The tracked paths that were asked for.
#[derive(Debug, Default)]
pub struct TrackedPaths {
    /// Those that can be used, in order.
    pub paths: Vec<Tracked>,
    /// The pointers that cannot.
    pub faults: Vec<TrackedError>,
}

/// The data's path, when that of its pointer was named.
pub fn without_suffix(path: &RepoPath) -> RepoPath {
    let data = path.as_str().strip_suffix(SUFFIX).and_then(|data| RepoPath::new(data).ok());
    data.unwrap_or_else(|| path.clone())
}

/// The pointer of `path` in the work tree, if there is one.
///
/// # Errors
///
/// [`TrackedError`] when it cannot be read or is no pointer.
pub fn read(workspace: &Workspace, path: &RepoPath) -> Result<Option<Pointer>, TrackedError> {
    let file = pointer_file(path)?.to_string();
    workspace.repository().work_tree_pointer(path).map_err(|fault| TrackedError::Pointer { file, fault })
}

/// Why `path`, which has no pointer beside it, cannot be moved or removed.
pub fn refused(workspace: &Workspace, path: RepoPath) -> TrackedError {
    let repository = workspace.repository();
    let is_staged = repository.staged_entry(&path).is_ok_and(|entry| entry.is_some());
    if is_staged && repository.is_in_place(&path).unwrap_or(false) {
        return TrackedError::InPlace(path);
    }
    TrackedError::NotTracked(path)
}

/// The tracked path that `path` is or lies in, and what remains of `path` below it.
///
/// # Errors
///
/// [`TrackedError`] when a name cannot have a pointer.
pub fn enclosing(workspace: &Workspace, path: &RepoPath) -> Result<Option<(RepoPath, String)>, TrackedError> {
    let mut at = Some(path.clone());
    while let Some(candidate) = at {
        if pointer_file(&candidate)?.under(workspace.top()).is_file() {
            let below = path.below(&candidate).unwrap_or_default().to_owned();
            return Ok(Some((candidate, below)));
        }
        at = candidate.parent();
    }
    Ok(None)
}

/// All tracked paths, or those at or below `paths`; a path inside a tracked directory stands for the directory.
///
/// # Errors
///
/// [`TrackedError::NotTracked`] for one of `paths` that names nothing tracked; what the repository answers.
pub fn tracked(workspace: &Workspace, paths: &[RepoPath]) -> Result<TrackedPaths, TrackedError> {
    let pointers = workspace.repository().work_tree_pointers()?;
    let named: Vec<_> = paths.iter().map(without_suffix).collect();
    let concerns = |path: &RepoPath| {
        named.is_empty()
            || named.iter().any(|named| path.below(named).is_some() || named.below(path).is_some())
    };
    let tracked = |at: PointerAt| Tracked { path: at.path, pointer: at.pointer, in_place: at.in_place };
    let all = pointers.good.into_iter().map(tracked);
    let found: Vec<_> = all.filter(|tracked| concerns(&tracked.path)).collect();
    let bad = pointers.bad.into_iter().map(|bad| (bad.file, bad.fault));
    let faults: Vec<_> = bad
        .filter(|(file, _)| {
            RepoPath::new(file.as_str()).map_or(named.is_empty(), |file| concerns(&without_suffix(&file)))
        })
        .map(|(file, fault)| TrackedError::Pointer { file, fault })
        .collect();
    let is_known = |named: &RepoPath| {
        found
            .iter()
            .any(|tracked| tracked.path.below(named).is_some() || named.below(&tracked.path).is_some())
    };
    match named.iter().find(|named| !is_known(named)) {
        Some(unknown) if faults.is_empty() => Err(TrackedError::NotTracked(unknown.clone())),
        _ => Ok(TrackedPaths { paths: found, faults }),
    }
}
