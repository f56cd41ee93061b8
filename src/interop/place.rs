//! A file into the work tree: written aside, held against its checksum, then shown.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::base::{Advice, Progress, refusal_hints};
use crate::git::{GitError, Temporaries};
use crate::storage::durable::{self, DurableError};
use crate::storage::remote::RemoteError;
use crate::storage::web::WebError;

use super::checksum::{Checker, Checksum};

/// Why a file did not get its place.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// What came has another checksum.
    #[error("what was read has another checksum than {}", .0)]
    Mismatch(String),
    /// The source cannot be read.
    #[error("cannot read '{}'", path.display())]
    Read {
        /// The source.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write '{}'", path.display())]
    Write {
        /// Where it was to be.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Something appeared there meanwhile.
    #[error("'{}' appeared meanwhile; it was left alone", .0.display())]
    Taken(PathBuf),
    /// A remote.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A web server.
    #[error(transparent)]
    Web(#[from] WebError),
    /// A folder or temporary file.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl PlaceError {
    /// Whether another source may do better.
    pub fn is_of_source(&self) -> bool {
        matches!(self, Self::Mismatch(_) | Self::Read { .. } | Self::Remote(_) | Self::Web(_))
    }
}

impl Advice for PlaceError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Read { path, source } | Self::Write { path, source } => refusal_hints(path, source),
            Self::Remote(error) => error.hints(),
            Self::Web(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Mismatch(_) | Self::Taken(_) => Vec::new(),
        }
    }
}

/// A file that is being written, with the checksum of what was written so far.
pub struct Draft<'a> {
    file: &'a mut File,
    checker: Checker,
    checksum: &'a Checksum,
    progress: &'a Progress,
}

impl Draft<'_> {
    /// Begins anew, for a transfer that broke.
    ///
    /// # Errors
    ///
    /// When the file cannot be emptied.
    pub fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.checker = self.checksum.checker();
        Ok(())
    }
}

impl Write for Draft<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.checker.write_all(bytes)?;
        self.progress.advance(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Where a file is to be.
pub struct Site<'a> {
    /// The file.
    pub path: &'a Path,
    /// Whether it is to be executable.
    pub executable: bool,
    /// Whether something lies there that it replaces.
    pub replaces: bool,
    /// Where it is written before.
    pub temporaries: &'a Temporaries,
}

/// Lets the file that `fill` writes appear at its site, if it has the checksum; gives its length in bytes.
///
/// # Errors
///
/// [`PlaceError`]; what lay there is untouched then.
pub fn place(
    site: &Site<'_>,
    checksum: &Checksum,
    progress: &Progress,
    fill: &mut dyn FnMut(&mut Draft<'_>) -> Result<(), PlaceError>,
) -> Result<u64, PlaceError> {
    if let Some(folder) = site.path.parent() {
        durable::create_folders(folder)?;
    }
    let mut aside = durable::create_temp(site.temporaries.for_target(site.path))?;
    let failed = |source| PlaceError::Write { path: site.path.to_owned(), source };
    let mut draft = Draft { file: aside.as_file_mut(), checker: checksum.checker(), checksum, progress };
    fill(&mut draft)?;
    if !draft.checker.fits() {
        return Err(PlaceError::Mismatch(checksum.digits().to_owned()));
    }
    let length = draft.checker.length();
    if site.executable {
        make_executable(aside.as_file()).map_err(failed)?;
    }
    if site.replaces {
        aside.persist(site.path).map_err(|error| failed(error.error))?;
    } else {
        aside.persist_noclobber(site.path).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => PlaceError::Taken(site.path.to_owned()),
            _ => failed(error.error),
        })?;
    }
    Ok(length)
}

/// Whoever may read it may execute it.
fn make_executable(file: &File) -> io::Result<()> {
    let mode = file.metadata()?.permissions().mode();
    file.set_permissions(fs::Permissions::from_mode(mode | (mode & 0o444) >> 2))
}

/// Copies the file at `from` into a draft.
///
/// # Errors
///
/// [`PlaceError::Read`], [`PlaceError::Write`].
pub fn copy_file(from: &Path, draft: &mut Draft<'_>) -> Result<(), PlaceError> {
    let unread = |source| PlaceError::Read { path: from.to_owned(), source };
    let mut file = File::open(from).map_err(unread)?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = file.read(&mut buffer).map_err(unread)?;
        if read == 0 {
            return Ok(());
        }
        let written = draft.write_all(&buffer[..read]);
        written.map_err(|source| PlaceError::Write { path: from.to_owned(), source })?;
    }
}
