//! Revisions and paths in one row of words, told apart as Git tells them apart.

use std::path::PathBuf;

use crate::base::{Advice, Failure, RepoPath};
use crate::cli::context::Context;
use crate::cli::report::CliError;
use crate::data::diff::Sides;
use crate::git::{Repository, pointer_file};

/// Which two sides, and which paths.
pub(super) struct Meant {
    pub(super) sides: Sides,
    pub(super) paths: Vec<PathBuf>,
}

/// Words that mean nothing, or too much.
#[derive(Debug, thiserror::Error)]
enum WordsError {
    #[error("'{0}' is neither a revision nor a path")]
    Neither(String),
    #[error("'{0}' is both a revision and a path")]
    Both(String),
    #[error("'{0}' is one revision too many")]
    TooMany(String),
}

impl Advice for WordsError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Neither(word) => vec![
                format!(
                    "git mldata diff -- {word}      for a path that is in neither the work tree nor the index"
                ),
                "git log --oneline      shows the revisions".into(),
            ],
            Self::Both(word) => vec![
                format!("git mldata diff {word} --      for the revision"),
                format!("git mldata diff -- {word}      for the path"),
            ],
            Self::TooMany(_) => vec!["git mldata diff REV REV -- PATH".into()],
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::TooMany(_) => Failure::WrongUse,
            Self::Neither(_) | Self::Both(_) => Failure::CouldNotDo,
        }
    }
}

/// Reads `[REV [REV]] [PATH…] [-- PATH…]`; `A..B` and `A...B` stand for two revisions.
pub(super) fn read(
    context: &Context,
    words: &[String],
    behind: &[PathBuf],
    dashes: bool,
    cached: bool,
) -> Result<Meant, CliError> {
    let repository = context.repository()?;
    let mut revisions = Vec::new();
    let mut range = None;
    let mut paths = Vec::new();
    for word in words {
        let is_revision = range_of(repository, word).is_some() || repository.resolve_commit(word).is_ok();
        if paths.is_empty() && is_revision {
            if !dashes && lies_there(repository, word) {
                return Err(WordsError::Both(word.clone()).into());
            }
            let more = range_of(repository, word);
            if range.is_some() || revisions.len() >= 2 || (more.is_some() && !revisions.is_empty()) {
                return Err(WordsError::TooMany(word.clone()).into());
            }
            match more {
                Some(found) => range = Some(found),
                None => revisions.push(word.clone()),
            }
        } else if !dashes && is_path(repository, word) {
            paths.push(PathBuf::from(word));
        } else {
            return Err(WordsError::Neither(word.clone()).into());
        }
    }
    paths.extend(behind.iter().cloned());
    Ok(Meant { sides: sides(revisions, range, cached)?, paths })
}

fn sides(revisions: Vec<String>, range: Option<Sides>, cached: bool) -> Result<Sides, CliError> {
    let mut revisions = revisions.into_iter();
    match (revisions.next(), revisions.next(), range, cached) {
        (None, _, None, false) => Ok(Sides::WorkTree),
        (Some(one), None, None, false) => Ok(Sides::SinceCommit(one)),
        (revision, None, None, true) => Ok(Sides::Staged(revision)),
        (Some(one), Some(other), None, false) => Ok(Sides::Commits(one, other)),
        (None, _, Some(range), false) => Ok(range),
        (_, Some(other), _, _) => Err(WordsError::TooMany(other).into()),
        (_, None, Some(_), _) => Err(WordsError::TooMany("..".into()).into()),
    }
}

/// The two sides that `A..B` or `A...B` stands for, an empty one for HEAD; `None` for anything else.
fn range_of(repository: &Repository, word: &str) -> Option<Sides> {
    let is_revision = |revision: &str| repository.resolve_commit(revision).is_ok();
    let or_head = |revision: &str| if revision.is_empty() { "HEAD".to_owned() } else { revision.to_owned() };
    let split = |dots: &str| {
        let (one, other) = word.split_once(dots)?;
        let (one, other) = (or_head(one), or_head(other));
        (is_revision(&one) && is_revision(&other)).then_some((one, other))
    };
    if let Some((one, other)) = split("...") {
        return Some(Sides::SinceMergeBase(one, other));
    }
    split("..").filter(|_| word != "..").map(|(one, other)| Sides::Commits(one, other))
}

/// Whether there is a file, a folder or a pointer of this name.
fn lies_there(repository: &Repository, word: &str) -> bool {
    let (Ok(Some(path)), Ok(top)) = (repository.resolve_or_top(word), repository.work_dir()) else {
        return false;
    };
    let lies = |path: &RepoPath| path.under(top).symlink_metadata().is_ok();
    lies(&path) || pointer_file(&path).is_ok_and(|file| lies(&file))
}

/// Whether it can be a path: the top, something that is there, or something inside a tracked directory.
fn is_path(repository: &Repository, word: &str) -> bool {
    let Ok(resolved) = repository.resolve_or_top(word) else { return false };
    let Ok(top) = repository.work_dir() else { return false };
    let Some(path) = resolved.filter(|_| !lies_there(repository, word)) else { return true };
    let mut above = path.parent();
    while let Some(folder) = above {
        if pointer_file(&folder).is_ok_and(|file| file.under(top).is_file()) {
            return true;
        }
        above = folder.parent();
    }
    false
}
