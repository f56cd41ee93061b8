//! Which paths are on their way from one version to another: noted before the first file changes. So what a switch left that
//! was cut short is told from what a person edited.
//!
//! One file, `ml/switch` in the worktree's own Git directory: a line with the BLAKE3 of the rest, then JSON. As long as its
//! command runs it is locked (`flock`), so that nobody takes a switch that goes on for one that ended. It is made to last
//! before the work tree changes, once a command, for a power cut leaves a mix as a kill does. Nothing that comes after is:
//! neither the files nor the record, for a record that lasts beside files that do not would make them look edited. So the
//! note stays when its switches end: the record names it as ended, and if the power takes the record with the files, the
//! note still tells what was written. It is taken away when the system has written all.
//!
//! One that is damaged says nothing, and one that stayed behind nothing wrong: files are ours only if their bytes are those
//! of a version that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Digest, RandomId, RepoPath};
use crate::data::root::RootName;
use crate::storage::boot::boot_id;
use crate::storage::durable::{self, DurableError};

/// The way of one path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// The versions of which files may lie there beside those of the record. It goes to the last one; further ones are those
    /// of switches before it that were cut short too.
    pub versions: Vec<RootName>,
    /// The parts that are wanted, by path below; none: all.
    pub parts: Vec<Vec<u8>>,
    /// The start of the machine at which it began, where that is known.
    boot: Option<String>,
}

impl Switch {
    /// Whether the machine was started anew since it began: then the power may have gone while it went on.
    pub fn is_before_boot(&self) -> bool {
        self.boot.is_some() && boot_id().is_some() && self.boot.as_deref() != boot_id()
    }
}

/// Of so many versions before the last one files are looked for.
const MOST_BEFORE: usize = 4;
/// When the system has written everything, with a wide margin.
const WRITTEN_AFTER: Duration = Duration::from_secs(1200);

type Switches = BTreeMap<RepoPath, Switch>;

/// The note of switches, and what this command adds to it.
#[derive(Debug, Default)]
pub(super) struct SwitchNote {
    file: PathBuf,
    /// Those that were cut short.
    left: Switches,
    /// Those that ended, of which the system may not have written all.
    finished: Switches,
    /// The first bytes of the BLAKE3 that the note begins with; zero where there is none.
    seal: Seal,
    /// Those of another command that runs.
    others: Switches,
    /// Those of this command, of which it may not have begun some.
    own: Switches,
    begun: BTreeSet<RepoPath>,
    ended: BTreeSet<RepoPath>,
    /// Held while the switches go on, once they are noted.
    lock: Option<File>,
    /// What ended is of no use any more.
    overruled: bool,
}

/// Tells one note from another.
pub(super) type Seal = [u8; 16];

impl SwitchNote {
    /// The note in the worktree whose own Git directory this is.
    pub fn open(git_dir: &Path) -> Self {
        let file = git_dir.join("ml").join("switch");
        let mut note = Self { file, ..Self::default() };
        let Ok(mut found) = File::open(&note.file) else { return note };
        // A file system without locks cannot tell; then it counts as left.
        let runs = matches!(found.try_lock_shared(), Err(TryLockError::WouldBlock));
        let (switches, seal) = read(&mut found).unwrap_or_default();
        *(if runs { &mut note.others } else { &mut note.left }) = switches;
        note.seal = seal;
        note
    }

    /// The record says that the switches of the note with this seal ended. Those from before the last start of the machine
    /// did so only if their files were written in time.
    pub fn tell_finished(&mut self, seal: Seal) {
        if seal == self.seal {
            let left = std::mem::take(&mut self.left).into_iter();
            (self.left, self.finished) = left.partition(|(_, switch)| switch.is_before_boot());
        }
    }

    /// The note that the record is to name as ended; zero for none. To be asked when the record is written.
    pub fn finished_seal(&self) -> Seal {
        let is_left = self.left.keys().any(|path| !self.ended.contains(path));
        let goes_on = self.begun.iter().any(|path| !self.ended.contains(path));
        let stays = !self.begun.is_empty() || !self.finished.is_empty() && !self.overruled;
        if stays && !is_left && !goes_on && self.others.is_empty() { self.seal } else { Seal::default() }
    }

    /// Says that at `path` the record is of `root` now.
    pub fn overrule(&mut self, path: &RepoPath, root: Option<&RootName>) {
        let finished = self.finished.get(path).and_then(|switch| switch.versions.last());
        let is_same = |to: &RootName| root.is_some_and(|root| root.is_same(to));
        self.overruled |= finished.is_some_and(|to| !is_same(to));
    }

    /// Whether another command that goes on now brings `path` to a version.
    pub fn is_others(&self, path: &RepoPath) -> bool {
        let Ok(mut found) = File::open(&self.file) else { return false };
        let runs = matches!(found.try_lock_shared(), Err(TryLockError::WouldBlock));
        let noted = if runs { read(&mut found) } else { None };
        noted.is_some_and(|(switches, seal)| {
            let is_own = self.lock.is_some() && seal == self.seal;
            !is_own && switches.contains_key(path)
        })
    }

