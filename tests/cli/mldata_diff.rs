//! `git mldata diff`.

use std::fs;
use std::path::Path;

use crate::support::{Place, Sandbox};

fn demo(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo").join(name)).expect("a fixture")
}

/// A repository with the first version of the penguins and some pictures, and the second in the work tree.
fn penguins() -> Place {
    let place = Sandbox::new().data_repository("repo");
    let rule = "\n[table.\"data/*.csv\"]\nkey = [\"id\"]\n";
    place.write("ml.toml", place.text("ml.toml") + rule);
    place.write("data/penguins.csv", demo("penguins-1.csv"));
    for (name, text) in [("a", "one"), ("b", "two"), ("c", "three"), ("sub/d", "four")] {
        place.write(&format!("img/{name}.jpg"), text);
    }
    place.run("git mldata add -q data/penguins.csv img && git add . && git commit -qm first").ok();
    place.write("data/penguins.csv", demo("penguins-2.csv"));
    place.write("img/b.jpg", "two!");
    place.write("img/e.jpg", "five");
    place.run("rm img/c.jpg && mkdir img/new && mv img/sub/d.jpg img/new/ && chmod +x img/a.jpg").ok();
    place
}

/// What is said of the penguins, below the line of the file.
const PENGUINS: &str = "changed  data/penguins.csv  11 kB -> 16 kB
  rows +123 -1 ~10 (220 -> 342)  key id (declared)
  cells  sex ~6  body_mass_g ~3  island ~1
  nulls  bill_length_mm 1 -> 0  bill_depth_mm 1 -> 0  flipper_length_mm 1 -> 0
         body_mass_g 1 -> 0  sex 12 -> 9
  ~ id=30  island: Torgersen -> Biscoe
  ~ id=71  sex: NA -> female
  ~ id=90  body_mass_g: 360 -> 3600
  ~ id=134  sex: NA -> male
  ~ 6 more
  - id=4  species: Adelie  island: Torgersen  bill_length_mm: NA  …
  + id=189  species: Gentoo  island: Biscoe  bill_length_mm: 42.6  …
  + id=205  species: Gentoo  island: Biscoe  bill_length_mm: 45.1  …
  + id=229  species: Gentoo  island: Biscoe  bill_length_mm: 47.5  …
  + 120 more
";

#[test]
fn a_reviewer_sees_the_verdict_then_files_then_rows() {
    let place = penguins();
    let wanted = format!(
        "index -> work tree\n\
         2 of 2 paths differ  files +1 -1 ~3, 1 renamed  rows +123 -1 ~10\n\
         {PENGUINS}\
         changed  img/a.jpg          3 B  executable now\n\
         changed  img/b.jpg          3 B -> 4 B\n\
         removed  img/c.jpg          5 B\n\
         added    img/e.jpg          4 B\n\
         renamed  img/new/d.jpg      4 B  from img/sub/d.jpg\n"
    );
    let seen = place.run("git mldata diff").ok().says("").prints(&wanted);
    assert!(seen.stdout().lines().all(|line| line.chars().count() <= 80), "wider than 80 columns");
    place.run("git mldata diff --color=always").ok().shows("\x1b[32m+123\x1b[m").shows("\x1b[31m-1\x1b[m");
}

#[test]
fn sides_are_those_of_git() {
    let place = penguins();
    place.run("git mldata diff --cached").ok().prints("").says("");
    place.run("git mldata diff HEAD").ok().shows(PENGUINS).shows(") -> work tree\n");
    place.run("git mldata add -q data/penguins.csv img && git mldata diff").ok().prints("");
    place.run("git mldata diff --cached").ok().shows(PENGUINS).shows(") -> index\n");
    place.run("git mldata diff --staged HEAD").ok().shows(PENGUINS);
    place.run("git commit -qm second && git mldata diff HEAD").ok().prints("");
    place.run("git mldata diff HEAD~1 HEAD").ok().shows(PENGUINS);
    place.run("git mldata diff HEAD~1.. -- data/penguins.csv").ok().shows(PENGUINS).lacks("img");
    place.run("git mldata diff HEAD HEAD~1").ok().shows("  rows +1 -123 ~10 (342 -> 220)");
    // Since the side left the main line: what the main line did meanwhile is not told.
    place.run("git switch -qc side HEAD~1 && git commit -q --allow-empty -m side").ok();
    place.run("git mldata diff main...side").ok().prints("");
    place.run("git mldata diff main..side --name-only").ok().shows("data/penguins.csv\n");
    place.run("git switch -q --orphan other && git mldata diff --cached").ok().prints("");
}

#[test]
fn paths_narrow_it_also_inside_a_directory() {
    let place = penguins();
    place.run("git mldata diff img/sub img/b.jpg").ok().prints(
        "index -> work tree\n\
         1 of 1 path differs  files -1 ~1\n\
         changed  img/b.jpg      3 B -> 4 B\n\
         removed  img/sub/d.jpg  4 B\n",
    );
    place
        .run("cd img && git mldata diff HEAD new")
        .ok()
        .shows("added    img/new/d.jpg  4 B\n")
        .lacks("e.jpg");
    place.run("git mldata diff data").ok().shows(PENGUINS).lacks("img");
    place
        .run("git mldata diff img.mld --name-only")
        .ok()
        .prints("img/a.jpg\nimg/b.jpg\nimg/c.jpg\nimg/e.jpg\nimg/new/d.jpg\n");
}

