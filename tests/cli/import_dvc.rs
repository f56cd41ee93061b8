//! `git mldata import dvc`, on what the real DVC 3 makes, and on what the real DVC 2 made (`fixtures/dvc-2.sh`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{Place, Sandbox, peers, with_peers};

/// A project of DVC 2, in a repository of Git with one commit.
fn dvc_2() -> Place {
    let place = Sandbox::new().repository("repo");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dvc-2");
    place.run(&format!("cp -r {}/. . && mv dot-dvc .dvc && mv dot-gitignore .gitignore && mv work/dot-gitignore work/.gitignore", from.display())).ok();
    place
        .run("printf '/cache\\n/tmp\\n/config.local\\n' > .dvc/.gitignore && git add . && git commit -qm dvc")
        .ok();
    place
}

/// The bytes of DVC 2's project, as they were when DVC made it.
fn original(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dvc-2").join(path))
        .expect("a file of the fixture")
}

const FILES: [&str; 6] =
    ["data/a.csv", "data/sub/crlf.csv", "data/sub/noise.bin", "crlf.txt", "run.sh", "work/sorted.txt"];

fn assert_all_bytes(place: &Place) {
    for path in FILES {
        assert_eq!(place.read(path), original(path), "{path}");
    }
}

#[test]
fn a_project_of_dvc_2_is_taken_over_from_the_work_tree() {
    let place = dvc_2();
    place
        .run("git mldata import dvc -n")
        .ok()
        .shows("data             3 files  4.1 kB  3 here\n")
        .shows("work/sorted.txt");
    place.run("git status --short").ok().prints("");
    place.run("git mldata import dvc").ok().shows("took over 6 files");
    place.run("git commit -qm moved && git status --short").ok().prints("");
    place.run("git ls-files").ok().prints(
        ".dvc/.gitignore\n.dvc/config\n.dvcignore\n.gitignore\ncrlf.txt.mld\ndata.mld\ndvc.lock\ndvc.yaml\nrun.sh.mld\n\
         work/.gitignore\nwork/sorted.txt.mld\n",
    );
    assert!(
        !place.text(".gitignore").starts_with("/data"),
        "DVC's lines are gone: {}",
        place.text(".gitignore")
    );
    assert_all_bytes(&place);
    place.run("rm -r data crlf.txt run.sh work/sorted.txt && git mldata checkout").ok();
    assert_all_bytes(&place);
    place.run("git mldata import dvc").ok().shows("DVC tracks nothing that is not taken over");
}

#[test]
fn what_is_not_in_the_work_tree_comes_from_the_cache_of_dvc_2() {
    let place = dvc_2();
    place.run("rm -r data crlf.txt run.sh work/sorted.txt").ok();
    place.run("git mldata import dvc").ok().shows("3 from the cache");
    assert!(place.path().join("run.sh").metadata().unwrap().permissions().mode() & 0o100 != 0, "executable");
    // The cache has the bytes of Windows, which DVC 2 named by those of Unix.
    assert_all_bytes(&place);
}

#[test]
fn what_was_edited_is_left_alone_and_what_is_lost_is_listed() {
    let place = dvc_2();
    place.write("data/new.csv", "mine");
    place.run("rm crlf.txt && rm .dvc/cache/dd/8c6a395b5dd36c56d23275028f526c").ok();
    place.run("rm run.sh && printf damaged > .dvc/cache/46/bbbe8aa98cc0714426e948474eaaf4").ok();
    place
        .run("git mldata import dvc")
        .fails(1)
        .shows("took over 1 file")
        .shows("missing   crlf.txt  md5 dd8c6a395b5dd36c56d23275028f526c")
        .shows("damaged   run.sh    md5 46bbbe8aa98cc0714426e948474eaaf4")
        .shows("modified  data");
    assert_eq!(place.text("data/new.csv"), "mine");
    assert!(!place.has("run.sh"), "nothing that is damaged appears");
    assert!(place.has("data.dvc") && place.has("crlf.txt.dvc") && !place.has("data.mld"));
    let told = place.run("git mldata import dvc --json").fails(1).json();
    assert_eq!(told[0]["modified"][0], "data");
    assert_eq!(told[0]["missing"][0]["path"], "crlf.txt");
    // When that is mended, the rest follows.
    place.run("rm data/new.csv && printf 'a\\r\\nb\\r\\n' > crlf.txt").ok();
    fs::write(place.path().join("run.sh"), original("run.sh")).unwrap();
    place.run("git mldata import dvc").ok().shows("took over 5 files");
    assert_all_bytes(&place);
}

