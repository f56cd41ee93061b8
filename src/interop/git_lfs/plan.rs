//! What is to be done for each file, and doing it.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::base::{Progress, RepoPath};
use crate::data::Workspace;
use crate::git::{IndexFile, Temporaries};
use crate::interop::checksum::Checksum;
use crate::interop::copying::for_each_at_once;
use crate::interop::place::{PlaceError, Site, copy_file, place};
use crate::storage::web;

use super::error::LfsError;
use super::pointer::{LONGEST, LfsPointer};
use super::server::{Offer, Source, source_of};

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lies {
    /// In the work tree.
    Here,
    /// In the clone's own store of LFS.
    Store,
    /// On the server, or in the folder that stands for it.
    Server,
}

/// One file that is moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Its path.
    pub path: RepoPath,
    /// Its bytes.
    pub bytes: u64,
    /// Where they are.
    pub from: Lies,
}

/// A content that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostObject {
    /// The path of the file.
    pub path: RepoPath,
    /// Its SHA-256.
    pub sha256: String,
    /// Why, where somebody said it.
    pub why: String,
}

/// One file and where it comes from.
struct Part {
    path: RepoPath,
    pointer: LfsPointer,
    executable: bool,
    /// Whether the pointer's text lies in its place.
    replaces: bool,
    way: Way,
}

enum Way {
    Here,
    File(PathBuf, Lies),
    Download(web::WebRequest),
}

/// What lies in the work tree.
enum State {
    Here,
    Absent,
    PointerText,
    Different,
}

/// What is to be done for all of them.
pub struct Plan {
    parts: Vec<Part>,
    /// What cannot be had.
    pub missing: Vec<LostObject>,
    /// What differs from what is staged.
    pub modified: Vec<RepoPath>,
    /// What is in Git itself.
    pub raw: Vec<RepoPath>,
}

impl Plan {
    /// Looks at everything; the server is asked for what is nowhere else.
    ///
    /// # Errors
    ///
    /// [`LfsError`].
    pub fn make(workspace: &Workspace, files: Vec<IndexFile>, progress: &Progress) -> Result<Self, LfsError> {
        let mut plan = Self { parts: Vec::new(), missing: Vec::new(), modified: Vec::new(), raw: Vec::new() };
        let mut named = Vec::new();
        for file in files {
            let blob = workspace.repository().read_blob(file.blob, LONGEST).ok();
            match blob.and_then(|blob| LfsPointer::parse(&blob)) {
                Some(pointer) => named.push((file, pointer)),
                None => plan.raw.push(file.path),
            }
        }
        let bytes = named.iter().map(|(_, pointer)| pointer.size).sum();
        progress.begin_files("looking at what Git LFS tracks", bytes, named.len() as u64);
        let top = workspace.top();
        let look = |(file, pointer): &(IndexFile, LfsPointer)| {
            let path = file.path.under(top);
            let state = state_of(&path, pointer).map_err(|source| LfsError::Read { path, source });
            progress.advance(pointer.size);
            progress.advance_files(1);
            state
        };
        let states: Result<Vec<_>, LfsError> = named.par_iter().map(look).collect();
        progress.end();
        let store = store_of(workspace);
        let mut wanted = Vec::new();
        for ((IndexFile { path, executable, .. }, pointer), state) in named.into_iter().zip(states?) {
            let replaces = matches!(state, State::PointerText);
            let stored = object_in(&store, &pointer.oid);
            let way = match state {
                State::Different => {
                    plan.modified.push(path);
                    continue;
                }
                State::Here => Some(Way::Here),
                _ => stored.is_file().then_some(Way::File(stored, Lies::Store)),
            };
            match way {
                Some(way) => plan.parts.push(Part { path, pointer, executable, replaces, way }),
                None => wanted.push((path, pointer, executable, replaces)),
            }
        }
        plan.ask(workspace, wanted)?;
        plan.parts.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(plan)
    }

