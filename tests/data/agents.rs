//! The agents of [`crate::interleaved`]: who pushes, forgets and collects, and what lies on the remote before.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use git_ml::base::{Digest, Progress, RandomId};
use git_ml::data::collect_remote::{CollectRemote, collect, remove};
use git_ml::data::transfer::{Fetch, Knowledge, Push, Want, Wish, fetch, push};
use git_ml::data::{Presence, RootName, presence};
use git_ml::objects::{Certificate, GcRecord, Home, ItemKind, PointerKind, RootRecord, layout};
use git_ml::storage::remote::Remote;
use git_ml::storage::store::Store;

use crate::team::{Team, noise, path};
use crate::world::{Agent, Bends, Schedule, Turns, World, run};

/// Four runs a day apart.
pub const DAYS: &[u64] = &[0, 26, 26, 26];
/// Runs over weeks: sessions die.
pub const MONTH: &[u64] = &[0, 26, 200, 26, 26];

/// A store that has what all push, and the place of what they know.
pub struct Stage {
    _team: Team,
    store: Store,
    /// One chunk.
    one: RootName,
    /// So much that the index is asked whether another has it.
    big: RootName,
    known: AtomicUsize,
    /// Where what is known of remotes lies: in memory where there is such a place, for thousands of runs write there.
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let (team, clone) = Team::new();
        clone.write("big", noise(1, 1_300_000));
        clone.add_version("big");
        let big = clone.root("big");
        let store = clone.workspace().store().clone();
        let one = put(&store, b"the one chunk that every writer needs");
        let memory = Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        Self { _team: team, store, one, big, known: AtomicUsize::new(0), folder }
    }

    /// What nobody knew before.
    fn knowledge(&self) -> Knowledge {
        let number = self.known.fetch_add(1, Ordering::Relaxed);
        Knowledge::open(self.folder.path(), &format!("known-{number}"), "memory")
    }

    /// Whether a push reported success.
    fn pushes(&self, remote: &Remote, repository: RandomId, home: &str, root: RootName) -> bool {
        let wish =
            Wish { path: path("data"), root, commits: Vec::new(), bases: Vec::new(), only_whole: false };
        let progress = Progress::hidden();
        let home = Home::of(repository, home);
        let going = Push {
            store: &self.store,
            remote,
            repository,
            home,
            dry_run: false,
            progress: &progress,
            origin: None,
            verify: None,
        };
        push(&going, &mut self.knowledge(), &[wish]).is_ok()
    }

    /// Pulls the version of a record into a store of its own; why not, if not. What is told to be whole is.
    fn pulls(&self, remote: &Remote, record: &RootRecord) -> Ended {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        let (store, progress) = (Store::open(folder.path()), Progress::hidden());
        let RootRecord { kind, root: id, manifest, bytes: size, repository, .. } = *record;
        let root = RootName { kind, id, manifest, size };
        let going = Fetch { store: &store, remote, repository, progress: &progress };
        let want = Want { path: path("data"), root, parts: vec![Vec::new()] };
        let (fetched, damaged) =
            fetch(&going, &mut self.knowledge(), &[want]).map_err(|error| error.to_string())?;
        if let Some((_, error)) = damaged.first() {
            return Err(error.to_string());
        }
        if !fetched.missing.is_empty() {
            return Err(FORGOTTEN.to_owned());
        }
        assert_eq!(presence(&store, &root), Presence::Whole, "a pull that reports success brings all");
        Ok(true)
    }

    fn collects(&self, remote: &Remote, knowledge: &mut Knowledge) -> Result<(), String> {
        let progress = Progress::hidden();
        let going =
            CollectRemote { remote, dry_run: false, now: None, force_records: &[], progress: &progress };
        collect(&going, knowledge).map(drop).map_err(|error| error.to_string())
    }
}

/// What a pull says of a version that the remote has no more.
pub const FORGOTTEN: &str = "the remote has no such version";

/// Puts a content of one chunk into the store.
fn put(store: &Store, chunk: &[u8]) -> RootName {
    let id = Digest::of(chunk);
    let writer = store.writer();
    writer.put(id, ItemKind::Chunk, chunk).unwrap();
    writer.sync().unwrap();
    RootName { kind: PointerKind::File, id, manifest: None, size: chunk.len() as u64 }
}

