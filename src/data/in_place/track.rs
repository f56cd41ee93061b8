//! Patterns of paths that are tracked in place, and the filter that this needs in each clone.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::base::{Advice, Failure, RepoPath};
use crate::data::workspace::Workspace;
use crate::git::{AttributesPlace, GitError, Held, InPlaceEntry, Repository};

/// What is written behind a pattern: no line ends are changed in pointers, and none is ever merged line by line.
const ATTRIBUTES: &str = " filter=mldata -text -merge";
/// How Git starts the filter: found as hooks find it.
const PROCESS: (&str, &str) =
    ("filter.mldata.process", "PATH=$PATH:$HOME/.cargo/bin; exec git-mldata filter-process");
/// Without the filter nothing is checked out nor added, for what is raw would be taken for a pointer, and the other way.
const REQUIRED: (&str, &str) = ("filter.mldata.required", "true");

/// What became of one pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrackChange {
    /// The pattern, as `.gitattributes` has it.
    pub pattern: String,
    /// Whether that changed anything.
    pub changed: bool,
}

/// What became of patterns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tracking {
    /// Each of them.
    pub changes: Vec<TrackChange>,
    /// Files that the index has in the other form, raw or as a pointer, until they are added anew.
    pub to_renormalize: Vec<RepoPath>,
}

/// Why a pattern cannot be tracked.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// Attribute files know no exceptions.
    #[error("'{0}' begins with '!', and attributes know no exceptions")]
    Negative(String),
    /// A line of its own cannot hold it.
    #[error("'{0}' holds a line end, and no pattern can")]
    LineEnd(String),
    /// It would match nothing: a folder has no attributes.
    #[error("'{0}' names a folder, and attributes are for files")]
    Folder(String),
    /// Nothing, or what steers Git itself.
    #[error("'{0}' would track what Git itself reads")]
    GitFiles(String),
    /// It is not tracked.
    #[error("'{0}' is no pattern that is tracked in place")]
    Unknown(String),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Advice for TrackError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Negative(pattern) => {
                vec![format!("write it into .gitattributes yourself: {} -filter", &pattern[1..])]
            }
            Self::Folder(pattern) => {
                let folder = pattern.trim_end_matches('/');
                vec![
                    format!("git mldata track '{folder}/**'      each file in it"),
                    format!("git mldata add '{folder}'      the folder as one, with one pointer beside it"),
                ]
            }
            Self::Unknown(_) => vec!["git mldata track      lists them".into()],
            Self::LineEnd(_) | Self::GitFiles(_) => Vec::new(),
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

/// The patterns that our block in `.gitattributes` has, in order.
///
/// # Errors
///
/// [`GitError`].
pub fn patterns(repository: &Repository) -> Result<Vec<String>, GitError> {
    let lines = repository.attributes(AttributesPlace::Shared)?;
    Ok(lines.iter().filter_map(|line| pattern_of(line)).collect())
}

/// Tracks what matches `typed` in place, from now on, and sets the filter up in this clone. Patterns count from the
/// current folder, as those of a `.gitattributes` in it would.
///
/// # Errors
///
/// [`TrackError`]; nothing is written then.
pub fn track(workspace: &Workspace, typed: &[String], stage: bool) -> Result<Tracking, TrackError> {
    let repository = workspace.repository();
    let patterns: Vec<_> =
        typed.iter().map(|typed| checked(repository, typed)).collect::<Result<_, TrackError>>()?;
    track_patterns(workspace, patterns, stage)
}

