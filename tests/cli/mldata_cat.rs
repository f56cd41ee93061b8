//! `git mldata cat`.

use crate::support::{Place, Sandbox};

fn tracked() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.write("img/cats/1.jpg", "old cat");
    place.run("git mldata add img && git commit -qm old").ok();
    place.write("img/cats/1.jpg", "new cat");
    place.run("git mldata add img && git commit -qm new").ok();
    place
}

#[test]
fn a_file_is_printed_as_it_is_now_and_as_it_was() {
    let place = tracked();
    place.run("git mldata cat img/cats/1.jpg").ok().says("").prints("new cat");
    place.run("git mldata cat HEAD~1:img/cats/1.jpg").ok().prints("old cat");
    place
        .run("cd img && git mldata cat cats/1.jpg && git mldata cat HEAD~1:./cats/1.jpg")
        .ok()
        .prints("new catold cat");
}

#[test]
fn what_is_no_file_is_an_error() {
    let place = tracked();
    place.run("git mldata cat img").fails(128).prints("").tells("error: 'img' is a directory\n");
    place.run("git mldata cat img/dogs").fails(128).tells("error: there is no data at 'img/dogs'");
    place.run("git mldata cat nowhere:img/cats/1.jpg").fails(128).tells("nowhere");
}

#[test]
fn a_range_is_printed_alone() {
    let place = Sandbox::new().data_repository("repo");
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(|at| at.to_le_bytes()).collect();
    place.write("big.bin", &bytes);
    place.run("git mldata add big.bin && git commit -qm data && git rm -q big.bin.mld").ok();
    for (range, wanted) in
        [("0-0", 0..1), ("70000-199999", 70_000..200_000), ("1199990-", 1_199_990..1_200_000)]
    {
        place.run(&format!("git mldata cat HEAD:big.bin --range {range} > part")).ok();
        assert!(place.read("part") == bytes[wanted], "{range}");
    }
    place.run("git mldata cat HEAD:big.bin --range 1199999-9999999 | wc -c").ok().prints("1\n");
    place.run("git mldata cat HEAD:big.bin --range 1200000-").fails(129).tells("has 1200000 bytes");
    for wrong in ["5-4", "x-1", "-1", "7"] {
        place.run(&format!("git mldata cat HEAD:big.bin --range={wrong}")).fails(129).tells("--range");
    }
    place
        .run("rm -r .git/ml && git mldata cat HEAD:big.bin")
        .fails(128)
        .tells("git mldata fetch --at HEAD big.bin");
}

#[test]
fn a_closed_pipe_is_quiet() {
    let place = Sandbox::new().data_repository("repo");
    place.write("big.bin", vec![b'x'; 3_000_000]);
    place.run("git mldata add big.bin").ok();
    place
        .run("{ git mldata cat big.bin; echo code $? >&2; } | head -c 3")
        .ok()
        .prints("xxx")
        .says("code 141\n");
}