#[test]
fn a_list_that_is_lost_is_made_again_from_the_work_tree() {
    let place = dvc_2();
    place.run("rm -r .dvc/cache").ok();
    place.run("git mldata import dvc data").fails(128).tells("nothing of DVC is here");
    place.run("git mldata import dvc").ok().shows("took over 6 files");
    assert_all_bytes(&place);
}

#[test]
fn hostile_projects_write_nothing_outside() {
    let place = dvc_2();
    let md5 = "5d41402abc4b2a76b9719d911017c592";
    place.write(".dvc/cache/5d/41402abc4b2a76b9719d911017c592", "hello");
    let entry = |path: &str| format!("outs:\n- md5: {md5}\n  size: 5\n  path: {path}\n");
    for (at, path) in ["../out", "/tmp/out", ".git/hooks/pre-commit", "a/../../out"].iter().enumerate() {
        place.write(&format!("evil{at}.dvc"), entry(path));
    }
    place.write("broken.dvc", "outs: [{");
    place.write("bomb.dvc", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e]\nouts: *f\n");
    // A list whose paths climb out: its own checksum is right.
    let list = format!("[{{\"md5\": \"{md5}\", \"relpath\": \"../../out\"}}]");
    place.write("list", &list);
    let sum = place.run("md5sum < list").ok().stdout()[..32].to_owned();
    place.write(&format!(".dvc/cache/{}/{}.dir", &sum[..2], &sum[2..]), &list);
    place.write("climbs.dvc", format!("outs:\n- md5: {sum}.dir\n  size: 5\n  nfiles: 1\n  path: climbs\n"));
    place.run("ln -s .. link").ok();
    place.write("through.dvc", entry("link/out"));
    let seen = place.run("git mldata import dvc").fails(1);
    assert!(seen.stdout().matches("left").count() >= 6, "{}", seen.stdout());
    assert!(
        !place.path().join("../out").exists() && !place.has("climbs") && !place.has(".git/hooks/pre-commit")
    );
    assert_all_bytes(&place);
}

#[test]
fn a_repository_without_dvc_is_told_so() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata import dvc").fails(128).tells("nothing of DVC is here").tells("hint: ");
    let place = dvc_2();
    place.run("git mldata import dvc --remote nowhere").fails(129).tells("has no remote 'nowhere'");
}

#[test]
fn the_real_dvc_3_is_left_with_every_byte() {
    let Some(peers) = peers() else { return };
    let sandbox = Sandbox::new();
    let place = with_peers(&sandbox.repository("repo"), &peers);
    place
        .run("dvc init -q && dvc config core.analytics false && dvc config cache.type hardlink,symlink,copy")
        .ok();
    place
        .run(
            "mkdir -p data/sub wd && seq 1 1000 > data/a.csv && head -c 300000 /dev/urandom > data/sub/b.bin",
        )
        .ok();
    place.run("printf 'x\\r\\n1\\r\\n' > crlf.csv && : > empty.txt && mkdir 'wd/größe' && echo hi > 'wd/größe/x y.txt'").ok();
    place.write(
        "dvc.yaml",
        "stages:\n  train:\n    cmd: sort data/a.csv > model.txt && echo '{}' > m.json\n    deps: [data/a.csv]\n    \
         outs: [model.txt]\n    metrics:\n    - m.json: {cache: false}\n",
    );
    place.run("dvc add -q data crlf.csv empty.txt && cd wd && dvc add -q größe").ok();
    place.run("dvc repro -q && dvc remote add -q -d store ../store && dvc push -q").ok();
    place.run("git add -A && git commit -qm dvc && cp -rL . ../original").ok();
    let original = sandbox.folder("original");
    let files =
        ["data/a.csv", "data/sub/b.bin", "crlf.csv", "empty.txt", "wd/größe/x y.txt", "model.txt", "m.json"];
    let assert_same = |place: &Place| {
        for path in files {
            assert!(place.read(path) == original.read(path), "{path} has other bytes");
            let metadata = place.path().join(path).symlink_metadata().unwrap();
            assert!(
                metadata.is_file() && std::os::unix::fs::MetadataExt::nlink(&metadata) == 1,
                "{path} is shared"
            );
        }
    };
    sandbox.folder(".").run("git clone -q repo clone").ok();
    place
        .run("git mldata import dvc")
        .ok()
        .shows("took over 6 files")
        .shows("removed: crlf.csv.dvc data.dvc");
    assert_same(&place);
    place.run("git commit -qm moved && dvc status").ok().shows("up to date");

    // A clone has nothing of it: all comes from DVC's remote, to which the path in '.dvc/config' leads.
    let clone = with_peers(&sandbox.folder("clone"), &peers);
    clone.run("git mldata import dvc").ok().shows("2 from the remote");
    assert_same(&clone);
    assert!(place.read("data.mld") == clone.read("data.mld"), "the same bytes, the same pointer");
}
