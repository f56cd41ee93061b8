//! Data of any revision as plain files somewhere else: `export`.
//!
//! What a demanding user expects: the files are whole and verified or not there at all; nothing that lies at the destination
//! is overwritten unless that was asked for; links never lead out of what is written. The best peers: `git archive`, which
//! knows no large data; `dvc get`; `restic restore`.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::base::{Advice, Digest, Failure, Progress, RepoPath, refusal_hints, typed};
use crate::data::content::{
    Content, Presence, ReadError, WalkError, copy_content, presence, read_content, restore_content,
    walk_leaves,
};
use crate::data::read::{At, AtError, Found, found_at};
use crate::data::workspace::{Workspace, WorkspaceError};
use crate::objects::pointer::PointerKind;
use crate::objects::tree::{EntryKind, TreeEntry};
use crate::storage::durable::{self, DurableError};
use crate::storage::store::{Store, StoreError};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The path of the data.
    pub path: RepoPath,
    /// Where it is now.
    pub to: PathBuf,
    /// Its version.
    pub version: Digest,
    /// Files and links.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Why nothing, or not all, was written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Something lies there.
    #[error("'{}' is there already; nothing was written", .0.display())]
    Exists(PathBuf),
    /// Of several paths each would have to be the same file.
    #[error("'{}' is no folder, and several paths are to go there", .0.display())]
    NoFolder(PathBuf),
    /// The store lacks something.
    #[error("the content of '{path}' is not in the store; nothing was written")]
    Missing {
        /// The path.
        path: String,
        /// The revision, if one was named.
        revision: Option<String>,
    },
    /// Something is damaged.
    #[error("cannot read '{path}'")]
    Damaged {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: Box<ReadError>,
    },
    /// A link leads out of what is written.
    #[error("the link '{path}' leads to '{target}', which is not below; nothing was written")]
    Link {
        /// The link.
        path: String,
        /// What it leads to.
        target: String,
    },
    /// The system refused.
    #[error("cannot write '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// What is to be read.
    #[error(transparent)]
    At(#[from] AtError),
    /// The disk.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Advice for ExportError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Exists(_) => vec!["name another place, or add --force, which replaces files".into()],
            Self::NoFolder(path) => vec![format!("mkdir {}", typed(path.display()))],
            Self::Missing { path, revision: None } => {
                vec![format!("git mldata fetch {path}", path = typed(path))]
            }
            Self::Missing { path, revision: Some(revision) } => {
                vec![format!("git mldata fetch --at {} {}", typed(revision), typed(path))]
            }
            Self::Damaged { source, .. } => source.hints(),
            Self::Link { .. } => vec!["git mldata cat PATH      prints single files".into()],
            Self::Write { path, source } => refusal_hints(path, source),
            Self::At(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::Workspace(error) => error.hints(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::At(error) => error.failure(),
            Self::NoFolder(_) => Failure::WrongUse,
            _ => Failure::CouldNotDo,
        }
    }
}

/// Writes `paths` of a revision (`None`: as the pointers of the work tree say) to `to`: into it where that is a folder or
/// there are several, else as it. With `force` files that lie there are replaced.
///
/// # Errors
///
/// [`ExportError`]; what is there and what is missing is looked for before the first byte.
pub fn export(
    workspace: &Workspace,
    revision: Option<&str>,
    paths: &[RepoPath],
    to: &Path,
    force: bool,
    progress: &Progress,
) -> Result<Vec<Exported>, ExportError> {
    let into = to.is_dir();
    if paths.len() > 1 && !into && to.symlink_metadata().is_ok() {
        return Err(ExportError::NoFolder(to.to_owned()));
    }
    let mut planned = Vec::new();
    for path in paths {
        let at = At { revision: revision.map(str::to_owned), path: Some(path.clone()) };
        let found = found_at(workspace, &at)?;
        let target = if into || paths.len() > 1 { to.join(path.name()) } else { to.to_owned() };
        let from = Origin { store: workspace.store(), name: path.to_string(), revision: at.revision };
        planned.push((path, Output::plan(from, found, target, force)?));
    }
    let mut done = Vec::new();
    for (path, output) in planned {
        output.write(progress)?;
        done.push(Exported {
            path: path.clone(),
            version: output.found.root.id,
            files: output.files(),
            bytes: output.bytes(),
            to: output.target,
        });
    }
    Ok(done)
}

