//! Blobs, trees, commits, tags: written by us, read by Git, and the other way round.

use git_ml::base::RepoPath;
use git_ml::git::{EntryMode, GitError, NewCommit, ObjectId, Role, Signature};

use crate::sandbox::Sandbox;

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

fn someone() -> Signature {
    Signature {
        name: "C O Mitter".into(),
        email: "c@example.com".into(),
        seconds: 1_700_000_000,
        offset: 3600,
    }
}

#[test]
fn git_reads_what_we_write() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    let blob = repository.write_blob(b"hello\n").unwrap();
    let files = [("a/b/c", EntryMode::File), ("a/run", EntryMode::Executable), ("a.txt", EntryMode::Link)];
    let changes = files.map(|(name, mode)| (path(name), Some((mode, blob))));
    let tree = repository.edit_tree(None, changes).unwrap();
    let author = someone();
    let new = NewCommit {
        tree,
        parents: &[],
        author: &author,
        committer: &author,
        message: "one\n\nChange-Id: I1\n",
    };
    let commit = repository.write_commit(&new).unwrap();
    repository.create_ref("refs/heads/ours", commit, "written").unwrap();

    assert_eq!(sandbox.git(&["show", "ours:a/b/c"]), "hello");
    let listed = sandbox.git(&["ls-tree", "-r", "--format=%(objectmode) %(path)", "ours"]);
    assert_eq!(listed, "120000 a.txt\n100644 a/b/c\n100755 a/run");
    let said = sandbox.git(&["log", "--format=%an|%ae|%ad|%cn|%B", "--date=raw", "ours"]);
    assert!(said.starts_with("C O Mitter|c@example.com|1700000000 +0100|C O Mitter|one\n"), "{said}");
    sandbox.git(&["fsck", "--strict"]);

    let info = repository.commit_info(commit).unwrap();
    assert_eq!((info.subject(), info.trailer("change-id")), ("one", Some("I1")));
    assert_eq!((info.author, info.tree), (author, tree));
    let removed = repository.edit_tree(Some(tree), [(path("a/b/c"), None), (path("a.txt"), None)]).unwrap();
    assert_eq!(sandbox.git(&["ls-tree", "-r", "--name-only", &removed.to_string()]), "a/run");
}

#[test]
fn we_read_what_git_writes() {
    let sandbox = Sandbox::new();
    let first = sandbox.commit("dir/a", "one");
    let second = sandbox.commit("b", "two");
    let repository = sandbox.open();
    let head = repository.resolve_commit("HEAD").unwrap();
    assert_eq!(head.to_string(), second);
    assert_eq!(repository.commit_info(head).unwrap().parents[0].to_string(), first);
    assert_eq!(repository.read_file_at(head, &path("dir/a"), 10).unwrap().unwrap(), b"one");
    assert_eq!(repository.read_file_at(head, &path("dir"), 10).unwrap(), None);
    assert_eq!(repository.read_file_at(head, &path("none"), 10).unwrap(), None);
    assert!(matches!(repository.read_file_at(head, &path("b"), 2), Err(GitError::TooLarge { size: 3, .. })));
    assert!(matches!(repository.resolve_commit("nope"), Err(GitError::UnknownRevision { .. })));
    let missing: ObjectId = "1234567890123456789012345678901234567890".parse().unwrap();
    assert!(matches!(repository.read_blob(missing, 10), Err(GitError::Missing { .. })));
    assert!(matches!(repository.read_blob(head, 1000), Err(GitError::WrongKind { .. })));

    let walked: Vec<_> = repository.walk(&[head], &[]).unwrap().map(|id| id.unwrap().to_string()).collect();
    assert_eq!(walked.join("\n"), sandbox.git(&["rev-list", "HEAD"]));
    let first = first.parse().unwrap();
    assert_eq!(repository.walk(&[head], &[first]).unwrap().count(), 1);
    assert_eq!(repository.merge_base(first, head).unwrap(), Some(first));
    assert!(repository.is_ancestor(first, head).unwrap() && !repository.is_ancestor(head, first).unwrap());
}

#[test]
fn the_walk_of_a_shallow_clone_ends_at_its_border() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c"] {
        sandbox.commit(name, name);
    }
    let (source, clone) = (format!("file://{}", sandbox.top().display()), sandbox.beside("shallow"));
    sandbox.git(&["clone", "--quiet", "--depth=2", &source, clone.to_str().unwrap()]);
    let repository = git_ml::git::Repository::open(&clone).unwrap();
    assert!(repository.is_shallow() && !sandbox.open().is_shallow());
    let head = repository.head_commit().unwrap().unwrap();
    assert_eq!(repository.walk(&[head], &[]).unwrap().map(Result::unwrap).count(), 2);
}