/// What a writer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Sends a pack of its own.
    Uploads,
    /// Finds by the index that another repository has sent nearly all of it.
    Reuses,
    /// Finds a record of another home of its repository, and writes one that relies on the same packs.
    Renews,
}

/// When a collector runs, and what the test does with its own hands after each run.
#[derive(Clone)]
pub struct Collector {
    /// Hours before each run.
    pub hours: Vec<u64>,
    /// Done after each run.
    pub then: Option<fn(&World)>,
}

impl From<&[u64]> for Collector {
    fn from(hours: &[u64]) -> Self {
        Self { hours: hours.to_vec(), then: None }
    }
}

/// Who is there. The agents are numbered: writers, the forgetter, collectors.
#[derive(Clone)]
pub struct Scenario {
    /// What is pushed.
    pub stage: Arc<Stage>,
    pub writers: Vec<Writer>,
    /// Somebody forgets the record that was there at the beginning; otherwise it is gone already, unless it is renewed.
    pub forgets: bool,
    pub collectors: Vec<Collector>,
    /// What each agent sees instead of the truth.
    pub bends: Vec<Option<Bends>>,
    /// Small packs with a root each that are there at the beginning.
    pub small_packs: u64,
    /// Somebody who has nothing pulls a version that was there at the beginning: the last of the agents.
    pub reads: bool,
    /// Writers delete their claims after success, which they must not.
    pub ends_claims: bool,
    /// The hours of grace in the configuration.
    pub grace_h: u32,
}

/// What one run of a scenario gave.
pub struct Ran {
    /// Calls of each agent.
    pub calls: Vec<usize>,
    /// S1 and S2.
    pub checked: Result<(), String>,
    /// Writers that reported success.
    pub succeeded: usize,
    /// Why collectors stopped.
    pub stopped: Vec<String>,
}

type Ended = Result<bool, String>;

impl Scenario {
    pub fn of(writers: &[Writer], collectors: &[&[u64]]) -> Self {
        Self {
            stage: Arc::new(Stage::new()),
            writers: writers.to_vec(),
            forgets: false,
            collectors: collectors.iter().map(|hours| Collector::from(*hours)).collect(),
            bends: Vec::new(),
            small_packs: 0,
            reads: false,
            ends_claims: false,
            grace_h: 24,
        }
    }

    /// The remote before: packs that nobody needs, or that only the record needs which is renewed or forgotten.
    fn begin(&self, repository: RandomId, successes: &mut Vec<(RandomId, Digest)>) -> World {
        let (world, stage) = (World::new(), &self.stage);
        let remote = world.remote(None, None);
        let others = if self.writers.contains(&Writer::Renews) { repository } else { RandomId::generate() };
        let big = self.writers.contains(&Writer::Reuses);
        assert!(stage.pushes(&remote, others, "first", if big { stage.big } else { stage.one }));
        if !self.forgets && !self.writers.contains(&Writer::Renews) {
            world.list(layout::ROOTS).iter().for_each(|object| world.raw().delete(&object.name).unwrap());
        }
        for number in 0..self.small_packs {
            let root = put(&stage.store, &noise(100 + number, 200));
            assert!(stage.pushes(&remote, others, "first", root));
            successes.push((others, root.id));
        }
        // The pushes are long over.
        world.list(layout::CLAIMS).iter().for_each(|object| world.raw().delete(&object.name).unwrap());
        let config = String::from_utf8(world.raw().get(layout::CONFIG).unwrap()).unwrap();
        let config = config.replace("grace_h = 24", &format!("grace_h = {}", self.grace_h));
        world.raw().put(layout::CONFIG, config.into_bytes()).unwrap();
        world.advance(30);
        world
    }

