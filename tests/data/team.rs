//! A team: a Git server, a folder remote for data, and clones, apart from the machine's settings.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use git_ml::base::{Digest, Progress, RandomId, RepoPath};
use git_ml::data::add::{AddError, AddOptions, AddSummary, add};
use git_ml::data::checkout::{CheckedOut, CheckoutAllError, CheckoutOptions, Modified, Outcome, checkout};
use git_ml::data::setup::{SetUpOptions, init};
use git_ml::data::status::{Status, status};
use git_ml::data::transfer::{
    Fetched, Knowledge, Push, PushOptions, Pushed, TransferError, Wish, fetch_versions, push, push_versions,
    wants,
};
use git_ml::data::versions::Commits;
use git_ml::data::{RootName, Workspace, remotes};
use git_ml::git::Repository;
use git_ml::objects::{Home, Pointer};
use git_ml::storage::remote::{Access, Remote, RemoteOptions, RemoteUrl};

/// A Git server, a folder for data, and the folders of clones.
pub struct Team {
    folder: tempfile::TempDir,
}

impl Team {
    /// A team whose first clone `one` is set up and pushed.
    pub fn new() -> (Self, Clone) {
        let team = Self { folder: tempfile::tempdir().unwrap() };
        git_in(&team.path(""), &["init", "--quiet", "--bare", "--initial-branch=main", "server.git"]);
        let one = team.bare_clone("one");
        let workspace = one.workspace();
        init(&workspace, SetUpOptions { hooks: false, stage: true }).unwrap();
        let url = team.bucket().display().to_string();
        remotes::add(&workspace, "main", &url, BTreeMap::new(), false, true).unwrap();
        one.commit("set up");
        one.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
        (team, one)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join(name)
    }

    /// The folder remote.
    pub fn bucket(&self) -> PathBuf {
        self.path("bucket")
    }

    fn bare_clone(&self, name: &str) -> Clone {
        git_in(&self.path(""), &["clone", "--quiet", "server.git", name]);
        let clone = Clone { top: self.path(name) };
        clone.git(&["config", "user.name", "A U Thor"]);
        clone.git(&["config", "user.email", "author@example.com"]);
        clone.git(&["config", "mldata.main.trusted", &self.bucket().display().to_string()]);
        clone
    }

    /// A fresh clone of what was pushed.
    pub fn clone(&self, name: &str) -> Clone {
        self.bare_clone(name)
    }

    /// The folder remote, opened.
    pub fn remote(&self) -> Remote {
        let url = RemoteUrl::parse(&self.bucket().display().to_string()).unwrap();
        let options = RemoteOptions::from_map(&url, &BTreeMap::new()).unwrap();
        Remote::open(&url, &options, &Access::default(), Path::new("/")).unwrap()
    }

    /// All objects of the remote under a folder, by name, with their bytes.
    pub fn objects(&self, folder: &str) -> BTreeMap<String, u64> {
        let listed = self.remote().list(folder).unwrap();
        listed.into_iter().map(|object| (object.name, object.size)).collect()
    }
}

/// One clone.
pub struct Clone {
    pub top: PathBuf,
}

pub fn path(path: &str) -> RepoPath {
    RepoPath::new(path).unwrap()
}

pub const REFUSE: CheckoutOptions = CheckoutOptions { modified: Modified::Refuse, outside_links: false };
pub const KEEP: CheckoutOptions = CheckoutOptions { modified: Modified::KeepCopy, outside_links: false };

impl Clone {
    pub fn workspace(&self) -> Workspace {
        Workspace::open(Repository::open(&self.top).unwrap()).unwrap()
    }

    pub fn git(&self, args: &[&str]) -> String {
        git_in(&self.top, args)
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// Writes a file, with its folders.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        self.write_bytes(name.as_bytes(), bytes)
    }

