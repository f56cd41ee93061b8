//! A remote in memory whose time, listings and order of calls the test decides.
//!
//! Every call of an agent (a push, a collection) waits for its turn; a [`Schedule`] gives the turns. Reads are no turns:
//! objects are written once, so when they are read matters only where the listing before it did. Time is virtual: objects
//! have the time at which they were written, and `advance` makes all of them older.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use git_ml::base::{Digest, RandomId};
use git_ml::objects::{Certificate, GcRecord, Moves, PackRef, RootPacks, RootRecord, layout};
use git_ml::storage::remote::{Listed, Passage, Remote};

/// A call of an agent, whose turn it is.
pub struct Call<'a> {
    pub world: &'a World,
    pub step: &'a str,
    pub object: &'a str,
    /// Lets others go on before this call does.
    pub wait: &'a dyn Fn(),
}

/// Bends what one agent sees: `None` for the truth.
pub type Bend = Arc<dyn Fn(&Call<'_>) -> Option<Passage> + Send + Sync>;

/// Makes a bend anew for each run: most of them remember.
pub type Bends = Arc<dyn Fn() -> Bend + Send + Sync>;

/// The remote and its time.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    raw: Remote,
    clock: Mutex<Clock>,
}

struct Clock {
    now: SystemTime,
    times: HashMap<String, SystemTime>,
}

impl World {
    pub fn new() -> Self {
        let clock = Clock { now: SystemTime::now(), times: HashMap::new() };
        Self(Arc::new(Inner { raw: Remote::memory().unwrap(), clock: Mutex::new(clock) }))
    }

    /// The remote as it is: for the test's own hands.
    pub fn raw(&self) -> &Remote {
        &self.0.raw
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.0.clock.lock().unwrap()
    }

    /// Puts an object with the test's own hands.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        self.raw().put(name, bytes).unwrap();
        let mut clock = self.clock();
        let now = clock.now;
        clock.times.insert(name.to_owned(), now);
    }

    /// Time goes by.
    pub fn advance(&self, hours: u64) {
        self.clock().now += Duration::from_secs(hours * 3600);
    }

    /// A true listing, with virtual times.
    pub fn list(&self, folder: &str) -> Vec<Listed> {
        let listed = self.raw().list(folder).unwrap();
        let clock = self.clock();
        let timed = |object: Listed| Listed { modified: clock.times.get(&object.name).copied(), ..object };
        listed.into_iter().map(timed).collect()
    }

    /// A listing that lags: what was added in the last hours is not in it.
    pub fn list_before(&self, folder: &str, hours: u64) -> Vec<Listed> {
        let then = self.clock().now - Duration::from_secs(hours * 3600);
        let is_old = |object: &Listed| object.modified.is_none_or(|modified| modified <= then);
        self.list(folder).into_iter().filter(is_old).collect()
    }

    fn stat(&self, name: &str) -> Vec<Listed> {
        let clock = self.clock();
        let timed = |object: Listed| Listed { modified: clock.times.get(name).copied(), ..object };
        self.raw().stat(name).unwrap().into_iter().map(timed).collect()
    }

    /// The remote as an agent sees it: with virtual times, after its turn came, and bent.
    pub fn remote(&self, turn: Option<(Arc<Turns>, usize)>, bend: Option<Bend>) -> Remote {
        self.seen(turn, bend, false)
    }

    /// The remote as somebody sees it who only reads: each read is a turn.
    pub fn reader(&self, turns: Arc<Turns>, agent: usize) -> Remote {
        self.seen(Some((turns, agent)), None, true)
    }

    fn seen(&self, turn: Option<(Arc<Turns>, usize)>, bend: Option<Bend>, reads_wait: bool) -> Remote {
        let world = self.clone();
        self.raw().clone().watched(Arc::new(move |step: &str, object: &str| {
            if let Some((turns, agent)) = &turn
                && (step != "read" || reads_wait)
                && !turns.wait(*agent)
            {
                return Passage::Refused;
            }
            let wait = || {
                let _ = turn.as_ref().map(|(turns, agent)| turns.wait(*agent));
            };
            let call = Call { world: &world, step, object, wait: &wait };
            if let Some(passage) = bend.as_ref().and_then(|bend| bend(&call)) {
                return passage;
            }
            match step {
                "list" => Passage::Answered(world.list(object)),
                "ask for" => Passage::Answered(world.stat(object)),
                "write" => {
                    let mut clock = world.clock();
                    let now = clock.now;
                    clock.times.insert(object.to_owned(), now);
                    Passage::Through
                }
                _ => Passage::Through,
            }
        }))
    }

    /// All gc records.
    pub fn records(&self) -> BTreeMap<String, GcRecord> {
        let read = |object: Listed| {
            (object.name.clone(), GcRecord::decode(&self.raw().get(&object.name).unwrap()).unwrap())
        };
        self.raw().list(layout::GC).unwrap().into_iter().map(read).collect()
    }

    /// All root records.
    pub fn roots(&self) -> Vec<RootRecord> {
        let listed = self.raw().list(layout::ROOTS).unwrap();
        listed
            .iter()
            .map(|object| RootRecord::decode(&self.raw().get(&object.name).unwrap()).unwrap())
            .collect()
    }

    /// S1: every root that may be relied on is whole. S2: whoever reported success (repository and root) has a root, and
    /// it is whole. What is wrong, if anything.
    pub fn check(&self, successes: &[(RandomId, Digest)]) -> Result<(), String> {
        let records = self.records();
        let floor = records.values().map(|record| record.floor).max().unwrap_or_default();
        let certified = certificate(&records);
        let roots = self.roots();
        for root in &roots {
            let name = git_ml::objects::RootName {
                repository: root.repository,
                root: root.root,
                session: root.session,
            };
            if root.session.epoch >= floor || certified.contains(&name) {
                self.whole(root)
                    .map_err(|pack| format!("S1: {} names {}, which is gone", root.session, pack.short()))?;
            }
        }
        for (repository, root) in successes {
            let mut of_this =
                roots.iter().filter(|record| (record.repository, record.root) == (*repository, *root));
            if !of_this.any(|record| self.whole(record).is_ok()) {
                return Err(format!("S2: a push reported success, and no root of {repository} is whole"));
            }
        }
        Ok(())
    }

    /// Whether all packs of a root exist, or what they were folded into; else which does not.
    fn whole(&self, root: &RootRecord) -> Result<(), Digest> {
        let RootPacks::Inline(packs) = &root.packs else { panic!("packs are inline") };
        packs.iter().try_for_each(|pack| if self.exists(pack, 0) { Ok(()) } else { Err(pack.id) })
    }

    fn exists(&self, pack: &PackRef, depth: u8) -> bool {
        if self.raw().stat(&layout::pack_name(&pack.id)).unwrap().is_some() {
            return true;
        }
        let moves =
            self.raw().get(&layout::moves_name(&pack.id)).ok().map(|bytes| Moves::decode(&bytes).unwrap());
        depth < 8
            && moves.is_some_and(|moves| moves.targets.iter().all(|target| self.exists(target, depth + 1)))
    }
}