    /// Where the note lies.
    pub fn path_in(git_dir: &Path) -> PathBuf {
        git_dir.join("ml").join("switch")
    }

    /// The switches that were cut short.
    pub fn left(&self) -> &Switches {
        &self.left
    }

    /// All versions that are named.
    pub fn versions(&self) -> impl Iterator<Item = (&RepoPath, &RootName)> {
        let all = self.left.iter().chain(&self.others).chain(&self.own);
        all.flat_map(|(path, switch)| switch.versions.iter().map(move |root| (path, root)))
    }

    /// Says that `path` is likely to go to `to`, too: it is noted together with the first that begins.
    pub fn expect(&mut self, path: &RepoPath, to: RootName, parts: Vec<Vec<u8>>) {
        let switch = self.towards(path, to, parts);
        self.own.entry(path.clone()).or_insert(switch);
    }

    /// Notes, so that it lasts, that `path` goes to `to`.
    ///
    /// # Errors
    ///
    /// [`DurableError`]: then nothing must be changed.
    pub fn begin(&mut self, path: &RepoPath, to: RootName, parts: Vec<Vec<u8>>) -> Result<(), DurableError> {
        let switch = self.towards(path, to, parts);
        let is_noted = self.lock.is_some() && self.own.get(path) == Some(&switch);
        self.own.insert(path.clone(), switch);
        self.begun.insert(path.clone());
        self.ended.remove(path);
        if !is_noted {
            self.write()?;
        }
        Ok(())
    }

    fn towards(&self, path: &RepoPath, to: RootName, parts: Vec<Vec<u8>>) -> Switch {
        let before = self.left.get(path).or_else(|| self.finished.get(path));
        let mut versions = before.map(|before| before.versions.clone()).unwrap_or_default();
        versions.retain(|version| !version.is_same(&to));
        versions.drain(..versions.len().saturating_sub(MOST_BEFORE));
        versions.push(to);
        Switch { versions, parts, boot: boot_id().map(str::to_owned) }
    }

    /// Says that all of `path` is as the record will say.
    pub fn end(&mut self, path: &RepoPath) {
        if self.left.contains_key(path) || self.begun.contains(path) {
            self.ended.insert(path.clone());
        }
    }

    /// Says that what lay at `from` lies at `to` now.
    pub fn rename(&mut self, from: &RepoPath, to: &RepoPath) {
        if let Some(left) = self.left.get(from).cloned() {
            self.own.insert(to.clone(), left);
            self.begun.insert(to.clone());
            self.ended.insert(from.clone());
        }
    }

    /// Takes away what ended, or was never begun, unless the record that was just written names the note, `named`, as ended.
    ///
    /// # Errors
    ///
    /// [`DurableError`].
    pub fn tidy(&mut self, named: Seal) -> Result<(), DurableError> {
        if self.seal != Seal::default() && named == self.seal {
            return self.keep_finished();
        }
        if self.begun.is_empty() && self.ended.is_empty() && !self.overruled {
            return Ok(());
        }
        // Another command may have noted its own meanwhile.
        let noted = File::open(&self.file).ok().and_then(|mut file| read(&mut file));
        let (noted, noted_seal) = noted.unwrap_or_default();
        let mut stay = noted.clone();
        stay.retain(|path, switch| self.finished.get(path) != Some(switch));
        for (path, switch) in &self.own {
            match self.left.get(path) {
                _ if self.begun.contains(path) => stay.insert(path.clone(), switch.clone()),
                Some(left) => stay.insert(path.clone(), left.clone()),
                None => stay.remove(path),
            };
        }
        self.ended.iter().for_each(|path| drop(stay.remove(path)));
        let mut seal = noted_seal;
        if stay.is_empty() {
            self.take_away()?;
            seal = Seal::default();
        } else if stay != noted {
            let (bytes, new) = encode(&stay);
            durable::write_atomically(&self.file, &bytes)?;
            seal = new;
        }
        let file = std::mem::take(&mut self.file);
        *self = Self { file, left: stay, seal, lock: self.lock.take(), ..Self::default() };
        Ok(())
    }

    /// All ended. What ended long ago is written by now.
    fn keep_finished(&mut self) -> Result<(), DurableError> {
        self.finished.extend(std::mem::take(&mut self.own));
        (self.left, self.begun, self.ended) = Default::default();
        self.overruled = false;
        let modified = fs::metadata(&self.file).and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| modified.elapsed().ok());
        if age.is_some_and(|age| age > WRITTEN_AFTER) { self.take_away() } else { Ok(()) }
    }

    fn take_away(&self) -> Result<(), DurableError> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DurableError::new("remove", &self.file, 0, error))
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self) -> Result<(), DurableError> {
        let mut all = self.others.clone();
        all.extend(self.left.clone());
        all.extend(self.own.clone());
        let (bytes, seal) = encode(&all);
        let folder = self.file.parent().unwrap_or(Path::new("."));
        durable::create_folders(folder)?;
        let mut file = durable::create_temp(folder)?;
        let failed = |step, source| DurableError::new(step, &self.file, bytes.len() as u64, source);
        file.write_all(&bytes).map_err(|source| failed("write", source))?;
        let lock = file.as_file().try_clone().map_err(|source| failed("write", source))?;
        // Without locks, whoever looks takes it for one that was cut short, and finds nothing wrong in it.
        let _ = lock.try_lock();
        durable::persist(file, &self.file)?;
        (self.lock, self.seal) = (Some(lock), seal);
        Ok(())
    }
}

