//! Merges of data by Git: the driver of pointers, and `git mldata resolve`.

use crate::support::{Place, Sandbox};

const BASE: &str = "id,name,qty\n1,a,10\n2,b,20\n3,c,30\n";

/// A repository that is set up, with `t.csv` and the folder `img` on `main`.
fn place() -> Place {
    let place = Sandbox::new().repository("repo");
    place.run("git mldata init && git commit -qm begin").ok();
    place.write("t.csv", BASE);
    for name in ["a/1", "a/2", "b/3"] {
        place.write(&format!("img/{name}"), format!("content of {name}"));
    }
    place.run("git mldata add t.csv img && git commit -qm data").ok();
    place
}

/// Lets the branch `other` and then `main` change data, each by shell commands.
fn diverge(place: &Place, theirs: &str, ours: &str) {
    let commit = |what: &str| format!("{what} && git mldata add t.csv img && git commit -qam '{what}'");
    place.run(&format!("git switch -qc other && {}", commit(theirs))).ok();
    place.run(&format!("git switch -q main && {}", commit(ours))).ok();
}

#[test]
fn edits_of_other_cells_merge_and_the_data_follows() {
    let place = place();
    diverge(&place, "sed -i s/3,c,30/3,C,30/ t.csv", "sed -i s/1,a,10/1,a,11/ t.csv");
    place.run("git merge -q -m merged other").ok();
    place.run("cat t.csv").ok().prints("id,name,qty\n1,a,11\n2,b,20\n3,C,30\n");
    place.run("git status --short && git mldata status --porcelain | cut -c1-3").ok().prints(". .\n. .\n");
    place.run("git mldata fsck").ok();
    place.run("grep -c 'rows = 3' t.csv.mld").ok().prints("1\n");
}

#[test]
fn one_cell_changed_by_both_is_a_conflict_that_resolve_ends() {
    let place = place();
    diverge(&place, "sed -i s/1,a,10/1,A,12/ t.csv", "sed -i s/1,a,10/1,a,11/ t.csv");
    place.run("git merge -q other").fails(1).tells("1 conflict in the data of 't.csv'; ours stands");
    place.run("git status --short").ok().prints("UU t.csv.mld\n");
    place.run("grep -c '<<<<' t.csv.mld").fails(1).prints("0\n");
    place.run("git mldata resolve t.csv").fails(1).prints(
        "  path   row   column  base  ours  theirs\n  \
           t.csv  id=1  qty     10    11    12\n",
    );
    place.run("git mldata resolve --json t.csv").fails(1).prints(
        "{\"path\":\"t.csv\",\"kind\":\"cell\",\"key\":{\"id\":\"1\"},\"column\":\"qty\",\"base\":\"10\",\
         \"ours\":\"11\",\"theirs\":\"12\"}\n",
    );
    place
        .run("cat .git/ml/conflicts/t.csv.jsonl | cut -c1-30")
        .ok()
        .prints("{\"type\":\"conflict\",\"path\":\"t.c\n");
    let copy = place.run("cp -a . ../copy").ok();
    drop(copy);
    place.run("git mldata resolve --theirs t.csv").ok().tells("");
    place
        .run("git commit -qm merged && git status --short && cat t.csv")
        .ok()
        .prints("id,name,qty\n1,A,12\n2,b,20\n3,c,30\n");
    place.run("test -e .git/ml/conflicts/t.csv.jsonl").fails(1);
    let copy = Sandbox::at(&place).folder("copy");
    copy.run("git mldata resolve --ours t.csv && git commit -qm merged && cat t.csv").ok().tells("");
    copy.run("cat t.csv").ok().prints("id,name,qty\n1,A,11\n2,b,20\n3,c,30\n");
    copy.run("git mldata resolve --ours t.csv").fails(128).tells("there is no conflict at 't.csv'");
}

#[test]
fn folders_merge_by_path() {
    let place = place();
    diverge(
        &place,
        "echo theirs > img/a/1 && rm img/b/3 && mkdir img/new && echo n > img/new/4",
        "echo ours > img/a/2 && chmod +x img/a/1",
    );
    place.run("git merge -q -m merged other").ok();
    place
        .run("cat img/a/1 img/a/2 img/new/4; find img -type f | sort; test -x img/a/1")
        .ok()
        .prints("theirs\nours\nn\nimg/a/1\nimg/a/2\nimg/new/4\n");
    place.run("git mldata fsck && git status --short").ok();
}