/// Where something is read from, for messages.
pub(in crate::data) struct Origin<'a> {
    /// The store that has it.
    pub store: &'a Store,
    /// How it is called.
    pub name: String,
    /// The revision, if one was named.
    pub revision: Option<String>,
}

/// One version that is about to be written.
pub(in crate::data) struct Output<'a> {
    from: Origin<'a>,
    found: Found,
    files: Vec<(Vec<u8>, TreeEntry)>,
    target: PathBuf,
    force: bool,
}

impl<'a> Output<'a> {
    /// Looks whether it can be written.
    ///
    /// # Errors
    ///
    /// [`ExportError`].
    pub fn plan(from: Origin<'a>, found: Found, target: PathBuf, force: bool) -> Result<Self, ExportError> {
        let mut output = Self { from, found, files: Vec::new(), target, force };
        let Found { root, executable, is_link } = output.found;
        match root.kind {
            PointerKind::File => {
                let mut entry = TreeEntry::file(Vec::new(), executable, root.id, root.size, root.manifest);
                if is_link {
                    entry.kind = EntryKind::Link;
                }
                output.files.push((Vec::new(), entry));
            }
            PointerKind::Tree => {
                let mut files = Vec::new();
                let mut take = |path: &[u8], leaf: &TreeEntry| files.push((path.to_owned(), leaf.clone()));
                walk_leaves(output.from.store, root.id, &|_| true, &mut take)
                    .map_err(|source| output.from.walk_error(source))?;
                output.files = files;
            }
        }
        let there = output.target.symlink_metadata().ok();
        if there.is_some_and(|there| !force || there.is_dir() != (root.kind == PointerKind::Tree)) {
            return Err(ExportError::Exists(output.target));
        }
        if presence(output.from.store, &root) != Presence::Whole {
            return Err(output.from.missing());
        }
        Ok(output)
    }

    /// Files and links of it.
    pub fn files(&self) -> u64 {
        self.files.len() as u64
    }

    /// Their bytes.
    pub fn bytes(&self) -> u64 {
        self.found.root.size
    }

    /// Writes it: a new folder appears whole; into one that is there, file by file.
    ///
    /// # Errors
    ///
    /// [`ExportError`].
    pub fn write(&self, progress: &Progress) -> Result<(), ExportError> {
        let above = self.target.parent().filter(|above| !above.as_os_str().is_empty());
        let above = above.unwrap_or(Path::new("."));
        durable::create_folders(above)?;
        progress.begin_files(&self.from.name, self.found.root.size, self.files.len() as u64);
        let done = if self.found.root.kind == PointerKind::File || self.target.is_dir() {
            self.write_below(&self.target, progress)
        } else {
            self.write_aside(above, progress)
        };
        progress.end();
        done
    }

    fn write_aside(&self, above: &Path, progress: &Progress) -> Result<(), ExportError> {
        let failed = |source| ExportError::Write { path: self.target.clone(), source };
        let aside = tempfile::Builder::new().prefix(".git-ml-").tempdir_in(above).map_err(failed)?;
        // As an ordinary folder is made.
        let folder = aside.path().join("folder");
        fs::create_dir(&folder).map_err(failed)?;
        self.write_below(&folder, progress)?;
        fs::rename(&folder, &self.target).map_err(failed)
    }

    fn write_below(&self, start: &Path, progress: &Progress) -> Result<(), ExportError> {
        // Folders first, in order; then files side by side.
        for (path, entry) in &self.files {
            let place = located(start, path);
            let folder =
                if entry.kind == EntryKind::Directory { Some(place.as_path()) } else { place.parent() };
            self.make_folder(start, folder.unwrap_or(start))?;
        }
        self.files.par_iter().try_for_each(|(path, entry)| {
            self.write_file(&located(start, path), path, entry, progress)?;
            progress.advance_files(1);
            Ok(())
        })
    }