/// The note, as it is written.
#[derive(Serialize, Deserialize)]
struct Form {
    /// No two notes are the same.
    id: String,
    paths: BTreeMap<String, Switch>,
}

/// The note of these switches, and its seal.
fn encode(switches: &Switches) -> (Vec<u8>, Seal) {
    let paths = switches.iter().map(|(path, switch)| (path.to_string(), switch.clone())).collect();
    let text = serde_json::to_vec(&Form { id: RandomId::generate().to_string(), paths }).unwrap_or_default();
    let seal = Digest::of(&text);
    ([seal.to_string().as_bytes(), b"\n", &text].concat(), short(seal))
}

fn short(seal: Digest) -> Seal {
    seal.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// `None` for anything that is not whole.
fn read(file: &mut File) -> Option<(Switches, Seal)> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (seal, text) = (&bytes[..end], &bytes[end + 1..]);
    let right = Digest::of(text);
    if right.to_string().as_bytes() != seal {
        return None;
    }
    let form: Form = serde_json::from_slice(text).ok()?;
    let switches = form.paths.into_iter().map(|(path, switch)| Some((RepoPath::new(path).ok()?, switch)));
    Some((switches.collect::<Option<_>>()?, short(right)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::pointer::PointerKind;

    fn path(name: &str) -> RepoPath {
        RepoPath::new(name).unwrap()
    }

    fn version(text: &str) -> RootName {
        RootName { kind: PointerKind::Tree, id: Digest::of(text.as_bytes()), manifest: None, size: 7 }
    }

    #[test]
    fn what_was_begun_and_did_not_end_is_left_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut note = SwitchNote::open(folder.path());
        note.expect(&path("b"), version("2"), Vec::new());
        note.expect(&path("c"), version("2"), Vec::new());
        note.begin(&path("a"), version("2"), vec![b"x\xff".to_vec()]).unwrap();
        let other = SwitchNote::open(folder.path());
        assert!(other.left().is_empty() && other.others.len() == 3, "it goes on: {other:?}");
        assert!(other.is_others(&path("c")) && !other.is_others(&path("d")) && !note.is_others(&path("c")));
        drop(note);
        assert!(!other.is_others(&path("c")));
        assert_eq!(SwitchNote::open(folder.path()).left().len(), 3, "it was killed");

        let mut note = SwitchNote::open(folder.path());
        note.begin(&path("a"), version("3"), Vec::new()).unwrap();
        note.begin(&path("b"), version("3"), Vec::new()).unwrap();
        note.end(&path("b"));
        note.end(&path("c"));
        assert_eq!(note.finished_seal(), Seal::default(), "one goes on");
        note.tidy(Seal::default()).unwrap();
        drop(note);
        let mut note = SwitchNote::open(folder.path());
        let a = note.towards(&path("a"), version("3"), Vec::new());
        assert_eq!(*note.left(), BTreeMap::from([(path("a"), a)]));
        note.rename(&path("a"), &path("z"));
        note.tidy(Seal::default()).unwrap();
        assert_eq!(note.left().keys().collect::<Vec<_>>(), [&path("z")]);
        note.end(&path("z"));
        note.tidy(Seal::default()).unwrap();
        assert!(!folder.path().join("ml/switch").exists());
    }

    #[test]
    fn what_ended_stays_noted_for_a_power_cut_and_is_not_taken_for_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ml/switch");
        let mut note = SwitchNote::open(folder.path());
        note.expect(&path("b"), version("2"), Vec::new());
        note.begin(&path("a"), version("2"), Vec::new()).unwrap();
        note.end(&path("a"));
        let seal = note.finished_seal();
        note.tidy(seal).unwrap();
        drop(note);
        let mut note = SwitchNote::open(folder.path());
        assert_eq!(note.left().len(), 2, "as far as the note alone tells");
        note.tell_finished(seal);
        assert!(note.left().is_empty() && note.finished_seal() == seal);
        note.tidy(seal).unwrap();
        note.overrule(&path("a"), Some(&version("2")));
        assert!(file.exists() && note.finished_seal() == seal);
        note.overrule(&path("a"), Some(&version("3")));
        assert_eq!(note.finished_seal(), Seal::default());
        note.tidy(Seal::default()).unwrap();
        assert!(!file.exists());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the damage is meant")]
    fn damage_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut note = SwitchNote::open(folder.path());
        note.begin(&path("a"), version("2"), Vec::new()).unwrap();
        drop(note);
        let file = folder.path().join("ml/switch");
        let whole = fs::read(&file).unwrap();
        for cut in 0..whole.len() {
            fs::write(&file, &whole[..cut]).unwrap();
            assert!(SwitchNote::open(folder.path()).left().is_empty(), "cut at {cut}");
        }
    }
}
