//! Where DVC keeps contents: its cache, and the remotes that its configuration names.
//!
//! | layout | where a content lies |
//! | --- | --- |
//! | DVC 3 | `files/md5/AB/REST` |
//! | DVC 2 and 1 | `AB/REST` |
//!
//! The list of a directory has `.dir` behind its name. Credentials of a remote come from the environment and the service's
//! own sources, as for remotes of ours; those in DVC's own files are not read.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::data::{Workspace, remotes};
use crate::interop::place::{Draft, PlaceError, copy_file};
use crate::storage::remote::{Remote, RemoteError, RemoteErrorKind, RemoteOptions, RemoteUrl};

use super::format::LONGEST_LIST;
use super::project::Settings;

/// Bytes that are asked for at once.
const RANGE: u64 = 8 << 20;
/// What DVC calls the options of a remote, and what we call them.
const OPTIONS: [(&str, &str); 5] = [
    ("endpointurl", "endpoint"),
    ("region", "region"),
    ("profile", "profile"),
    ("account_name", "account"),
    ("user", "user"),
];

/// A place for contents of DVC.
#[derive(Debug, Clone)]
pub enum Depot {
    /// The cache, or a remote that is a folder of this machine.
    Folder(PathBuf),
    /// A remote elsewhere.
    Remote(Box<Remote>),
}

/// A content that was found.
#[derive(Debug, Clone)]
pub struct Stored<'a> {
    depot: &'a Depot,
    name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Whether it must come over the network, or from a folder of a remote.
    pub is_remote: bool,
}

/// The places of one project, the nearest first.
#[derive(Debug)]
pub struct Depots {
    cache: Depot,
    /// By name.
    remotes: BTreeMap<String, Depot>,
    default: Option<String>,
    /// Remotes that cannot be used, and why.
    pub unusable: Vec<(String, String)>,
}

impl Depots {
    /// The places that the project in `folder` names; of remotes `only`, where that is given.
    pub fn of(workspace: &Workspace, folder: &Path, only: Option<&str>) -> Self {
        let settings = Settings::of(folder);
        let base = folder.join(".dvc");
        let cache = settings.get("cache", "dir").map_or_else(|| base.join("cache"), |dir| base.join(dir));
        let (mut remotes, mut unusable) = (BTreeMap::new(), Vec::new());
        for section in settings.all.keys() {
            let name = section.strip_prefix("remote \"").and_then(|name| name.strip_suffix('"'));
            let Some(name) = name.filter(|name| only.is_none_or(|only| only == *name)) else { continue };
            match open(workspace, &settings, section, &base) {
                Ok(depot) => drop(remotes.insert(name.to_owned(), depot)),
                Err(why) => unusable.push((name.to_owned(), why)),
            }
        }
        let sole = || remotes.keys().next().filter(|_| remotes.len() == 1).cloned();
        let default = only.or(settings.get("core", "remote")).map(str::to_owned).or_else(sole);
        Self { cache: Depot::Folder(cache), remotes, default, unusable }
    }

    /// Where the content with this MD5 lies: in the cache, or else on remotes.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when a remote does not answer.
    pub fn find(&self, name: &str, remote: Option<&str>) -> Result<Vec<Stored<'_>>, RemoteError> {
        match self.cache.find(name)? {
            Some((name, size)) => Ok(vec![Stored { depot: &self.cache, name, size, is_remote: false }]),
            None => self.find_remote(name, remote),
        }
    }

    /// As [`Depots::find`], on remotes alone.
    ///
    /// # Errors
    ///
    /// [`RemoteError`].
    pub fn find_remote(&self, name: &str, remote: Option<&str>) -> Result<Vec<Stored<'_>>, RemoteError> {
        let named = [remote, self.default.as_deref()].into_iter().flatten();
        let mut depots: Vec<_> = named.filter_map(|name| self.remotes.get_key_value(name)).collect();
        depots.dedup_by_key(|(name, _)| *name);
        let mut found = Vec::new();
        for (_, depot) in depots {
            if let Some((name, size)) = depot.find(name)? {
                found.push(Stored { depot, name, size, is_remote: true });
            }
        }
        Ok(found)
    }

    /// Whether no remote can be used.
    pub fn has_no_remote(&self) -> bool {
        self.remotes.is_empty() && self.unusable.is_empty()
    }

    /// Whether `path` lies in the cache: DVC links to it.
    pub fn is_in_cache(&self, path: &Path) -> bool {
        let Depot::Folder(cache) = &self.cache else { return false };
        match (path.canonicalize(), cache.canonicalize()) {
            (Ok(path), Ok(cache)) => path.starts_with(cache),
            _ => false,
        }
    }
}

