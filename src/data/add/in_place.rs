//! Files that are added in place: their pointers lie under their own names.
//!
//! A path that history tracks gets no pointer beside it unless that is asked for: Git would overwrite the data, which it
//! ignores then, without a word when an older commit is checked out. Tracked in place, it is Git's at both ends.

use std::fs;

use super::{AddError, AddOptions, AddSummary, Added};
use crate::base::RepoPath;
use crate::data::in_place::{pattern_for, track_patterns};
use crate::data::root::RootName;
use crate::data::tracked;
use crate::data::workspace::Workspace;
use crate::git::{Held, InPlaceEntry};
use crate::objects::item::EMPTY_CONTENT;
use crate::objects::pointer::PointerKind;

/// Which of the paths are to be added in place, and the others.
pub(super) fn split(
    workspace: &Workspace,
    paths: &[RepoPath],
    options: AddOptions,
) -> Result<(Vec<RepoPath>, Vec<RepoPath>), AddError> {
    let (mut in_place, mut beside) = (Vec::new(), Vec::new());
    for path in paths {
        let is_ours = is_file(workspace, path)
            && tracked::enclosing(workspace, &tracked::without_suffix(path))?.is_none();
        let is_in_place = is_ours && !options.sidecar && {
            let repository = workspace.repository();
            repository.is_in_place(path)?
                || options.in_place
                    && (repository.is_tracked(path)?
                        || !repository.tracked_in_history(std::slice::from_ref(path))?.is_empty())
        };
        if is_in_place { &mut in_place } else { &mut beside }.push(path.clone());
    }
    Ok((in_place, beside))
}

fn is_file(workspace: &Workspace, path: &RepoPath) -> bool {
    fs::symlink_metadata(path.under(workspace.top())).is_ok_and(|found| found.is_file())
}

/// Adds these files in place, as `git add` does; those that no pattern covers get one.
pub(super) fn add_in_place(
    workspace: &Workspace,
    paths: &[RepoPath],
    options: AddOptions,
    summary: &mut AddSummary,
) -> Result<(), AddError> {
    let repository = workspace.repository();
    let before = repository.in_place_entries(&|_| true)?;
    let mut uncovered = Vec::new();
    for path in paths {
        if !repository.is_in_place(path)? {
            uncovered.push(pattern_for(path));
        }
    }
    let are_new = !uncovered.is_empty();
    track_patterns(workspace, uncovered, options.stage)?;
    if options.stage {
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for path in paths {
            if repository.is_tracked(path)? { &mut known } else { &mut new }.push(path.clone());
        }
        repository.renormalize(&known)?;
        repository.stage(&new)?;
        summary.staged.extend(paths.iter().cloned());
        if are_new {
            summary.staged.push(repository.shared_attributes_path()?);
        }
    }
    let now = repository.in_place_entries(&|_| true)?;
    for path in paths {
        let version = version_in(&now, path);
        summary.added.push(Added {
            path: path.clone(),
            kind: PointerKind::File,
            files: 1,
            bytes: version.map_or(0, |version| version.size),
            version: version.map_or(EMPTY_CONTENT, |version| version.id),
            before: version_in(&before, path).map(|version| version.id),
            absent: 0,
            behind: 0,
            edited_from: None,
            colliding: Vec::new(),
            in_place: true,
        });
    }
    summary.added.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(())
}

fn version_in(entries: &[InPlaceEntry], path: &RepoPath) -> Option<RootName> {
    entries.iter().find(|entry| entry.path == *path).and_then(|entry| match &entry.held {
        Held::Pointer { pointer, .. } => Some(RootName::from(pointer)),
        Held::Raw(_) | Held::Unmerged => None,
    })
}
