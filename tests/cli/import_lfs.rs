//! `git mldata import lfs`, on what the real Git LFS makes, with a real server of it.

use crate::support::{LfsServer, Place, Sandbox, peers, with_peers};

const FILES: [&str; 4] = ["x.bin", "big/a/t.txt", "sub/empty.bin", "sub/sp ace.bin"];

/// A repository whose data is with Git LFS, pushed to `origin.git`; contents go to `url`, or beside the Git remote.
fn with_lfs(sandbox: &Sandbox, peers: &str, url: Option<&str>) -> Place {
    sandbox.folder("origin.git").run("git init -q --bare .").ok();
    let place = with_peers(&sandbox.repository("repo"), peers);
    place.run("git lfs install --local && git lfs track '*.bin' 'big/**' && git remote add origin ../origin.git").ok();
    place.run("printf '*.psd filter=lfs diff=lfs merge=lfs -text\\n*.txt text\\n' >> .gitattributes").ok();
    place.run("mkdir -p big/a sub && head -c 500000 /dev/urandom > x.bin && chmod +x x.bin && echo hello > big/a/t.txt").ok();
    place.run(": > sub/empty.bin && head -c 20 /dev/urandom > 'sub/sp ace.bin'").ok();
    if let Some(url) = url {
        place.run(&format!("git config lfs.url {url} && git config lfs.locksverify false")).ok();
    }
    place.run("git add . && git commit -qm lfs && git push -q origin HEAD").ok();
    place
}

/// A clone without any content.
fn clone(sandbox: &Sandbox, peers: &str, name: &str) -> Place {
    sandbox.folder(".").run(&format!("git clone -q origin.git {name}")).ok();
    with_peers(&sandbox.folder(name), peers)
}

fn assert_same(place: &Place, original: &Place) {
    for path in FILES {
        assert!(place.read(path) == original.read(path), "{path} has other bytes");
    }
}

#[test]
fn what_is_in_the_work_tree_becomes_ours() {
    let Some(peers) = peers() else { return };
    let sandbox = Sandbox::new();
    let place = with_lfs(&sandbox, &peers, None);
    place.run("cp -r . ../original").ok();
    let original = sandbox.folder("original");
    place.run("git mldata init -q --no-hooks && git commit -qm init").ok();
    place.run("git mldata import lfs -n").ok().shows("x.bin           500 kB  here\n");
    place.run("git status --short").ok().prints("");
    place.run("git mldata import lfs").ok().shows("took over 4 files");
    place.run("git commit -qm moved && git status --short").ok().prints("");
    place.run("git lfs ls-files").ok().prints("");
    assert!(
        place.text(".gitattributes").starts_with("*.txt text\n# >>> git-mldata\n"),
        "{}",
        place.text(".gitattributes")
    );
    assert!(place.text("big/a/t.txt.mld").starts_with("# git-mldata pointer"), "no pointer of LFS");
    place.run("git show HEAD:big/a/t.txt.mld").ok().shows("# git-mldata pointer");
    assert_same(&place, &original);
    place.run("rm -r x.bin big/a/t.txt sub/*.bin && git mldata checkout").ok();
    assert_same(&place, &original);
    // History stays: an older commit has the files for LFS, and ours come back.
    place.run("git checkout -q HEAD~1 && git checkout -q - && git mldata checkout").ok();
    assert_same(&place, &original);
    place.run("git mldata import lfs").fails(128).tells("Git LFS tracks nothing here");
}

#[test]
fn what_is_nowhere_here_comes_from_a_server_and_a_pattern_takes_a_part() {
    let Some(peers) = peers() else { return };
    let sandbox = Sandbox::new();
    let server = LfsServer::start(&peers, &sandbox.path().join("objects"), &[]);
    let url = format!("{}/acme/data", server.url);
    let original = with_lfs(&sandbox, &peers, Some(&url));
    let place = clone(&sandbox, &peers, "clone");
    place.run(&format!("git config lfs.url {url}")).ok();
    place
        .run("git mldata import lfs 'x*'")
        .ok()
        .prints("x.bin  500 kB  from the server\ntook over 1 file, stored 500 kB\n");
    place.run("git check-attr filter sub/empty.bin").ok().shows("filter: lfs");
    place.run("git mldata import lfs").ok().shows("took over 3 files");
    assert_same(&place, &original);
    place.run("test -x x.bin && git commit -qm moved && git status --short").ok().prints("");

    // A part that a pattern would catch again is refused whole.
    let place = clone(&sandbox, &peers, "other");
    place.run(&format!("git config lfs.url {url}")).ok();
    place
        .run(
            "mkdir -p big/b && git show HEAD:big/a/t.txt > big/b/t.txt && git add big && git commit -qm more",
        )
        .ok();
    let before = place.text(".gitattributes");
    place.run("git mldata import lfs big/a").fails(128).tells("would go to Git LFS itself").tells("hint: ");
    assert_eq!(place.text(".gitattributes"), before);
    assert!(!place.has("big/a/t.txt.mld"));
}

#[test]
fn what_the_server_lacks_or_was_edited_is_listed_and_stays() {
    let Some(peers) = peers() else { return };
    let sandbox = Sandbox::new();
    let server = LfsServer::start(&peers, &sandbox.path().join("objects"), &["ada", "hunter2"]);
    let url = format!("{}/acme/data", server.url.replace("http://", "http://ada:hunter2@"));
    let original = with_lfs(&sandbox, &peers, Some(&url));
    let place = clone(&sandbox, &peers, "clone");
    place.run(&format!("git config lfs.url {}/acme/data", server.url)).ok();
    place.run("git mldata import lfs").fails(128).tells("401").tells("nothing was changed");
    // Git's own configuration opens it, by a helper; nothing shows the password.
    place.run("git config credential.helper '!f() { echo username=ada; echo password=hunter2; }; f'").ok();
    place.run("echo edited > big/a/t.txt").ok();
    let oid = place.run("git show HEAD:x.bin | sed -n 's/oid sha256://p'").ok().stdout().trim().to_owned();
    let object = sandbox.path().join("objects/acme/data").join(&oid);
    let whole = std::fs::read(&object).unwrap();
    std::fs::write(&object, vec![7; whole.len()]).unwrap();
    place
        .run("git mldata import lfs")
        .fails(1)
        .shows("missing   x.bin")
        .shows("another checksum")
        .shows("modified  big/a/t.txt")
        .shows("took over 2 files")
        .lacks("hunter2");
    assert!(place.text("x.bin").starts_with("version https://git-lfs"), "nothing damaged appears");
    assert_eq!(place.text("big/a/t.txt"), "edited\n");
    std::fs::remove_file(&object).unwrap();
    place.run("git mldata import lfs x.bin").fails(1).shows("missing  x.bin");
    std::fs::write(&object, whole).unwrap();
    place.run("git checkout -q big && git mldata import lfs").ok();
    assert_same(&place, &original);
}

#[test]
fn a_folder_is_asked_as_lfs_would() {
    let Some(peers) = peers() else { return };
    let sandbox = Sandbox::new();
    // Without a server, LFS copies to the folder of the Git remote.
    let original = with_lfs(&sandbox, &peers, None);
    let place = clone(&sandbox, &peers, "clone");
    place.run("git mldata import lfs").ok().shows("x.bin           500 kB  from the server\n");
    assert_same(&place, &original);
    place.run("git mldata import lfs nothing").fails(128).tells("that matches");
}
