//! Who uses the store: two kinds of processes that never work at once, without a lock that a network file system must
//! get right.
//!
//! Dekker's way: a process first creates its own entry in `users/`, then looks at the entries of others. Of a user and
//! a collector at least one sees the other: the collector withdraws (and names who is in its way), the user waits until
//! the collector is done, which takes as long as removing some files. Both kinds lie in one folder, because whoever has
//! just changed a folder sees it fresh, also where listings are cached. Every entry has a name of its own, so one that
//! its process left behind can be removed by anybody at any time. One that is only being made tells its process, too: what
//! a process left that was killed just then goes as soon as its number is nobody's.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::error::StoreError;
use super::losses;
use super::process::{HIDDEN, ProcessName, Role, hold};
use crate::base::{Progress, RandomId, Unit};
use crate::storage::durable::create_folders;

/// How long a user waits for collectors. They take milliseconds: what takes longer hangs.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long a collector waits for users.
pub(super) const LONGEST_PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The right to rely on what the store has, as long as it lives: nothing that was there goes.
#[derive(Debug, Clone)]
pub struct StoreUse(#[expect(dead_code, reason = "held for its drop")] pub(super) Arc<Entry>);

/// An entry in `users/`; removed when dropped, and counted as gone when its process is.
#[derive(Debug)]
pub(super) struct Entry {
    path: PathBuf,
    /// Holds the lock.
    file: fs::File,
}

impl Drop for Entry {
    fn drop(&mut self) {
        // One that stays is not locked any more.
        let _ = fs::remove_file(&self.path);
    }
}

impl Entry {
    fn create(store: &Path, role: Role) -> Result<Self, StoreError> {
        let folder = store.join("users");
        create_folders(&folder)?;
        let name = ProcessName::own(role);
        // Locked before it is seen: one without its lock counts as left behind.
        let hidden = folder.join(name.hidden_name());
        let failed = |step, source| StoreError::io(step, &hidden, 0, source);
        let made = OpenOptions::new().read(true).write(true).create_new(true).open(&hidden);
        let file = made.map_err(|source| failed("create", source))?;
        hold(&file);
        let path = folder.join(name.file_name());
        let entry = Self { path, file };
        if let Err(source) = fs::rename(&hidden, &entry.path) {
            let _ = fs::remove_file(&hidden);
            return Err(failed("rename", source));
        }
        Ok(entry)
    }

    /// When it was made, by the clock of the file system.
    pub fn made_at(&self) -> Result<SystemTime, StoreError> {
        let asked = self.file.metadata().and_then(|metadata| metadata.modified());
        asked.map_err(|source| StoreError::io("ask for the time of", &self.path, 0, source))
    }
}

/// Enters as a user: from here on nothing goes.
pub(super) fn enter(store: &Path, progress: &Progress) -> Result<Entry, StoreError> {
    let entry = Entry::create(store, Role::User)?;
    losses::ensure(store)?;
    let collectors = || others(store, &entry, |name| name.role == Role::Collector);
    if collectors()?.is_empty() {
        return Ok(entry);
    }
    progress.begin("waiting for git mldata gc", Unit::Items, None);
    let begun = Instant::now();
    let outcome = loop {
        match collectors() {
            Ok(by) if by.is_empty() => break Ok(()),
            Ok(by) if begun.elapsed() > LONGEST_WAIT => break Err(StoreError::Collected { by }),
            Ok(_) => thread::sleep(PAUSE),
            Err(error) => break Err(error),
        }
    };
    progress.end();
    outcome.map(|()| entry)
}

/// Enters as a collector: from here on nobody uses the store, until the entry is dropped. Waits for users as long as
/// `patience` lasts.
pub(super) fn exclude(store: &Path, patience: Duration) -> Result<Entry, StoreError> {
    let begun = Instant::now();
    loop {
        let entry = Entry::create(store, Role::Collector)?;
        let by = others(store, &entry, |_| true)?;
        if by.is_empty() {
            return Ok(entry);
        }
        // Withdrawn at once: nobody waits for one that waits.
        drop(entry);
        if begun.elapsed() >= patience {
            return Err(StoreError::InUse { by });
        }
        // Two collectors that met must not meet again.
        let apart = u32::from(RandomId::generate().as_bytes()[0] & 7);
        thread::sleep(PAUSE * (1 + apart));
    }
}

/// The entries of other processes that may run and are `wanted`. Those that were left behind are removed.
fn others(
    store: &Path,
    own: &Entry,
    wanted: impl Fn(&ProcessName) -> bool,
) -> Result<Vec<String>, StoreError> {
    let folder = store.join("users");
    let failed = |source| StoreError::io("list", &folder, 0, source);
    let mut running = Vec::new();
    for found in fs::read_dir(&folder).map_err(failed)? {
        let path = found.map_err(failed)?.path();
        remove_unmade(&path);
        let name = path.file_name().and_then(|name| name.to_str()).and_then(ProcessName::parse);
        let Some(name) = name.filter(|name| path != own.path && wanted(name)) else { continue };
        if name.may_run(&path) {
            running.push(format!("{name} ('{}')", path.display()));
            continue;
        }
        if name.role == Role::Collector {
            // It may have removed something until it ended.
            losses::renew(store)?;
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io("remove", &path, 0, error));
            }
            _ => {}
        }
    }
    Ok(running)
}

/// Removes an entry that was never made, if its process is gone. (It is in nobody's way; only, it would stay for ever.)
fn remove_unmade(path: &Path) {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(HIDDEN));
    if name.and_then(ProcessName::parse).is_some_and(|name| name.is_gone()) {
        let _left = fs::remove_file(path);
    }
}
