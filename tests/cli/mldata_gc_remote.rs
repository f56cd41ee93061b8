//! `git mldata gc --remote`, over a folder.

use crate::support::{Place, Sandbox};

/// A repository with a pushed version.
fn pushed() -> (Sandbox, Place) {
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("repo");
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote").ok();
    place.write("data/a.bin", "one");
    place.run("git mldata add -q data/a.bin && git commit -qm one && git mldata push -q").ok();
    (sandbox, place)
}

/// A collection so many hours from now.
fn gc(hours: u64) -> String {
    format!("git mldata gc --remote main --yes --now $(($(date +%s) + {hours} * 3600))")
}

#[test]
fn what_nobody_needs_is_condemned_and_a_day_later_deleted() {
    let (_sandbox, place) = pushed();
    place.run(&gc(30)).ok().shows("'main' keeps 1 pushed version in 1 pack, ").shows("nothing to remove\n");
    place.run("git mldata gc --remote main --yes").ok().shows("nothing to remove\n");
    place.run("rm -r ../bucket/roots ../bucket/claims ../bucket/gc").ok();
    place.run("echo mine > ../bucket/readme.txt").ok();
    place
        .run("git mldata gc --remote main")
        .ok()
        .shows("'main' keeps 0 pushed versions in 1 pack, ")
        .shows("not ours, left alone: 1 object\n  readme.txt\n")
        .says("hint: git mldata gc --remote main --yes\n");
    let condemned = place.run(&gc(60)).ok().shows("condemned 1 pack, ");
    condemned.shows(": nobody needs them; a run in 24 hours deletes them\n");
    place.run("test $(find ../bucket/packs -type f | wc -l) = 1").ok();
    // By the clock of the remote no time went by since.
    place.run("git mldata gc --remote main --yes").ok().shows("1 pack, ").shows(" are condemned, and wait");
    place.run(&gc(90)).ok().shows("deleted 1 pack, ");
    place
        .run("test $(find ../bucket/packs -type f | wc -l) = 0 && cat ../bucket/readme.txt")
        .ok()
        .prints("mine\n");
    place.run("git mldata push").ok().shows("sent 1 version to 'main': ");
    assert_eq!(place.run(&format!("{} --json", gc(100))).ok().json()[0]["roots"], 1);
}

#[test]
fn what_killed_writers_left_goes_when_no_push_takes_so_long() {
    let (_sandbox, place) = pushed();
    place.run("touch ../bucket/tmp/.tmp-new && touch -d '8 days ago' ../bucket/tmp/.tmp-old").ok();
    let left = "what is left of 1 upload that never ended\n";
    place.run("git mldata gc --remote main").ok().shows(&format!("would remove {left}"));
    place.run("git mldata gc --remote main --yes").ok().shows(&format!("removed {left}"));
    place.run("ls -A ../bucket/tmp").ok().prints(".tmp-new\n");
}

#[test]
fn a_clone_that_nobody_trusted_to_send_removes_nothing_either() {
    let (sandbox, place) = pushed();
    place.run("git clone -q . ../clone").ok();
    let clone = sandbox.folder("clone");
    clone.run("git mldata gc --remote main").ok().shows("'main' keeps 1 pushed version");
    for line in ["git mldata gc --remote main --yes", "git mldata remote forget main --yes"] {
        clone
            .run(line)
            .fails(128)
            .tells(
                "error: 'main' is named by 'ml.toml' alone, and nothing was sent there from this clone yet",
            )
            .tells("hint: git mldata remote trust main");
    }
    clone.run("git mldata remote trust main && git mldata gc --remote main --yes").ok();
}

#[test]
fn a_collection_stops_with_a_name_rather_than_guess() {
    let (_sandbox, place) = pushed();
    place.run(&gc(30)).ok();
    place.run("mv ../bucket/roots ../roots").ok();
    place
        .run(&gc(60))
        .fails(128)
        .tells("error: roots are missing that the newest certificate names and no record forgets: roots/0001")
        .tells("hint: ");
    place.run("mv ../roots ../bucket/roots && mv ../bucket/packs ../packs").ok();
    place.run(&gc(60)).fails(128).tells("error: the pack ").tells(" is missing, which 'roots/0001");
    place.run("mv ../packs ../bucket/packs && echo torn > $(find ../bucket/claims -type f)").ok();
    let torn = place.run(&gc(60)).fails(128).tells("error: cannot understand claims/00000000-");
    torn.tells("--force-record claims/");
    place.run(&format!("{} --force-record $(cd ../bucket && find claims -type f)", gc(60))).ok();
    place.run("sed -i 's/^protocol = 1/protocol = 2/' ../bucket/config").ok();
    place.run(&gc(60)).fails(128).tells("error: the remote '").tells("protocol 2");
    place
        .run("git mldata gc --remote nowhere")
        .fails(128)
        .tells("error: there is no data remote 'nowhere'\n");
}
