//! A push that is stopped, or whose remote fails, before or after any of its calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use git_ml::storage::remote::{Passage, Remote};

use crate::team::{Clone, Team, noise};
use crate::whole;

/// The remote in which the n-th call fails in this way, and all after it are refused: as if the program were killed there.
/// And the number of its calls.
fn killed_at(remote: Remote, n: usize, how: Passage) -> (Remote, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let watch = move |_: &str, _: &str| match count.fetch_add(1, Ordering::Relaxed).cmp(&n) {
        std::cmp::Ordering::Less => Passage::Through,
        std::cmp::Ordering::Equal => how.clone(),
        std::cmp::Ordering::Greater => Passage::Refused,
    };
    (remote.watched(Arc::new(watch)), calls)
}

fn start() -> (Team, Clone) {
    let (team, one) = Team::new();
    one.write("data/a", noise(1, 200_000));
    one.write("data/sub/b", b"b");
    one.add_version("data");
    (team, one)
}

fn second_version(one: &Clone) {
    one.write("data/sub/b", b"second");
    one.write("data/new", noise(2, 100_000));
    one.add_version("data");
}

#[test]
fn at_every_call_of_a_first_and_a_second_push_what_is_named_exists() {
    for (how, second) in
        [(Passage::Refused, false), (Passage::Lost, false), (Passage::Refused, true), (Passage::Lost, true)]
    {
        for n in 0.. {
            let (team, one) = start();
            let url = team.bucket().display().to_string();
            if second {
                one.push();
                second_version(&one);
            }
            let (remote, calls) = killed_at(team.remote(), n, how.clone());
            let pushed = one.push_to(&remote, &url);
            let named = whole::check_all(&team.remote());
            assert!(pushed.is_err() || named > usize::from(second), "success was told at call {n}");
            one.push_to(&team.remote(), &url).unwrap();
            whole::check_all(&team.remote());
            if calls.load(Ordering::Relaxed) <= n {
                assert!(pushed.is_ok() && n > 8, "a push of {n} calls");
                one.git(&["push", "--quiet"]);
                let two = team.clone("two");
                two.pull(&[]);
                assert_eq!(two.contents("data"), one.contents("data"));
                break;
            }
        }
    }
}

#[test]
fn what_is_up_is_not_sent_again() {
    let (team, one) = Team::new();
    // More than one pack, so that a push can stop between them.
    one.write("data/large", noise(7, 150 << 20));
    one.add_version("data");
    let url = team.bucket().display().to_string();
    let packs = AtomicUsize::new(0);
    let stopping = team.remote().watched(Arc::new(move |step: &str, name: &str| {
        // What goes on with the packs that are under way passes: several are sent at once.
        let passes = match (step, name.starts_with("packs/")) {
            ("write", true) => packs.fetch_add(1, Ordering::Relaxed) < 2,
            (_, true) => true,
            (_, false) => packs.load(Ordering::Relaxed) < 2,
        };
        if passes { Passage::Through } else { Passage::Refused }
    }));
    one.push_to(&stopping, &url).unwrap_err();
    let before: u64 = team.objects("packs").values().sum();
    assert!(before > 120 << 20, "{before}");
    let pushed = one.push_to(&team.remote(), &url).unwrap();
    assert!(pushed.bytes < 40 << 20, "{} bytes were sent again", pushed.bytes);
    whole::check_all(&team.remote());
}

#[test]
fn a_fetch_goes_on_where_it_stopped() {
    let (team, one) = start();
    one.push();
    for n in 0.. {
        let two = team.clone(&format!("two-{n}"));
        let workspace = two.workspace();
        let (remote, _) = killed_at(team.remote(), n, Passage::Refused);
        let url = team.bucket().display().to_string();
        let mut knowledge = git_ml::data::transfer::Knowledge::open(workspace.common_dir(), "main", &url);
        let wanted = git_ml::data::transfer::wants(&workspace, &[]).unwrap();
        let progress = git_ml::base::Progress::hidden();
        let (store, repository) = (workspace.store(), two.repository());
        let going = git_ml::data::transfer::Fetch { store, remote: &remote, repository, progress: &progress };
        let fetched = git_ml::data::transfer::fetch(&going, &mut knowledge, &wanted);
        two.pull(&[]);
        assert_eq!(two.contents("data"), one.contents("data"));
        if fetched.is_ok() {
            break;
        }
    }
}
