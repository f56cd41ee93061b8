//! `git mldata mv`.

use crate::support::Sandbox;

#[test]
fn pointer_data_and_ignore_line_move_together() {
    let place = Sandbox::new().data_repository("repo");
    place.write("data/a.bin", "a");
    place.run("git mldata add data/a.bin && git commit -qm data").ok();
    place.run("git mldata mv data/a.bin b.bin").ok().says("").prints("'data/a.bin' -> 'b.bin'\n");
    assert_eq!(place.text("b.bin"), "a");
    assert!(!place.has("data/a.bin") && !place.has("data/a.bin.mld"));
    place.run("git mldata status b.bin").ok().shows("b.bin  here");
    place.run("git status --short").ok().lacks("??");
    place.write("c.bin", "c");
    place
        .run("git mldata mv b.bin c.bin")
        .fails(128)
        .tells("error: 'c.bin' exists already; nothing was moved");
    place
        .run("git mldata mv nowhere d.bin")
        .fails(128)
        .tells("error: 'nowhere' is not tracked by git mldata");
}
