//! What every remote does alike.

use std::fs;
use std::thread;

use git_ml::storage::remote::{Remote, RemoteErrorKind};

use crate::places::{every_kind, open};

fn for_every_kind(check: fn(&Remote)) {
    for place in every_kind() {
        println!("{:?}", place.remote);
        check(&place.remote);
    }
}

#[test]
fn what_is_put_is_got_back() {
    for_every_kind(|remote| {
        remote.check().unwrap();
        remote.put("packs/ab/abcd", b"penguins".to_vec()).unwrap();
        assert_eq!(remote.get("packs/ab/abcd").unwrap(), b"penguins");
        assert_eq!(remote.get_range("packs/ab/abcd", 3, 4).unwrap(), b"guin");
        assert_eq!(remote.get_range("packs/ab/abcd", 3, 0).unwrap(), b"");
        remote.put_once_without_retry("packs/ab/abcd", b"penguins".to_vec()).unwrap();
        assert_eq!(remote.get("packs/ab/abcd").unwrap(), b"penguins");
    });
}

#[test]
fn a_pack_of_full_size_goes_through() {
    for_every_kind(|remote| {
        let pack: Vec<u8> =
            (0..64_u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        remote.put("packs/00/large", pack.clone()).unwrap();
        assert!(remote.get("packs/00/large").unwrap() == pack);
        let last = remote.get_range("packs/00/large", pack.len() as u64 - 7, 7).unwrap();
        assert_eq!(last, pack[pack.len() - 7..]);
    });
}

#[test]
fn what_is_not_there_is_told_as_such() {
    for_every_kind(|remote| {
        assert_eq!(remote.get("gc/none").unwrap_err().kind(), RemoteErrorKind::NotFound);
        assert_eq!(remote.get_range("gc/none", 0, 5).unwrap_err().kind(), RemoteErrorKind::NotFound);
        assert_eq!(remote.stat("gc/none").unwrap(), None);
        assert_eq!(remote.list("gc").unwrap(), []);
        remote.delete("gc/none").unwrap();
    });
}

#[test]
fn a_range_past_the_end_is_an_error_and_not_a_short_answer() {
    for_every_kind(|remote| {
        remote.put("index/1", vec![1; 10]).unwrap();
        for (offset, length) in [(5, 6), (10, 1), (100, 1)] {
            let error = remote.get_range("index/1", offset, length).unwrap_err();
            assert_eq!(error.kind(), RemoteErrorKind::WrongSize, "{offset}+{length}: {error}");
        }
    });
}

#[test]
fn listings_are_complete_with_sizes_and_without_temporaries() {
    for_every_kind(|remote| {
        for number in 0..30_usize {
            remote.put(&format!("packs/{:02}/{number}", number % 3), vec![0; number]).unwrap();
        }
        remote.put("packsets/x", vec![0]).unwrap();
        let mut packs = remote.list("packs").unwrap();
        packs.sort_by_key(|object| object.size);
        assert_eq!(packs.len(), 30);
        for (number, object) in packs.iter().enumerate() {
            assert_eq!(
                (object.name.clone(), object.size),
                (format!("packs/{:02}/{number}", number % 3), number as u64)
            );
            assert!(object.modified.is_some() || remote.address() == "memory");
        }
        assert_eq!(remote.list("").unwrap().len(), 31);
        assert_eq!(remote.stat("packs/01/7").unwrap().map(|object| object.size), Some(7));
        remote.delete("packs/01/7").unwrap();
        assert_eq!(remote.list("packs/01").unwrap().len(), 9);
    });
}

#[test]
fn many_threads_may_use_one_remote() {
    for_every_kind(|remote| {
        thread::scope(|scope| {
            for thread in 0..8 {
                let write = move || {
                    (0..8).for_each(|n| {
                        drop(remote.put(&format!("claims/{thread}/{n}"), vec![n; 100]).unwrap())
                    })
                };
                scope.spawn(write);
            }
        });
        assert_eq!(remote.list("claims").unwrap().len(), 64);
        assert_eq!(remote.unfinished().unwrap(), [], "what was written aside is whole and has its name");
    });
}

#[test]
fn a_folder_is_created_below_one_that_exists_and_refused_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = |below: &str| folder.path().join(below).display().to_string();
    open(&path("new"), &[]).unwrap().check().unwrap();
    assert!(folder.path().join("new").is_dir());
    let error = open(&path("not/there"), &[]).unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::NoRemote);
    assert!(!folder.path().join("not").exists());
    fs::File::create(folder.path().join("file")).unwrap();
    assert_eq!(open(&path("file"), &[]).unwrap_err().kind(), RemoteErrorKind::NoRemote);
}

#[test]
fn no_name_leaves_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let remote = open(&folder.path().join("remote").display().to_string(), &[]).unwrap();
    for name in ["../x", "packs/../../x", "/x", ""] {
        assert!(remote.put(name, vec![1]).is_err(), "{name}");
        assert!(remote.get(name).is_err(), "{name}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_says_whose_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let remote = open(&folder.path().display().to_string(), &[]).unwrap();
    assert!(remote.whoami().to_string().starts_with("folder of "), "{}", remote.whoami());
}