impl Depot {
    /// The name and size of a content here, in either layout.
    fn find(&self, name: &str) -> Result<Option<(String, u64)>, RemoteError> {
        let (first, rest) = name.split_at(2);
        for name in [format!("files/md5/{first}/{rest}"), format!("{first}/{rest}")] {
            if let Some(size) = self.size_of(&name)? {
                return Ok(Some((name, size)));
            }
        }
        Ok(None)
    }

    fn size_of(&self, name: &str) -> Result<Option<u64>, RemoteError> {
        match self {
            Self::Folder(folder) => {
                let metadata = folder.join(name).metadata().ok().filter(|metadata| metadata.is_file());
                Ok(metadata.map(|metadata| metadata.len()))
            }
            Self::Remote(remote) => match remote.stat(name) {
                Ok(listed) => Ok(listed.map(|listed| listed.size)),
                Err(error) if error.kind() == RemoteErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        }
    }
}

impl Stored<'_> {
    /// Writes the content into a draft.
    ///
    /// # Errors
    ///
    /// [`PlaceError`].
    pub fn copy_to(&self, draft: &mut Draft<'_>) -> Result<(), PlaceError> {
        let remote = match self.depot {
            Depot::Folder(folder) => return copy_file(&folder.join(&self.name), draft),
            Depot::Remote(remote) => remote,
        };
        let mut at = 0;
        while at < self.size {
            let bytes = remote.get_range(&self.name, at, RANGE.min(self.size - at))?;
            at += bytes.len() as u64;
            draft
                .write_all(&bytes)
                .map_err(|source| PlaceError::Write { path: PathBuf::from(&self.name), source })?;
        }
        Ok(())
    }

    /// The whole content in memory: the list of a directory.
    ///
    /// # Errors
    ///
    /// [`PlaceError`].
    pub fn read(&self) -> Result<Vec<u8>, PlaceError> {
        let unread = |source| PlaceError::Read { path: PathBuf::from(&self.name), source };
        if self.size > LONGEST_LIST {
            return Err(unread(std::io::ErrorKind::FileTooLarge.into()));
        }
        match self.depot {
            Depot::Folder(folder) => std::fs::read(folder.join(&self.name)).map_err(unread),
            Depot::Remote(remote) => Ok(remote.get_range(&self.name, 0, self.size)?),
        }
    }
}

/// Opens the remote of a section, or says why it cannot be used.
fn open(workspace: &Workspace, settings: &Settings, section: &str, base: &Path) -> Result<Depot, String> {
    let url = settings.get(section, "url").ok_or("it has no url")?;
    if settings.get(section, "version_aware") == Some("true")
        || settings.get(section, "worktree") == Some("true")
    {
        return Err("it keeps versions in the service's own way, which is not read".into());
    }
    if let Some(rest) = url.strip_prefix("remote://") {
        let (other, below) = rest.split_once('/').unwrap_or((rest, ""));
        let other = format!("remote \"{other}\"");
        let above = settings.get(&other, "url").ok_or("the remote that it lies in is not there")?;
        if above.starts_with("remote://") {
            return Err("it lies in a remote that lies in another".into());
        }
        let url = format!("{}/{below}", above.trim_end_matches('/'));
        return open_url(workspace, settings, &other, &url, base);
    }
    open_url(workspace, settings, section, url, base)
}

fn open_url(
    workspace: &Workspace,
    settings: &Settings,
    section: &str,
    url: &str,
    base: &Path,
) -> Result<Depot, String> {
    let url = url.replacen("ssh://", "sftp://", 1);
    let parsed = RemoteUrl::parse(&url).map_err(|error| error.to_string())?;
    if let Some(folder) = parsed.folder_under(base) {
        return Ok(Depot::Folder(folder));
    }
    let known = RemoteOptions::known(&parsed);
    let named = OPTIONS.iter().filter(|(_, ours)| known.contains(ours));
    let mut options: BTreeMap<_, _> = named
        .filter_map(|(theirs, ours)| Some(((*ours).to_owned(), settings.get(section, theirs)?.to_owned())))
        .collect();
    if settings.get(section, "allow_anonymous_login") == Some("true") && known.contains(&"anonymous") {
        options.insert("anonymous".into(), "true".into());
    }
    // What came with the clone gets no secret: only what the user's own files say.
    let own = |key: &str| settings.own.get(section).and_then(|section| section.get(key));
    let places = ["url", "endpointurl", "account_name"];
    let trusted = places.iter().all(|key| own(key).map(String::as_str) == settings.get(section, key));
    let remote = remotes::connect_to_read(workspace, &url, options, trusted);
    Ok(Depot::Remote(Box::new(remote.map_err(|error| error.to_string())?)))
}
