//! A repository, a command that is to be disturbed in it, and what must be true afterwards, however it ended.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use git_ml::base::{Digest, Progress, RepoPath};
use git_ml::data::check_remote::{CheckOptions, check_remote};
use git_ml::data::fsck::{FsckOptions, fsck};
use git_ml::data::status::status;
use git_ml::data::{PathState, Workspace};
use git_ml::git::{EntryMode, ObjectId, Repository};

use super::copy::{Identities, copy_folder};
use super::layer::{Calls, Fault, Layer};
use crate::mldata_fold::scatter;
use crate::support::{Place, Sandbox};

/// Adds both tracked paths, and begins to commit.
const ADD: &str = "git mldata add data/images data/x.csv && git commit -qm";

/// Files of the user by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What the command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Takes the work tree, which is at the new version, into the store.
    Add,
    /// Brings the work tree from the old to the new version.
    Checkout,
    /// Sends both versions to a remote that has the first.
    Push,
    /// Brings the new version from a remote into a clone that has nothing.
    Pull,
}

/// The repository as it is before the command, with the remote where there is one.
pub struct Scene {
    sandbox: Sandbox,
    /// The folder that all of it lies in.
    base: PathBuf,
    task: Task,
    line: Vec<&'static str>,
    /// The user's files in the version that is here before a checkout, or is added first.
    pub old: Files,
    /// Those in the other version.
    pub new: Files,
    /// Before the command.
    before: Traces,
    /// When the command has ended well.
    pub after: Traces,
    numbers: AtomicUsize,
}

/// What a command leaves beside data.
#[derive(Debug, Default, PartialEq)]
pub struct Traces {
    /// The pointers.
    pub pointers: Files,
    /// What the index has of pointers and ignore lines.
    staged: Vec<(RepoPath, Option<(EntryMode, ObjectId)>)>,
    /// The versions on the remote.
    roots: BTreeSet<String>,
}

/// One copy of a [`Scene`], in which the command runs.
pub struct Stage<'a> {
    scene: &'a Scene,
    number: usize,
    /// Everything that belongs to it; removed when dropped.
    folder: PathBuf,
    /// The repository.
    pub place: Place,
    /// As what its files show.
    pub shown: Identities,
    /// Where the calls go through.
    pub layer: Layer,
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).expect("a folder that was made");
    }
}

/// The tracked paths.
const TRACKED: [&str; 2] = ["data/images", "data/x.csv"];
/// In one of so many states it is tried, too, whether programs of their own find what the checks in this one find.
const PROGRAMS: usize = 16;

impl Scene {
    /// The first `add` of a file and a folder.
    pub fn first_add() -> Self {
        let scene = Self::begin(Task::Add, &["add", "data/images", "data/x.csv"]);
        scene.bring(&scene.new);
        scene.ready()
    }

    /// The `add` of a second version.
    pub fn second_add() -> Self {
        let scene = Self::begin(Task::Add, &["add", "data/images", "data/x.csv"]);
        scene.add_both_versions(false);
        scene.ready()
    }

    /// An `add` that finds so many small packs that it makes them few.
    pub fn folding_add() -> Self {
        let scene = Self::begin(Task::Add, &["add", "data/images", "data/x.csv"]);
        scatter(&scene.place(&scene.base.join("repo")), 0..66);
        scene.bring(&scene.new);
        scene.ready()
    }

    /// The `checkout` of another version than the one that is here.
    pub fn checkout() -> Self {
        let scene = Self::begin(Task::Checkout, &["checkout"]);
        scene.add_both_versions(true);
        scene.ready()
    }

    /// The same, by a hook.
    pub fn follow() -> Self {
        let scene = Self::begin(Task::Checkout, &["hook", "post-checkout", "0", "0", "1"]);
        scene.add_both_versions(true);
        scene.ready()
    }

    /// The `push` of a second version to a folder that has the first.
    pub fn push() -> Self {
        let scene = Self::begin(Task::Push, &["push", "main"]);
        scene.add_remote();
        scene.add_both_versions(false);
        scene.place(&scene.base.join("repo")).run(&format!("git mldata push && {ADD} second")).ok();
        scene.ready()
    }