#[test]
fn words_that_mean_nothing_or_too_much_are_errors() {
    let place = penguins();
    place
        .run("git mldata diff nowhere")
        .fails(128)
        .tells("error: 'nowhere' is neither a revision nor a path\nhint: ");
    place
        .run("git mldata diff HEAD -- nowhere")
        .fails(128)
        .tells("error: there is no data at 'nowhere' on either side\n");
    place.run("git mldata diff HEAD HEAD HEAD").fails(129).tells("one revision too many");
    place.run("git mldata diff --cached HEAD HEAD").fails(129).tells("one revision too many");
    place.run("git branch data && git mldata diff data").fails(128).tells("both a revision and a path");
    place.run("git mldata diff data --").ok().shows(PENGUINS);
    place.run("git mldata diff -- data").ok().shows(PENGUINS);
}

#[test]
fn scripts_get_codes_names_and_json() {
    let place = penguins();
    place.run("git mldata diff --exit-code --stat").fails(1).prints(
        "index -> work tree\n\
         2 of 2 paths differ  files +1 -1 ~3, 1 renamed\n\
         changed  data/penguins.csv  11 kB -> 16 kB\n\
         changed  img/a.jpg          3 B                                 executable now\n\
         changed  img/b.jpg          3 B -> 4 B\n\
         removed  img/c.jpg          5 B\n\
         added    img/e.jpg          4 B\n\
         renamed  img/new/d.jpg      4 B             from img/sub/d.jpg\n",
    );
    place.run("git mldata diff --name-only -z img/new img/e.jpg").ok().prints("img/e.jpg\0img/new/d.jpg\0");
    let told = place.run("git mldata diff --json").ok().json();
    assert_eq!(told[0]["sides"]["after"]["side"], "work_tree");
    assert_eq!(told[0]["totals"]["rows"]["changed"], 10);
    assert_eq!(told[0]["changes"][0]["table"]["told_by"], "rows");
    assert_eq!(told[0]["changes"][5]["from"], "img/sub/d.jpg");
    place.run("git mldata add -q img data/penguins.csv && git mldata diff --exit-code").ok().prints("");
}

#[test]
fn a_directory_that_moved_is_one_line_and_many_files_are_counted() {
    let place = penguins();
    place.run("git mldata add -q img && git commit -qm second && git mldata mv img pics").ok();
    place.run("git mldata diff --cached").ok().prints(&format!(
        "HEAD ({}) -> index\n\
         1 of 2 paths differs  files 4 renamed\n\
         renamed  pics/  15 B  4 files  from img\n",
        &place.run("git rev-parse HEAD").ok().stdout()[..8]
    ));
    for number in 10..40 {
        place.write(&format!("pics/more/{number}.jpg"), number.to_string());
    }
    place
        .run("git mldata diff pics")
        .ok()
        .shows("files +30\n")
        .shows("added    pics/more/19.jpg  2 B\n")
        .shows("added    and 20 files more below pics  40 B\n")
        .lacks("20.jpg");
    place.run("git mldata diff --stat").ok().shows("39.jpg");
}

#[test]
fn private_columns_are_counted_and_never_shown() {
    let place = Sandbox::new().data_repository("repo");
    let open = place.text("ml.toml");
    let closed = format!("{open}\n[table.\"*.csv\"]\nkey = [\"id\"]\nprivate = [\"email\"]\n");
    place.write("ml.toml", &closed);
    place.write("people.csv", "id,email,age\n1,a@x,30\n2,b@x,31\n3,c@x,32\n");
    place.run("git mldata add -q people.csv && git add . && git commit -qm first").ok();
    place.write("people.csv", "id,email,age\n1,a@y,30\n2,b@x,41\n4,d@x,33\n");
    place
        .run("git mldata diff")
        .ok()
        .lacks("@")
        .shows("  rows +1 -1 ~2 (3)  key id (declared)\n")
        .shows("  cells  email ~1  age ~1\n")
        .shows("  ~ id=1  email: (private)\n")
        .shows("  + id=4  email: (private)  age: 33\n");
    place.run("git mldata diff --json").ok().lacks("@");
    // A change that makes the column public does not show it in its own diff.
    place.write("ml.toml", &open);
    place.run("git mldata diff HEAD").ok().lacks("@").shows("(private)");
    place.run("git mldata add -q people.csv && git add . && git commit -qm second").ok();
    place.run("git mldata diff HEAD~1 HEAD").ok().lacks("@").shows("(private)");
    place.write("ml.toml", "version = \n");
    place.run("git mldata diff HEAD~1 HEAD").fails(128).lacks("@");
}

