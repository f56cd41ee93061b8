//! `git mldata du`.

use super::mldata_gc::noise;
use crate::support::Sandbox;

#[test]
fn what_versions_share_is_counted_once() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata du").ok().shows("no data is tracked yet");
    place.write("a.bin", noise(1, 600_000));
    place.run("git mldata add -q a.bin && git commit -qm one").ok();
    place.write("a.bin", [noise(1, 600_000), noise(2, 50_000)].concat());
    place.write("b/copy.bin", noise(1, 600_000));
    place.run("git mldata add -q a.bin b && git commit -qm two").ok();
    let told = place.run("git mldata du --json").ok().json();
    let paths = told[0]["paths"].as_array().unwrap();
    let number = |value: &serde_json::Value, key: &str| value[key].as_u64().unwrap();
    assert_eq!((paths.len(), number(&paths[0], "logical")), (2, 1_250_000));
    assert_eq!(paths[0]["versions"].as_array().unwrap().len(), 2);
    let (newest, oldest) = (&paths[0]["versions"][0], &paths[0]["versions"][1]);
    assert_eq!((&newest["current"], number(newest, "logical")), (&true.into(), 650_000));
    assert!((600_000..700_000).contains(&number(newest, "stored")), "{newest}");
    assert!((50_000..200_000).contains(&number(newest, "unique")), "{newest}");
    assert!(number(oldest, "unique") < 5_000, "all of it is in the other versions, too: {oldest}");
    assert!(number(&paths[1], "unique") < 5_000 && number(&paths[1], "stored") > 600_000, "{}", paths[1]);
    let all = number(&paths[0], "stored") + number(&paths[1], "unique");
    assert!(all <= number(&told[0], "pack_bytes"), "{told:?}");
    place.run("git mldata du -s b").ok().shows("b ").lacks("a.bin").shows("the store has ");
    place.run("git mldata du a.bin").ok().shows("current").shows("650 kB");
    place.run("git mldata du nothing").fails(128);
}
