//! Refs by compare-and-swap.

use git_ml::git::{Expected, GitError, ObjectId};

use crate::sandbox::Sandbox;

#[test]
fn refs_are_created_moved_and_deleted_only_as_expected() {
    let sandbox = Sandbox::new();
    let one: ObjectId = sandbox.commit("a", "a").parse().unwrap();
    let two: ObjectId = sandbox.commit("b", "b").parse().unwrap();
    let repository = sandbox.open();
    let name = "refs/mlrun/w/7f3c";
    repository.create_ref(name, one, "first").unwrap();
    assert!(matches!(repository.create_ref(name, two, ""), Err(GitError::RefExists { .. })));
    assert!(matches!(
        repository.update_ref(name, one, Expected::At(two), ""),
        Err(GitError::RefMoved { .. })
    ));
    repository.update_ref(name, two, Expected::At(one), "second").unwrap();
    assert_eq!(sandbox.git(&["rev-parse", name]), two.to_string());
    assert!(matches!(repository.delete_ref(name, Expected::At(one)), Err(GitError::RefMoved { .. })));
    sandbox.git(&["pack-refs", "--all"]);
    assert!(matches!(repository.create_ref(name, two, ""), Err(GitError::RefExists { .. })), "packed");
    repository.delete_ref(name, Expected::At(two)).unwrap();
    assert_eq!(repository.find_ref(name).unwrap(), None);
    assert!(matches!(
        repository.update_ref(name, one, Expected::At(two), ""),
        Err(GitError::RefMoved { .. })
    ));
    repository.delete_ref(name, Expected::Anything).unwrap();
    assert!(matches!(repository.create_ref("refs/tags/a b", one, ""), Err(GitError::RefName { .. })));
    assert!(matches!(repository.find_ref("refs/tags/a..b"), Err(GitError::RefName { .. })));
}

#[test]
fn refs_are_listed_as_git_lists_them() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "a");
    for name in ["penguins@v1.2.0", "penguins#prod#1", "dir/n@v1", "größe@v1"] {
        sandbox.git(&["tag", "-m", "m", name]);
    }
    sandbox.git(&["pack-refs", "--all"]);
    sandbox.git(&["tag", "-f", "-m", "newer", "dir/n@v1"]);
    let listed = sandbox.open().refs_below("refs/tags/").unwrap();
    let lines: Vec<_> = listed.iter().map(|found| format!("{} {}", found.target, found.name)).collect();
    assert_eq!(
        lines.join("\n"),
        sandbox.git(&["for-each-ref", "--format=%(objectname) %(refname)", "refs/tags/"])
    );
    assert!(sandbox.open().refs_below("refs/none/").unwrap().is_empty());
}

#[test]
fn of_racing_writers_one_wins() {
    let sandbox = Sandbox::new();
    let base: ObjectId = sandbox.commit("a", "a").parse().unwrap();
    let next: ObjectId = sandbox.commit("b", "b").parse().unwrap();
    sandbox.open().create_ref("refs/mlrun/log", base, "").unwrap();
    let won = std::thread::scope(|scope| {
        let write = || {
            let repository = sandbox.open();
            repository.update_ref("refs/mlrun/log", next, Expected::At(base), "").is_ok()
        };
        let writers: Vec<_> = (0..6).map(|_| scope.spawn(write)).collect();
        writers.into_iter().filter(|_| true).map(|writer| writer.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(won, 1);
}