#[test]
fn a_union_of_trees_has_every_path_in_any_order() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    let blob = |text: &str| repository.write_blob(text.as_bytes()).unwrap();
    let tree = |files: &[(&str, &str)]| {
        let changes = files.iter().map(|(name, text)| (path(name), Some((EntryMode::File, blob(text)))));
        repository.edit_tree(None, changes).unwrap()
    };
    let one = tree(&[("runs/aa/1/create", "1"), ("same", "s"), ("clash", "x"), ("kind", "file")]);
    let two = tree(&[
        ("runs/aa/2/create", "2"),
        ("runs/bb/3/create", "3"),
        ("same", "s"),
        ("clash", "y"),
        ("kind/f", "f"),
    ]);
    let three = tree(&[("runs/aa/1/ops", "4")]);
    let united = repository.unite_trees(&[one, two, three]).unwrap();
    let listed = sandbox.git(&["ls-tree", "-r", "--name-only", &united.to_string()]);
    let paths = "clash\nkind/f\nruns/aa/1/create\nruns/aa/1/ops\nruns/aa/2/create\nruns/bb/3/create\nsame";
    assert_eq!(listed, paths);
    for order in [[three, two, one], [two, three, one]] {
        assert_eq!(repository.unite_trees(&order).unwrap(), united);
    }
    let pairwise = repository.unite_trees(&[repository.unite_trees(&[one, two]).unwrap(), three]).unwrap();
    assert_eq!(pairwise, united);
    assert_eq!(repository.unite_trees(&[]).unwrap(), ObjectId::empty_tree());
    sandbox.git(&["fsck", "--strict"]);
}

#[test]
fn a_tag_is_written_verbatim_and_read_back() {
    let sandbox = Sandbox::new();
    let commit = sandbox.commit("a", "a").parse().unwrap();
    let repository = sandbox.open();
    let message = "penguins v1\n\n# not a comment\nmodel-id: 7f3c\n\n\n";
    let id = repository.write_tag("penguins@v1.2.0", commit, message).unwrap();
    assert_eq!(repository.find_tag("penguins@v1.2.0").unwrap(), None, "no ref yet");
    repository.create_ref("refs/tags/penguins@v1.2.0", id, "").unwrap();

    let raw = sandbox.git(&["cat-file", "tag", "penguins@v1.2.0"]);
    assert!(raw.ends_with("# not a comment\nmodel-id: 7f3c"), "{raw}");
    sandbox.git(&["fsck", "--strict"]);
    sandbox.git(&["tag", "-m", "by git", "nested", "penguins@v1.2.0"]);
    sandbox.git(&["tag", "light"]);
    let tags = repository.tags().unwrap();
    let names: Vec<_> =
        tags.iter().map(|tag| (tag.name.as_str(), tag.annotated, tag.target == commit)).collect();
    assert_eq!(names, [("light", false, true), ("nested", true, true), ("penguins@v1.2.0", true, true)]);
    assert_eq!(tags[2].message, message);
    assert_eq!(tags[2].tagger.as_ref().unwrap().email, "author@example.com");
    assert_eq!(repository.signature(Role::Author).unwrap().name, "A U Thor");
}

#[test]
fn a_tag_is_signed_where_the_user_signs() {
    let sandbox = Sandbox::new();
    let commit = sandbox.commit("a", "a").parse().unwrap();
    let key = sandbox.beside("key");
    let made = sandbox
        .command("ssh-keygen", &sandbox.top())
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: no ssh-keygen");
        return;
    }
    for (name, value) in
        [("gpg.format", "ssh"), ("tag.gpgSign", "true"), ("user.signingKey", key.to_str().unwrap())]
    {
        sandbox.git(&["config", name, value]);
    }
    let repository = sandbox.open();
    let id = repository.write_tag("m@v1", commit, "signed\n").unwrap();
    assert_eq!(sandbox.git(&["tag", "--list"]), "", "no ref is made");
    repository.create_ref("refs/tags/m@v1", id, "").unwrap();
    let tag = repository.find_tag("m@v1").unwrap().unwrap();
    assert!(tag.signed && tag.message == "signed\n", "{tag:?}");

    std::fs::remove_file(&key).unwrap();
    assert!(matches!(repository.write_tag("m@v2", commit, "no key\n"), Err(GitError::Program(_))));
}
