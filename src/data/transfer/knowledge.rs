//! What this repository knows of a remote without asking it.
//!
//! Everything here is derived and may be deleted. It serves two ends: `status` tells without a network which versions
//! lie on a remote, and a push finds what it need not send. Nothing here is believed where a wrong belief would lose
//! data: before a push names a pack it only knows from here, it looks whether that is still there.
//!
//! In `ml/remotes/NAME/`: `known.json`, `index/NAME` (copies of the remote's index objects), `footers/PACK` (the tables
//! of packs that were met), `sent/PACK` (an empty file for each pack that this clone sent), `records/ROOT-SESSION` (root
//! records that this clone wrote or read).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::{Digest, RandomId};
use crate::objects::pack::{PackFooter, PackRef};
use crate::objects::session::SessionId;
use crate::storage::durable::{self, DurableError};

/// What is known of one remote.
#[derive(Debug)]
pub struct Knowledge {
    folder: PathBuf,
    known: Known,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    url: String,
    remote: Option<RandomId>,
    /// Versions that were seen whole, with the session that wrote the record.
    roots: BTreeMap<Digest, String>,
    /// Epoch of the newest condemnation at the time; what is older than a floor is thrown away.
    epoch: u64,
}

impl Knowledge {
    /// What is known of the remote `name` at `url`. What was known of another address under this name is ignored.
    pub fn open(common_dir: &Path, name: &str, url: &str) -> Self {
        let folder = common_dir.join("ml").join("remotes").join(name);
        let read = fs::read(folder.join("known.json")).ok();
        let known = read.and_then(|bytes| serde_json::from_slice::<Known>(&bytes).ok());
        let known = known.filter(|known| known.url == url);
        Self { folder, known: known.unwrap_or_else(|| Known { url: url.to_owned(), ..Known::default() }) }
    }

    /// The remote's own id, if it was ever met.
    pub fn remote(&self) -> Option<RandomId> {
        self.known.remote
    }

    /// Says which remote this is. If another was met under this address (a bucket that was wiped and made anew), all that
    /// was known is forgotten.
    pub fn meet(&mut self, remote: RandomId) {
        if self.known.remote.is_some_and(|known| known != remote) {
            self.forget();
        }
        self.known.remote = Some(remote);
    }

    /// Forgets everything but the address.
    pub fn forget(&mut self) {
        let url = std::mem::take(&mut self.known.url);
        self.known = Known { url, ..Known::default() };
        for derived in ["index", "footers", "sent", "records"] {
            // Whatever stays is not believed: it is held against its name, and the remote must have that.
            let _ = fs::remove_dir_all(self.folder.join(derived));
        }
    }

    /// How many versions were seen whole on the remote.
    pub fn roots(&self) -> usize {
        self.known.roots.len()
    }

    /// Whether this version was seen whole on the remote.
    pub fn has_root(&self, root: &Digest) -> bool {
        self.known.roots.contains_key(root)
    }

    /// The session whose record of this version was seen.
    pub fn session_of(&self, root: &Digest) -> Option<SessionId> {
        self.known.roots.get(root)?.parse().ok()
    }

    /// Notes that this version is whole on the remote.
    pub fn note_root(&mut self, root: Digest, session: SessionId) {
        self.known.roots.insert(root, session.to_string());
    }

    /// Notes that this version is not on the remote; whether it was believed to be.
    pub fn forget_root(&mut self, root: &Digest) -> bool {
        self.known.roots.remove(root).is_some()
    }

    /// Replaces what is known of versions by what a full listing said.
    pub fn replace_roots(&mut self, roots: impl IntoIterator<Item = (Digest, SessionId)>) {
        self.known.roots = roots.into_iter().map(|(root, session)| (root, session.to_string())).collect();
    }

