//! A repository, a command that is to be disturbed in it, and what must be true afterwards, however it ended.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::copy::{Identities, copy_folder};
use super::layer::{Fault, Layer};
use crate::mldata_fold::scatter;
use crate::support::{Place, Sandbox};

/// Files of the user by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What the command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Takes the work tree, which is at the new version, into the store.
    Add,
    /// Brings the work tree from the old to the new version.
    Checkout,
}

/// The repository as it is before the command.
pub struct Scene {
    sandbox: Sandbox,
    base: PathBuf,
    task: Task,
    line: Vec<&'static str>,
    /// The user's files in the version that is here before a checkout, or is added first.
    pub old: Files,
    /// Those in the other version.
    pub new: Files,
    /// The pointers when the command has ended well.
    pub pointers: Files,
    numbers: AtomicUsize,
}

/// One copy of a [`Scene`], in which the command runs.
pub struct Stage<'a> {
    scene: &'a Scene,
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
        scatter(&scene.place(&scene.base), 0..66);
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

    fn begin(task: Task, line: &[&'static str]) -> Self {
        let sandbox = Sandbox::in_memory();
        let place = sandbox.data_repository("base/repo");
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
        let (base, line) = (place.path().to_owned(), line.to_vec());
        Self { sandbox, base, task, line, old, new, pointers: Files::new(), numbers: AtomicUsize::new(0) }
    }

    fn bring(&self, files: &Files) {
        fs::remove_dir_all(self.base.join("data/images")).ok();
        for (path, bytes) in files {
            self.place(&self.base).write(path, bytes);
        }
    }

    fn add_both_versions(&self, back: bool) {
        let place = self.place(&self.base);
        let add = "git mldata add data/images data/x.csv && git commit -qm";
        let (first, second) = if back { (&self.new, &self.old) } else { (&self.old, &self.new) };
        self.bring(first);
        place.run(&format!("{add} first")).ok();
        self.bring(second);
        if back {
            place.run(&format!("{add} second && git checkout -q HEAD~ -- data && git commit -qm back")).ok();
        }
    }

    /// Learns what the command leaves when nothing disturbs it.
    fn ready(mut self) -> Self {
        let stage = self.stage();
        let output = stage.command().output().expect("a program");
        assert!(output.status.success(), "{output:?}");
        let pointers = pointers_in(stage.place.path());
        drop(stage);
        assert_eq!(pointers.len(), TRACKED.len());
        self.pointers = pointers;
        self
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
        copy_folder(&self.base, &stage.folder.join("repo"), &own, &mut shown);
        stage.with(shown)
    }

    /// A place for a repository that the caller makes.
    pub fn empty_stage(&self) -> Stage<'_> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let folder = self.sandbox.path().join(format!("stage-{number}"));
        fs::create_dir(&folder).expect("a folder");
        let layer = Layer::new(&folder.join("repo"), &folder);
        let place = self.place(&self.base);
        Stage { scene: self, folder, place, shown: Identities::new(), layer }
    }
}

impl<'a> Stage<'a> {
    /// With the identities of its files, all of which are there now.
    pub fn with(mut self, shown: Identities) -> Self {
        self.place = self.scene.place(&self.layer.root);
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
    pub fn run(&self, fault: Fault, at: usize) -> (Output, usize) {
        self.layer.run(self.command(), fault, at)
    }

    /// What must be true at any moment: the user's files are whole, and what a pointer names is in the store, whole.
    pub fn is_sound(&self, when: &str) {
        self.files_are_whole(when);
        self.pointers_hold(when);
        let (status, _) = self.layer.run(self.program(&["status"]), Fault::None, 0);
        assert!(status.status.success(), "{when}: status: {}", shown(&status));
    }

    /// What must be true when the command has ended well: all is as it would be had nothing gone wrong.
    pub fn is_done(&self, when: &str) {
        let scene = self.scene;
        assert!(files_in(self.place.path()) == scene.new, "{when}: other files");
        assert_eq!(pointers_in(self.place.path()), scene.pointers, "{when}: other pointers");
        self.pointers_hold(when);
        let (status, _) = self.layer.run(self.program(&["status", "--json"]), Fault::None, 0);
        let text = String::from_utf8_lossy(&status.stdout).into_owned();
        assert!(
            status.status.success() && !text.contains("\"modified\":true"),
            "{when}: {text}{}",
            shown(&status)
        );
        let left = self.leftovers();
        assert!(left.is_empty(), "{when}: left over: {left:?}");
    }

    /// Temporary files of ours that stay. (Those in `ml` itself go after an hour.)
    pub fn leftovers(&self) -> Vec<String> {
        let is_ours = |name: &str| {
            let is_small = name.starts_with(".git/ml/.tmp") || name.starts_with(".git/ml/users/.tmp");
            let is_named_so = name.contains("/.tmp") && !is_small;
            is_named_so || name.contains("/.git-ml-") || name.contains("/ml/tmp/") && !name.ends_with("/lock")
        };
        let top = &self.layer.root;
        below(top, top, &is_ours).into_keys().collect()
    }

    /// Whatever happened before, the command succeeds now.
    pub fn second_try(&self, when: &str) {
        // Git's own lock is Git's: its hint says to remove it.
        fs::remove_file(self.layer.root.join(".git/index.lock")).ok();
        let (output, _) = self.run(Fault::None, 0);
        assert!(output.status.success(), "{when}: second try: {}", shown(&output));
        self.is_done(&format!("{when}, second try"));
    }

    /// Everything that any pointer names is in the store, and whole.
    pub fn is_whole(&self, when: &str) {
        let (found, _) = self.layer.run(self.program(&["fsck"]), Fault::None, 0);
        assert!(
            found.status.success(),
            "{when}: {}{}",
            String::from_utf8_lossy(&found.stdout),
            shown(&found)
        );
    }

    fn files_are_whole(&self, when: &str) {
        let Scene { old, new, task, .. } = self.scene;
        let found = files_in(self.place.path());
        if *task == Task::Add {
            return assert!(found == *new, "{when}: the user's files were changed");
        }
        for (path, bytes) in &found {
            let whole = old.get(path) == Some(bytes) || new.get(path) == Some(bytes);
            assert!(whole, "{when}: {path} is neither the old nor the new one ({} bytes)", bytes.len());
        }
        let lost: Vec<_> =
            old.keys().filter(|path| new.contains_key(*path) && !found.contains_key(*path)).collect();
        assert!(lost.is_empty(), "{when}: lost {lost:?}");
    }

    /// Brings what the pointers name, from this store alone, into an empty work tree.
    fn pointers_hold(&self, when: &str) {
        let pointers = pointers_in(self.place.path());
        let clone = self.scene.place(&self.folder.join("clone"));
        clone.write(".git/HEAD", "ref: refs/heads/main\n");
        clone.write(".git/refs/x", "");
        clone.write(".git/objects/x", "");
        for (path, text) in &pointers {
            clone.write(path, text);
        }
        clone.write("ml.toml", self.place.read("ml.toml"));
        let clone = clone.with("GIT_MLDATA_STORE", &self.layer.root.join(".git/ml").display().to_string());
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
