//! `git mldata ls`.

use crate::support::Sandbox;

#[test]
fn tracked_paths_and_what_they_hold_are_listed() {
    let place = Sandbox::new().data_repository("repo");
    place.write("img/cats/1.jpg", "cat");
    place.write("img/2.jpg", "two!");
    place.write("train.csv", "a\n1\n");
    place.run("git mldata add img train.csv && git commit -qm data && rm -r img").ok();
    place.run("git mldata ls").ok().says("").prints("7 B  img/       2 files\n4 B  train.csv\n");
    place.run("git mldata ls img").ok().prints("4 B  img/2.jpg\n3 B  img/cats/  1 file\n");
    place.run("git mldata ls -r HEAD:img").ok().prints("4 B  img/2.jpg\n3 B  img/cats/1.jpg\n");
    assert_eq!(place.run("git mldata ls --json train.csv").ok().json()[0]["kind"], "file");
    place.run("git mldata ls --ids train.csv").ok().shows("  train.csv\n");
    place.run("mkdir -p empty && cd empty && git mldata ls").ok().prints("").says("");
    place.run("cd empty && git mldata ls ../img").ok().shows("img/2.jpg");
    place.run("git mldata ls nowhere").fails(128).prints("").tells("error: there is no data at 'nowhere'");
}
