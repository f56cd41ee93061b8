//! The local store: what was synced stays, whatever happens; what was not promised may go.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{io, thread};

use git_ml::base::{Advice, Digest};
use git_ml::objects::pack::{HEADER_LEN, TRAILER_LEN};
use git_ml::objects::{ItemKind, PackFooter, SessionId};
use git_ml::storage::store::{Kept, Store, StoreError, StoreWriter};

/// Item number `number`: 1 to 64 KiB that do not compress.
fn item(number: u32) -> Vec<u8> {
    let length = 1000 + (number as usize * 7919) % 64_000;
    let mut state = u64::from(number) * 2 + 1;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..length).map(step).collect()
}

fn id(number: u32) -> Digest {
    Digest::of(&item(number))
}

fn put(writer: &StoreWriter, number: u32) -> Kept {
    let item = item(number);
    writer.put(Digest::of(&item), ItemKind::Chunk, &item).unwrap()
}

fn add(path: &Path, numbers: impl IntoIterator<Item = u32>) {
    let writer = Store::open(path).writer();
    for number in numbers {
        put(&writer, number);
    }
    writer.sync().unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_is_put_is_read_back_by_anyone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("ml"));
    assert!(!store.contains(&id(1)) && store.find(&id(1)).unwrap().is_none());
    assert!(!folder.path().join("ml").exists(), "a look-up writes nothing");
    let writer = store.writer();
    let text = b"penguins ".repeat(1000);
    let node = ItemKind::Tree.id_of(&text);
    assert!(matches!(put(&writer, 1), Kept::New { .. }));
    assert!(matches!(writer.put(node, ItemKind::Tree, &text).unwrap(), Kept::New { stored } if stored < 200));
    assert_eq!(put(&writer, 1), Kept::Known);
    assert_eq!(store.read(&id(1)).unwrap(), item(1), "before the sync, by this process");
    writer.sync().unwrap();
    let other = Store::open(store.path());
    assert_eq!(other.read(&id(1)).unwrap(), item(1));
    assert_eq!(other.read(&node).unwrap(), text);
    assert_eq!(other.find(&node).unwrap().unwrap().kind, ItemKind::Tree);
    assert_eq!(other.read_stored(&node).unwrap().open(&node).unwrap(), text);
    assert!(matches!(other.read(&id(2)), Err(StoreError::Missing { .. })));
}

#[test]
fn a_hundred_commands_fill_one_pack() {
    let folder = tempfile::tempdir().unwrap();
    (0..100).for_each(|number| add(folder.path(), [number]));
    // One, or two: while another test starts a process, that has copies of the locks of this one for a moment.
    assert!(files(&folder.path().join("open")).len() <= 4, "{:?}", files(folder.path()));
    let store = Store::open(folder.path());
    assert!((0..100).all(|number| store.read(&id(number)).unwrap() == item(number)));
}

#[test]
fn full_packs_are_sealed_in_the_final_format() {
    let folder = tempfile::tempdir().unwrap();
    let (store, count) = (Store::open(folder.path()), 4500);
    // Begun by one command, filled by the next one.
    add(folder.path(), 0..5);
    let writer = store.writer();
    thread::scope(|scope| {
        let writer = &writer;
        for part in 0..4 {
            scope.spawn(move || {
                for number in (part..count).step_by(4) {
                    put(writer, number);
                }
            });
        }
    });
    assert!((0..count).step_by(97).all(|number| store.read(&id(number)).unwrap() == item(number)));
    writer.sync().unwrap();
    drop(writer);
    let packs = files(&folder.path().join("packs"));
    assert_eq!(packs.len(), 2, "{packs:?}");
    for path in packs {
        let bytes = fs::read(&path).unwrap();
        let footer_len =
            u32::from_le_bytes(*bytes[bytes.len() - TRAILER_LEN..].first_chunk().unwrap()) as usize;
        let start = bytes.len() - TRAILER_LEN - footer_len;
        let footer = PackFooter::decode(&bytes[start..bytes.len() - TRAILER_LEN]).unwrap();
        assert_eq!(footer.id().to_string(), path.file_name().unwrap().to_str().unwrap());
        assert_eq!(footer.data_hash, Digest::of(&bytes[..HEADER_LEN]));
        assert_eq!(footer.session, SessionId::default());
        assert!(bytes.len() > 63 << 20 && start > HEADER_LEN);
    }
    assert_eq!(files(&folder.path().join("open")).len(), 2);
    for store in [store, Store::open(folder.path())] {
        assert!((0..count).step_by(31).all(|number| store.read(&id(number)).unwrap() == item(number)));
    }
}

#[test]
fn a_torn_table_and_a_torn_pack_are_cut_to_what_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), 0..10);
    let is = |path: &&PathBuf, kind: &str| path.extension().is_some_and(|extension| extension == kind);
    let all = files(folder.path());
    let (table, pack) =
        (all.iter().find(|p| is(p, "table")).unwrap(), all.iter().find(|p| is(p, "pack")).unwrap());
    let append = |path: &Path, bytes: &[u8]| {
        io::Write::write_all(&mut OpenOptions::new().append(true).open(path).unwrap(), bytes).unwrap();
    };
    // A kill in the middle of an append: half a record, and bytes that no record names.
    append(table, &[0; 30]);
    append(pack, b"half an item");
    add(folder.path(), 10..12);
    // A power cut: the last record is there, but not all of its bytes.
    let length = fs::metadata(pack).unwrap().len();
    OpenOptions::new().write(true).open(pack).unwrap().set_len(length - 1).unwrap();
    let store = Store::open(folder.path());
    assert!((0..11).all(|number| store.read(&id(number)).unwrap() == item(number)));
    assert!(matches!(store.read(&id(11)), Err(StoreError::Missing { .. })));
    add(folder.path(), 11..13);
    let store = Store::open(folder.path());
    assert!((0..13).all(|number| store.read(&id(number)).unwrap() == item(number)));
    assert_eq!(files(&folder.path().join("open")).len(), 2);
}

