//! Pointers where Git has them: work tree, index, commits, history.

use git_ml::base::{Digest, RepoPath};
use git_ml::git::{PointerFault, Pointers, Repository};
use git_ml::objects::Pointer;

use crate::sandbox::Sandbox;

fn text(content: &str) -> String {
    Pointer::file(Digest::of(content.as_bytes()), content.len() as u64, None).to_text()
}

fn paths(pointers: &Pointers) -> Vec<&str> {
    pointers.good.iter().map(|at| at.path.as_str()).collect()
}

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

#[test]
fn the_work_tree_has_tracked_and_new_pointers_but_no_ignored_ones() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "skipped/\n*.tmp.mld\n");
    sandbox.write("data/b.csv.mld", text("b"));
    sandbox.write("a.mld", text("a"));
    sandbox.git(&["add", "--all"]);
    sandbox.write("data/new.mld", text("n"));
    sandbox.write("gone.mld", text("g"));
    sandbox.git(&["add", "gone.mld"]);
    std::fs::remove_file(sandbox.top().join("gone.mld")).unwrap();
    for ignored in ["skipped/x.mld", "y.tmp.mld", "notes.txt"] {
        sandbox.write(ignored, text("x"));
    }
    let pointers = sandbox.open().work_tree_pointers().unwrap();
    assert_eq!(paths(&pointers), ["a", "data/b.csv", "data/new"]);
    assert_eq!(pointers.get(&path("data/new")).unwrap().size, 1);
    assert!(pointers.bad.is_empty());
    let index = sandbox.open().index_pointers().unwrap();
    assert_eq!(paths(&index), ["a", "data/b.csv", "gone"]);
    assert!(sandbox.open().work_tree_pointer(&path("gone")).unwrap().is_none());
}

#[test]
fn what_is_no_pointer_is_named_and_stops_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("good.mld", text("g"));
    sandbox.write("noise.mld", "not a pointer");
    sandbox.write("huge.mld", "x".repeat(70_000));
    sandbox.write("con.mld", text("device"));
    sandbox.write(".mld", text("no name"));
    std::os::unix::fs::symlink("good.mld", sandbox.top().join("link.mld")).unwrap();
    sandbox.git(&["add", "--all"]);
    sandbox.git(&["commit", "--quiet", "-m", "hostile"]);
    let repository = sandbox.open();
    let head = repository.head_commit().unwrap().unwrap();
    let places =
        [repository.work_tree_pointers(), repository.index_pointers(), repository.commit_pointers(head)];
    for pointers in places.map(Result::unwrap) {
        assert_eq!(paths(&pointers), ["good"]);
        let mut bad: Vec<_> = pointers.bad.iter().map(|bad| bad.file.as_str()).collect();
        bad.sort_unstable();
        assert_eq!(bad, [".mld", "con.mld", "huge.mld", "link.mld", "noise.mld"]);
    }
}

#[test]
fn a_pointer_behind_a_link_is_a_bad_one() {
    let sandbox = Sandbox::new();
    sandbox.commit("dir/x.mld", &text("x"));
    std::fs::rename(sandbox.top().join("dir"), sandbox.beside("outside")).unwrap();
    std::os::unix::fs::symlink(sandbox.beside("outside"), sandbox.top().join("dir")).unwrap();
    let pointers = sandbox.open().work_tree_pointers().unwrap();
    assert!(
        pointers.good.is_empty() && pointers.bad[0].fault.to_string().contains("beyond the symbolic link")
    );
}

#[test]
fn an_unmerged_pointer_is_a_bad_one() {
    let sandbox = Sandbox::new();
    sandbox.commit("x.mld", &text("base"));
    sandbox.git(&["branch", "other"]);
    sandbox.commit("x.mld", &text("ours"));
    sandbox.git(&["checkout", "--quiet", "other"]);
    sandbox.commit("x.mld", &text("theirs"));
    let merged = sandbox.command("git", &sandbox.top()).args(["merge", "--quiet", "main"]).output().unwrap();
    assert_eq!(merged.status.code(), Some(1));
    let repository = sandbox.open();
    let index = repository.index_pointers().unwrap();
    assert!(index.good.is_empty());
    assert!(matches!(index.bad.as_slice(), [bad] if matches!(bad.fault, PointerFault::Unmerged)));
    sandbox.write("beside.mld", text("beside"));
    let named = repository.named_pointers(&[path("beside"), path("absent")].into()).unwrap();
    assert_eq!(paths(&named), ["beside"], "what the index does not name is told where it is asked for");
    assert!(matches!(named.bad.as_slice(), [bad] if matches!(bad.fault, PointerFault::Unmerged)));
    assert!(matches!(repository.work_tree_pointers().unwrap().bad[0].fault, PointerFault::Text(_)));
}

