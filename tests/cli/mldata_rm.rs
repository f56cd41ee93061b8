//! `git mldata rm`.

use crate::support::Sandbox;

#[test]
fn pointer_ignore_line_and_data_go_together() {
    let place = Sandbox::new().data_repository("repo");
    place.write("a.bin", "a");
    place.write("b.bin", "b");
    place.write("img/1.jpg", "one");
    place.write("img/2.jpg", "two");
    place.run("git mldata add a.bin b.bin img && git commit -qm data").ok();
    place.run("git mldata rm -n a.bin").ok().says("").prints("rm 'a.bin'\n");
    assert!(place.has("a.bin") && place.has("a.bin.mld"));
    place.run("git mldata rm a.bin").ok().says("").prints("rm 'a.bin'\n");
    assert!(!place.has("a.bin") && !place.has("a.bin.mld"));
    place.run("git mldata rm --cached b.bin").ok().prints("rm 'b.bin' (the data stays where it is)\n");
    place.run("git status --short").ok().prints("M  .gitignore\nD  a.bin.mld\nD  b.bin.mld\n?? b.bin\n");
    place.run("git mldata rm img/1.jpg").ok();
    place.run("git mldata ls -r img").ok().prints("3 B  img/2.jpg\n");
}

#[test]
fn modified_data_is_not_removed_without_force() {
    let place = Sandbox::new().data_repository("repo");
    place.write("a.bin", "a");
    place.run("git mldata add a.bin").ok();
    place.write("a.bin", "edited");
    place.run("git mldata rm a.bin").fails(128).tells("error: 'a.bin' is modified").tells("hint: ");
    assert_eq!(place.text("a.bin"), "edited");
    place.run("git mldata rm --force a.bin").ok();
    place.run("git mldata rm nowhere").fails(128).tells("error: 'nowhere' is not tracked by git mldata");
}