    pub fn write_bytes(&self, name: &[u8], bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.top.join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.top.join(name)).unwrap()
    }

    pub fn exists(&self, name: &str) -> bool {
        fs::symlink_metadata(self.top.join(name)).is_ok()
    }

    pub fn remove(&self, name: &str) {
        let path = self.top.join(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }

    pub fn try_add(&self, paths: &[&str]) -> Result<AddSummary, AddError> {
        let options = AddOptions { all: false, sidecar: false, in_place: false, stage: true };
        add(&self.workspace(), &self::paths(paths), options, &Progress::hidden())
    }

    pub fn add(&self, paths: &[&str]) -> AddSummary {
        self.try_add(paths).unwrap()
    }

    /// Adds, and says that what is not here is to be dropped.
    pub fn add_all(&self, name: &str) {
        let options = AddOptions { all: true, sidecar: false, in_place: false, stage: true };
        add(&self.workspace(), &paths(&[name]), options, &Progress::hidden()).unwrap();
    }

    /// Adds and commits.
    pub fn add_version(&self, name: &str) -> Digest {
        let added = self.add(&[name]);
        self.commit(name);
        added.added[0].version
    }

    pub fn status(&self) -> Status {
        status(&self.workspace(), &[], &[], &Progress::hidden()).unwrap()
    }

    pub fn checkout_with(
        &self,
        paths: &[&str],
        options: CheckoutOptions,
    ) -> Result<Vec<CheckedOut>, CheckoutAllError> {
        checkout(&self.workspace(), &self::paths(paths), options, &Progress::hidden())
    }

    /// Checks out; every path must come.
    pub fn checkout(&self, paths: &[&str]) {
        for done in self.checkout_with(paths, REFUSE).unwrap() {
            assert!(matches!(done.outcome, Outcome::Done { .. }), "{done:?}");
        }
    }

    pub fn try_fetch(&self, paths: &[&str]) -> Result<Fetched, TransferError> {
        let workspace = self.workspace();
        let wanted = wants(&workspace, &self::paths(paths)).unwrap();
        Ok(fetch_versions(&workspace, None, &wanted, &Progress::hidden())?.done)
    }

    /// Fetches; nothing may be missing.
    pub fn fetch(&self, paths: &[&str]) -> Fetched {
        let fetched = self.try_fetch(paths).unwrap();
        assert_eq!(fetched.missing, []);
        fetched
    }

    pub fn pull(&self, paths: &[&str]) {
        self.fetch(paths);
        self.checkout(paths);
    }

    pub fn try_push(&self) -> Result<Pushed, TransferError> {
        let progress = Progress::hidden();
        Ok(push_versions(&self.workspace(), None, &Commits::Head, &[], PushOptions::default(), &progress)?
            .done)
    }

    /// Pushes data and commits.
    pub fn push(&self) -> Pushed {
        let pushed = self.try_push().unwrap();
        assert_eq!(pushed.missing, []);
        self.git(&["push", "--quiet"]);
        pushed
    }

    /// Pushes the versions that pointers name now to a remote, under the same knowledge as [`Clone::push`].
    pub fn push_to(&self, remote: &Remote, url: &str) -> Result<Pushed, TransferError> {
        self.push_wishes(remote, url, &self.wishes())
    }

    /// Pushes these versions.
    pub fn push_wishes(&self, remote: &Remote, url: &str, wishes: &[Wish]) -> Result<Pushed, TransferError> {
        let workspace = self.workspace();
        let mut knowledge = Knowledge::open(workspace.common_dir(), "main", url);
        let progress = Progress::hidden();
        let (store, repository) = (workspace.store(), self.repository());
        let server = self.git(&["remote", "get-url", "origin"]);
        let home = Home::of(repository, server.trim_end_matches(".git"));
        let going = Push {
            store,
            remote,
            repository,
            home,
            dry_run: false,
            progress: &progress,
            origin: None,
            verify: None,
        };
        push(&going, &mut knowledge, wishes)
    }

    /// One wish for each tracked path.
    pub fn wishes(&self) -> Vec<Wish> {
        let tracked = self.status().paths;
        let wish = |tracked: git_ml::data::status::PathStatus| Wish {
            path: tracked.path,
            root: tracked.version,
            commits: Vec::new(),
            bases: Vec::new(),
            only_whole: false,
        };
        tracked.into_iter().map(wish).collect()
    }

    /// The repository's random id.
    pub fn repository(&self) -> RandomId {
        self.workspace().repository().team_file().unwrap().unwrap().repository().unwrap()
    }

    pub fn pointer(&self, name: &str) -> Pointer {
        Pointer::parse(&self.read(&format!("{name}.mld"))).unwrap()
    }

    pub fn root(&self, name: &str) -> RootName {
        RootName::from(&self.pointer(name))
    }

    /// Everything below a path: kind, executable bit and bytes, by path.
    pub fn contents(&self, name: &str) -> BTreeMap<Vec<u8>, Thing> {
        let mut found = BTreeMap::new();
        collect(&self.top.join(name), &[], &mut found);
        found
    }
}

fn paths(names: &[&str]) -> Vec<RepoPath> {
    names.iter().map(|name| path(name)).collect()
}

/// What lies on the disk.
#[derive(PartialEq, Eq)]
pub enum Thing {
    File(bool, Vec<u8>),
    Link(PathBuf),
    Folder,
}

impl std::fmt::Debug for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(executable, bytes) => {
                write!(f, "File({executable}, {} bytes, {})", bytes.len(), Digest::of(bytes).short())
            }
            Self::Link(target) => write!(f, "Link({})", target.display()),
            Self::Folder => f.write_str("Folder"),
        }
    }
}

fn collect(at: &Path, below: &[u8], found: &mut BTreeMap<Vec<u8>, Thing>) {
    let metadata = fs::symlink_metadata(at).unwrap();
    let thing = if metadata.is_symlink() {
        Thing::Link(fs::read_link(at).unwrap())
    } else if metadata.is_dir() {
        for entry in fs::read_dir(at).unwrap() {
            let entry = entry.unwrap();
            let name = [below, b"/", entry.file_name().as_bytes()].concat();
            collect(&entry.path(), &name, found);
        }
        Thing::Folder
    } else {
        Thing::File(metadata.mode() & 0o100 != 0, fs::read(at).unwrap())
    };
    found.insert(below.to_vec(), thing);
}

pub fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Bytes that do not compress, the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 32);
    let mut number = 0_u64;
    while bytes.len() < length {
        let block = Digest::of(&[seed.to_le_bytes(), number.to_le_bytes()].concat());
        bytes.extend(block.as_bytes());
        number += 1;
    }
    bytes.truncate(length);
    bytes
}

/// Rows of a table, which compress.
pub fn rows(length: usize) -> Vec<u8> {
    let mut bytes = b"id,name,value\n".to_vec();
    let mut number = 0_u64;
    while bytes.len() < length {
        bytes.extend(format!("{number},name of row {number},{}\n", number * 7 % 1000).into_bytes());
        number += 1;
    }
    bytes.truncate(length);
    bytes
}

/// What real Git answers in a folder; it must succeed.
pub fn git_in(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("LC_ALL", "C");
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
