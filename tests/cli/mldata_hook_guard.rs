//! The hooks that guard a commit.

use crate::support::{Place, Sandbox};

fn tracked() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata hooks install").ok();
    place.write("a.bin", "one");
    place.write("code.py", "1");
    place.run("git mldata add a.bin && git add code.py && git commit -qm data").ok();
    place
}

const REFUSED: &str = "error: 'a.bin' was modified (from d33fb48a) and not added: the commit would name the old data\n\
                       hint: git mldata add a.bin\n\
                       hint: git commit --no-verify      commits without this check\n";

#[test]
fn modified_data_is_added_first() {
    let place = tracked();
    place.write("a.bin", "edited");
    place.write("code.py", "2");
    place.run("git commit -qam x").fails(1).says(REFUSED);
    place.run("git commit -qm x code.py").fails(1).says(REFUSED);
    place.run("git add code.py && mkdir -p sub && cd sub && git commit -qm x").fails(1).says(REFUSED);
    place.run("git mldata add a.bin && git commit -qm x").ok().says("");
    place.write("a.bin", "again");
    place.run("git commit -q --allow-empty --no-verify -m x").ok();
}

#[test]
fn absent_and_unmodified_data_is_no_change() {
    let place = tracked();
    place.run("touch a.bin && git commit -q --allow-empty -m touched").ok().says("");
    place.run("rm a.bin && git commit -q --allow-empty -m unrelated").ok().says("");
    place.run("git mldata checkout -q && git mldata rm a.bin && git commit -qm gone").ok().says("");
}

#[test]
fn a_merge_is_guarded_likewise() {
    let place = tracked();
    place.run("git switch -qc side && git commit -q --allow-empty -m side && git switch -q main").ok();
    place.run("git commit -q --allow-empty -m main").ok();
    place.write("a.bin", "edited");
    place.run("git merge -q --no-edit side").fails(1).tells("error: 'a.bin' was modified (from d33fb48a)");
}

#[test]
fn a_pointer_that_cannot_be_used_is_refused_when_it_is_new() {
    let place = tracked();
    place.write("a.bin.mld", "<<<<<<< ours\nversion = 1\n=======\nversion = 1\n>>>>>>> theirs\n");
    place
        .run("git commit -qam x")
        .fails(1)
        .tells("error: the pointer 'a.bin.mld' cannot be used\ncause: ")
        .tells("conflict");
    place.run("git commit -qanm x && git commit -q --allow-empty -m later").ok();
}

#[test]
fn data_does_not_go_into_git_itself() {
    let place = tracked();
    place
        .run("git add -f a.bin && git commit -qm x")
        .fails(1)
        .tells("error: 'a.bin' is tracked by git mldata, and its data itself is staged in Git\n")
        .tells("hint: git rm -r --cached a.bin");
    place.run("git rm -qr --cached a.bin && git commit -q --allow-empty -m x").ok();
}

#[test]
fn other_repositories_are_left_alone() {
    let place = Sandbox::new().repository("plain");
    place.run("git mldata hooks install").ok();
    place.run("git commit -q --allow-empty -m x && git switch -qc y && git reset -q --hard").ok().says("");
    assert!(!place.has(".git/ml"), "nothing is left behind");
}
