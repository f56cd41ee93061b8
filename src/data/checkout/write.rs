//! One file, link or empty folder into the work tree.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use crate::base::Progress;
use crate::data::content::{Content, Former, ReadError, restore_content};
use crate::data::worktree::{FileRecord, Fingerprint, located};
use crate::objects::item::EMPTY_CONTENT;
use crate::objects::tree::EntryKind;
use crate::storage::store::ItemReader;

use super::apply::{ApplyError, Site, refuse_changed, target_of};
use super::aside::{Aside, appear_link};
use super::folders::Folders;

/// Writes files one after the other; each thread has its own.
pub(super) struct Writer<'a> {
    site: &'a Site<'a>,
    folders: &'a Folders<'a>,
    start: &'a Path,
    reader: ItemReader,
}

/// Where one file goes.
struct Target<'a> {
    path: &'a Path,
    /// Its path below the tracked path.
    below: &'a [u8],
    /// The folder, and the name in it.
    folder: Arc<OwnedFd>,
    name: &'a OsStr,
    /// Whether something lay there when it was looked at.
    replaces: bool,
}

impl<'a> Writer<'a> {
    /// A writer of files below `start`, where the tracked path lies.
    pub fn new(site: &'a Site<'a>, folders: &'a Folders<'a>, start: &'a Path) -> Self {
        Self { site, folders, start, reader: site.store.reader() }
    }

    /// Writes `file` at the path `below`; gives the stat that may be noted of it.
    ///
    /// # Errors
    ///
    /// [`ApplyError`]; what lay there is untouched then.
    pub fn write(
        &mut self,
        below: &[u8],
        file: &FileRecord,
        progress: &Progress,
    ) -> Result<Fingerprint, ApplyError> {
        let path = &located(self.start, below);
        let stat = match file.kind {
            EntryKind::Directory | EntryKind::Split => {
                self.folders.open(path)?;
                Fingerprint::default()
            }
            EntryKind::Link => self.write_link(&self.target(path, below)?, file)?,
            EntryKind::File => {
                let target = self.target(path, below)?;
                self.write_file(&target, file, progress)?
            }
        };
        progress.advance_files(1);
        Ok(stat)
    }

    fn target<'t>(&self, path: &'t Path, below: &'t [u8]) -> Result<Target<'t>, ApplyError> {
        let folder = self.folders.open(path.parent().unwrap_or(self.site.top))?;
        let name = path.file_name().unwrap_or_default();
        Ok(Target { path, below, folder, name, replaces: self.site.found.contains(below) })
    }

    fn write_link(&self, target: &Target<'_>, link: &FileRecord) -> Result<Fingerprint, ApplyError> {
        let leads_to = target_of(self.site.store, target.path, link)?;
        refuse_changed(self.site, target.path, target.below)?;
        let (leads_to, temporary) = (OsStr::from_bytes(&leads_to), self.site.temporary);
        let made = appear_link(leads_to, &target.folder, target.name, temporary, target.replaces);
        made.map_err(|error| target.not_there(error))?;
        let written = fs::symlink_metadata(target.path).map_err(|error| target.failed(error))?;
        // Its times cannot be set: it is looked at again.
        Ok(Fingerprint::of(&written).doubted())
    }

    fn write_file(
        &mut self,
        target: &Target<'_>,
        file: &FileRecord,
        progress: &Progress,
    ) -> Result<Fingerprint, ApplyError> {
        let failed = |error| target.failed(error);
        let unread = |source| match source {
            ReadError::Write(source) => target.failed(source),
            source => ApplyError::Content { path: target.path.to_owned(), source },
        };
        let create = || Aside::create(&target.folder, self.site.temporary, file.executable).map_err(failed);
        let aside = if file.manifest.is_some() {
            let aside = create()?;
            let content = Content { id: file.id, manifest: file.manifest, size: file.size() };
            let former = self.former(target);
            let restored = restore_content(self.site.store, &content, &aside.file, former.as_ref(), progress);
            restored.map_err(unread)?;
            aside
        } else {
            // A content of one chunk has the chunk's id: to verify the one is to verify the other.
            let bytes = match file.id {
                EMPTY_CONTENT => Ok(&[][..]),
                id => self.reader.read(&id).map_err(|source| unread(ReadError::Chunk { id, source })),
            }?;
            if bytes.len() as u64 != file.size() {
                return Err(unread(ReadError::Mismatch(file.id)));
            }
            let aside = create()?;
            (&aside.file).write_all(bytes).map_err(failed)?;
            progress.advance(file.size());
            aside
        };
        self.show(target, aside)
    }

    /// The file that lies there, as a source of chunks.
    fn former(&self, target: &Target<'_>) -> Option<Former> {
        let found = self.site.found.get(target.below)?;
        let (id, manifest, size) = (found.id, found.manifest, found.fingerprint.size);
        Former::open(self.site.store, target.path, &found.fingerprint, &Content { id, manifest, size })
    }

    /// Lets a verified file appear.
    fn show(&self, target: &Target<'_>, aside: Aside) -> Result<Fingerprint, ApplyError> {
        // An edit that follows at once must not have the same time.
        let dated = aside.file.set_modified(Fingerprint::before_all_edits());
        dated.map_err(|error| target.failed(error))?;
        if target.replaces || aside.is_named() {
            refuse_changed(self.site, target.path, target.below)?;
        }
        let shown = aside.appear(&target.folder, target.name, self.site.temporary, target.replaces);
        let file = shown.map_err(|error| target.not_there(error))?;
        let written = Fingerprint::of(&file.metadata().map_err(|error| target.failed(error))?);
        Ok(if written.is_coarse() { written.doubted() } else { written })
    }
}

impl Target<'_> {
    fn failed(&self, source: io::Error) -> ApplyError {
        ApplyError::Io { path: self.path.to_owned(), source }
    }

    /// The error of a name that could not be given.
    fn not_there(&self, error: io::Error) -> ApplyError {
        match error.kind() {
            io::ErrorKind::AlreadyExists => ApplyError::ChangedMeanwhile(self.path.to_owned()),
            _ => self.failed(error),
        }
    }
}
