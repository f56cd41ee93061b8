//! `git mldata merge-file`.

use crate::support::{Place, Sandbox};

const BASE: &str = "id,name,qty\n1,a,10\n2,b,20\n3,c,30\n";

fn place(ours: &str, theirs: &str) -> Place {
    let place = Sandbox::new().folder("tables");
    for (name, text) in [("base.csv", BASE), ("ours.csv", ours), ("theirs.csv", theirs)] {
        place.write(name, text);
    }
    place
}

#[test]
fn what_both_changed_is_in_the_merged_file() {
    let place = place(&BASE.replace("1,a,10", "1,a,11"), &BASE.replace("1,a", "1,A"));
    place
        .run("git mldata merge-file ours.csv base.csv theirs.csv -o out.csv")
        .ok()
        .prints("out.csv: 3 rows, key id (found), no conflict\n");
    place
        .run("cat out.csv; ls")
        .ok()
        .prints("id,name,qty\n1,A,11\n2,b,20\n3,c,30\nbase.csv\nours.csv\nout.csv\ntheirs.csv\n");
    place.run("git mldata merge-file --granularity row ours.csv base.csv theirs.csv -o out.csv").fails(1);
    // Without -o the file of ours is the merged one, as with git merge-file.
    place.run("git mldata merge-file ours.csv base.csv theirs.csv && cmp ours.csv out.csv").fails(1);
    place.run("git mldata merge-file -q ours.csv base.csv theirs.csv && grep -c 1,A,11 ours.csv").ok();
}

#[test]
fn a_conflict_leaves_a_valid_table_and_a_file_that_tells_of_it() {
    let place = place(&BASE.replace("1,a,10", "1,a,11"), &BASE.replace("1,a,10", "1,a,12"));
    let merge = "git mldata merge-file --key id ours.csv base.csv theirs.csv -o out.csv";
    place.run(merge).fails(1).prints(
        "out.csv: 3 rows, key id (declared), 1 conflict\n  \
         row   column  base  ours (stands)  theirs\n  \
         id=1  qty     10    11             12\n\
         all are told in out.csv.conflicts.jsonl\n",
    );
    place.run("cmp out.csv ours.csv && cat out.csv.conflicts.jsonl").ok().prints(
        "{\"type\":\"conflict\",\"kind\":\"cell\",\"key\":{\"id\":\"1\"},\"column\":\"qty\",\
         \"base\":\"10\",\"ours\":\"11\",\"theirs\":\"12\"}\n",
    );
    place.run(&format!("{merge} --json")).fails(1).prints(
        "{\"out\":\"out.csv\",\"taken\":{\"merged\":{\"key\":{\"columns\":[\"id\"],\"origin\":\"declared\",\
         \"not_in_both\":[]},\"rows\":3,\"conflicts\":1,\"reordered_by_both\":false}},\"conflicts\":1,\
         \"conflict_file\":\"out.csv.conflicts.jsonl\"}\n",
    );
    // A later merge without a conflict takes the old conflicts away, and nothing else.
    place.write("theirs.csv", BASE);
    place.run(merge).ok().prints("out.csv: theirs brings nothing new\n");
    place.run("ls out.csv*").ok().prints("out.csv\n");
    place.write("out.csv.conflicts.jsonl", "mine\n");
    place.run(merge).ok();
    place.run("cat out.csv.conflicts.jsonl").ok().prints("mine\n");
    place.write("theirs.csv", BASE.replace("1,a,10", "1,a,12"));
    place.run(merge).fails(128).says(
        "error: 'out.csv.conflicts.jsonl' is no file of conflicts, and would be overwritten\n\
         hint: move 'out.csv.conflicts.jsonl' away, or name another output with -o\n",
    );
    place.run("cat out.csv.conflicts.jsonl; ls -A | wc -l").ok().prints("mine\n5\n");
}

#[test]
fn what_only_one_side_changed_keeps_its_bytes() {
    let theirs = "id;name;qty\r\n1;a;10.00\r\n";
    let place = place(BASE, theirs);
    place
        .run("git mldata merge-file ours.csv base.csv theirs.csv")
        .ok()
        .prints("ours.csv: only theirs changed; taken as it is\n");
    place.run("cmp ours.csv theirs.csv").ok();
}

#[test]
fn key_and_private_columns_come_from_the_team_file() {
    let place = Sandbox::new().data_repository("repo");
    let rules = "[table.\"t.csv\"]\nkey = [\"a\", \"b\"]\nprivate = [\"mail\"]\n";
    place.run(&format!("printf '%s' '{rules}' >> ml.toml")).ok();
    place.write("base.csv", "a,b,mail\n1,1,x\n1,2,y\n");
    place.write("t.csv", "a,b,mail\n1,1,ours@planted\n1,2,y\n");
    place.write("theirs.csv", "a,b,mail\n1,1,theirs@planted\n1,2,y\n");
    place.run("git mldata merge-file t.csv base.csv theirs.csv").fails(1).prints(
        "t.csv: 2 rows, key a, b (declared), 1 conflict\n  \
         row      column  base       ours (stands)  theirs\n  \
         a=1 b=1  mail    (private)  (private)      (private)\n\
         all are told in t.csv.conflicts.jsonl\n",
    );
    place.run("grep planted t.csv.conflicts.jsonl").fails(1);
}

#[test]
fn what_cannot_be_merged_changes_nothing() {
    let place = place(&BASE.replace("10", "11"), "id,name\n\"1,a\n");
    place.run("git mldata merge-file ours.csv base.csv theirs.csv").fails(128).says(
        "error: cannot merge the rows: their version is no readable table\n\
         cause: line 2: a quote is opened and never closed\n\
         hint: close the quote, or double it where it is part of the text\n",
    );
    place.run("ls -A; grep -c 1,a,11 ours.csv").ok().prints("base.csv\nours.csv\ntheirs.csv\n1\n");
    place
        .run("git mldata merge-file ours.csv none.csv theirs.csv")
        .fails(128)
        .tells("cannot read 'none.csv'");
    place.run("git mldata merge-file ours.csv base.csv").fails(129);
}