#[test]
fn commits_are_compared_and_history_is_told_once() {
    let sandbox = Sandbox::new();
    let first = sandbox.commit("d/x.mld", &text("1")).parse().unwrap();
    sandbox.commit("d/x.mld", &text("2"));
    sandbox.git(&["mv", "d/x.mld", "d/y.mld"]);
    let last = sandbox.commit("d/x.mld", &text("1")).parse().unwrap();
    let repository = sandbox.open();
    let found = repository.changed_pointers(Some(first), Some(last)).unwrap();
    let changes: Vec<_> =
        found.changes.iter().map(|c| (c.path.as_str(), c.old.is_some(), c.new.is_some())).collect();
    assert_eq!(changes, [("d/y", false, true)]);
    let found = repository.changed_pointers(Some(last), None).unwrap();
    assert!(found.changes.iter().all(|change| change.new.is_none()) && found.changes.len() == 2);
    assert!(repository.changed_pointers(None, None).unwrap().changes.is_empty());

    let history = |tips: &[_], hidden: &[_]| -> Vec<u64> {
        let found = repository.history(tips, hidden).unwrap().map(Result::unwrap);
        let mut bytes: Vec<_> = found.map(|found| u64::from(found.pointer.id.as_bytes()[0])).collect();
        bytes.sort_unstable();
        bytes
    };
    let byte = |content: &str| u64::from(Digest::of(content.as_bytes()).as_bytes()[0]);
    let mut both = vec![byte("1"), byte("2")];
    both.sort_unstable();
    assert_eq!(history(&[last], &[]), both);
    assert_eq!(history(&[last], &[first]), [byte("2")]);
    assert!(history(&[first], &[last]).is_empty());
}

#[test]
fn a_partial_clone_fetches_the_pointers_it_lacks() {
    let sandbox = Sandbox::new();
    sandbox.commit("x.mld", &text("1"));
    sandbox.commit("x.mld", &text("2"));
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    sandbox.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let (source, clone) = (format!("file://{}", sandbox.top().display()), sandbox.beside("partial"));
    sandbox.git(&["clone", "--quiet", "--filter=blob:none", &source, clone.to_str().unwrap()]);
    let repository = Repository::open(&clone).unwrap();
    let head = repository.head_commit().unwrap().unwrap();
    assert_eq!(repository.history(&[head], &[]).unwrap().map(Result::unwrap).count(), 2);
}

#[test]
fn a_sparse_index_hides_no_pointer() {
    let sandbox = Sandbox::new();
    sandbox.commit("in/a.mld", &text("a"));
    sandbox.commit("out/deep/b.mld", &text("b"));
    sandbox.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    let repository = sandbox.open();
    assert_eq!(paths(&repository.index_pointers().unwrap()), ["in/a", "out/deep/b"]);
    assert_eq!(paths(&repository.work_tree_pointers().unwrap()), ["in/a"]);
}

#[test]
fn a_thousand_pointers_are_read_in_no_time() {
    let sandbox = Sandbox::new();
    for number in 0..1000 {
        sandbox.write(&format!("d{}/{number}.mld", number % 10), text(&number.to_string()));
        sandbox.write(&format!("d{}/{number}.txt", number % 10), "x");
    }
    sandbox.git(&["add", "--all"]);
    let begin = std::time::Instant::now();
    let pointers = sandbox.open().work_tree_pointers().unwrap();
    println!("opened and read in {:?}", begin.elapsed());
    assert_eq!(pointers.good.len(), 1000);
}