#[test]
fn a_kill_right_after_sealing_leaves_a_table_that_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), 0..3);
    let pack =
        files(folder.path()).into_iter().find(|path| path.extension().is_some_and(|e| e == "pack")).unwrap();
    fs::rename(&pack, folder.path().join("elsewhere")).unwrap();
    assert!(!Store::open(folder.path()).contains(&id(0)));
    add(folder.path(), 3..5);
    assert_eq!(files(&folder.path().join("open")).len(), 2);
    assert!((3..5).all(|number| Store::open(folder.path()).read(&id(number)).unwrap() == item(number)));
}

#[test]
fn a_flipped_bit_is_noticed_and_the_pack_is_named() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), 0..3);
    let pack =
        files(folder.path()).into_iter().find(|path| path.extension().is_some_and(|e| e == "pack")).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    bytes[HEADER_LEN + 10] ^= 1;
    io::Write::write_all(&mut File::create(&pack).unwrap(), &bytes).unwrap();
    let error = Store::open(folder.path()).read(&id(0)).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(pack.to_str().unwrap()), "{error}");
    assert!(!error.hints().is_empty());
    assert_eq!(Store::open(folder.path()).read(&id(1)).unwrap(), item(1));
}

#[test]
fn what_is_no_item_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Store::open(folder.path()).writer();
    let long = vec![0; 200 << 10];
    for (kind, raw) in [(ItemKind::Chunk, &b""[..]), (ItemKind::Chunk, &long)] {
        assert!(matches!(writer.put(Digest::of(raw), kind, raw), Err(StoreError::BadItem { .. })));
    }
    put(&writer, 1);
    writer.sync().unwrap();
}

#[test]
fn a_reader_follows_while_another_process_appends_and_seals() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), 0..1);
    let reader = Store::open(folder.path());
    assert_eq!(reader.read(&id(0)).unwrap(), item(0));
    let mut child = child("child_adds", folder.path(), "1 2600 100");
    let mut read = 0;
    while child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(20));
        while let Ok(bytes) = reader.read(&id(read)) {
            assert_eq!(bytes, item(read));
            read += 1;
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(
        (0..2600).all(|number| reader.read(&id(number)).unwrap() == item(number)),
        "{read} read meanwhile"
    );
    assert!(!files(&folder.path().join("packs")).is_empty());
}

#[test]
fn processes_that_write_at_once_never_share_an_open_pack() {
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..4)
        .map(|n| child("child_adds", folder.path(), &format!("{} {} 10", n * 100, n * 100 + 150)))
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let store = Store::open(folder.path());
    assert!((0..450).all(|number| store.read(&id(number)).unwrap() == item(number)));
    assert!(files(&folder.path().join("open")).len() <= 8);
}

#[test]
fn a_kill_loses_nothing_that_was_synced() {
    let folder = tempfile::tempdir().unwrap();
    let mut all_safe = 0;
    for round in 0..6 {
        let range = format!("{} {} 1", round * 1000, round * 1000 + 1000);
        let mut child = child("child_adds", folder.path(), &range);
        thread::sleep(Duration::from_millis(40 + 37 * round));
        child.kill().unwrap();
        let mut told = String::new();
        io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut told).unwrap();
        child.wait().unwrap();
        let safe: Vec<u32> =
            told.lines().filter_map(|line| line.strip_prefix("safe ")?.parse().ok()).collect();
        all_safe += safe.len();
        let store = Store::open(folder.path());
        assert!(safe.iter().all(|number| store.read(&id(*number)).unwrap() == item(*number)), "{told}");
    }
    assert!(all_safe > 0);
    assert_eq!(files(&folder.path().join("open")).len(), 2);
}

/// This program again, as a process of its own that does `task` in `folder`.
fn child(task: &str, folder: &Path, range: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("store::{task}"), "--ignored", "--nocapture"])
        .env("GIT_ML_TEST_FOLDER", folder)
        .env("GIT_ML_TEST_RANGE", range)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "run by the tests above in a process of its own"]
fn child_adds() {
    let range = std::env::var("GIT_ML_TEST_RANGE").unwrap();
    let range: Vec<u32> = range.split(' ').map(|number| number.parse().unwrap()).collect();
    let writer = Store::open(std::env::var("GIT_ML_TEST_FOLDER").unwrap()).writer();
    let mut new = Vec::new();
    for number in range[0]..range[1] {
        put(&writer, number);
        new.push(number);
        if new.len() as u32 >= range[2] {
            writer.sync().unwrap();
            new.drain(..).for_each(|number| println!("safe {number}"));
        }
    }
    writer.sync().unwrap();
}
