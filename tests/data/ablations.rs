//! Each rule of the remote protocol taken out singly, over the real code: then some order of calls loses data. With the
//! rule, the same orders hold. What is taken out is what one agent sees or does, never the code.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use git_ml::base::Digest;
use git_ml::objects::{GcRecord, RootPacks, RootRecord, layout};
use git_ml::storage::remote::{Listed, Passage};

use crate::agents::{Collector, DAYS, MONTH, Scenario, Writer};
use crate::world::{Bend, Bends, Schedule, World};

/// With the rule these orders hold; without it one of them breaks.
fn matters(rule: &str, with: &Scenario, without: &Scenario, orders: &[Schedule]) {
    let (number, what) = without.breaks(orders).unwrap_or_else(|| panic!("{rule}: nothing breaks"));
    with.holds(orders);
    println!("{rule}: {} orders hold; without it the {number}th breaks: {what}", orders.len());
}

/// The scenario in which this agent sees something else.
fn bent(scenario: &Scenario, agent: usize, bend: impl Fn() -> Bend + Send + Sync + 'static) -> Scenario {
    let mut bends = scenario.bends.clone();
    bends.resize(bends.len().max(agent + 1), None);
    bends[agent] = Some(Arc::new(bend) as Bends);
    Scenario { bends, ..scenario.clone() }
}