    /// Makes a folder at or below `start`; never through a link that lies there.
    fn make_folder(&self, start: &Path, folder: &Path) -> Result<(), ExportError> {
        if folder == start || !folder.starts_with(start) {
            return Ok(());
        }
        if folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Ok(());
        }
        self.make_folder(start, folder.parent().unwrap_or(start))?;
        fs::create_dir(folder).map_err(|source| ExportError::Write { path: folder.to_owned(), source })
    }

    fn write_file(
        &self,
        place: &Path,
        below: &[u8],
        entry: &TreeEntry,
        progress: &Progress,
    ) -> Result<(), ExportError> {
        let failed = |source| ExportError::Write { path: place.to_owned(), source };
        let store = self.from.store;
        let unread = |source| match source {
            ReadError::Write(source) => failed(source),
            source => self.from.read_error(source),
        };
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match entry.kind {
            EntryKind::Directory | EntryKind::Split => Ok(()),
            EntryKind::Link => {
                let target = read_content(store, entry.id, entry.manifest, entry.size).map_err(unread)?;
                if leads_out(below, &target) {
                    let path = format!("{}/{}", self.from.name, String::from_utf8_lossy(below));
                    let target = String::from_utf8_lossy(&target).into_owned();
                    return Err(ExportError::Link { path, target });
                }
                if self.force && place.symlink_metadata().is_ok() {
                    fs::remove_file(place).map_err(failed)?;
                }
                symlink(OsStr::from_bytes(&target), place).map_err(failed)
            }
            EntryKind::File => {
                let mut aside = durable::create_temp(folder)?;
                if entry.manifest.is_some() {
                    let content = Content { id: entry.id, manifest: entry.manifest, size: entry.size };
                    restore_content(store, &content, aside.as_file(), None, progress).map_err(unread)?;
                } else {
                    let out = aside.as_file_mut();
                    copy_content(store, entry.id, None, entry.size, out, progress).map_err(unread)?;
                }
                if entry.executable {
                    make_executable(aside.as_file()).map_err(failed)?;
                }
                if self.force {
                    aside.persist(place).map_err(|error| failed(error.error))?;
                } else {
                    aside.persist_noclobber(place).map_err(|error| match error.error.kind() {
                        io::ErrorKind::AlreadyExists => ExportError::Exists(place.to_owned()),
                        _ => failed(error.error),
                    })?;
                }
                Ok(())
            }
        }
    }
}

impl Origin<'_> {
    fn missing(&self) -> ExportError {
        ExportError::Missing { path: self.name.clone(), revision: self.revision.clone() }
    }

    fn walk_error(&self, source: WalkError) -> ExportError {
        self.read_error(ReadError::Walk(source))
    }

    fn read_error(&self, source: ReadError) -> ExportError {
        match source.is_missing() {
            true => self.missing(),
            false => ExportError::Damaged { path: self.name.clone(), source: Box::new(source) },
        }
    }
}

fn located(start: &Path, below: &[u8]) -> PathBuf {
    if below.is_empty() { start.to_owned() } else { start.join(OsStr::from_bytes(below)) }
}

fn make_executable(file: &File) -> io::Result<()> {
    let mode = file.metadata()?.permissions().mode();
    file.set_permissions(Permissions::from_mode(mode | (mode & 0o444) >> 2))
}

/// Whether a link at `below` that leads to `target` leaves what it lies in.
fn leads_out(below: &[u8], target: &[u8]) -> bool {
    let mut depth = below.iter().filter(|byte| **byte == b'/').count();
    if target.starts_with(b"/") || below.is_empty() {
        return true;
    }
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return true,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_are_known() {
        assert!(!leads_out(b"a/b", b"../c") && !leads_out(b"a/b", b"c/../d"));
        assert!(
            leads_out(b"a/b", b"../../c") && leads_out(b"a", b"/etc/passwd") && leads_out(b"a", b"b/../../c")
        );
    }
}
