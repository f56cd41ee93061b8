//! Who writes: each clone has a random id, kept in `<common git dir>/ml/runs/writer`.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::base::RandomId;
use crate::git::Repository;
use crate::storage::durable;

use super::error::RunsError;

/// Where this clone keeps what it has not yet written to its log.
pub fn runs_folder(repository: &Repository) -> PathBuf {
    repository.common_dir().join("ml").join("runs")
}

/// The id of this clone as a writer; made when it is first needed.
///
/// # Errors
///
/// [`RunsError`] when it cannot be read or kept.
pub fn writer(repository: &Repository) -> Result<RandomId, RunsError> {
    let path = runs_folder(repository).join("writer");
    loop {
        match fs::read_to_string(&path) {
            Ok(text) => match text.trim().parse() {
                Ok(writer) => return Ok(writer),
                // A damaged id is replaced: a new one is as good.
                Err(_) => return renew(repository),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(RunsError::Io { action: "read", path, source }),
        }
        let folder = runs_folder(repository);
        durable::create_folders(&folder)?;
        let temporary = durable::create_temp(&folder)?;
        fs::OpenOptions::new()
            .write(true)
            .open(temporary.path())
            .and_then(|mut file| io::Write::write_all(&mut file, RandomId::generate().to_string().as_bytes()))
            .map_err(RunsError::io("write", temporary.path()))?;
        // Of several processes that come here at once, one wins, and all use its id.
        match temporary.persist_noclobber(&path) {
            Ok(_) => durable::sync_folder(&folder)?,
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(RunsError::Io { action: "create", path, source: error.error }),
        }
    }
}

/// Gives this clone a new id: it was copied together with its Git directory, and the copy has pushed under the old one.
///
/// # Errors
///
/// [`RunsError`] when the id cannot be kept.
pub fn renew(repository: &Repository) -> Result<RandomId, RunsError> {
    let writer = RandomId::generate();
    durable::write_atomically(&runs_folder(repository).join("writer"), writer.to_string().as_bytes())?;
    Ok(writer)
}
