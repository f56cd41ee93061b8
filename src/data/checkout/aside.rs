//! Files that are written aside and appear whole, under their names, when all is verified.
//!
//! Where the system has files without a name (Linux: `O_TMPFILE`), a new file is one until it is linked into its folder:
//! a kill leaves nothing behind, threads do not wait for each other at one folder of temporaries, and a file that somebody
//! else made meanwhile is not overwritten. Elsewhere, and where a file is replaced, it is a rename.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, renameat, symlinkat};
use tempfile::TempPath;

use crate::base::RandomId;
use crate::storage::unnamed::{link, unnamed};

/// A file without a place in the work tree.
pub(super) struct Aside {
    pub file: File,
    /// Its name for now, where it has one.
    name: Option<TempPath>,
}

impl Aside {
    /// An empty file for `folder`, with the permissions of an ordinary file.
    pub fn create(folder: &impl AsFd, temporary: &Path, executable: bool) -> io::Result<Self> {
        let mode = if executable { 0o777 } else { 0o666 };
        if let Some(file) = unnamed(folder, mode) {
            return Ok(Self { file, name: None });
        }
        let permissions = fs::Permissions::from_mode(mode);
        let made = tempfile::Builder::new().permissions(permissions).tempfile_in(temporary)?;
        let (file, name) = made.into_parts();
        Ok(Self { file, name: Some(name) })
    }

    /// Whether it has a name for now: then nothing that is there keeps it from appearing.
    pub const fn is_named(&self) -> bool {
        self.name.is_some()
    }

    /// Gives the file its name in `folder`. Where nothing is to be replaced, a file that is there makes this fail
    /// (`AlreadyExists`), as far as the system can tell in one step.
    pub fn appear(
        self,
        folder: &impl AsFd,
        name: &OsStr,
        temporary: &Path,
        replaces: bool,
    ) -> io::Result<File> {
        match self.name {
            None if !replaces => link(&self.file, folder, name)?,
            None => {
                let aside = temporary_name(temporary);
                link(&self.file, CWD, aside.as_os_str())?;
                rename(&aside, folder, name)?;
            }
            Some(aside) => {
                renameat(CWD, &*aside, folder, name)?;
                // The name is another file's from now on, or nobody's.
                let _ = aside.keep();
            }
        }
        Ok(self.file)
    }
}

/// Makes a link to `target` appear as `name` in `folder`.
pub(super) fn appear_link(
    target: &OsStr,
    folder: &impl AsFd,
    name: &OsStr,
    temporary: &Path,
    replaces: bool,
) -> io::Result<()> {
    if !replaces {
        return Ok(symlinkat(target, folder, name)?);
    }
    let aside = temporary_name(temporary);
    symlinkat(target, CWD, &aside)?;
    rename(&aside, folder, name)
}

fn temporary_name(temporary: &Path) -> PathBuf {
    temporary.join(format!(".tmp-{}", RandomId::generate()))
}

fn rename(aside: &Path, folder: &impl AsFd, name: &OsStr) -> io::Result<()> {
    renameat(CWD, aside, folder, name).map_err(|error| {
        let _ = fs::remove_file(aside);
        error.into()
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_appears_whole_replaces_only_when_told_and_leaves_nothing_aside() {
        let top = tempfile::tempdir().unwrap();
        let temporary = top.path().join("tmp");
        fs::create_dir(&temporary).unwrap();
        let folder = File::open(top.path()).unwrap();
        let appear = |text: &str, replaces| {
            let mut aside = Aside::create(&folder, &temporary, true).unwrap();
            aside.file.write_all(text.as_bytes()).unwrap();
            aside.appear(&folder, OsStr::new("x"), &temporary, replaces)
        };
        appear("one", false).unwrap();
        let taken = appear("two", false).map_err(|error| error.kind());
        assert!(
            cfg!(not(target_os = "linux")) || taken.is_err_and(|kind| kind == io::ErrorKind::AlreadyExists)
        );
        appear("three", true).unwrap();
        assert_eq!(fs::read(top.path().join("x")).unwrap(), b"three");
        assert_ne!(fs::metadata(top.path().join("x")).unwrap().permissions().mode() & 0o100, 0);
        appear_link(OsStr::new("x"), &folder, OsStr::new("link"), &temporary, false).unwrap();
        appear_link(OsStr::new("y"), &folder, OsStr::new("link"), &temporary, true).unwrap();
        assert_eq!(fs::read_link(top.path().join("link")).unwrap(), Path::new("y"));
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    }
}
