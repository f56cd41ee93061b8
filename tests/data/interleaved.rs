//! Pushes and collections in many orders of their calls, over the real code: what is named exists, and success lasts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use git_ml::base::{Digest, Progress, RandomId};
use git_ml::data::RootName;
use git_ml::data::collect_remote::{CollectRemote, collect};
use git_ml::data::transfer::{Knowledge, Push, Wish, push};
use git_ml::objects::{Home, ItemKind, PointerKind, layout};
use git_ml::storage::store::Store;

use crate::team::path;
use crate::world::{Bend, Schedule, Turns, World, run};

/// Where stores and what is known of remotes lie.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
});
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// A store that holds the one chunk that every writer needs.
static STORE: LazyLock<(Store, RootName)> = LazyLock::new(|| {
    let store = Store::open(FOLDER.path().join("store"));
    let chunk = b"the one chunk that every writer needs";
    let id = Digest::of(chunk);
    let writer = store.writer();
    writer.put(id, ItemKind::Chunk, chunk).unwrap();
    writer.sync().unwrap();
    (store, RootName { kind: PointerKind::File, id, manifest: None, size: chunk.len() as u64 })
});

/// What nobody knew before.
fn knowledge() -> Knowledge {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Knowledge::open(FOLDER.path(), &format!("known-{number}"), "memory")
}

/// One writer pushes the chunk for its own repository. Whether it reported success.
pub fn pushes(remote: &git_ml::storage::remote::Remote, repository: RandomId) -> bool {
    let (store, root) = &*STORE;
    let wish =
        Wish { path: path("data"), root: *root, commits: Vec::new(), bases: Vec::new(), only_whole: false };
    let progress = Progress::hidden();
    let home = Home::of(repository, "");
    let going = Push { store, remote, repository, home, dry_run: false, progress: &progress };
    push(&going, &mut knowledge(), &[wish]).is_ok()
}

/// Collects, each time after so many hours more.
pub fn collects(
    world: &World,
    remote: &git_ml::storage::remote::Remote,
    hours: &[u64],
) -> Result<(), String> {
    let progress = Progress::hidden();
    for hours in hours {
        world.advance(*hours);
        let going =
            CollectRemote { remote, dry_run: false, now: None, force_records: &[], progress: &progress };
        collect(&going, &mut knowledge()).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Who is there, and what they do.
#[derive(Clone, Default)]
pub struct Scenario {
    pub writers: usize,
    /// When each collector runs: hours between its runs.
    pub collectors: Vec<Vec<u64>>,
    /// What each agent sees instead of the truth.
    pub bends: Vec<Option<Bend>>,
    /// What the test does with its own hands after all agents have ended.
    pub afterwards: Option<fn(&World)>,
}

/// What one run of a scenario gave.
pub struct Ran {
    pub calls: Vec<usize>,
    pub checked: Result<(), String>,
    pub succeeded: usize,
    pub stopped: Vec<String>,
}

impl Scenario {
    /// A remote with a pack that nobody needs any more; then the agents, in this order of calls; then, for weeks, one
    /// collection after the other.
    pub fn run(&self, schedule: &Schedule) -> Ran {
        let world = World::new();
        assert!(pushes(&world.remote(None, None), RandomId::generate()));
        for folder in [layout::ROOTS, layout::CLAIMS] {
            world.list(folder).iter().for_each(|object| world.raw().delete(&object.name).unwrap());
        }
        world.advance(30);
        let agents = self.writers + self.collectors.len();
        let turns = Turns::new(agents, schedule);
        let repositories: Vec<_> = (0..self.writers).map(|_| RandomId::generate()).collect();
        let remote = |agent: usize| {
            world.remote(Some((Arc::clone(&turns), agent)), self.bends.get(agent).cloned().flatten())
        };
        let mut all: Vec<Box<dyn FnOnce() -> Result<bool, String> + Send + '_>> = Vec::new();
        for (agent, repository) in repositories.iter().enumerate() {
            let remote = remote(agent);
            all.push(Box::new(move || Ok(pushes(&remote, *repository))));
        }
        for (number, hours) in self.collectors.iter().enumerate() {
            let (remote, world) = (remote(self.writers + number), world.clone());
            all.push(Box::new(move || collects(&world, &remote, hours).map(|()| true)));
        }
        let ended = run(&turns, all);
        let succeeded = repositories.iter().zip(&ended).filter(|(_, ended)| **ended == Ok(true));
        let successes: Vec<_> = succeeded.map(|(repository, _)| (*repository, STORE.1.id)).collect();
        let mut stopped: Vec<_> = ended.into_iter().filter_map(Result::err).collect();
        if let Some(afterwards) = &self.afterwards {
            afterwards(&world);
        }
        let mut checked = world.check(&successes);
        for hours in [26, 200, 26, 26] {
            if checked.is_ok() {
                stopped.extend(collects(&world, &world.remote(None, None), &[hours]).err());
                checked = world.check(&successes);
            }
        }
        Ran { calls: turns.calls(), checked, succeeded: successes.len(), stopped }
    }

    /// Runs all schedules. How many; panics at the first that breaks anything.
    fn holds(&self, schedules: impl IntoIterator<Item = Schedule>) -> usize {
        let mut count = 0;
        for schedule in schedules {
            let ran = self.run(&schedule);
            ran.checked.unwrap_or_else(|what| panic!("{schedule:?}: {what}"));
            count += 1;
        }
        count
    }
}

/// Every way to let agent `a` go some calls, then `b` some, then `a` to its end.
pub fn two_switches(a: (usize, usize), b: (usize, usize)) -> Vec<Schedule> {
    let pairs = (0..=a.1).flat_map(|n| (0..=b.1).map(move |m| (n, m)));
    let turns = |(n, m)| vec![(a.0, n), (b.0, m), (a.0, usize::MAX)];
    pairs.map(|pair| Schedule { turns: turns(pair), killed: None }).collect()
}

const MONTH: &[u64] = &[0, 26, 200, 26, 26];

#[test]
fn a_push_beside_a_collection_at_every_pair_of_calls() {
    let scenario = Scenario { writers: 1, collectors: vec![MONTH.to_vec()], ..Scenario::default() };
    let alone = scenario.run(&Schedule::default());
    assert_eq!((alone.succeeded, alone.stopped.clone()), (1, Vec::new()));
    let start = std::time::Instant::now();
    let schedules = two_switches((0, alone.calls[0]), (1, alone.calls[1]));
    let count = scenario.holds(schedules);
    println!("{:?} calls, {count} orders, {:?}", alone.calls, start.elapsed());
}
