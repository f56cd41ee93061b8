//! `git mldata diff`.

use crate::support::{Place, Sandbox};

const FIRST: &str = "id,species,mass,email\n1,Adelie,3750,a@x\n2,Gentoo,5000,b@x\n3,Gentoo,480,c@x\n";
const SECOND: &str =
    "id,species,mass,email,year\n1,Adelie,3750,a@x,2007\n3,Gentoo,4800,c@y,2007\n4,Chinstrap,3500,d@x,2009\n";

fn two_versions() -> Place {
    let place = Sandbox::new().data_repository("repo");
    let rule = "[table.\"*.csv\"]\nkey = [\"id\"]\nprivate = [\"email\"]\n";
    place.write("ml.toml", place.text("ml.toml") + rule);
    place.write("birds.csv", FIRST);
    place.write("img/1.jpg", "one");
    place.write("img/2.jpg", "two");
    place.write("img/sub/3.jpg", "three");
    place.run("git mldata add -q birds.csv img && git add . && git commit -qm first").ok();
    place.write("birds.csv", SECOND);
    place.write("img/2.jpg", "two!");
    place.write("img/4.jpg", "four");
    place.run("rm img/1.jpg && mkdir img/new && mv img/sub/3.jpg img/new/").ok();
    place
}

#[test]
fn files_and_rows_are_told_and_private_values_are_not() {
    let place = two_versions();
    place.run("git mldata diff").ok().says("").lacks("c@").prints(
        "changed  birds.csv  75 B -> 99 B\n\
         \u{20} rows +1 -1 ~1 (3 -> 3), by key id\n\
         \u{20} columns +year\n\
         \u{20} cells 1 mass, 1 email (private)\n\
         \u{20}   - 2: id=2 species=Gentoo mass=5000 email=(private)\n\
         \u{20}   + 4: id=4 species=Chinstrap mass=3500 email=(private) year=2009\n\
         \u{20}   ~ 3: mass 480 -> 4800 email (private) -> (private)\n\
         removed  img/1.jpg                              3 B\n\
         changed  img/2.jpg                       3 B -> 4 B\n\
         added    img/4.jpg                              4 B\n\
         moved    img/sub/3.jpg -> img/new/3.jpg         5 B\n\
         2 of 2 paths differ: 1 file added, 1 file removed, 2 files changed, 1 file moved; rows +1 -1 ~1\n",
    );
}

#[test]
fn sides_are_named_as_with_git() {
    let place = two_versions();
    place.run("git mldata add -q birds.csv img && git mldata diff").ok().prints("");
    place.run("git mldata diff --cached --stat").ok().shows("changed  birds.csv").lacks("rows +");
    place.run("git commit -qm second && git mldata diff --exit-code").ok().prints("");
    for sides in ["HEAD~1", "HEAD~1 HEAD", "HEAD~1..", "HEAD~1...HEAD", "HEAD~1 -- img birds.csv"] {
        place
            .run(&format!("git mldata diff --exit-code {sides}"))
            .fails(1)
            .shows("rows +1 -1 ~1")
            .shows("img/4.jpg");
    }
    place
        .run("git mldata diff HEAD~1 img/4.jpg")
        .ok()
        .shows("img/4.jpg")
        .lacks("birds.csv")
        .lacks("img/2.jpg");
    place
        .run("git mldata diff HEAD~1 -- nowhere")
        .fails(128)
        .tells("error: there is no data at 'nowhere' on either side\n");
    place.run("git mldata diff nowhere..HEAD").fails(128).tells("nowhere");
    let told = place.run("git mldata diff --json HEAD~1 HEAD").ok().json();
    assert_eq!(told[0]["totals"]["rows"]["changed"], 1);
    assert_eq!(told[0]["changes"][0]["path"], "birds.csv");
}

#[test]
fn what_is_not_here_is_said_and_what_pointers_tell_is_told() {
    let place = two_versions();
    place
        .run("git mldata add -q birds.csv img && git commit -qm second && rm -rf .git/ml img birds.csv")
        .ok();
    place
        .run("git mldata diff HEAD~1 HEAD")
        .ok()
        .shows("changed  birds.csv")
        .shows("neither version is here: no more can be told")
        .shows("columns +year")
        .tells("hint: git mldata fetch ");
}
