//! What this worktree last wrote or added: the proof that a missing file was deleted and not merely never fetched.
//!
//! One file, `ml/state` in the worktree's own Git directory, for linked worktrees differ. It is read whole and replaced
//! whole; a damaged or missing one is as if nothing had been materialised, which makes commands careful, not wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::RepoPath;
use crate::data::root::RootName;
use crate::git::LockFile;
use crate::storage::durable::{self, DurableError};

use super::form::{Paths, Synced, decode, encode};
use super::reboot::damaged;
use super::settle::Interrupted;
use super::switch::{Seal, Switch, SwitchNote};
use super::{FileRecord, Files, Fingerprint};

/// What was last written or added at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRecord {
    /// The version that the files are of.
    pub root: RootName,
    /// What was materialised, by path below; for a single file under the empty path.
    pub files: Files,
    /// Whether the files are just those of the version, all of them and no others.
    pub complete: bool,
}

/// What this worktree last wrote or added, by path.
#[derive(Debug, Default)]
pub struct WorktreeRecord {
    paths: Paths,
    file: PathBuf,
    /// The file when it was read; `None` where there was none.
    read: Option<Fingerprint>,
    /// Paths that were set or removed since.
    changed: BTreeSet<RepoPath>,
    /// What the file says of the disk, and from which moment on stats vouch for nothing because of that.
    synced: Synced,
    doubted_from: Option<i64>,
    /// Paths of which all files were seen to be whole since the machine was started.
    whole: BTreeSet<RepoPath>,
    /// Which paths are on their way from one version to another.
    switches: SwitchNote,
    /// Where files of several versions lie.
    interrupted: BTreeMap<RepoPath, Interrupted>,
}

