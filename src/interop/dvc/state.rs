//! What of an output lies in the work tree already.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::base::RepoPath;
use crate::interop::checksum::{self, Checksum};

use super::format::{ListEntry, list_text};
use super::objects::Depots;
use super::project::Out;

/// How a file of the work tree stands to what DVC names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here {
    /// Its own file with the right bytes.
    Own,
    /// The right bytes, in a file that DVC's cache shares.
    Shared,
    /// Nothing.
    Absent,
    /// A link of DVC that leads to nothing.
    DeadLink,
    /// Other bytes, or something else.
    Different,
}

/// How the file at `path` stands to a checksum.
///
/// # Errors
///
/// When it cannot be read.
pub fn file(path: &Path, wanted: &Checksum, depots: &Depots) -> io::Result<Here> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Here::Absent);
        }
        metadata => metadata?,
    };
    let (is_link, is_file) = (metadata.is_symlink(), metadata.is_file());
    if is_link && !path.exists() {
        return Ok(Here::DeadLink);
    }
    let is_own_link = is_link && path.is_file() && depots.is_in_cache(path);
    if !is_file && !is_own_link {
        return Ok(Here::Different);
    }
    let (fits, _) = wanted.fits_file(path)?;
    Ok(match fits {
        false => Here::Different,
        true if is_link || metadata.nlink() > 1 => Here::Shared,
        true => Here::Own,
    })
}

/// The files below a folder, by path below it; links to folders are not followed.
///
/// # Errors
///
/// When a folder cannot be read.
pub fn files_below(folder: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let (mut files, mut open) = (BTreeMap::new(), vec![(String::new(), folder.to_owned())]);
    while let Some((below, folder)) = open.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if below.is_empty() && error.kind() == io::ErrorKind::NotFound => break,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = if below.is_empty() { name } else { format!("{below}/{name}") };
            if entry.file_type()?.is_dir() {
                open.push((below, entry.path()));
            } else {
                files.insert(below, entry.path());
            }
        }
    }
    Ok(files)
}

/// The list of the directory as it lies in the work tree, if that is the one that DVC names: where the list itself is lost.
///
/// # Errors
///
/// When a file cannot be read.
pub fn list_here(out: &Out, top: &Path) -> io::Result<Option<Vec<ListEntry>>> {
    let files = files_below(&out.path.under(top))?;
    let entry = |(relpath, path): (&String, &PathBuf)| {
        let md5 = checksum::md5_as_dvc(path, out.is_of_dvc_2())?;
        Ok(ListEntry { md5, relpath: relpath.clone() })
    };
    let entries = files.par_iter().map(entry).collect::<io::Result<Vec<_>>>()?;
    let is_named = checksum::md5_of(list_text(&entries).as_bytes()) == out.checksum.digits();
    Ok((is_named && !entries.is_empty()).then_some(entries))
}

/// How the files of a directory stand to its list; `None` where something lies there that the list does not have.
///
/// # Errors
///
/// When something cannot be read.
pub fn directory(
    out: &Out,
    files: &[(RepoPath, Checksum)],
    top: &Path,
    depots: &Depots,
) -> io::Result<Option<Vec<Here>>> {
    let place = out.path.under(top);
    if place.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()) {
        return Ok(None);
    }
    let listed: std::collections::HashSet<_> =
        files.iter().filter_map(|(path, _)| path.below(&out.path)).collect();
    if files_below(&place)?.keys().any(|below| !listed.contains(below.as_str())) {
        return Ok(None);
    }
    let states: io::Result<Vec<_>> =
        files.par_iter().map(|(path, checksum)| file(&path.under(top), checksum, depots)).collect();
    states.map(Some)
}
