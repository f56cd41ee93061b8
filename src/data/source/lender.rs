//! Data of another repository: its pointer, its team's remotes, its data; nothing else of it.

use std::path::{Path, PathBuf};

use crate::base::{Progress, RepoPath};
use crate::data::content::{Presence, presence};
use crate::data::export::{Origin, Output};
use crate::data::read::{At, found_in};
use crate::data::root::RootName;
use crate::data::status::counts;
use crate::data::tracked::without_suffix;
use crate::data::transfer::{Want, fetch_versions};
use crate::data::workspace::Workspace;
use crate::git::{Borrowed, Repository, TEAM_FILE, pointer_file};
use crate::objects::pointer::{MAX_POINTER, Pointer};
use crate::storage::durable;
use crate::storage::remote::RemoteUrl;
use crate::storage::store::Store;

use super::SourceError;

/// The largest team file that is read, in bytes.
const LARGEST_TEAM_FILE: u64 = 1 << 20;

/// A commit of another repository, with the means to have its data.
pub struct Lender {
    borrowed: Borrowed,
    workspace: Workspace,
    /// Its own store, where it lies on this machine.
    store: Option<Store>,
    url: String,
}

/// The data at a path of it.
pub struct Lent {
    path: RepoPath,
    root: RootName,
    below: String,
    /// The id of the path, to be compared.
    pub pointer: Pointer,
}

impl Lender {
    /// Asks for a commit of the repository at `url`.
    ///
    /// # Errors
    ///
    /// [`SourceError::Git`] in Git's words.
    pub fn open(url: &str, revision: Option<&str>, named_by_user: bool) -> Result<Self, SourceError> {
        let borrowed = Borrowed::fetch(url, revision, named_by_user)?;
        let top = borrowed.folder();
        let team = RepoPath::new(TEAM_FILE)?;
        if let Some(text) = borrowed.repository().read_file_at(borrowed.commit(), &team, LARGEST_TEAM_FILE)? {
            durable::write_atomically(&team.under(top), &text)?;
        }
        let local = Path::new(url).canonicalize().ok().filter(|path| path.is_dir());
        let other = local.as_ref().and_then(|path| Repository::open(path).ok());
        let store = other.as_ref().map(Workspace::store_of);
        if let Some(top) = other.as_ref().and_then(|other| other.work_dir().ok()) {
            make_folders_absolute(borrowed.repository(), top)?;
        }
        // Settings that were written are visible to who opens it afterwards.
        let repository = Repository::open(top)?;
        let place = Store::open(borrowed.repository().git_dir().join("ml"));
        let workspace = Workspace::in_store(repository, place)?;
        Ok(Self { borrowed, workspace, store, url: url.to_owned() })
    }

    /// The commit.
    pub fn commit(&self) -> String {
        self.borrowed.commit().to_string()
    }

    /// What lies at a path there: the pointer of it, or of the directory that it lies in.
    ///
    /// # Errors
    ///
    /// [`SourceError::NoData`].
    pub fn find(&self, path: &RepoPath) -> Result<Lent, SourceError> {
        let path = without_suffix(path);
        let mut at = Some(path.clone());
        while let Some(candidate) = at {
            let file = pointer_file(&candidate)?;
            let commit = self.borrowed.commit();
            let repository = self.borrowed.repository();
            let beside = repository.read_file_at(commit, &file, MAX_POINTER as u64)?;
            // What is tracked in place is its own pointer; anything else there is Git's own.
            let in_place = || {
                let own = repository.read_file_at(commit, &candidate, MAX_POINTER as u64).ok()??;
                Pointer::parse(&own).is_ok().then_some(own)
            };
            if let Some(bytes) = beside.or_else(in_place) {
                let parsed = Pointer::parse(&bytes);
                let pointer =
                    parsed.map_err(|source| SourceError::Pointer { path: candidate.to_string(), source })?;
                let below = path.below(&candidate).unwrap_or_default().to_owned();
                return Ok(Lent { root: RootName::from(&pointer), path, below, pointer });
            }
            at = candidate.parent();
        }
        Err(SourceError::NoData { repo: self.url.clone(), path: path.to_string() })
    }

    /// Files and bytes of the data, as its pointer tells them: of a part of a directory, those of the whole directory.
    pub fn amount(&self, lent: &Lent) -> (u64, u64) {
        let (files, _) = counts(self.store.as_ref().unwrap_or(self.workspace.store()), &lent.pointer);
        (files, lent.pointer.size)
    }

    /// Brings the data and writes it to `target`, as plain files: from its own store where that is on this machine, else from
    /// its remotes.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    pub fn write(
        &self,
        lent: &Lent,
        target: PathBuf,
        force: bool,
        progress: &Progress,
    ) -> Result<(u64, u64), SourceError> {
        let own = self.store.as_ref().filter(|store| presence(store, &lent.root) == Presence::Whole);
        let store = match own {
            Some(store) => store,
            None => {
                let want = Want {
                    path: lent.path.clone(),
                    root: lent.root,
                    parts: vec![lent.below.clone().into_bytes()],
                };
                fetch_versions(&self.workspace, None, &[want], progress)?;
                self.workspace.store()
            }
        };
        let at = At { revision: None, path: Some(lent.path.clone()) };
        let found = found_in(store, &at, &lent.root, lent.below.as_bytes())?;
        let from = Origin { store, name: lent.path.to_string(), revision: None };
        let output = Output::plan(from, found, target, force)?;
        output.write(progress)?;
        Ok((output.files(), output.bytes()))
    }
}

/// Remotes that are folders beside the other repository's work tree do not lie beside the temporary one.
fn make_folders_absolute(borrowed: &Repository, top: &Path) -> Result<(), SourceError> {
    let Ok(Some(team)) = borrowed.team_file() else { return Ok(()) };
    for (name, remote) in team.remotes() {
        if let Ok(RemoteUrl::Folder(folder)) = RemoteUrl::parse(&remote.url)
            && folder.is_relative()
            && !folder.starts_with("~")
        {
            let absolute = top.join(folder).display().to_string();
            borrowed.write_setting(&format!("mldata.{name}.url"), &absolute)?;
        }
    }
    Ok(())
}