/// The pattern that matches `path` and nothing else.
pub fn pattern_for(path: &RepoPath) -> String {
    let mut pattern = String::from("/");
    for c in path.as_str().chars() {
        if matches!(c, '\\' | '*' | '?' | '[') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// Tracks what matches these patterns, which count from the top of the work tree.
///
/// # Errors
///
/// [`TrackError::Git`].
pub fn track_patterns(
    workspace: &Workspace,
    patterns: Vec<String>,
    stage: bool,
) -> Result<Tracking, TrackError> {
    register(workspace.repository())?;
    change(workspace, patterns, stage, |lines, pattern| {
        let known = lines.iter().any(|line| pattern_of(line).as_deref() == Some(pattern));
        if !known {
            lines.push(quoted(pattern) + ATTRIBUTES);
        }
        Ok(!known)
    })
}

/// Tracks what matches `typed` in place no longer.
///
/// # Errors
///
/// [`TrackError::Unknown`] for what is not tracked; nothing is written then.
pub fn untrack(workspace: &Workspace, typed: &[String], stage: bool) -> Result<Tracking, TrackError> {
    let repository = workspace.repository();
    let known = patterns(repository)?;
    let name = |typed: &String| -> Result<String, TrackError> {
        let here = below(repository, typed);
        let found = [typed, &here].into_iter().find(|name| known.contains(name));
        found.cloned().ok_or_else(|| TrackError::Unknown(typed.clone()))
    };
    let patterns: Vec<_> = typed.iter().map(name).collect::<Result<_, _>>()?;
    change(workspace, patterns, stage, |lines, pattern| {
        let before = lines.len();
        lines.retain(|line| pattern_of(line).as_deref() != Some(pattern));
        Ok(lines.len() != before)
    })
}

fn change(
    workspace: &Workspace,
    patterns: Vec<String>,
    stage: bool,
    mut edit: impl FnMut(&mut Vec<String>, &str) -> Result<bool, TrackError>,
) -> Result<Tracking, TrackError> {
    let repository = workspace.repository();
    let mut lines = repository.attributes(AttributesPlace::Shared)?;
    let pointers = |entries: &[InPlaceEntry], are: bool| -> BTreeSet<RepoPath> {
        let is_pointer = |held: &Held| matches!(held, Held::Pointer { .. });
        let found = entries.iter().filter(|entry| is_pointer(&entry.held) == are);
        found.map(|entry| entry.path.clone()).collect()
    };
    let before = repository.in_place_entries(&|_| true)?;
    let mut changes = Vec::new();
    for pattern in patterns {
        let changed = edit(&mut lines, &pattern)?;
        changes.push(TrackChange { pattern, changed });
    }
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    if repository.set_attributes(AttributesPlace::Shared, &lines)? && stage {
        repository.stage(&[repository.shared_attributes_path()?])?;
    }
    let after = repository.in_place_entries(&|_| true)?;
    let still: BTreeSet<_> = after.iter().map(|entry| &entry.path).collect();
    let mut to_renormalize: Vec<_> = pointers(&after, false).into_iter().collect();
    to_renormalize.extend(pointers(&before, true).into_iter().filter(|path| !still.contains(path)));
    Ok(Tracking { changes, to_renormalize })
}

/// Sets the filter up in this clone; whether that was news. Nothing is run where no path is tracked in place.
///
/// # Errors
///
/// [`GitError`].
pub fn register(repository: &Repository) -> Result<bool, GitError> {
    let mut is_new = false;
    for (key, value) in [PROCESS, REQUIRED] {
        if repository.setting(key).as_deref() != Some(value) {
            repository.write_setting(key, value)?;
            is_new = true;
        }
    }
    Ok(is_new)
}

/// Takes the filter out of this clone: without the program, a filter that is required fails every checkout.
///
/// # Errors
///
/// [`GitError`].
pub fn unregister(repository: &Repository) -> Result<Vec<String>, GitError> {
    let mut removed = Vec::new();
    for (key, _) in [REQUIRED, PROCESS] {
        if repository.remove_setting(key, None)? {
            removed.push(key.to_owned());
        }
    }
    Ok(removed)
}

/// A pattern that may be written, from the top of the work tree.
fn checked(repository: &Repository, typed: &str) -> Result<String, TrackError> {
    let last = typed.rsplit('/').next().unwrap_or_default();
    let names_git_file =
        matches!(last, ".gitattributes" | ".gitignore" | ".gitmodules" | "ml.toml" | "ml.lock");
    if typed.starts_with('!') {
        Err(TrackError::Negative(typed.into()))
    } else if typed.contains(['\n', '\r', '\0']) {
        Err(TrackError::LineEnd(typed.into()))
    } else if typed.ends_with('/')
        || repository.work_dir()?.join(below(repository, typed).trim_start_matches('/')).is_dir()
    {
        Err(TrackError::Folder(typed.into()))
    } else if typed.is_empty() || matches!(typed, "*" | "**" | "/*" | "/**") || names_git_file {
        Err(TrackError::GitFiles(typed.into()))
    } else {
        Ok(below(repository, typed))
    }
}

/// A pattern of the current folder, from the top of the work tree.
fn below(repository: &Repository, typed: &str) -> String {
    let typed = typed.strip_prefix("./").map_or_else(|| typed.to_owned(), |rest| format!("/{rest}"));
    match repository.prefix() {
        None => typed,
        Some(folder) if typed.trim_start_matches('/').contains('/') || typed.starts_with('/') => {
            format!("/{folder}/{}", typed.trim_start_matches('/'))
        }
        Some(folder) => format!("/{folder}/**/{typed}"),
    }
}

/// As an attribute file has it: in quotes where blanks or a first character would be taken apart.
fn quoted(pattern: &str) -> String {
    let plain = !pattern.contains([' ', '\t', '"']) && !pattern.starts_with('#');
    if plain {
        pattern.to_owned()
    } else {
        format!("\"{}\"", pattern.replace('\\', r"\\").replace('"', "\\\""))
    }
}

/// The pattern of one of our lines.
fn pattern_of(line: &str) -> Option<String> {
    let pattern = line.strip_suffix(ATTRIBUTES)?;
    let inner = pattern.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Some(inner.map_or_else(|| pattern.to_owned(), |inner| inner.replace("\\\"", "\"").replace(r"\\", "\\")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_its_pattern_back() {
        for pattern in ["*.bin", "/a b.csv", "data/**", "#1", "say \"hi\"", "größe.dat"] {
            assert_eq!(pattern_of(&(quoted(pattern) + ATTRIBUTES)).as_deref(), Some(pattern));
        }
        assert_eq!(pattern_of("*.mld -text -merge linguist-language=TOML"), None);
    }
}
