//! Which paths are on their way from one version to another: noted before the first file changes, forgotten when the
//! record says what is here. So what a switch left that was cut short is told from what a person edited.
//!
//! One file, `ml/switch` in the worktree's own Git directory: a line with the BLAKE3 of the rest, then JSON. As long as its
//! command runs it is locked (`flock`), so that nobody takes a switch that goes on for one that ended. It is made to last
//! before the work tree changes, once a command, for a power cut leaves a mix as a kill does; that it is gone need not
//! last. One that is damaged says nothing, and one that stayed behind nothing wrong: files are ours only if their bytes are
//! those of a version that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::{Digest, RepoPath};
use crate::data::root::RootName;
use crate::storage::durable::{self, DurableError};

/// The way of one path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// The versions of which files may lie there beside those of the record. It goes to the last one; further ones are those
    /// of switches before it that were cut short too.
    pub versions: Vec<RootName>,
    /// The parts that are wanted, by path below; none: all.
    pub parts: Vec<Vec<u8>>,
}

type Switches = BTreeMap<RepoPath, Switch>;

/// The note of switches, and what this command adds to it.
#[derive(Debug, Default)]
pub(super) struct SwitchNote {
    file: PathBuf,
    /// Those that were cut short.
    left: Switches,
    /// Those of another command that runs.
    others: Switches,
    /// Those of this command, of which it may not have begun some.
    own: Switches,
    begun: BTreeSet<RepoPath>,
    ended: BTreeSet<RepoPath>,
    /// Held while the switches go on, once they are noted.
    lock: Option<File>,
}

impl SwitchNote {
    /// The note in the worktree whose own Git directory this is.
    pub fn open(git_dir: &Path) -> Self {
        let file = git_dir.join("ml").join("switch");
        let mut note = Self { file, ..Self::default() };
        let Ok(mut found) = File::open(&note.file) else { return note };
        // A file system without locks cannot tell; then it counts as left.
        let runs = matches!(found.try_lock_shared(), Err(TryLockError::WouldBlock));
        let switches = read(&mut found).unwrap_or_default();
        *(if runs { &mut note.others } else { &mut note.left }) = switches;
        note
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
        let mut versions = self.left.get(path).map(|left| left.versions.clone()).unwrap_or_default();
        versions.retain(|version| !version.is_same(&to));
        versions.push(to);
        Switch { versions, parts }
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

    /// Takes away what ended, or was never begun. To be called when the record is written.
    ///
    /// # Errors
    ///
    /// [`DurableError`].
    pub fn tidy(&mut self) -> Result<(), DurableError> {
        if self.begun.is_empty() && self.ended.is_empty() {
            return Ok(());
        }
        // Another command may have noted its own meanwhile.
        let noted = File::open(&self.file).ok().and_then(|mut file| read(&mut file)).unwrap_or_default();
        let mut stay = noted.clone();
        for (path, switch) in &self.own {
            match self.left.get(path) {
                _ if self.begun.contains(path) => stay.insert(path.clone(), switch.clone()),
                Some(left) => stay.insert(path.clone(), left.clone()),
                None => stay.remove(path),
            };
        }
        self.ended.iter().for_each(|path| drop(stay.remove(path)));
        if stay.is_empty() {
            match fs::remove_file(&self.file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(DurableError::new("remove", &self.file, 0, error));
                }
                _ => {}
            }
        } else if stay != noted {
            durable::write_derived(&self.file, &encode(&stay))?;
        }
        let file = std::mem::take(&mut self.file);
        *self = Self { file, left: stay, lock: self.lock.take(), ..Self::default() };
        Ok(())
    }

    fn write(&mut self) -> Result<(), DurableError> {
        let mut all = self.others.clone();
        all.extend(self.left.clone());
        all.extend(self.own.clone());
        let bytes = encode(&all);
        let folder = self.file.parent().unwrap_or(Path::new("."));
        durable::create_folders(folder)?;
        let mut file = durable::create_temp(folder)?;
        let failed = |step, source| DurableError::new(step, &self.file, bytes.len() as u64, source);
        file.write_all(&bytes).map_err(|source| failed("write", source))?;
        let lock = file.as_file().try_clone().map_err(|source| failed("write", source))?;
        // Without locks, whoever looks takes it for one that was cut short, and finds nothing wrong in it.
        let _ = lock.try_lock();
        durable::persist(file, &self.file)?;
        self.lock = Some(lock);
        Ok(())
    }
}

fn encode(switches: &Switches) -> Vec<u8> {
    let named: BTreeMap<&str, &Switch> =
        switches.iter().map(|(path, switch)| (path.as_str(), switch)).collect();
    let text = serde_json::to_vec(&named).unwrap_or_default();
    [Digest::of(&text).to_string().as_bytes(), b"\n", &text].concat()
}

/// `None` for anything that is not whole.
fn read(file: &mut File) -> Option<Switches> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (seal, text) = (&bytes[..end], &bytes[end + 1..]);
    if Digest::of(text).to_string().as_bytes() != seal {
        return None;
    }
    let named: BTreeMap<String, Switch> = serde_json::from_slice(text).ok()?;
    named.into_iter().map(|(path, switch)| Some((RepoPath::new(path).ok()?, switch))).collect()
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
        drop(note);
        assert_eq!(SwitchNote::open(folder.path()).left().len(), 3, "it was killed");

        let mut note = SwitchNote::open(folder.path());
        note.begin(&path("a"), version("3"), Vec::new()).unwrap();
        note.begin(&path("b"), version("3"), Vec::new()).unwrap();
        note.end(&path("b"));
        note.end(&path("c"));
        note.tidy().unwrap();
        drop(note);
        let mut note = SwitchNote::open(folder.path());
        let a = Switch { versions: vec![version("2"), version("3")], parts: Vec::new() };
        assert_eq!(*note.left(), BTreeMap::from([(path("a"), a)]));
        note.rename(&path("a"), &path("z"));
        note.tidy().unwrap();
        assert_eq!(note.left().keys().collect::<Vec<_>>(), [&path("z")]);
        note.end(&path("z"));
        note.tidy().unwrap();
        assert!(!folder.path().join("ml/switch").exists());
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