    /// The remote before; then the agents, in this order of calls; then, for weeks, one collection after the other.
    pub fn run(&self, schedule: &Schedule) -> Ran {
        let (stage, mut successes) = (&*self.stage, Vec::new());
        let repository = RandomId::generate();
        let world = self.begin(repository, &mut successes);
        let before = world.roots();
        let agents =
            self.writers.len() + usize::from(self.forgets) + self.collectors.len() + usize::from(self.reads);
        let turns = Turns::new(agents, schedule);
        let remote = |agent: usize| {
            let bend = self.bends.get(agent).and_then(|bends| bends.as_ref()).map(|bends| bends());
            world.remote(Some((Arc::clone(&turns), agent)), bend)
        };
        let mut all: Vec<Agent<'_, Ended>> = Vec::new();
        let mut pushing = Vec::new();
        for writer in &self.writers {
            let (remote, world) = (remote(all.len()), world.clone());
            let of = if *writer == Writer::Renews { repository } else { RandomId::generate() };
            let root = if *writer == Writer::Reuses { stage.big } else { stage.one };
            pushing.push((of, root.id));
            all.push(Box::new(move || {
                let done = stage.pushes(&remote, of, "second", root);
                if done && self.ends_claims {
                    for claim in world.list(layout::CLAIMS) {
                        remote.delete(&claim.name).map_err(|error| error.to_string())?;
                    }
                }
                Ok(done)
            }));
        }
        if self.forgets {
            let (remote, world) = (remote(all.len()), world.clone());
            let name = |root: &RootRecord| git_ml::objects::RootName {
                repository: root.repository,
                root: root.root,
                session: root.session,
            };
            let forgotten = before.iter().map(name).collect();
            all.push(Box::new(move || {
                let records = world.records();
                let record = GcRecord {
                    epoch: records.values().map(|record| record.epoch).max().unwrap_or_default() + 1,
                    nonce: RandomId::generate(),
                    config: Digest::ZERO,
                    floor: records.values().map(|record| record.floor).max().unwrap_or_default(),
                    certificate: Certificate::None,
                    condemned: Default::default(),
                    forgotten,
                    extensions: Vec::new(),
                };
                remove(&remote, &record).map(|()| true).map_err(|error| error.to_string())
            }));
        }
        for collector in &self.collectors {
            let (remote, world) = (remote(all.len()), world.clone());
            all.push(Box::new(move || {
                let mut knowledge = stage.knowledge();
                for hours in &collector.hours {
                    world.advance(*hours);
                    stage.collects(&remote, &mut knowledge)?;
                    collector.then.iter().for_each(|then| then(&world));
                }
                Ok(true)
            }));
        }
        let wanted = before.first().filter(|_| self.reads);
        if let Some(record) = wanted {
            let remote = world.reader(Arc::clone(&turns), all.len());
            all.push(Box::new(move || stage.pulls(&remote, record)));
        }
        let ended = run(&turns, all);
        // Whatever a pull met, the next one succeeds, unless the version is forgotten, and that is told.
        if let Some(record) = wanted {
            let again = stage.pulls(&world.remote(None, None), record);
            let is_there = world.roots().iter().any(|root| root.root == record.root);
            let expected = if is_there { Ok(true) } else { Err(FORGOTTEN.to_owned()) };
            assert_eq!(again, expected, "{schedule:?}");
        }
        let succeeded = pushing.iter().zip(&ended).filter(|(_, ended)| **ended == Ok(true));
        let new: Vec<_> = succeeded.map(|(pushed, _)| *pushed).collect();
        let succeeded = new.len();
        successes.extend(new);
        let mut stopped: Vec<_> = ended.into_iter().filter_map(Result::err).collect();
        let mut checked = world.check(&successes);
        let mut knowledge = stage.knowledge();
        for hours in [26, 200, 26, 26] {
            if checked.is_ok() {
                world.advance(hours);
                stopped.extend(stage.collects(&world.remote(None, None), &mut knowledge).err());
                checked = world.check(&successes);
            }
        }
        Ran { calls: turns.calls(), checked, succeeded, stopped }
    }

    /// Runs all of these orders. How many; panics at the first that breaks anything.
    pub fn holds(&self, schedules: &[Schedule]) -> usize {
        for schedule in schedules {
            self.run(schedule).checked.unwrap_or_else(|what| panic!("{schedule:?}: {what}"));
        }
        schedules.len()
    }

    /// The number of the first of these orders that breaks something, and what.
    pub fn breaks(&self, schedules: &[Schedule]) -> Option<(usize, String)> {
        let broken = |schedule: &Schedule| self.run(schedule).checked.err();
        schedules.iter().enumerate().find_map(|(number, schedule)| Some((number + 1, broken(schedule)?)))
    }
}