    /// The copy of an index object. Only one that the remote lists is to be asked for, and held against its name.
    pub fn index(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.copy_of_index(name)).ok()
    }

    fn copy_of_index(&self, name: &str) -> PathBuf {
        self.folder.join("index").join(name.replace('/', "_"))
    }

    /// Keeps a copy of an index object.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn keep_index(&self, name: &str, bytes: &[u8]) -> Result<(), DurableError> {
        durable::write_derived(&self.copy_of_index(name), bytes)
    }

    /// Drops the copies of index objects that are not among `names`: the remote has them no more.
    pub fn drop_other_indexes<'n>(&self, names: impl Iterator<Item = &'n String>) {
        let kept: BTreeSet<_> = names.map(|name| self.copy_of_index(name)).collect();
        for copy in fs::read_dir(self.folder.join("index")).into_iter().flatten().flatten() {
            if !kept.contains(&copy.path()) {
                // A copy that stays costs its place and nothing else.
                let _ = fs::remove_file(copy.path());
            }
        }
    }

    /// The table of a pack, if it was met: it is checked against the pack's name.
    pub fn footer(&self, pack: &Digest) -> Option<PackFooter> {
        let bytes = fs::read(self.folder.join("footers").join(pack.to_string())).ok()?;
        PackFooter::decode(&bytes).ok().filter(|footer| footer.id() == *pack)
    }

    /// Keeps the table of a pack.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn keep_footer(&self, footer: &PackFooter) -> Result<(), DurableError> {
        durable::write_derived(&self.folder.join("footers").join(footer.id().to_string()), &footer.encode())
    }

    /// Notes that this clone sent a pack itself.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn note_sent(&self, pack: &Digest) -> Result<(), DurableError> {
        durable::write_derived(&self.folder.join("sent").join(pack.to_string()), &[])
    }

    /// Whether this clone sent the pack itself, as far as is known.
    pub fn has_sent(&self, pack: &Digest) -> bool {
        self.folder.join("sent").join(pack.to_string()).exists()
    }

    /// All packs whose tables were met. What a killed push left beside them goes.
    ///
    /// # Errors
    ///
    /// When the folder is there and cannot be listed.
    pub fn packs(&self) -> io::Result<Vec<(PackRef, PackFooter)>> {
        let entries = match fs::read_dir(self.folder.join("footers")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut packs = Vec::new();
        for entry in entries {
            let entry = entry?;
            if durable::sweep_if_left(&entry) {
                continue;
            }
            let name = entry.file_name();
            let pack = name.to_str().and_then(|name| name.parse().ok());
            packs.extend(pack.and_then(|pack| self.footer(&pack)).map(|footer| (footer.pack_ref(), footer)));
        }
        Ok(packs)
    }

    /// A root record that was written or read before.
    pub fn record(&self, root: &Digest, session: &SessionId) -> Option<Vec<u8>> {
        fs::read(self.folder.join("records").join(format!("{root}-{session}"))).ok()
    }

    /// Keeps a root record.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn keep_record(&self, root: &Digest, session: &SessionId, bytes: &[u8]) -> Result<(), DurableError> {
        durable::write_derived(&self.folder.join("records").join(format!("{root}-{session}")), bytes)
    }

    /// The highest epoch that was seen.
    pub fn epoch(&self) -> u64 {
        self.known.epoch
    }

    /// Notes the highest epoch that was seen.
    pub fn set_epoch(&mut self, epoch: u64) {
        self.known.epoch = epoch;
    }

    /// Writes what changed.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn save(&self) -> Result<(), DurableError> {
        let text = serde_json::to_vec(&self.known).unwrap_or_default();
        durable::write_derived(&self.folder.join("known.json"), &text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn what_a_killed_push_left_beside_the_tables_goes_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let knowledge = Knowledge::open(folder.path(), "store", "memory");
        let footers = folder.path().join("ml/remotes/store/footers");
        fs::create_dir_all(&footers).unwrap();
        let left = |name: &str, hours: u64| {
            let file = fs::File::create(footers.join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_hours(hours)).unwrap();
        };
        left(".tmp-old", 25);
        left(".tmp-being-written", 1);
        left("not ours", 25);
        assert!(knowledge.packs().unwrap().is_empty());
        let names = fs::read_dir(&footers).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<BTreeSet<_>>(), [".tmp-being-written".into(), "not ours".into()].into());
    }
}
