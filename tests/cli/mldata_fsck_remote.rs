//! `git mldata fsck --remote`, over a folder.

use crate::support::Sandbox;

#[test]
fn damage_is_named_with_commits_and_files_and_healed() {
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("repo");
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote").ok();
    for (file, text) in [("data/a", "one"), ("data/b", "two")] {
        place.write(file, text);
        place.run("git mldata add -q data && git commit -qm data && git mldata push -q").ok();
    }
    place
        .run("git mldata fsck --remote main")
        .ok()
        .shows("'main' is whole: 2 pushed versions in 2 packs (sizes");
    let whole = place.run("git mldata fsck --remote main --read-data").ok();
    whole.shows("'main' is whole: 2 pushed versions in 2 packs (2 packs read, ");
    place.run("git mldata fsck --remote main --read-data=1%").ok().shows("(1 pack read, ");
    place.run("rm $(ls -t $(find ../bucket/packs -type f) | head -1)").ok();
    place
        .run("git mldata fsck --remote main")
        .fails(1)
        .shows("missing: pack ")
        .shows(", needed by 1 version\nhurt: data at ")
        .shows("  of commit ")
        .shows("  in b\n")
        .shows("'main' is NOT whole: ")
        .says("hint: git mldata fsck --remote main --repair      sends anew what this store has\n");
    place.run("git clone -q . ../clone").ok();
    let clone = sandbox.folder("clone");
    clone.run("git mldata fsck --remote main --repair").fails(1).tells("hint: ");
    place
        .run("git mldata fsck --remote main --repair")
        .ok()
        .shows("sent anew: data at ")
        .shows("'main' is whole: ");
    place.run("git mldata fsck --remote main --read-data --json").ok().shows("\"damage\":[]");
    clone.run("git mldata pull -q && cat data/a data/b").ok().prints("onetwo");
    place.run("git mldata fsck --remote main --read-data=101%").fails(129).tells("from 1% to 100%");
}
