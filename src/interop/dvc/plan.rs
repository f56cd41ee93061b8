//! What is to be done for each output, and doing it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::{Progress, RepoPath};
use crate::data::Workspace;
use crate::git::Temporaries;
use crate::interop::checksum::{Checksum, md5_of};
use crate::interop::copying::for_each_at_once;
use crate::interop::place::{PlaceError, Site, copy_file, place};

use super::error::DvcError;
use super::format;
use super::objects::{Depots, Stored};
use super::project::{Found, Out};
use super::state::{self, Here};

/// The places of each project, by its folder.
pub type AllDepots = BTreeMap<PathBuf, Depots>;

/// What one output needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The path of the data.
    pub path: RepoPath,
    /// Its files.
    pub files: u64,
    /// Its bytes, as DVC tells them.
    pub bytes: u64,
    /// Files whose bytes lie in the work tree.
    pub here: u64,
    /// Files that come out of DVC's cache.
    pub from_cache: u64,
    /// Files that come from a remote of DVC.
    pub from_remote: u64,
}

/// A content that was found nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingObject {
    /// The file, or the directory whose list is missing.
    pub path: RepoPath,
    /// Its MD5.
    pub md5: String,
    /// Whether something lies where it should, and is damaged.
    pub damaged: bool,
}

impl MissingObject {
    fn of((path, checksum): &(RepoPath, Checksum), damaged: bool) -> Self {
        Self { path: path.clone(), md5: checksum.digits().to_owned(), damaged }
    }
}

/// One output that is whole, or will be.
struct Part<'a> {
    out: &'a Out,
    files: Vec<(RepoPath, Checksum)>,
    here: Vec<Here>,
    /// Where a file that is not here comes from, by its place in `files`.
    found: HashMap<usize, Stored<'a>>,
}

/// What is to be done for all of them.
pub struct Plan<'a> {
    parts: Vec<Part<'a>>,
    /// What was found nowhere.
    pub missing: Vec<MissingObject>,
    /// What differs from what DVC names.
    pub modified: Vec<RepoPath>,
}

/// Opens the places of each project that has something.
///
/// # Errors
///
/// [`DvcError::NoRemote`] for a remote that none has.
pub fn depots_of(workspace: &Workspace, found: &Found, only: Option<&str>) -> Result<AllDepots, DvcError> {
    let mut depots = AllDepots::new();
    for out in found.outs.values() {
        if !depots.contains_key(&out.project) {
            depots.insert(out.project.clone(), Depots::of(workspace, &out.project, only));
        }
    }
    match only.filter(|_| depots.values().all(Depots::has_no_remote)) {
        Some(name) if !depots.is_empty() => Err(DvcError::NoRemote(name.to_owned())),
        _ => Ok(depots),
    }
}

impl<'a> Plan<'a> {
    /// Looks at everything.
    ///
    /// # Errors
    ///
    /// [`DvcError`].
    pub fn make(
        workspace: &Workspace,
        found: &'a Found,
        depots: &'a AllDepots,
        progress: &Progress,
    ) -> Result<Self, DvcError> {
        let mut plan = Self { parts: Vec::new(), missing: Vec::new(), modified: Vec::new() };
        let bytes = found.outs.values().map(|out| out.size).sum();
        progress.begin_files("looking at what DVC tracks", bytes, found.outs.len() as u64);
        for out in found.outs.values() {
            if let Some(depots) = depots.get(&out.project) {
                plan.look_at(workspace, out, depots)?;
            }
            progress.advance(out.size);
            progress.advance_files(1);
        }
        progress.end();
        Ok(plan)
    }

    fn look_at(&mut self, workspace: &Workspace, out: &'a Out, depots: &'a Depots) -> Result<(), DvcError> {
        let top = workspace.top();
        let unread = |source| DvcError::Read { path: out.path.under(top), source };
        let (files, here) = if out.is_directory {
            let Some(files) = self.files_of(workspace, out, depots)? else { return Ok(()) };
            let Some(here) = state::directory(out, &files, top, depots).map_err(unread)? else {
                self.modified.push(out.path.clone());
                return Ok(());
            };
            (files, here)
        } else {
            let state = state::file(&out.path.under(top), &out.checksum, depots).map_err(unread)?;
            (vec![(out.path.clone(), out.checksum.clone())], vec![state])
        };
        if here.contains(&Here::Different) {
            self.modified.push(out.path.clone());
            return Ok(());
        }
        let absent: Vec<usize> =
            (0..files.len()).filter(|at| matches!(here[*at], Here::Absent | Here::DeadLink)).collect();
        let look = |at: &usize| depots.find(files[*at].1.digits(), out.remote.as_deref());
        let found = for_each_at_once(&absent, &look)?;
        let (mut stored, missing) = (HashMap::new(), self.missing.len());
        for (at, found) in absent.into_iter().zip(found) {
            match found.into_iter().next() {
                Some(found) => drop(stored.insert(at, found)),
                None => self.missing.push(MissingObject::of(&files[at], false)),
            }
        }
        if self.missing.len() == missing {
            self.parts.push(Part { out, files, here, found: stored });
        }
        Ok(())
    }

