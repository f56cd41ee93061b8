//! `git mldata status`.

use crate::support::{Place, Sandbox};

fn tracked() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.write("data/train.csv", "id\n1\n2\n");
    place.write("img/1.jpg", "one");
    place.write("img/2.jpg", "two");
    place.run("git mldata add data/train.csv img && git commit -qm data").ok();
    place
}

#[test]
fn without_data_it_says_so() {
    let place = Sandbox::new().data_repository("repo");
    place
        .run("git mldata status")
        .ok()
        .says("")
        .prints("on branch main; no data remote\nno data is tracked yet\n");
}

#[test]
fn every_path_has_its_line_and_the_last_line_tells_what_would_be_lost() {
    let place = tracked();
    place.run("git mldata status").ok().says("").prints(
        "on branch main; no data remote\n\
         \u{20} data/train.csv  here  stored  NOT ON A REMOTE   1 file  2 rows  7 B\n\
         \u{20} img             here  stored  NOT ON A REMOTE  2 files          6 B\n\
         if this disk dies, 13 B that are on no remote are lost (2 paths)\n",
    );
    place.write("data/train.csv", "id\n1\n2\n3\n");
    place
        .run("rm -r img && git mldata status")
        .ok()
        .shows("modified since ")
        .shows("img             not here");
}

/// A prompt may ask at each line. Of many tries one is enough: this machine may have much else to do.
#[test]
fn it_answers_in_the_blink_of_an_eye() {
    let place = tracked();
    let tries = std::iter::repeat_with(|| {
        let start = std::time::Instant::now();
        let ran = place.program("git-mldata").arg("status").output().expect("a program");
        assert!(ran.status.success());
        start.elapsed()
    });
    let fast = tries.take(200).any(|took| took < std::time::Duration::from_millis(20));
    assert!(fast, "git mldata status took 20 ms and more, each of 200 times");
}

#[test]
fn paths_narrow_it_and_a_path_that_is_not_tracked_is_an_error() {
    let place = tracked();
    place.run("git mldata status img").ok().shows("img").lacks("train.csv");
    place.run("cd img && git mldata status .").ok().shows("img").lacks("train.csv");
    place
        .run("git mldata status other.bin")
        .fails(128)
        .tells("error: 'other.bin' is not tracked by git mldata");
}

#[test]
fn the_form_for_scripts_stays() {
    let place = tracked();
    place.run("mv img elsewhere && git mldata status --porcelain").ok().prints(
        ". . - 880d4d0996e208b6832fc98d88a7c1e28f3aca4adac8ae8c89ea458dfe628749 7 data/train.csv\n\
         A . - 42795eae573da854df51e2a22c801cbebd6523cc496b65ff0fe426a5d32c32b1 6 img\n",
    );
}

#[test]
fn odd_names_are_quoted_for_scripts_and_escaped_for_people() {
    let place = Sandbox::new().data_repository("repo");
    place.write("a\"b\u{1b}[2J.bin", "odd");
    place.run("git mldata add *.bin").ok().shows("a\"b\\u{1b}[2J.bin");
    place.run("git mldata status --porcelain=v1").ok().shows(" 3 \"a\\\"b\\033[2J.bin\"\n");
    place.run("git mldata status --porcelain -z").ok().shows(" 3 a\"b\u{1b}[2J.bin\0");
}

#[test]
fn a_pointer_that_cannot_be_used_is_an_error_and_the_others_are_told() {
    let place = tracked();
    place.write("img.mld", "<<<<<<< ours\nversion = 1\n=======\n>>>>>>> theirs\n");
    place
        .run("git mldata status")
        .fails(128)
        .shows("data/train.csv  here")
        .tells("error: the pointer 'img.mld' cannot be used\ncause: ")
        .tells("conflict");
    place.write("img.mld", "version = 99\nkind = \"tree\"\n");
    place.run("git mldata status").fails(128).tells("99");
}

#[test]
fn json_tells_the_same() {
    let place = tracked();
    let status = place.run("git mldata status --json").ok().json();
    assert_eq!(status[0]["paths"][1]["path"], "img");
    assert_eq!(status[0]["paths"][1]["worktree"]["state"], "same");
    assert_eq!(status[0]["loss"]["versions"], 13);
}
