//! A disk as POSIX promises it: what was written and not synced may be there after a power cut, or not, or in part; and
//! so may each name, apart from the bytes that it names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::copy::{Identities, Identity, set_modified};
use super::journal::{Deed, Record};

/// What becomes of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// It is lost.
    Lost,
    /// It is there.
    There,
    /// Of bytes: the file has its length, and zeros in it.
    Zeros,
    /// Some of it is there, as dice with this seed fall.
    Dice(u64),
}

type Names = BTreeMap<OsString, usize>;

#[derive(Clone)]
enum Kind {
    File { now: Vec<u8>, safe: Vec<u8> },
    Folder { now: Names, safe: Names },
    Link(PathBuf),
}

#[derive(Clone)]
struct Node {
    kind: Kind,
    mode: u32,
    modified: [i64; 2],
    identity: Identity,
    /// The identity is that of another file, which it shows instead of its own.
    disguised: bool,
}

/// A folder, in memory.
#[derive(Clone)]
pub struct Disk {
    top: PathBuf,
    nodes: Vec<Node>,
    by_inode: HashMap<u64, usize>,
}

/// The node of the folder itself.
const TOP: usize = 0;

impl Disk {
    /// The folder `top` as it lies there, all of it safe.
    pub fn read(top: &Path, shown: &Identities) -> Self {
        let mut disk = Self { top: top.to_owned(), nodes: Vec::new(), by_inode: HashMap::new() };
        disk.load(top, shown);
        disk
    }

    fn load(&mut self, path: &Path, shown: &Identities) -> usize {
        let metadata = path.symlink_metadata().expect("a stat");
        let changed = [metadata.ctime(), metadata.ctime_nsec()];
        let own = Identity { inode: metadata.ino(), shown: metadata.ino(), changed };
        let disguise = shown.get(&metadata.ino());
        let kind = if metadata.is_dir() {
            Kind::Folder { now: Names::new(), safe: Names::new() }
        } else if metadata.is_symlink() {
            Kind::Link(fs::read_link(path).expect("a link"))
        } else {
            let bytes = fs::read(path).expect("a file");
            Kind::File { now: bytes.clone(), safe: bytes }
        };
        let number = self.add(Node {
            kind,
            mode: metadata.mode(),
            modified: [metadata.mtime(), metadata.mtime_nsec()],
            identity: disguise.copied().unwrap_or(own),
            disguised: disguise.is_some(),
        });
        self.by_inode.insert(metadata.ino(), number);
        if metadata.is_dir() {
            for entry in fs::read_dir(path).expect("a folder") {
                let entry = entry.expect("an entry");
                let inner = self.load(&entry.path(), shown);
                let (now, safe) = self.names(number);
                now.insert(entry.file_name(), inner);
                safe.insert(entry.file_name(), inner);
            }
        }
        number
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn names(&mut self, folder: usize) -> (&mut Names, &mut Names) {
        match &mut self.nodes[folder].kind {
            Kind::Folder { now, safe } => (now, safe),
            _ => panic!("a folder was expected"),
        }
    }

    /// Does what the record says.
    pub fn apply(&mut self, record: &Record) {
        let number = self.by_inode.get(&record.inode).copied();
        match &record.deed {
            Deed::Create | Deed::CreateUnnamed => {
                let made = self.make(record, Kind::File { now: Vec::new(), safe: Vec::new() }, 0o100_644);
                if record.deed == Deed::Create {
                    self.give_name(&record.path, made);
                }
            }
            Deed::MakeFolder => {
                let empty = Kind::Folder { now: Names::new(), safe: Names::new() };
                let made = self.make(record, empty, 0o040_755);
                self.give_name(&record.path, made);
            }
            Deed::Symlink(target) => {
                let made = self.make(record, Kind::Link(target.clone()), 0o120_777);
                self.give_name(&record.path, made);
            }
            Deed::Write(at, bytes) => self.write(number.expect("a file"), *at as usize, bytes),
            Deed::Resize(length) => {
                if let Kind::File { now, .. } = &mut self.nodes[number.expect("a file")].kind {
                    now.resize(*length as usize, 0);
                }
            }
            Deed::Rename(to) => {
                let node = self.take_name(&record.path);
                self.give_name(to, node);
            }
            Deed::Link(to) => self.give_name(to, number.expect("a file")),
            Deed::Unlink | Deed::RemoveFolder => drop(self.take_name(&record.path)),
            Deed::Sync => self.sync(number.expect("a file or folder")),
            Deed::SyncAll => (0..self.nodes.len()).for_each(|number| self.sync(number)),
            Deed::Other => {}
        }
        if let Some(node) = self.by_inode.get(&record.inode).map(|number| &mut self.nodes[*number]) {
            node.modified = record.modified;
            if !node.disguised {
                node.identity.changed = record.changed;
            }
        }
    }

    fn make(&mut self, record: &Record, kind: Kind, mode: u32) -> usize {
        let identity = Identity { inode: record.inode, shown: record.inode, changed: record.changed };
        let node = Node { kind, mode, modified: record.modified, identity, disguised: false };
        let number = self.add(node);
        self.by_inode.insert(record.inode, number);
        number
    }

    fn write(&mut self, number: usize, at: usize, bytes: &[u8]) {
        let Kind::File { now, .. } = &mut self.nodes[number].kind else { panic!("a file was expected") };
        let end = at + bytes.len();
        if now.len() < end {
            now.resize(end, 0);
        }
        now[at..end].copy_from_slice(bytes);
    }

    fn sync(&mut self, number: usize) {
        match &mut self.nodes[number].kind {
            Kind::File { now, safe } => safe.clone_from(now),
            Kind::Folder { now, safe } => safe.clone_from(now),
            Kind::Link(_) => {}
        }
    }

    /// The folder that `path` is in, and its name there.
    fn place(&self, path: &Path) -> (usize, OsString) {
        let below = path.strip_prefix(&self.top).expect("a path below the folder");
        let mut folder = TOP;
        for part in below.parent().expect("not the folder itself") {
            let Kind::Folder { now, .. } = &self.nodes[folder].kind else { panic!("{}", path.display()) };
            folder = *now.get(part).unwrap_or_else(|| panic!("no folder for {}", path.display()));
        }
        (folder, below.file_name().expect("a name").to_owned())
    }

    fn take_name(&mut self, path: &Path) -> usize {
        let (folder, name) = self.place(path);
        self.names(folder).0.remove(&name).unwrap_or_else(|| panic!("nothing at {}", path.display()))
    }

    fn give_name(&mut self, path: &Path, node: usize) {
        let (folder, name) = self.place(path);
        self.names(folder).0.insert(name, node);
    }

    /// What is there after a power cut, by path below the folder.
    pub fn after(&self, names: Unsynced, bytes: Unsynced) -> Remains<'_> {
        let mut remains = Remains { disk: self, found: BTreeMap::new() };
        let mut dice = Dice::of(names, bytes);
        remains.collect(TOP, PathBuf::new(), (names, bytes), &mut dice);
        remains
    }
}