    /// The `pull` of a fresh clone.
    pub fn pull() -> Self {
        let mut scene = Self::begin(Task::Pull, &["pull", "--no-setup"]);
        scene.add_remote();
        scene.add_both_versions(false);
        let send =
            format!("{ADD} second && git mldata push && cd .. && mv repo first && git clone -q first repo");
        scene.place(&scene.base.join("repo")).run(&send).ok();
        scene.place(&scene.base).run("rm -rf first repo/.git/hooks").ok();
        scene.old = Files::new();
        scene.ready()
    }

    fn begin(task: Task, line: &[&'static str]) -> Self {
        let sandbox = Sandbox::in_memory();
        let place = sandbox.data_repository("base/repo");
        let base = sandbox.path().join("base");
        place.run("rm -r .git/hooks").ok();
        let (mut old, mut new) = (Files::new(), Files::new());
        let row =
            |number: u32, word: &str| format!("{number},{word},{}\n", number.wrapping_mul(2_654_435_761));
        old.insert("data/x.csv".into(), (0..9_000).map(|number| row(number, "a")).collect::<String>().into());
        let changed = |number| if number % 3_000 == 7 { "b" } else { "a" };
        let rows = (0..9_500).map(|number| row(number, changed(number)));
        new.insert("data/x.csv".into(), rows.collect::<String>().into());
        for number in 0..6_u8 {
            let path = format!("data/images/{}/{number}.png", number % 2);
            old.insert(path.clone(), vec![number; 900 + usize::from(number)]);
            new.insert(path, vec![number + u8::from(number == 3); 900 + usize::from(number)]);
        }
        new.remove("data/images/0/4.png");
        new.insert("data/images/2/new.png".into(), b"new".to_vec());
        let (before, after, numbers) = (Traces::default(), Traces::default(), AtomicUsize::new(0));
        Self { sandbox, base, task, line: line.to_vec(), old, new, before, after, numbers }
    }

    fn add_remote(&self) {
        let add = "git mldata remote add -q main ../bucket && git commit -qm remote";
        self.place(&self.base.join("repo")).run(add).ok();
    }

    fn bring(&self, files: &Files) {
        let top = self.base.join("repo");
        fs::remove_dir_all(top.join("data/images")).ok();
        for (path, bytes) in files {
            self.place(&top).write(path, bytes);
        }
    }

    fn add_both_versions(&self, back: bool) {
        let place = self.place(&self.base.join("repo"));
        let (first, second) = if back { (&self.new, &self.old) } else { (&self.old, &self.new) };
        self.bring(first);
        place.run(&format!("{ADD} first")).ok();
        self.bring(second);
        if back {
            place.run(&format!("{ADD} second && git checkout -q HEAD~ -- data && git commit -qm back")).ok();
        }
    }

    /// Learns what the command leaves when nothing disturbs it.
    fn ready(mut self) -> Self {
        let stage = self.stage();
        let before = stage.traces();
        let output = stage.command().output().expect("a program");
        assert!(output.status.success(), "{output:?}");
        let after = stage.traces();
        drop(stage);
        assert_eq!(after.pointers.len(), TRACKED.len());
        assert!(after.staged.len() > TRACKED.len(), "{after:?}");
        (self.before, self.after) = (before, after);
        self
    }

    /// Whether the calls of the command come in the same order each time.
    pub fn is_in_order(&self) -> bool {
        matches!(self.task, Task::Add | Task::Checkout)
    }

    fn has_remote(&self) -> bool {
        !self.is_in_order()
    }

    fn place(&self, path: &Path) -> Place {
        let below = path.strip_prefix(self.sandbox.path()).expect("a path of the sandbox");
        self.sandbox.folder(below.to_str().expect("UTF-8"))
    }

    /// How the command looks.
    pub fn name(&self) -> String {
        format!("{} ({} files before)", self.line.join(" "), self.old.len())
    }

    /// A copy of it.
    pub fn stage(&self) -> Stage<'_> {
        let own: Identities = HashMap::new();
        let mut shown = Identities::new();
        let stage = self.empty_stage();
        copy_folder(&self.base, &stage.layer.root, &own, &mut shown);
        stage.with(shown)
    }