impl WorktreeRecord {
    /// The record of the worktree whose own Git directory this is.
    ///
    /// # Errors
    ///
    /// When the file is there and the system refuses to read it.
    pub fn open(git_dir: &Path) -> io::Result<Self> {
        let file = git_dir.join("ml").join("state");
        // First the note of switches: it is taken away when the record is written.
        let mut switches = SwitchNote::open(git_dir);
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { file, switches, ..Self::default() });
            }
            Err(error) => return Err(error),
        };
        let read = Some(Fingerprint::of(&fs::metadata(&file)?));
        let (paths, synced) = decode(&bytes).unwrap_or_default();
        switches.tell_finished(synced.finished);
        let doubted_from = synced.doubted_from();
        Ok(Self { paths, file, read, switches, synced, doubted_from, ..Self::default() })
    }

    /// The stats of its files, which every change of the record changes; `None` where there is none.
    pub fn fingerprint(git_dir: &Path) -> [Option<Fingerprint>; 2] {
        let of = |file: PathBuf| fs::metadata(file).ok().map(|metadata| Fingerprint::of(&metadata));
        [of(git_dir.join("ml").join("state")), of(SwitchNote::path_in(git_dir))]
    }

    /// What was last written or added at `path`.
    pub fn get(&self, path: &RepoPath) -> Option<&PathRecord> {
        self.paths.get(path)
    }

    /// Notes what was written or added at `path`.
    pub fn set(&mut self, path: RepoPath, record: PathRecord) {
        self.switches.overrule(&path, Some(&record.root));
        if self.paths.get(&path) != Some(&record) {
            self.changed.insert(path.clone());
            self.paths.insert(path, record);
        }
    }

    /// Forgets `path`.
    pub fn remove(&mut self, path: &RepoPath) -> Option<PathRecord> {
        self.end_switch(path);
        self.switches.overrule(path, None);
        let removed = self.paths.remove(path);
        if removed.is_some() {
            self.changed.insert(path.clone());
        }
        removed
    }

    /// Says that what lay at `from` lies at `to` now.
    pub fn rename(&mut self, from: &RepoPath, to: &RepoPath) {
        self.switches.rename(from, to);
        if let Some(known) = self.remove(from) {
            self.set(to.clone(), known);
        }
    }

    /// Says that `path` is likely to go to `root`, too: what is noted once need not be noted path by path.
    pub fn expect_switch(&mut self, path: &RepoPath, root: RootName, parts: Vec<Vec<u8>>) {
        self.switches.expect(path, root, parts);
    }

    /// Notes that `path` goes to `root`, before the first of its files changes: all of it, or these parts of it.
    ///
    /// # Errors
    ///
    /// When that cannot be written: then nothing must be changed.
    pub fn begin_switch(
        &mut self,
        path: &RepoPath,
        root: RootName,
        parts: Vec<Vec<u8>>,
    ) -> Result<(), DurableError> {
        self.switches.begin(path, root, parts)
    }

    /// Whether another command goes on that brings `path` to a version: what lies there says nothing then.
    pub fn is_switched_by_another(&self, path: &RepoPath) -> bool {
        self.switches.is_others(path)
    }

    /// Says that what lies at `path` is what the record says, once it is saved.
    pub fn end_switch(&mut self, path: &RepoPath) {
        self.switches.end(path);
        self.interrupted.remove(path);
    }

    /// What a switch that was cut short left at `path`, if files of several versions lie there.
    pub fn interrupted(&self, path: &RepoPath) -> Option<&Interrupted> {
        self.interrupted.get(path)
    }

    pub(super) fn set_interrupted(&mut self, path: RepoPath, interrupted: Interrupted) {
        self.interrupted.insert(path, interrupted);
    }

    pub(super) fn switches_left(&self) -> Vec<(RepoPath, Switch)> {
        self.switches.left().iter().map(|(path, switch)| (path.clone(), switch.clone())).collect()
    }

    /// The versions of which files may lie here, with their paths.
    pub fn versions(&self) -> impl Iterator<Item = (&RepoPath, &RootName)> {
        let written = self.paths.iter().map(|(path, known)| (path, &known.root));
        written.chain(self.switches.versions())
    }

    /// All paths that were written or added.
    pub fn paths(&self) -> impl Iterator<Item = (&RepoPath, &PathRecord)> {
        self.paths.iter()
    }

    /// Whether a file that has the stat of its record holds its bytes: a power cut may have taken them.
    pub fn vouches(&self, file: &FileRecord) -> bool {
        self.doubted_from.is_none_or(|moment| file.fingerprint.changed < moment)
    }

    /// Says that `found` is what lies at `path`, read where [`WorktreeRecord::vouches`] said no: the record vouches for it
    /// from now on, if no file of it is damaged.
    pub fn note_seen(&mut self, path: &RepoPath, found: &Files) {
        let is_whole = || self.damaged(path, found).is_empty();
        if self.doubted_from.is_some() && is_whole() {
            self.whole.insert(path.clone());
        }
    }

    /// The files of `path`, by path below, that hold other bytes than were written although nobody else wrote to them;
    /// `found` is what lies there.
    pub fn damaged(&self, path: &RepoPath, found: &Files) -> BTreeSet<Vec<u8>> {
        let known = self.paths.get(path).map(|known| damaged(&known.files, found)).unwrap_or_default();
        let cut = self.interrupted.get(path).map(|interrupted| interrupted.damaged.clone());
        known.into_iter().chain(cut.into_iter().flatten()).collect()
    }

    /// Whether nothing happened, and the record can yet say more than it does.
    fn is_overtaken(&self) -> bool {
        let known = |path| self.paths.contains_key(path);
        self.whole.iter().any(known) || self.synced.is_overtaken()
    }

    /// The note of switches that the record names as ended, if that is still so.
    fn named_seal(&self) -> Seal {
        let is_so = self.synced.finished == self.switches.finished_seal();
        if is_so { self.synced.finished } else { Seal::default() }
    }

    /// What can be said of the disk now.
    fn synced_now(&self) -> Synced {
        // What was not read yet stays in doubt.
        let stays = self.doubted_from.is_some_and(|moment| {
            let unseen = self.paths.iter().filter(|(path, _)| !self.whole.contains(*path));
            unseen.into_iter().any(|(_, known)| known.files.changed_since(moment))
        });
        let synced = if stays { self.synced } else { Synced::now(&self.paths) };
        Synced { finished: self.switches.finished_seal(), ..synced }
    }

    /// A moment by the clock of the file system: what was modified well before it and changes after it is told by its
    /// times. Where nothing can be written beside the record, this machine's clock must do.
    pub fn moment(&self) -> i64 {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let touched = fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
        let touched = touched.and_then(|file| file.metadata());
        touched.map_or_else(
            |_| {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
            },
            |metadata| Fingerprint::of(&metadata).modified,
        )
    }

    /// Replaces the file, when anything changed: what another command noted meanwhile of other paths stays. `refresh`
    /// says that nothing happened but that files were read anew: then another command's notes win. It is the last thing
    /// that a command writes, so it never vouches for what is not durable.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn save(&mut self, refresh: bool) -> Result<(), DurableError> {
        if self.changed.is_empty() && !(refresh && self.is_overtaken()) {
            return self.switches.tidy(self.named_seal());
        }
        let lock = self.file.with_extension("lock");
        // It only spares the next command some reading: rather it is lost than that a command fails for it.
        let alone = if refresh { LockFile::hold_now(&lock) } else { LockFile::hold(&lock) };
        if refresh && alone.is_err() {
            return Ok(());
        }
        let now = fs::metadata(&self.file).ok().map(|metadata| Fingerprint::of(&metadata));
        if now != self.read {
            if refresh {
                return Ok(());
            }
            if let Some((mut others, _)) = fs::read(&self.file).ok().and_then(|bytes| decode(&bytes)) {
                others.retain(|path, _| !self.changed.contains(path));
                let ours = std::mem::take(&mut self.paths).into_iter();
                others.extend(ours.filter(|(path, _)| self.changed.contains(path)));
                self.paths = others;
            }
        }
        self.synced = self.synced_now();
        self.doubted_from = self.synced.doubted_from();
        durable::write_derived(&self.file, &encode(&self.paths, &self.synced))?;
        self.read = fs::metadata(&self.file).ok().map(|metadata| Fingerprint::of(&metadata));
        self.changed.clear();
        self.switches.tidy(self.synced.finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;
    use crate::objects::pointer::PointerKind;
    use crate::objects::tree::EntryKind;

    fn example() -> (RepoPath, PathRecord) {
        let file = FileRecord {
            kind: EntryKind::File,
            executable: true,
            fingerprint: Fingerprint { size: 3, modified: -1, changed: 9, inode: 7 },
            id: Digest::of(b"abc"),
            manifest: None,
        };
        let root = RootName { kind: PointerKind::Tree, id: Digest::of(b"t"), manifest: None, size: 3 };
        let linked = FileRecord { kind: EntryKind::Link, executable: false, ..file };
        let large = FileRecord { manifest: Some(Digest::of(b"m")), ..file };
        let names: [&[u8]; 3] = [b"a\xff/b", b"a\xff/bc", b"a\xff/c"];
        let files = names.map(<[u8]>::to_vec).into_iter().zip([file, linked, large]);
        let files = Files::from(files.collect::<BTreeMap<_, _>>());
        let record = PathRecord { root, files, complete: true };
        (RepoPath::new("data/images").unwrap(), record)
    }

    #[test]
    fn survives_a_round_trip_and_damage_reads_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = WorktreeRecord::open(folder.path()).unwrap();
        let (path, files) = example();
        record.set(path.clone(), files.clone());
        record.save(false).unwrap();
        assert_eq!(WorktreeRecord::open(folder.path()).unwrap().get(&path), Some(&files));

        // Two commands at once: neither drops what the other noted.
        let mut other = WorktreeRecord::open(folder.path()).unwrap();
        other.set(RepoPath::new("other").unwrap(), files.clone());
        record.set(RepoPath::new("third").unwrap(), files.clone());
        record.save(false).unwrap();
        other.save(false).unwrap();
        assert_eq!(WorktreeRecord::open(folder.path()).unwrap().paths().count(), 3);

        let file = folder.path().join("ml/state");
        let whole = fs::read(&file).unwrap();
        for cut in 0..whole.len() {
            assert!(decode(&whole[..cut]).is_none(), "cut at {cut}");
        }
        let mut flipped = whole;
        flipped[20] ^= 1;
        assert!(decode(&flipped).is_none());
    }
}