#[test]
fn a_file_changed_by_both_is_one_conflict_and_the_rest_merges() {
    let place = place();
    diverge(
        &place,
        "echo theirs > img/a/1 && echo more > img/a/2 && rm img/b/3",
        "echo ours > img/a/1 && echo edited > img/b/3",
    );
    place.run("git merge -q other").fails(1).tells("2 conflicts in the data of 'img'");
    place.run("git mldata resolve --theirs img && git commit -qm merged").ok();
    place.run("cat img/a/1 img/a/2; ls img").ok().prints("theirs\nmore\na\nb\n");
}

#[test]
fn tables_within_folders_merge_by_rows() {
    let place = place();
    place.write("img/t.csv", BASE);
    place.run("git mldata add img && git commit -qm table").ok();
    diverge(&place, "sed -i s/3,c,30/3,C,30/ img/t.csv", "sed -i s/1,a,10/1,a,11/ img/t.csv");
    place
        .run("git merge -q -m merged other >../out && cat img/t.csv")
        .ok()
        .prints("id,name,qty\n1,a,11\n2,b,20\n3,C,30\n");
}

#[test]
fn rebase_and_cherry_pick_merge_too() {
    let place = place();
    diverge(&place, "sed -i s/3,c,30/3,C,30/ t.csv", "sed -i s/1,a,10/1,a,11/ t.csv");
    place.run("git cherry-pick other && cat t.csv").ok().tells("");
    place.run("cat t.csv").ok().prints("id,name,qty\n1,a,11\n2,b,20\n3,C,30\n");
    place
        .run("git reset -q --hard HEAD~ && git mldata checkout && git switch -q other && git rebase -q main")
        .ok();
    place.run("cat t.csv; git status --short").ok().prints("id,name,qty\n1,a,11\n2,b,20\n3,C,30\n");
}

#[test]
fn two_ancestors_are_merged_without_leaving_anything() {
    let place = place();
    diverge(&place, "sed -i s/3,c,30/3,C,30/ t.csv", "sed -i s/1,a,10/1,a,11/ t.csv");
    // Each merges the other's first commit: then both have two common ancestors.
    place.run("git tag one main && git tag two other").ok();
    place.run("git merge -q -m m1 two && git switch -q other && git merge -q -m m2 one").ok();
    place.run("sed -i s/2,b,20/2,b,21/ t.csv && git mldata add t.csv && git commit -qam theirs").ok();
    place.run("git switch -q main && sed -i s/2,b,20/2,B,20/ t.csv && git mldata add t.csv && git commit -qam ours").ok();
    place.run("git merge -q -m m3 other; cat .git/ml/conflicts/*").fails(1);
    place.run("cat t.csv").ok().prints("id,name,qty\n1,a,11\n2,B,21\n3,C,30\n");
}

#[test]
fn what_is_not_here_is_fetched_and_merged_then() {
    let place = place();
    place.run("git mldata remote add main ../bucket && git add -A && git commit -qm remote").ok();
    diverge(
        &place,
        "sed -i s/3,c,30/3,C,30/ t.csv && rm img/a/1",
        "sed -i s/1,a,10/1,a,11/ t.csv && rm img/a/2",
    );
    place.run("git mldata push --all && git clone -q . ../clone").ok();
    let clone = Sandbox::at(&place).folder("clone");
    clone.run("git mldata init && git mldata pull && git merge -q origin/other").fails(1);
    clone.run("git status --short").ok().prints("UU img.mld\nUU t.csv.mld\n");
    clone.run("git mldata resolve img").fails(128).tells("git mldata fetch");
    clone.run("git mldata fetch --at HEAD --at MERGE_HEAD --at $(git merge-base HEAD MERGE_HEAD) && git mldata resolve img t.csv").fails(0);
    clone
        .run("git commit -qm merged && cat t.csv && find img -type f")
        .ok()
        .prints("id,name,qty\n1,a,11\n2,b,20\n3,C,30\nimg/b/3\n");
}

#[test]
fn undoing_the_set_up_takes_the_driver_away() {
    let place = place();
    place.run("git check-attr merge x.mld").ok().prints("x.mld: merge: mldata\n");
    place
        .run("git mldata init --undo && git check-attr merge x.mld; git config --get-regexp 'merge.mldata.*'")
        .fails(1);
    place.run("git check-attr merge x.mld").ok().prints("x.mld: merge: unset\n");
}