/// All lengths of turns; a turn without a length goes to the agent's end.
fn orders(turns: &[(usize, Option<RangeInclusive<usize>>)]) -> Vec<Schedule> {
    let mut all = vec![Vec::new()];
    for (agent, lengths) in turns {
        let lengths: Vec<_> = lengths.clone().map_or_else(|| vec![usize::MAX], Iterator::collect);
        let longer = |turns: &Vec<(usize, usize)>| -> Vec<Vec<_>> {
            let longer = |length| [turns.clone(), vec![(*agent, length)]].concat();
            lengths.iter().copied().map(longer).collect()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all.into_iter().map(|turns| Schedule { turns, killed: None }).collect()
}

/// Writes below `folder` say that they are done, and are not.
fn no_writing(folder: &'static str) -> impl Fn() -> Bend {
    move || {
        Arc::new(move |call| {
            (call.step == "write" && call.object.starts_with(folder)).then(|| Passage::Answered(Vec::new()))
        })
    }
}

/// The looks at `gc/` with these numbers, from 1, answer what the look before them did.
fn no_look(stale: &'static [usize]) -> impl Fn() -> Bend {
    move || {
        let (looks, last) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        Arc::new(move |call| {
            if (call.step, call.object) != ("list", layout::GC) {
                return None;
            }
            let look = looks.fetch_add(1, Ordering::Relaxed) + 1;
            let mut last = last.lock().unwrap();
            if !stale.contains(&look) {
                *last = call.world.list(call.object);
            }
            Some(Passage::Answered(last.clone()))
        })
    }
}

/// Roots are listed before claims: others go on between the two.
fn roots_before_claims() -> Bend {
    let seen = Mutex::new(Vec::<Listed>::new());
    Arc::new(move |call| match (call.step, call.object) {
        ("list", layout::CLAIMS) => {
            *seen.lock().unwrap() = call.world.list(layout::ROOTS);
            (call.wait)();
            None
        }
        ("list", layout::ROOTS) => Some(Passage::Answered(seen.lock().unwrap().clone())),
        _ => None,
    })
}

/// The packs that some claim or root names.
fn needed(world: &World) -> Vec<Digest> {
    let read = |folder: &str, decode: fn(&[u8]) -> Option<RootRecord>| {
        let listed = world.list(folder).into_iter();
        listed.filter_map(|object| decode(&world.raw().get(&object.name).ok()?)).collect::<Vec<_>>()
    };
    let claims = read(layout::CLAIMS, |bytes| RootRecord::decode_claim(bytes).ok());
    let roots = read(layout::ROOTS, |bytes| RootRecord::decode(bytes).ok());
    let packs = |record: RootRecord| match record.packs {
        RootPacks::Inline(packs) => packs,
        RootPacks::Set { .. } => Vec::new(),
    };
    claims.into_iter().chain(roots).flat_map(packs).map(|pack| pack.id).collect()
}

/// Forgets every record of gc whose packs are gone.
fn drop_records(world: &World) {
    let packs: Vec<_> = world.list(layout::PACKS).into_iter().map(|object| object.name).collect();
    for (name, record) in world.records() {
        if !record.condemned.iter().any(|pack| packs.contains(&layout::pack_name(pack))) {
            world.raw().delete(&name).unwrap();
        }
    }
}

/// What is needed is condemned no more.
fn revive(world: &World) {
    let needed = needed(world);
    for (name, record) in world.records() {
        let mut revived: GcRecord = record.clone();
        revived.condemned.retain(|pack| !needed.contains(pack));
        if revived != record {
            let (new, bytes) = revived.encode().unwrap();
            world.raw().delete(&name).unwrap();
            world.put(&layout::gc_name(&new), bytes);
        }
    }
}

/// The collector with this number does something with the test's hands after each run.
fn and_then(scenario: &Scenario, collector: usize, act: fn(&World)) -> Scenario {
    let mut collectors = scenario.collectors.clone();
    collectors[collector] = Collector { then: Some(act), ..collectors[collector].clone() };
    Scenario { collectors, ..scenario.clone() }
}

#[test]
fn a_push_claims_its_packs() {
    let with = Scenario::of(&[Writer::Uploads], &[DAYS]);
    let without = bent(&with, 0, no_writing(layout::CLAIMS));
    matters("claims", &with, &without, &orders(&[(0, Some(6..=7)), (1, Some(12..=40)), (0, None)]));
}

#[test]
fn a_push_looks_again_at_what_it_relies_on() {
    let with = Scenario { forgets: true, ..Scenario::of(&[Writer::Renews], &[DAYS]) };
    let without = bent(&with, 0, no_look(&[2]));
    let all = orders(&[(0, Some(2..=3)), (1, None), (2, Some(12..=40)), (0, None)]);
    matters("the look before the root", &with, &without, &all);
}

#[test]
fn a_push_looks_again_at_its_own_new_packs() {
    let with = Scenario::of(&[Writer::Uploads], &[DAYS]);
    let without = bent(&with, 0, no_look(&[2]));
    matters(
        "the look at own packs",
        &with,
        &without,
        &orders(&[(0, Some(3..=5)), (1, Some(20..=50)), (0, None)]),
    );
}

#[test]
fn a_push_looks_again_after_its_root() {
    let with = Scenario::of(&[Writer::Uploads], &[MONTH]);
    let without = bent(&with, 0, no_look(&[3]));
    matters(
        "the look after the root",
        &with,
        &without,
        &orders(&[(0, Some(6..=7)), (1, Some(40..=66)), (0, None)]),
    );
}

#[test]
fn claims_are_listed_before_roots() {
    // Where a push ends its claim itself, as it once did, the order alone protects.
    let with = Scenario { ends_claims: true, ..Scenario::of(&[Writer::Uploads], &[DAYS]) };
    let without = bent(&with, 1, roots_before_claims);
    let turns =
        [(0, Some(4..=4)), (1, Some(12..=14)), (0, Some(2..=2)), (1, Some(8..=16)), (0, None), (1, None)];
    matters("claims before roots", &with, &without, &orders(&turns));
}

#[test]
fn what_is_condemned_is_never_revived() {
    // The second collector saves what is needed into another pack; here that must not help.
    let with = bent(&Scenario::of(&[Writer::Reuses], &[&[0, 26], &[0]]), 2, no_writing(layout::MOVES));
    let without = and_then(&with, 1, revive);
    let turns = [(0, Some(3..=3)), (1, Some(14..=20)), (0, Some(3..=4)), (2, None), (0, None), (1, None)];
    matters("never revived", &with, &without, &orders(&turns));
}

#[test]
fn records_are_carried_on() {
    let with = Scenario { forgets: true, ..Scenario::of(&[Writer::Renews], &[&[0, 26]]) };
    let without = and_then(&with, 0, drop_records);
    matters(
        "records are carried on",
        &with,
        &without,
        &orders(&[(0, Some(1..=4)), (1, None), (2, None), (0, None)]),
    );
}

#[test]
fn reused_packs_are_asked_for() {
    // The second line: it holds even where records are dropped too early.
    let with = and_then(&Scenario::of(&[Writer::Reuses], &[&[0, 26]]), 0, drop_records);
    let seen: Arc<Mutex<Vec<Listed>>> = Arc::default();
    let without = bent(&with, 0, move || {
        let seen = Arc::clone(&seen);
        Arc::new(move |call| {
            let mut seen = seen.lock().unwrap();
            if (call.step, call.object) == ("list", layout::INDEX) {
                *seen = call.world.list(layout::PACKS);
            }
            let there = || seen.iter().filter(|listed| listed.name == call.object).cloned().collect();
            (call.step == "ask for").then(|| Passage::Answered(there()))
        })
    });
    matters(
        "reused packs are asked for",
        &with,
        &without,
        &orders(&[(0, Some(3..=7)), (1, None), (0, None)]),
    );
}

#[test]
fn records_have_names_of_their_own() {
    // Who forgets says nothing here, so that both collectors write their first record.
    let scenario = Scenario { forgets: true, ..Scenario::of(&[Writer::Reuses], &[&[0, 26], &[0]]) };
    let with = bent(&scenario, 1, no_writing(layout::GC));
    let without = bent(&with, 3, || {
        Arc::new(|call| {
            let epoch = call.object.split('-').next().unwrap_or_default();
            if call.step == "write" && epoch.starts_with(layout::GC) {
                let same =
                    call.world.list(layout::GC).into_iter().filter(|other| other.name.starts_with(epoch));
                same.for_each(|other| call.world.raw().delete(&other.name).unwrap());
            }
            None
        })
    });
    let turns = [(3, Some(9..=9)), (1, None), (2, Some(14..=20)), (3, Some(1..=1)), (0, None), (2, None)];
    matters("names of records", &with, &without, &orders(&turns));
}

/// Additions of the last 11 hours below these folders are missing from listings.
fn lag(folders: &'static [&'static str]) -> impl Fn() -> Bend {
    move || {
        Arc::new(move |call| {
            let lags = call.step == "list" && folders.contains(&call.object);
            lags.then(|| Passage::Answered(call.world.list_before(call.object, 11)))
        })
    }
}

#[test]
fn a_sweep_acts_on_old_records_only_where_listings_lag() {
    let scenario = Scenario { forgets: true, ..Scenario::of(&[Writer::Renews], &[&[0, 1]]) };
    let with = bent(&bent(&scenario, 0, lag(&[layout::GC])), 2, lag(&[layout::CLAIMS, layout::ROOTS]));
    let without = Scenario { grace_h: 0, ..with.clone() };
    let turns = [(0, Some(3..=3)), (1, None), (2, Some(9..=12)), (0, Some(1..=2)), (2, None), (0, None)];
    matters("only old records", &with, &without, &orders(&turns));
}

#[test]
fn a_push_leaves_its_claim_where_listings_lag() {
    let scenario = Scenario { forgets: true, ..Scenario::of(&[Writer::Renews], &[&[0, 26]]) };
    let with = bent(&bent(&scenario, 0, lag(&[layout::GC])), 2, lag(&[layout::CLAIMS, layout::ROOTS]));
    let without = Scenario { ends_claims: true, ..with.clone() };
    let turns = [
        (0, Some(3..=3)),
        (1, None),
        (2, Some(9..=10)),
        (0, Some(1..=1)),
        (2, Some(1..=3)),
        (0, None),
        (2, None),
    ];
    matters("claims are left", &with, &without, &orders(&turns));
}