/// The roots of the newest certificate.
fn certificate(records: &BTreeMap<String, GcRecord>) -> BTreeSet<git_ml::objects::RootName> {
    let newest = records.values().rev().find(|record| record.certificate != Certificate::None);
    match newest.map(|record| &record.certificate) {
        Some(Certificate::Here(roots)) => roots.clone(),
        Some(Certificate::In(name)) => {
            match records.get(&layout::gc_name(name)).map(|record| &record.certificate) {
                Some(Certificate::Here(roots)) => roots.clone(),
                _ => BTreeSet::new(),
            }
        }
        _ => BTreeSet::new(),
    }
}

/// Who goes how many calls; then all go to their ends, one after the other, but the killed one: all its calls fail.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    pub turns: Vec<(usize, usize)>,
    pub killed: Option<usize>,
}

/// Gives the turns.
pub struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    turns: VecDeque<(usize, usize)>,
    killed: Option<usize>,
    /// Who is in the middle of a call: it ends when that agent comes for its next one.
    busy: Option<usize>,
    ended: Vec<bool>,
    calls: Vec<usize>,
}

impl State {
    /// Whose turn it is; drops turns that are over.
    fn current(&mut self) -> Option<usize> {
        while let Some((agent, left)) = self.turns.front() {
            if *left > 0 && !self.ended[*agent] {
                return Some(*agent);
            }
            self.turns.pop_front();
        }
        let living = |agent: &usize| !self.ended[*agent] && self.killed != Some(*agent);
        (0..self.ended.len()).find(living)
    }
}

impl Turns {
    pub fn new(agents: usize, schedule: &Schedule) -> Arc<Self> {
        let state = State {
            turns: schedule.turns.iter().copied().collect(),
            killed: schedule.killed,
            busy: None,
            ended: vec![false; agents],
            calls: vec![0; agents],
        };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Waits until this agent may do a call; `false` when it was killed.
    fn wait(&self, agent: usize) -> bool {
        let mut state = self.state.lock().unwrap();
        if state.busy == Some(agent) {
            state.busy = None;
        }
        loop {
            match state.current() {
                _ if state.busy.is_some() => state = self.changed.wait(state).unwrap(),
                Some(current) if current == agent => {
                    state.busy = Some(agent);
                    if let Some(turn) = state.turns.front_mut() {
                        turn.1 -= 1;
                    }
                    state.calls[agent] += 1;
                    return true;
                }
                None => return false,
                Some(_) => {
                    self.changed.notify_all();
                    state = self.changed.wait(state).unwrap();
                }
            }
        }
    }

    fn end(&self, agent: usize) {
        let mut state = self.state.lock().unwrap();
        state.ended[agent] = true;
        if state.busy == Some(agent) {
            state.busy = None;
        }
        self.changed.notify_all();
    }

    /// How many calls each agent made.
    pub fn calls(&self) -> Vec<usize> {
        self.state.lock().unwrap().calls.clone()
    }
}

/// What an agent does.
pub type Agent<'a, T> = Box<dyn FnOnce() -> T + Send + 'a>;

/// Runs agents, each in a thread of its own and with one worker, so that their calls come one after the other.
pub fn run<T: Send>(turns: &Arc<Turns>, agents: Vec<Agent<'_, T>>) -> Vec<T> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = agents
            .into_iter()
            .enumerate()
            .map(|(number, agent)| {
                let turns = Arc::clone(turns);
                scope.spawn(move || {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
                    let done = pool.install(agent);
                    turns.end(number);
                    done
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