#[test]
fn what_a_table_says_cannot_give_orders_to_the_terminal() {
    let place = Sandbox::new().data_repository("repo");
    place.write("odd\u{1b}[2J.csv", "h,\"we\u{1b}ird\"\n1,a\n2,b\n");
    place.run("git mldata add -q *.csv && git commit -qm odd").ok();
    place.write("odd\u{1b}[2J.csv", "h,\"we\u{1b}ird\"\n1,x\u{1b}]0;t\u{7}\n2,\n");
    place
        .run("git mldata diff")
        .ok()
        .lacks("\u{1b}")
        .lacks("\u{7}")
        .shows("odd\\u{1b}[2J.csv")
        .shows("  ~ h=1  we\\u{1b}ird: a -> x\\u{1b}]0;t\\u{7}\n")
        .shows("  ! we\\u{1b}ird without a value: 0.0% -> 50.0%\n");
}

#[test]
fn tables_are_told_by_their_meaning() {
    let place = Sandbox::new().data_repository("repo");
    let tables = [
        ("order.csv", "id,v\n1,1\n2,2\n", "id,v\n2,2\n1,1\n"),
        ("quotes.csv", "id,v\n1,1\n2,2\n", "\"id\",\"v\"\r\n1,1\r\n2,2\r\n"),
        ("types.csv", "id,age\n1,30\n2,31\n", "id,age\n1,30\n2,old\n"),
        ("nokey.csv", "x\n1\n2\n1\n", "x\n1\n3\n"),
        ("torn.csv", "id,v\n1,1\n", "id,v\n1,1,1\n"),
        ("twice.csv", "id,v\n1,1\n1,2\n", "id,v\n1,1\n1,3\n"),
    ];
    for (name, before, _) in tables {
        place.write(name, before);
    }
    place.run("git mldata add -q *.csv && git commit -qm first").ok();
    for (name, _, after) in tables {
        place.write(name, after);
    }
    place.write("ml.toml", place.text("ml.toml") + "\n[table.\"twice.csv\"]\nkey = [\"id\"]\n");
    place
        .run("git mldata diff")
        .ok()
        .shows("order.csv   13 B\n  the same values, rows in another order\n")
        .shows("\n  the same values, written differently\n")
        .shows("  rows ~1 (2)  age int64 -> utf8  key id (found)\n")
        .shows("  rows +1 -2 (3 -> 2)  no key: a changed row is one gone and one new\n  - row 2  x: 2\n")
        .shows("  ! the rows of the newer version cannot be read: line 2: 3 cells, where the\n    first line has 2\n")
        .shows("  ! keys that stand more than once: before 1 key in 2 rows, now 1 key in 2 rows\n");
}

#[test]
fn what_is_not_here_is_told_by_pointers_and_can_be_fetched() {
    let place = penguins();
    place
        .run("mkdir ../bucket && git mldata remote add main ../bucket && git add . && git commit -qm remote")
        .ok();
    place.run("git mldata add -q data/penguins.csv img && git commit -qm second && git mldata push -q").ok();
    let first = &place.run("git rev-parse --short=8 HEAD~1").ok().stdout()[..8].to_owned();
    place.run("cp -r .git/ml ../kept && rm -rf .git/ml").ok();
    place
        .run("git mldata diff HEAD~1")
        .ok()
        .shows(&format!("HEAD~1 ({first}) -> work tree\n2 of 2 paths differ  files ~1  2 not here\n"))
        .shows("changed  data/penguins.csv  11 kB -> 16 kB  not here\n  rows 220 -> 342  bill_length_mm (nulls 1 -> 0)")
        .shows("changed  img/               15 B  4 files  not here\n")
        .tells("hint: git mldata fetch --at HEAD~1 ")
        .tells("hint: git mldata fetch  ");
    place.run("git mldata fetch --at HEAD~1 && git mldata fetch img").ok();
    place.run("git mldata diff HEAD~1").ok().shows(PENGUINS).shows("added    img/e.jpg").says("");
}

#[test]
fn absent_data_is_not_deleted_data_and_older_data_is_told_as_such() {
    let place = penguins();
    place.run("git mldata add -q data/penguins.csv img && git commit -qm second").ok();
    place
        .run("mv data/penguins.csv img .. && git mldata diff --exit-code && git mldata diff HEAD")
        .ok()
        .prints("");
    place.run("mv ../penguins.csv data/ && mv ../img . && git mldata diff").ok().prints("");
    // Only the pointers go back: the data stays what it was, and is newer than they say.
    place.run("git -c core.hooksPath=/nowhere checkout -q HEAD~1").ok();
    place
        .run("git mldata diff")
        .ok()
        .shows(PENGUINS)
        .tells("warning: 'data/penguins.csv' in the work tree is of another version than its pointer names\n")
        .tells("hint: git mldata checkout data/penguins.csv ");
}

#[test]
fn a_pointer_that_cannot_be_used_hides_nothing_else() {
    let place = penguins();
    place.write("img.mld", "<<<<<<< ours\nversion = 1\n=======\n>>>>>>> theirs\n");
    place
        .run("git mldata diff")
        .fails(128)
        .shows(PENGUINS)
        .lacks("removed  img")
        .tells("error: the pointer 'img.mld' cannot be used\ncause: ");
}
