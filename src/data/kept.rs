//! Copies of modified files, taken before they are overwritten by force.
//!
//! `checkout --force` is asked for and is still often regretted. So what it replaces goes into the store first, and a
//! note of it lies in `ml/kept/` of the repository for 14 days; `checkout --from ID` brings it back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::{Advice, Digest, RepoPath};
use crate::data::root::RootName;
use crate::objects::pointer::PointerKind;
use crate::storage::durable::{self, DurableError};

/// How long a copy is kept, in days.
pub const KEPT_DAYS: u64 = 14;

/// A copy of what was modified at one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Where it lay.
    pub path: String,
    /// Whether it was a file, or files of a directory (only the modified ones).
    pub kind: PointerKind,
    /// Its id: the content's, or that of a tree of the modified files.
    pub id: Digest,
    /// The manifest of a content of more than one chunk.
    pub manifest: Option<Digest>,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970 at which it was replaced.
    pub at: u64,
}

impl Kept {
    /// What it is, as the name of a version.
    pub fn root(&self) -> RootName {
        RootName { kind: self.kind, id: self.id, manifest: self.manifest, size: self.size }
    }
}

/// Why a copy cannot be noted or found.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The note cannot be written.
    #[error("cannot note the copy of what is to be replaced; nothing was replaced")]
    Note(#[from] DurableError),
    /// The notes cannot be read.
    #[error("cannot read '{}'", path.display())]
    Read {
        /// The note or the folder of notes.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// There is no such copy.
    #[error("no copy '{0}' is kept")]
    Unknown(String),
    /// Several copies begin like this.
    #[error("'{0}' is the beginning of several copies")]
    Ambiguous(String),
}

impl Advice for KeptError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unknown(_) => vec![format!("copies are kept for {KEPT_DAYS} days")],
            Self::Ambiguous(_) => vec!["give more of its digits".into()],
            Self::Note(source) => source.hints(),
            Self::Read { .. } => Vec::new(),
        }
    }
}

fn folder(common_dir: &Path) -> PathBuf {
    common_dir.join("ml").join("kept")
}

/// Notes a copy whose content is in the store already.
///
/// # Errors
///
/// [`KeptError::Note`].
pub fn note(common_dir: &Path, path: &RepoPath, root: &RootName, now: u64) -> Result<Kept, KeptError> {
    let RootName { kind, id, manifest, size } = *root;
    let kept = Kept { path: path.to_string(), kind, id, manifest, size, at: now };
    // Equal bytes may have lain at two paths.
    let place = Digest::of(kept.path.as_bytes()).short();
    let file = folder(common_dir).join(format!("{id}-{place}.json"));
    let mut text = serde_json::to_vec_pretty(&kept).unwrap_or_default();
    text.push(b'\n');
    durable::create_folders(&folder(common_dir))?;
    durable::write_atomically(&file, &text)?;
    Ok(kept)
}

/// All copies that are kept, the newest first. A note that cannot be understood is passed over.
///
/// # Errors
///
/// [`KeptError::Read`].
pub fn list(common_dir: &Path) -> Result<Vec<Kept>, KeptError> {
    let folder = folder(common_dir);
    let failed = |path: &Path, source| KeptError::Read { path: path.to_owned(), source };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(&folder, source)),
    };
    let mut kept = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| failed(&folder, source))?.path();
        let bytes = fs::read(&path).map_err(|source| failed(&path, source))?;
        kept.extend(serde_json::from_slice::<Kept>(&bytes));
    }
    kept.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.path.cmp(&b.path)));
    Ok(kept)
}

/// The copy whose id begins with `prefix`; of equal ones from several paths the newest.
///
/// # Errors
///
/// [`KeptError`] when there is none, or several.
pub fn find(common_dir: &Path, prefix: &str) -> Result<Kept, KeptError> {
    let mut matching = list(common_dir)?.into_iter().filter(|kept| kept.id.to_string().starts_with(prefix));
    let found = matching.next().filter(|_| !prefix.is_empty());
    let found = found.ok_or_else(|| KeptError::Unknown(prefix.to_owned()))?;
    match matching.find(|other| other.id != found.id) {
        Some(_) => Err(KeptError::Ambiguous(prefix.to_owned())),
        None => Ok(found),
    }
}
