//! Files that must not change while they are read.
//!
//! A file is opened without following a link and without waiting for a pipe, and read with `pread` into memory that is
//! used again and again; never through a memory map: a file cut short under a map kills the process, and faulting pages in
//! costs more than copying them on virtual machines. (Read and hashed on one core of such a machine, warm: 100,000 files of
//! 1 to 20 KiB 1.28 s, with a new buffer for each 1.35 s, through maps 2.23 s; one file of 1 GiB 0.44 s in all three ways.) Its stat afterwards must be the one with which it was seen. So a
//! file costs one open, one stat and the reads. When it differs, the file is read once more; then it is given up by name.
//! What was read is in the store under its own ids, and nothing names it.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::write::{Content, WriteError};
use crate::data::worktree::Fingerprint;

/// Opens a file as data: never through a link, never waiting for a pipe. What is no regular file is not opened at all, as
/// far as that can be told before: to open a device may be to do something.
///
/// # Errors
///
/// What the system answers, also for what is no regular file.
pub fn open_regular(path: &Path) -> io::Result<(File, Fingerprint)> {
    refuse_special(&fs::symlink_metadata(path)?)?;
    let file = open(path)?;
    let metadata = file.metadata()?;
    refuse_special(&metadata)?;
    Ok((file, Fingerprint::of(&metadata)))
}

fn refuse_special(metadata: &Metadata) -> io::Result<()> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// The content of the regular file at `path` as `read` finds it, from the open file and its size in bytes, and the stat
/// that belongs to it. `seen` is a stat of the file from before, if there is one.
///
/// # Errors
///
/// [`WriteError::ChangedWhileRead`] when the file changed twice, and what `read` says.
pub(super) fn read_steadily(
    path: &Path,
    seen: Option<Fingerprint>,
    read: &mut dyn FnMut(&File, u64) -> Result<Content, WriteError>,
) -> Result<(Content, Fingerprint), WriteError> {
    let unread = |source| WriteError::Read { path: path.to_owned(), source };
    let mut seen = seen;
    for last in [false, true] {
        let (file, before) = match seen.take() {
            Some(seen) => (open(path).map_err(unread)?, seen),
            None => open_regular(path).map_err(unread)?,
        };
        match read(&file, before.size) {
            Ok(content) => {
                let after = Fingerprint::of(&file.metadata().map_err(unread)?);
                if after == before && content.size == before.size {
                    return Ok((content, before));
                }
            }
            Err(error @ WriteError::Store { .. }) => return Err(error),
            Err(error) if last => return Err(error),
            Err(_) => {}
        }
    }
    Err(WriteError::ChangedWhileRead(path.to_owned()))
}