/// What is there after a power cut.
pub struct Remains<'a> {
    disk: &'a Disk,
    /// The node, and the bytes of a file.
    found: BTreeMap<PathBuf, (usize, Vec<u8>)>,
}

impl Remains<'_> {
    fn collect(&mut self, folder: usize, path: PathBuf, lot: (Unsynced, Unsynced), dice: &mut Dice) {
        let Kind::Folder { now, safe } = &self.disk.nodes[folder].kind else { return };
        let all: HashSet<&OsString> = now.keys().chain(safe.keys()).collect();
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort();
        for name in all {
            let below = path.join(name);
            let (names, bytes) = if is_gits_own(&below) { (Unsynced::There, Unsynced::There) } else { lot };
            let there = match names {
                _ if now.get(name) == safe.get(name) => true,
                Unsynced::Lost | Unsynced::Zeros => false,
                Unsynced::There => true,
                Unsynced::Dice(_) => dice.throw().is_multiple_of(2),
            };
            let kept = if there { now } else { safe };
            let Some(number) = kept.get(name) else { continue };
            let left = match &self.disk.nodes[*number].kind {
                Kind::File { now, safe } => left_of(now, safe, bytes, dice),
                _ => Vec::new(),
            };
            self.found.insert(below.clone(), (*number, left));
            self.collect(*number, below, lot, dice);
        }
    }

    /// A number that tells apart what is there.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.found.hash(&mut hasher);
        hasher.finish()
    }

    /// Writes it to the folder `to`, which is not there yet; gives as what its files are to show.
    pub fn write(&self, to: &Path) -> Identities {
        fs::create_dir(to).expect("a folder");
        let mut identities = Identities::new();
        for (path, (number, bytes)) in &self.found {
            let (path, node) = (to.join(path), &self.disk.nodes[*number]);
            match &node.kind {
                Kind::Folder { .. } => fs::create_dir(&path).expect("a folder"),
                Kind::Link(target) => symlink(target, &path).expect("a link"),
                Kind::File { .. } => {
                    fs::write(&path, bytes).expect("a file");
                    fs::set_permissions(&path, fs::Permissions::from_mode(node.mode & 0o777 | 0o600))
                        .expect("permissions");
                    set_modified(&path, node.modified);
                }
            }
            if !matches!(node.kind, Kind::Folder { .. }) {
                let inode = path.symlink_metadata().expect("a stat").ino();
                identities.insert(inode, Identity { inode, ..node.identity });
            }
        }
        identities
    }
}

/// What Git writes is Git's to make safe.
fn is_gits_own(path: &Path) -> bool {
    let ours = ["repo/.git/ml", "repo/.git/info"];
    path.starts_with("repo/.git") && !ours.iter().any(|ours| path.starts_with(ours))
}

fn left_of(now: &[u8], safe: &[u8], bytes: Unsynced, dice: &mut Dice) -> Vec<u8> {
    let same = now.iter().zip(safe).take_while(|(now, safe)| now == safe).count();
    match bytes {
        Unsynced::There => now.to_owned(),
        Unsynced::Lost => safe.to_owned(),
        _ if now == safe => now.to_owned(),
        Unsynced::Zeros => {
            let mut left = safe[..same].to_owned();
            left.resize(now.len(), 0);
            left
        }
        Unsynced::Dice(_) => match dice.throw() % 4 {
            0 => now.to_owned(),
            1 => safe.to_owned(),
            // A torn tail, once short and once with zeros in its place.
            way => {
                let kept = same + dice.throw() as usize % (now.len() - same + 1);
                let mut left = now[..kept.min(now.len())].to_owned();
                if way == 3 {
                    left.resize(now.len(), 0);
                }
                left
            }
        },
    }
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn of(names: Unsynced, bytes: Unsynced) -> Self {
        let seed = |lot| if let Unsynced::Dice(seed) = lot { seed } else { 1 };
        Self(seed(names).wrapping_mul(31).wrapping_add(seed(bytes)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn throw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }
}
