//! Users and collectors of the store: never at once, and neither waits for one that is gone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use git_ml::base::{Digest, Progress};
use git_ml::objects::ItemKind;
use git_ml::storage::store::{Kept, Store, StoreError};

fn entries(store: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(store.join("users")).into_iter().flatten();
    found.map(|entry| entry.unwrap().path()).collect()
}

fn packs(store: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(store.join("open")).into_iter().flatten();
    let paths = found.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "pack")).collect()
}

fn age(path: &Path) -> Duration {
    SystemTime::now().duration_since(fs::metadata(path).unwrap().modified().unwrap()).unwrap_or_default()
}

#[test]
fn a_collector_withdraws_from_users_and_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let (store, other) = (Store::open(folder.path()), Store::open(folder.path()));
    let using = store.enter(&Progress::hidden()).unwrap();
    let begun = Instant::now();
    let error = other.exclude().unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10), "it does not wait for long");
    let StoreError::InUse { by } = &error else { panic!("{error}") };
    assert!(by[0].contains(&std::process::id().to_string()), "{error}");
    assert_eq!(entries(folder.path()).len(), 1, "it left nothing behind");
    drop(using);
    assert!(entries(folder.path()).is_empty());
    drop(other.exclude().unwrap());
    assert!(entries(folder.path()).is_empty());
}

#[test]
fn a_user_waits_for_a_collector_and_then_sees_what_went() {
    let folder = tempfile::tempdir().unwrap();
    let item = b"what goes while a user waits";
    let id = Digest::of(item);
    let put = |store: &Store| store.writer().put(id, ItemKind::Chunk, item).unwrap();
    let store = Store::open(folder.path());
    assert!(matches!(put(&store), Kept::New { .. }));
    assert!(store.contains(&id) && store.losses().is_some());
    let stamp = store.losses();
    let collector = Store::open(folder.path());
    let exclusion = collector.exclude().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| put(&store));
        thread::sleep(Duration::from_millis(100));
        assert!(!waiting.is_finished());
        let gone: Vec<_> =
            packs(folder.path()).into_iter().flat_map(|pack| [pack.with_extension("table"), pack]).collect();
        exclusion.remove(&gone).unwrap();
        assert_ne!(store.losses(), stamp);
        drop(exclusion);
        assert!(matches!(waiting.join().unwrap(), Kept::New { .. }), "it relied on what had gone");
    });
    assert_eq!(Store::open(folder.path()).read(&id).unwrap(), item);
}

#[test]
fn two_collectors_and_many_users_never_meet_and_all_come_through() {
    let folder = tempfile::tempdir().unwrap();
    let inside = std::sync::atomic::AtomicI32::new(0);
    let busy = std::sync::atomic::Ordering::SeqCst;
    thread::scope(|scope| {
        for number in 0..4 {
            let (path, inside) = (folder.path(), &inside);
            scope.spawn(move || {
                for _ in 0..30 {
                    let using = Store::open(path).enter(&Progress::hidden()).unwrap();
                    assert!(inside.fetch_add(1, busy) >= 0, "a collector is at work");
                    thread::sleep(Duration::from_micros(200 * number));
                    inside.fetch_sub(1, busy);
                    drop(using);
                    thread::sleep(Duration::from_millis(2));
                }
            });
        }
        for _ in 0..2 {
            let (path, inside) = (folder.path(), &inside);
            scope.spawn(move || {
                let mut times = 0;
                while times < 10 {
                    let Ok(alone) = Store::open(path).exclude() else { continue };
                    assert_eq!(inside.fetch_sub(1000, busy), 0, "somebody is at work");
                    inside.fetch_add(1000, busy);
                    drop(alone);
                    times += 1;
                    thread::sleep(Duration::from_millis(1));
                }
            });
        }
    });
    assert!(entries(folder.path()).is_empty());
}

#[test]
fn who_was_killed_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    // An entry without its lock, of this kernel: its process is gone.
    let using = store.enter(&Progress::hidden()).unwrap();
    let stamp = store.losses();
    let left = entries(folder.path()).pop().unwrap();
    let name = left.file_name().unwrap().to_str().unwrap().to_owned();
    drop(using);
    File::create(&left).unwrap();
    File::create(folder.path().join("users").join(name.replacen("user", "gc", 1))).unwrap();
    drop(Store::open(folder.path()).enter(&Progress::hidden()).unwrap());
    assert_ne!(store.losses(), stamp, "the dead collector may have removed something");
    drop(store.exclude().unwrap());
    assert!(entries(folder.path()).is_empty());
    // One of another host stays, however old it is.
    let elsewhere =
        folder.path().join("users").join("user_00000000000000000000000000000001_7_-_other_-_far.example");
    File::create(&elsewhere).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let error = store.exclude().unwrap_err().to_string();
    assert!(error.contains("process 7 on far.example"), "{error}");
    assert!(elsewhere.exists());
}

#[test]
fn an_entry_that_its_process_did_not_live_to_make_goes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    let using = store.enter(&Progress::hidden()).unwrap();
    let own = entries(folder.path()).pop().unwrap();
    let own = own.file_name().unwrap().to_str().unwrap().to_owned();
    drop(using);
    let hidden = |name: String| folder.path().join("users").join(format!(".tmp-{name}"));
    let number = format!("_{}_", std::process::id());
    // No process has this number.
    let dead = hidden(own.replace(&number, &format!("_{}_", i32::MAX)));
    let ours = hidden(own);
    let elsewhere = hidden("user_00000000000000000000000000000001_7_-_other_-_far.example".into());
    let foreign = hidden("notes".into());
    for path in [&dead, &ours, &elsewhere, &foreign] {
        File::create(path).unwrap();
    }
    drop(store.enter(&Progress::hidden()).unwrap());
    assert!(!dead.exists());
    assert!(ours.exists() && elsewhere.exists() && foreign.exists());
    // And nobody takes any of them for a user.
    drop(store.exclude().unwrap());
}

#[test]
fn what_is_relied_on_anew_is_young_again() {
    let folder = tempfile::tempdir().unwrap();
    let item = b"an item of an old pack";
    let put = || {
        let writer = Store::open(folder.path()).writer();
        let kept = writer.put(Digest::of(item), ItemKind::Chunk, item).unwrap();
        writer.sync().unwrap();
        kept
    };
    assert!(matches!(put(), Kept::New { .. }));
    let pack = packs(folder.path()).pop().unwrap();
    let back = |days: u64| {
        let then = SystemTime::now() - Duration::from_secs(days * 86_400);
        File::options().write(true).open(&pack).unwrap().set_modified(then).unwrap();
    };
    back(3);
    assert!(
        Store::open(folder.path()).contains(&Digest::of(item)) && age(&pack) > Duration::from_secs(86_400)
    );
    assert_eq!(put(), Kept::Known);
    assert!(age(&pack) < Duration::from_secs(60), "{:?}", age(&pack));
}