    /// Asks for what is not in this clone.
    fn ask(
        &mut self,
        workspace: &Workspace,
        wanted: Vec<(RepoPath, LfsPointer, bool, bool)>,
    ) -> Result<(), LfsError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let source = source_of(workspace);
        let mut offers = HashMap::new();
        if let Some(Source::Server(server)) = &source {
            let mut seen = BTreeSet::new();
            let pointers = wanted.iter().map(|(_, pointer, ..)| pointer);
            let pointers: Vec<_> = pointers.filter(|pointer| seen.insert(pointer.oid.clone())).collect();
            offers = server.offers(&pointers)?;
        }
        for (path, pointer, executable, replaces) in wanted {
            let way = match &source {
                None => Err("no Git remote, and no lfs.url, says where it may be".to_owned()),
                Some(Source::Folder(folder)) => {
                    let file = object_in(folder, &pointer.oid);
                    let is_there = file.is_file().then_some(Way::File(file, Lies::Server));
                    is_there.ok_or_else(|| format!("it is not in '{}'", folder.display()))
                }
                Some(Source::Server(server)) => match offers.get(&pointer.oid) {
                    Some(Offer::Download(request)) => Ok(Way::Download(request.clone())),
                    Some(Offer::Refused(said)) => Err(said.clone()),
                    None => Err(format!("'{}' does not speak of it", server.url)),
                },
            };
            match way {
                Ok(way) => self.parts.push(Part { path, pointer, executable, replaces, way }),
                Err(why) => self.missing.push(LostObject { path, sha256: pointer.oid, why }),
            }
        }
        Ok(())
    }

    /// The files that are whole, or will be when the plan is carried out.
    pub fn whole(&self) -> impl Iterator<Item = &RepoPath> {
        self.parts.iter().map(|part| &part.path)
    }

    /// What is told of it.
    pub fn summary(&self) -> Vec<Moved> {
        let line = |part: &Part| {
            let from = match &part.way {
                Way::Here => Lies::Here,
                Way::File(_, from) => *from,
                Way::Download(_) => Lies::Server,
            };
            Moved { path: part.path.clone(), bytes: part.pointer.size, from }
        };
        self.parts.iter().map(line).collect()
    }

    /// Bytes that are to be written to the work tree.
    pub fn bytes_to_bring(&self) -> u64 {
        self.absent().map(|part| part.pointer.size).sum()
    }

    fn absent(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !matches!(part.way, Way::Here))
    }

    /// Brings what is not in the work tree. Files that turn out to be damaged leave the plan.
    ///
    /// # Errors
    ///
    /// [`LfsError`]; what was brought before stays.
    pub fn carry_out(&mut self, workspace: &Workspace, progress: &Progress) -> Result<(), LfsError> {
        let jobs: Vec<&Part> = self.absent().collect();
        if jobs.is_empty() {
            return Ok(());
        }
        for part in &jobs {
            workspace.repository().refuse_beyond_link(&part.path)?;
        }
        let temporaries = workspace.repository().temporaries()?;
        let top = workspace.top();
        progress.begin_files("bringing", self.bytes_to_bring(), jobs.len() as u64);
        let done = for_each_at_once(&jobs, &|part| bring(part, top, &temporaries, progress));
        progress.end();
        let lost: Vec<_> = done?.into_iter().flatten().collect();
        self.parts.retain(|part| !lost.iter().any(|lost| lost.path == part.path));
        self.missing.extend(lost);
        Ok(())
    }
}

/// Brings one file; what it is where that is damaged.
fn bring(
    part: &Part,
    top: &Path,
    temporaries: &Temporaries,
    progress: &Progress,
) -> Result<Option<LostObject>, PlaceError> {
    let path = part.path.under(top);
    let site = Site { path: &path, executable: part.executable, replaces: part.replaces, temporaries };
    let checksum = Checksum::Sha256(part.pointer.oid.clone());
    let placed = place(&site, &checksum, progress, &mut |draft| match &part.way {
        Way::Here => Ok(()),
        Way::File(from, _) => copy_file(from, draft),
        Way::Download(request) => {
            web::download(request, draft, &|draft| draft.restart())?;
            Ok(())
        }
    });
    progress.advance_files(1);
    match placed {
        Err(error) if error.is_of_source() => Ok(Some(LostObject {
            path: part.path.clone(),
            sha256: part.pointer.oid.clone(),
            why: error.to_string(),
        })),
        placed => placed.map(|_| None),
    }
}

/// How the file of the work tree stands to what is staged.
fn state_of(path: &Path, pointer: &LfsPointer) -> io::Result<State> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(State::Absent);
        }
        metadata => metadata?,
    };
    if !metadata.is_file() {
        return Ok(State::Different);
    }
    if metadata.len() <= LONGEST && metadata.len() > 0 {
        let mut text = Vec::new();
        fs::File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
        if LfsPointer::parse(&text).as_ref() == Some(pointer) {
            return Ok(State::PointerText);
        }
    }
    let fits = metadata.len() == pointer.size && Checksum::Sha256(pointer.oid.clone()).fits_file(path)?.0;
    Ok(if fits { State::Here } else { State::Different })
}

/// The clone's own store of LFS.
fn store_of(workspace: &Workspace) -> PathBuf {
    let common = workspace.common_dir();
    let storage = workspace.repository().setting("lfs.storage").map(|storage| common.join(storage));
    storage.unwrap_or_else(|| common.join("lfs")).join("objects")
}

/// Where the content with this id lies in a store of LFS.
fn object_in(store: &Path, oid: &str) -> PathBuf {
    store.join(&oid[..2]).join(&oid[2..4]).join(oid)
}
