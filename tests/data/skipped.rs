//! Equal subtrees are skipped: a command on a version that differs from another in a few files opens and makes the nodes on
//! the way to these, and no others. Each of these counts fails where its skipping is taken out.

use git_ml::base::Progress;
use git_ml::data::add::{AddOptions, add};
use git_ml::data::checkout::{Outcome, checkout};
use git_ml::data::diff::{DiffOptions, Sides, diff};
use git_ml::data::status::status;
use git_ml::data::{PathState, Workspace};

use crate::team::{Clone, REFUSE, Team, path};

/// Folders with files each, in two levels, and files of one directory of many nodes.
const FOLDERS: usize = 40;
const FLAT: usize = 4000;
/// Top, two levels of folders, a leaf of the flat directory and what lies above it: of two trees twice that.
const WAY: u64 = 8;

fn large() -> (Team, Clone) {
    let (team, one) = Team::new();
    for number in 0..FOLDERS {
        (0..4).for_each(|file| {
            drop(one.write(&format!("data/{}/{number:02}/{file}", number % 4), noise(number)))
        });
    }
    (0..FLAT).for_each(|file| drop(one.write(&format!("data/flat/{file:05}.txt"), noise(file))));
    one.add(&["data"]);
    one.commit("first");
    (team, one)
}

fn noise(number: usize) -> String {
    format!("{number}")
}

fn change(one: &Clone, text: &str) {
    one.write("data/1/05/2", text);
    one.write("data/flat/01999.txt", text);
    one.write("data/flat/02000-new.txt", text);
    one.remove("data/2/06/1");
}

/// What `work` gives, and how many nodes it read and made.
fn counted<T>(one: &Clone, work: impl FnOnce(&Workspace) -> T) -> (T, u64) {
    let workspace = one.workspace();
    let done = work(&workspace);
    (done, workspace.store().handled_singly())
}

#[test]
fn status_diff_add_and_checkout_open_only_what_differs() {
    let (team, one) = large();
    let (data, hidden) = ([path("data")], Progress::hidden());
    let told = |work: &Workspace| status(work, &data, &[], &hidden).unwrap().paths[0].worktree;
    let options = AddOptions { all: false, sidecar: false, in_place: false, stage: true };
    let added = |work: &Workspace| add(work, &data, options, &hidden).unwrap().added.remove(0);
    let compared = |sides: Sides| {
        let options = DiffOptions { sides, paths: Vec::new(), rows: false, samples: 0 };
        move |work: &Workspace| diff(work, &options, &Progress::hidden()).unwrap().changes.len()
    };
    let brought = |work: &Workspace| match &checkout(work, &data, REFUSE, &hidden).unwrap()[0].outcome {
        Outcome::Done { written, removed, .. } => (*written, *removed),
        other => panic!("{other:?}"),
    };
    assert_eq!(counted(&one, told), (PathState::Same, 0));
    change(&one, "second");
    let (state, read) = counted(&one, told);
    assert!(matches!(state, PathState::Modified { .. }) && read == 0, "{state:?} {read}");
    let (changes, read) = counted(&one, compared(Sides::WorkTree));
    assert!(changes == 4 && read <= 2 * WAY, "diff of the work tree: {read} nodes");
    let (second, read) = counted(&one, added);
    assert!(second.absent == 0 && read <= 2 * WAY, "add: {read} nodes");
    one.commit("second");
    let (changes, read) = counted(&one, compared(Sides::Commits("HEAD~".into(), "HEAD".into())));
    assert!(changes == 4 && read <= 2 * WAY, "diff of commits: {read} nodes");
    one.git(&["checkout", "--quiet", "HEAD~", "--", "data.mld"]);
    let (done, read) = counted(&one, brought);
    assert!(done == (3, 1) && read <= 2 * WAY, "checkout: {read} nodes");
    assert_eq!(counted(&one, told), (PathState::Same, 0));

    // The same files make the same version where nothing can be skipped.
    one.git(&["checkout", "--quiet", "HEAD", "--", "data.mld"]);
    assert_eq!(counted(&one, brought).0, (3, 1));
    let two = team.clone("two");
    std::fs::rename(one.top.join("data"), two.top.join("data")).unwrap();
    assert_eq!(two.add(&["data"]).added[0].version, second.version);
}

#[test]
fn what_changed_here_and_in_the_pointer_is_united_without_a_look_at_the_rest() {
    let (_team, one) = large();
    let first = one.read("data.mld");
    change(&one, "second");
    one.add(&["data"]);
    one.commit("second");
    let second = one.read("data.mld");
    one.write("data.mld", first);
    one.checkout(&[]);
    one.write("data/3/07/3", "mine");
    one.write("data.mld", second);
    let (data, hidden) = ([path("data")], Progress::hidden());
    let options = AddOptions { all: false, sidecar: false, in_place: false, stage: true };
    let (united, read) = counted(&one, |work| add(work, &data, options, &hidden).unwrap().added.remove(0));
    assert_eq!((united.absent, united.behind), (1, 3), "{united:?}");
    assert!(read <= 4 * WAY, "{read} nodes");
    one.commit("third");
    one.checkout(&[]);
    assert_eq!((one.read("data/1/05/2"), one.read("data/3/07/3")), (b"second".to_vec(), b"mine".to_vec()));
    assert!(!one.exists("data/2/06/1"));
    assert_eq!(one.status().paths[0].worktree, PathState::Same);
}

#[test]
fn a_part_is_added_without_a_look_at_the_rest() {
    let (team, one) = large();
    one.write("data/1/05/2", "part");
    one.write("data/2/06/1", "not this");
    let (part, hidden) = ([path("data/1")], Progress::hidden());
    let options = AddOptions { all: false, sidecar: false, in_place: false, stage: true };
    let (added, read) = counted(&one, |work| add(work, &part, options, &hidden).unwrap().added.remove(0));
    assert!(read <= 2 * WAY, "{read} nodes");
    one.commit("part");
    assert_eq!(added.files, (4 * FOLDERS + FLAT) as u64);
    let pointer = one.read("data.mld");
    one.write("data/2/06/1", noise(6));
    let two = team.clone("two");
    std::fs::rename(one.top.join("data"), two.top.join("data")).unwrap();
    assert_eq!(two.add(&["data"]).added[0].version, added.version);
    assert_eq!(two.read("data.mld"), pointer, "the shape, too");
}
