//! Fetch from the remotes of a workspace: what one of them cannot give comes from the next.
//!
//! What a demanding user expects: a mirror is worth having. Where the remote that is asked first lacks a version, holds a
//! part of it damaged, or cannot be reached, the others are asked, and it is told which did what. Nothing is fetched twice:
//! what the first could give of a damaged version stays, and only the rest comes from the next. Peers: Git LFS and DVC ask
//! one remote and stop; git-annex asks the next one, file by file.

use serde::Serialize;

use crate::base::{Digest, Progress, RepoPath};
use crate::data::remotes::{self, RemoteSettings, RemotesError};
use crate::data::workspace::Workspace;

use super::TransferError;
use super::exchange::With;
use super::fetch::{Fetch, Fetched, MissingVersion, Want, fetch};

/// A version that one remote could not give, and another could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FellBack {
    /// The path of the data.
    pub path: RepoPath,
    /// The version.
    pub root: Digest,
    /// The remote that was asked first.
    pub remote: String,
    /// What was wrong there.
    pub problem: String,
    /// The remote that it came from, or the rest of it.
    pub from: String,
}

/// A version that is still to be brought, and why no remote could so far.
struct Left {
    want: Want,
    /// In the order in which the remotes were asked.
    troubles: Vec<(String, Trouble)>,
}

enum Trouble {
    Missing,
    Failed(TransferError),
}

/// Brings `wants` into the store: from `remote`, or from the default and then from every other remote that has what is
/// still missing.
///
/// # Errors
///
/// [`TransferError`], when everything was brought that could be.
pub fn fetch_versions(
    workspace: &Workspace,
    remote: Option<&str>,
    wants: &[Want],
    progress: &Progress,
) -> Result<With<Fetched>, TransferError> {
    let first = remotes::find(workspace, remote)?;
    let others = match remote {
        Some(_) => Vec::new(),
        None => remotes::list(workspace)?.into_iter().filter(|other| other.name != first.name).collect(),
    };
    let is_alone = others.is_empty();
    let mut left: Vec<_> =
        wants.iter().map(|want| Left { want: want.clone(), troubles: Vec::new() }).collect();
    let mut done = Fetched::default();
    for (number, settings) in std::iter::once(&first).chain(&others).enumerate() {
        if number > 0 && left.is_empty() {
            break;
        }
        let wants: Vec<_> = left.iter().map(|left| left.want.clone()).collect();
        let (brought, troubles) = match fetch_from(workspace, settings, &wants, progress) {
            Ok(answer) => answer,
            Err(TransferError::Empty { .. }) if !is_alone => missing(&wants),
            Err(error) if !is_alone && is_of_remote(&error) && !wants.is_empty() => failed(&wants, error),
            Err(error) => return Err(error),
        };
        done.add(&brought);
        left = sort(left, troubles, settings, &mut done);
    }
    finish(left, done, first.name)
}

/// Every one of `wants` is missing.
fn missing(wants: &[Want]) -> (Fetched, Vec<(Digest, Trouble)>) {
    (Fetched::default(), wants.iter().map(|want| (want.root.id, Trouble::Missing)).collect())
}

/// None of `wants` could be asked for: the remote itself is the trouble.
fn failed(wants: &[Want], error: TransferError) -> (Fetched, Vec<(Digest, Trouble)>) {
    let mut error = Some(error);
    let trouble = |want: &Want| (want.root.id, error.take().map_or(Trouble::Missing, Trouble::Failed));
    (Fetched::default(), wants.iter().map(trouble).collect())
}

/// What is still left after a remote was asked; what it could give that others could not is noted.
fn sort(
    left: Vec<Left>,
    mut troubles: Vec<(Digest, Trouble)>,
    settings: &RemoteSettings,
    done: &mut Fetched,
) -> Vec<Left> {
    let mut still = Vec::new();
    for Left { want, troubles: mut before } in left {
        match troubles.iter().position(|(root, _)| *root == want.root.id) {
            Some(at) => {
                before.push((settings.name.clone(), troubles.swap_remove(at).1));
                still.push(Left { want, troubles: before });
            }
            None => {
                let (path, root, from) = (want.path, want.root.id, settings.name.clone());
                done.fell_back.extend(before.into_iter().next().map(|(remote, trouble)| {
                    let problem = problem(trouble, &path, root, &remote);
                    FellBack { path, root, remote, problem, from }
                }));
            }
        }
    }
    still
}

fn problem(trouble: Trouble, path: &RepoPath, root: Digest, remote: &str) -> String {
    let error = match trouble {
        Trouble::Missing => TransferError::NotThere { path: path.clone(), root, remote: remote.to_owned() },
        Trouble::Failed(error) => error,
    };
    error.with_causes()
}

/// What no remote could give is missing; where one had it and it was damaged, or could not be asked, that is the error.
fn finish(left: Vec<Left>, mut done: Fetched, remote: String) -> Result<With<Fetched>, TransferError> {
    for Left { want, troubles } in left {
        let failed = troubles.into_iter().find_map(|(_, trouble)| match trouble {
            Trouble::Failed(error) => Some(error),
            Trouble::Missing => None,
        });
        match failed {
            Some(error) => return Err(error),
            None => done.missing.push(MissingVersion { path: want.path, root: want.root.id }),
        }
    }
    Ok(With { remote, done })
}

/// Brings what one remote can give of `wants`; which it cannot, and why.
fn fetch_from(
    workspace: &Workspace,
    settings: &RemoteSettings,
    wants: &[Want],
    progress: &Progress,
) -> Result<(Fetched, Vec<(Digest, Trouble)>), TransferError> {
    let (connection, mut knowledge) = remotes::open(workspace, settings)?;
    let team = remotes::team_file(workspace)?;
    let repository = team.repository().ok_or(RemotesError::NotSetUp)?;
    let from = Fetch { store: workspace.store(), remote: &connection, repository, progress };
    let (mut done, failed) = fetch(&from, &mut knowledge, wants)?;
    let missing = std::mem::take(&mut done.missing).into_iter();
    let mut troubles: Vec<_> = missing.map(|version| (version.root, Trouble::Missing)).collect();
    troubles.extend(failed.into_iter().map(|(root, error)| (root, Trouble::Failed(error))));
    Ok((done, troubles))
}

/// Whether another remote may help: the trouble lies there, not here.
fn is_of_remote(error: &TransferError) -> bool {
    matches!(
        error,
        TransferError::Remote(_)
            | TransferError::Read(_)
            | TransferError::Config { .. }
            | TransferError::ConfigLost { .. }
            | TransferError::Remotes(RemotesError::Remote(_))
    )
}