    /// A place for a repository that the caller makes.
    pub fn empty_stage(&self) -> Stage<'_> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let folder = self.sandbox.path().join(format!("stage-{number}"));
        fs::create_dir(&folder).expect("a folder");
        let layer = Layer::new(&folder.join("world"), &folder);
        let place = self.place(&self.base);
        Stage { scene: self, number, folder, place, shown: Identities::new(), layer }
    }
}

impl<'a> Stage<'a> {
    /// With the identities of its files, all of which are there now.
    pub fn with(mut self, shown: Identities) -> Self {
        self.place = self.scene.place(&self.layer.root.join("repo"));
        self.layer.disguise(&shown.values().copied().collect::<Vec<_>>());
        self.shown = shown;
        self
    }

    /// The command, in one thread, so that its calls come in the same order each time.
    pub fn command(&self) -> Command {
        self.program(&self.scene.line)
    }

    /// Runs another command of ours, undisturbed.
    pub fn try_out(&self, arguments: &[&str]) -> Output {
        self.layer.run(self.program(arguments), Fault::None, 0).0
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut program = self.place.program("git-mldata");
        program.args(arguments).env("RAYON_NUM_THREADS", "1");
        program
    }

    /// Runs the command with a fault.
    pub fn run(&self, fault: Fault, at: usize) -> (Output, Calls) {
        self.layer.run(self.command(), fault, at)
    }

    /// What must be true at any moment: the user's files are whole, and what a pointer or a remote names is there, whole.
    pub fn is_sound(&self, when: &str) {
        self.is_sound_but_for(&[], when);
    }

    fn is_sound_but_for(&self, damaged: &[String], when: &str) {
        self.files_are_whole(damaged, when);
        let (pointers, Scene { before, after, .. }) = (pointers_in(self.place.path()), self.scene);
        for (path, text) in &pointers {
            let known = before.pointers.get(path) == Some(text) || after.pointers.get(path) == Some(text);
            assert!(known, "{when}: {path} is neither the old nor the new pointer");
        }
        let lost: Vec<_> = before.pointers.keys().filter(|path| !pointers.contains_key(*path)).collect();
        assert!(lost.is_empty(), "{when}: lost {lost:?}");
        // What a pull has not brought yet is no damage.
        self.store_is_whole(when, self.scene.task == Task::Pull);
        if self.number.is_multiple_of(PROGRAMS) {
            let (status, _) = self.layer.run(self.program(&["status"]), Fault::None, 0);
            assert!(status.status.success(), "{when}: status: {}", shown(&status));
            if self.scene.task != Task::Pull {
                self.comes_out(when);
            }
        }
    }