    /// The files of a directory; `None` where they cannot be told, which is noted.
    fn files_of(
        &mut self,
        workspace: &Workspace,
        out: &Out,
        depots: &Depots,
    ) -> Result<Option<Vec<(RepoPath, Checksum)>>, DvcError> {
        let name = format!("{}.dir", out.checksum.digits());
        let (mut entries, mut damaged) = (None, false);
        let remote = out.remote.as_deref();
        for stored in depots.find(&name, remote)?.into_iter().chain(depots.find_remote(&name, remote)?) {
            let bytes = stored.read()?;
            if md5_of(&bytes) == out.checksum.digits() {
                entries = format::list(&bytes).ok();
                break;
            }
            damaged = true;
        }
        let entries = match entries {
            Some(entries) => Some(entries),
            None => state::list_here(out, workspace.top())
                .map_err(|source| DvcError::Read { path: out.path.under(workspace.top()), source })?,
        };
        let Some(entries) = entries else {
            self.missing.push(MissingObject { path: out.path.clone(), md5: name, damaged });
            return Ok(None);
        };
        let mut files = Vec::with_capacity(entries.len());
        for entry in entries {
            match RepoPath::new(format!("{}/{}", out.path, entry.relpath)) {
                Ok(path) => files.push((path, out.checksum_of(&entry.md5))),
                Err(_) => {
                    self.missing.push(MissingObject { path: out.path.clone(), md5: name, damaged: true });
                    return Ok(None);
                }
            }
        }
        Ok(Some(files))
    }

    /// The outputs that are whole, or will be when the plan is carried out.
    pub fn whole(&self) -> impl Iterator<Item = &'a Out> {
        self.parts.iter().map(|part| part.out)
    }

    /// What is told of it.
    pub fn summary(&self) -> Vec<Planned> {
        let line = |part: &Part<'_>| {
            let from_remote = part.found.values().filter(|stored| stored.is_remote).count() as u64;
            let found = part.found.len() as u64;
            Planned {
                path: part.out.path.clone(),
                files: part.files.len() as u64,
                bytes: part.out.size,
                here: part.files.len() as u64 - found,
                from_cache: found - from_remote,
                from_remote,
            }
        };
        self.parts.iter().map(line).collect()
    }

    /// Bytes that are to be written to the work tree.
    pub fn bytes_to_bring(&self) -> u64 {
        self.parts.iter().flat_map(|part| part.found.values()).map(|stored| stored.size).sum()
    }

    /// Brings what is not here, and makes own files of those that DVC's cache shares. Outputs of which something turns out to
    /// be damaged everywhere leave the plan.
    ///
    /// # Errors
    ///
    /// [`DvcError`]; what was brought before stays.
    pub fn carry_out(
        &mut self,
        workspace: &Workspace,
        depots: &AllDepots,
        progress: &Progress,
    ) -> Result<(), DvcError> {
        let todo = |part: &Part<'_>| (0..part.files.len()).filter(|at| part.here[*at] != Here::Own).count();
        let count = self.parts.iter().map(todo).sum::<usize>();
        if count == 0 {
            return Ok(());
        }
        let temporaries = workspace.repository().temporaries()?;
        progress.begin_files("bringing", self.bytes_to_bring(), count as u64);
        let mut done = Ok(());
        for part in std::mem::take(&mut self.parts) {
            let jobs: Vec<_> = (0..part.files.len()).filter(|at| part.here[*at] != Here::Own).collect();
            for at in &jobs {
                workspace.repository().refuse_beyond_link(&part.files[*at].0)?;
            }
            let bringing = Bringing { top: workspace.top(), temporaries: &temporaries, depots, progress };
            match for_each_at_once(&jobs, &|at| bringing.bring(&part, *at)) {
                Ok(lost) if lost.iter().all(Option::is_none) => self.parts.push(part),
                Ok(lost) => self.missing.extend(lost.into_iter().flatten()),
                Err(error) => {
                    done = Err(error.into());
                    break;
                }
            }
        }
        progress.end();
        done
    }
}

/// What bringing takes.
struct Bringing<'a> {
    top: &'a Path,
    temporaries: &'a Temporaries,
    depots: &'a AllDepots,
    progress: &'a Progress,
}

impl Bringing<'_> {
    /// Brings one file of an output; what it is where that is damaged.
    fn bring(&self, part: &Part<'_>, at: usize) -> Result<Option<MissingObject>, PlaceError> {
        let (path, checksum) = &part.files[at];
        let target = path.under(self.top);
        let replaces = part.here[at] != Here::Absent;
        let (executable, temporaries) = (part.out.executable, self.temporaries);
        let site = Site { path: &target, executable, replaces, temporaries };
        let from = |stored: Option<&Stored<'_>>| {
            place(&site, checksum, self.progress, &mut |draft| match stored {
                None => copy_file(&target, draft),
                Some(stored) => stored.copy_to(draft),
            })
        };
        let mut done = from(part.found.get(&at));
        if matches!(&done, Err(error) if error.is_of_source())
            && let Some(depots) = self.depots.get(&part.out.project)
        {
            for stored in depots.find_remote(checksum.digits(), part.out.remote.as_deref())? {
                done = from(Some(&stored));
            }
        }
        self.progress.advance_files(1);
        match done {
            Err(PlaceError::Mismatch(_)) => Ok(Some(MissingObject::of(&part.files[at], true))),
            done => done.map(|_| None),
        }
    }
}