    /// As [`Stage::is_sound`], after a power cut: of what a checkout wrote files may be damaged, and `status` names them.
    pub fn is_sound_after_cut(&self, when: &str) {
        if self.scene.task != Task::Checkout {
            return self.is_sound(when);
        }
        let status = self.try_out(&["status", "--json"]);
        assert!(status.status.success(), "{when}: status: {}", shown(&status));
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).expect("JSON");
        let paths = status["paths"].as_array().expect("paths").iter();
        let damaged = paths.filter_map(|path| path["damaged"].as_array()).flatten();
        let damaged: Vec<_> = damaged.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        self.is_sound_but_for(&damaged, when);
        for tracked in TRACKED.iter().filter(|tracked| damaged.iter().any(|name| name.starts_with(*tracked)))
        {
            let refused = self.try_out(&["add", tracked]);
            let said = String::from_utf8_lossy(&refused.stderr);
            assert!(!refused.status.success() && said.contains("damaged"), "{when}: add {tracked}: {said}");
        }
    }

    /// The machine was started anew: what the program noted was noted before.
    pub fn reboot(&self) {
        let ml = self.place.path().join(".git/ml");
        let mut state = fs::read(ml.join("state")).unwrap_or_default();
        if let Some((body, seal)) = state.split_last_chunk_mut::<32>()
            && Digest::of(body).as_bytes() == seal
        {
            body[8..24].fill(1);
            *seal = *Digest::of(body).as_bytes();
            fs::write(ml.join("state"), state).expect("the record");
        }
        if let Ok(text) = fs::read_to_string(ml.join("switch"))
            && let Some((seal, switches)) = text.split_once('\n')
            && Digest::of(switches.as_bytes()).to_string() == seal
        {
            let mut switches: serde_json::Value = serde_json::from_str(switches).expect("JSON");
            for switch in switches["paths"].as_object_mut().expect("paths").values_mut() {
                switch["boot"] = "before".into();
            }
            let text = switches.to_string();
            let seal = Digest::of(text.as_bytes());
            fs::write(ml.join("switch"), format!("{seal}\n{text}")).expect("the note");
        }
    }

    /// What must be true when the command has ended well: all is as it would be had nothing gone wrong.
    pub fn is_done(&self, when: &str) {
        let scene = self.scene;
        assert!(files_in(self.place.path()) == scene.new, "{when}: other files");
        assert_eq!(self.traces(), scene.after, "{when}");
        self.store_is_whole(when, false);
        let left = self.leftovers();
        assert!(left.is_empty(), "{when}: left over: {left:?}");
        if self.number.is_multiple_of(PROGRAMS) {
            self.comes_out(when);
            let fsck = self.program(&["fsck"]).output().expect("a program");
            assert!(fsck.status.success(), "{when}: fsck: {}", shown(&fsck));
        }
        // Last, for it notes what it reads.
        let status = status(&self.workspace(), &[], &[], &Progress::hidden()).expect("a status");
        let same = status.paths.iter().all(|path| path.worktree == PathState::Same);
        assert!(same && status.paths.len() >= TRACKED.len(), "{when}: {:?}", status.paths);
    }

    fn workspace(&self) -> Workspace {
        let repository = Repository::open(self.place.path()).expect("a repository");
        Workspace::open(repository).expect("a workspace")
    }

    /// `git mldata fsck`, and that of the remote.
    fn store_is_whole(&self, when: &str, absent_is_fine: bool) {
        let (workspace, hidden) = (self.workspace(), Progress::hidden());
        // A pull brings current versions alone.
        let options = FsckOptions { all: self.scene.task != Task::Pull, repair: false, further: Vec::new() };
        let (report, _) = fsck(&workspace, &options, &hidden).expect("a check");
        let is_whole = report.damaged.is_empty() && report.mismatched.is_empty();
        assert!(is_whole && (absent_is_fine || report.is_clean()), "{when}: {report:?}");
        if self.scene.has_remote() {
            let options = CheckOptions { read_percent: Some(100), repair: false };
            let checked = check_remote(&workspace, "main", options, &hidden).expect("a check");
            assert!(checked.done.is_whole(), "{when}: {:?}", checked.done);
        }
    }

    fn traces(&self) -> Traces {
        let repository = Repository::open(self.place.path()).expect("a repository");
        let data = RepoPath::new("data").expect("a path");
        let staged = repository.tracked_below(&data).expect("an index");
        let entry = |path: RepoPath| {
            let entry = repository.staged_entry(&path).expect("an index");
            (path, entry)
        };
        let mut roots = BTreeSet::new();
        for repository in folders_in(&self.layer.root.join("bucket/roots")) {
            roots.extend(
                folders_in(&repository)
                    .iter()
                    .filter_map(|root| Some(root.file_name()?.display().to_string())),
            );
        }
        let pointers = pointers_in(self.place.path());
        Traces { pointers, staged: staged.into_iter().map(entry).collect(), roots }
    }

    /// Temporary files of ours that stay. (Those of caches, in `ml` itself and of what is known of remotes, go later.)
    pub fn leftovers(&self) -> Vec<String> {
        let is_ours = |name: &str| {
            let is_of_cache = name.starts_with(".git/ml/.tmp") || name.starts_with(".git/ml/remotes/");
            let is_named_so = name.contains("/.tmp") && !is_of_cache;
            is_named_so || name.contains("/.git-ml-") || name.contains("/ml/tmp/") && !name.ends_with("/lock")
        };
        let top = self.place.path();
        below(top, top, &is_ours).into_keys().collect()
    }

    /// Whatever happened before, the command succeeds now.
    pub fn second_try(&self, when: &str) {
        // Git's own lock is Git's: its hint says to remove it.
        fs::remove_file(self.place.path().join(".git/index.lock")).ok();
        let (output, _) = self.run(Fault::None, 0);
        assert!(output.status.success(), "{when}: second try: {}", shown(&output));
        self.is_done(&format!("{when}, second try ({})", shown(&output)));
    }

    fn files_are_whole(&self, damaged: &[String], when: &str) {
        let Scene { old, new, task, .. } = self.scene;
        let found = files_in(self.place.path());
        if matches!(task, Task::Add | Task::Push) {
            return assert!(found == *new, "{when}: the user's files were changed");
        }
        for (path, bytes) in found.iter().filter(|(path, _)| !damaged.contains(path)) {
            let whole = old.get(path) == Some(bytes) || new.get(path) == Some(bytes);
            assert!(whole, "{when}: {path} is neither the old nor the new one ({} bytes)", bytes.len());
        }
        let lost: Vec<_> =
            old.keys().filter(|path| new.contains_key(*path) && !found.contains_key(*path)).collect();
        assert!(lost.is_empty(), "{when}: lost {lost:?}");
    }

    /// Brings what the pointers name, from this store alone, into an empty work tree.
    fn comes_out(&self, when: &str) {
        let pointers = pointers_in(self.place.path());
        let clone = self.scene.place(&self.folder.join("clone"));
        clone.write(".git/HEAD", "ref: refs/heads/main\n");
        clone.write(".git/refs/x", "");
        clone.write(".git/objects/x", "");
        for (path, text) in &pointers {
            clone.write(path, text);
        }
        clone.write("ml.toml", self.place.read("ml.toml"));
        let store = self.place.path().join(".git/ml").display().to_string();
        let clone = clone.with("GIT_MLDATA_STORE", &store);
        let output = clone.program("git-mldata").arg("checkout").output().expect("a program");
        assert!(output.status.success(), "{when}: a pointer names what is not there: {}", shown(&output));
        let found = files_in(clone.path());
        for tracked in TRACKED.iter().filter(|tracked| pointers.contains_key(&format!("{tracked}.mld"))) {
            let part = |files: &Files| -> Files {
                let within = files.iter().filter(|(path, _)| path.starts_with(tracked));
                within.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
            };
            let found = part(&found);
            let whole = found == part(&self.scene.old) || found == part(&self.scene.new);
            assert!(whole, "{when}: the pointer of {tracked} names a mix");
        }
        fs::remove_dir_all(clone.path()).expect("the clone");
    }
}

/// How a command ended.
pub fn shown(output: &Output) -> String {
    format!("{} {}", output.status, String::from_utf8_lossy(&output.stderr))
}

/// The files of the user.
pub fn files_in(top: &Path) -> Files {
    below(&top.join("data"), top, &|name| !name.ends_with(".mld") && name != "data/.gitignore")
}

/// The pointers.
pub fn pointers_in(top: &Path) -> Files {
    below(&top.join("data"), top, &|name| name.ends_with(".mld"))
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect()
}

fn below(folder: &Path, top: &Path, wanted: &dyn Fn(&str) -> bool) -> Files {
    let mut files = Files::new();
    let Ok(entries) = fs::read_dir(folder) else { return files };
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(top).expect("below").as_os_str().as_bytes();
        let name = String::from_utf8_lossy(name).into_owned();
        if path.is_dir() {
            files.extend(below(&path, top, wanted));
        } else if wanted(&name) {
            files.insert(name, fs::read(&path).expect("a file"));
        }
    }
    files
}
