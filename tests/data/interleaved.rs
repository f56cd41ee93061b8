//! Pushes, forgettings and collections in many orders of their calls, over the real code: what is named exists, and success
//! lasts.
//!
//! Agents are never scheduled again after a kill, sleep past every grace, and see listings that lag or are cut. The families
//! of orders are small enough to run whole: all pairs of switches between two agents, and longer patterns with free lengths.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use git_ml::objects::layout;
use git_ml::storage::remote::{Listed, Passage};

use crate::agents::{DAYS, MONTH, Scenario, Writer};
use crate::world::{Bend, Schedule};

/// Every way to let agent `a` go some calls, then `b` some, then `a` to its end, and then `b`.
fn two_switches(a: (usize, usize), b: (usize, usize)) -> Vec<Schedule> {
    let pairs = (0..=a.1).flat_map(|n| (0..=b.1).map(move |m| (n, m)));
    let turns = |(n, m)| vec![(a.0, n), (b.0, m), (a.0, usize::MAX)];
    pairs.map(|pair| Schedule { turns: turns(pair), killed: None }).collect()
}

/// Runs a family that holds, and tells how many orders it has.
fn holds(name: &str, scenario: &Scenario, schedules: Vec<Schedule>) {
    let count = scenario.holds(&schedules);
    println!("{name}: {count} orders");
}

fn beside_a_collection(writer: Writer, hours: &[u64]) {
    let scenario = Scenario::of(&[writer], &[hours]);
    let alone = scenario.run(&Schedule::default());
    assert_eq!((alone.succeeded, alone.stopped.clone()), (1, Vec::new()), "{writer:?}");
    let all = two_switches((0, alone.calls[0]), (1, alone.calls[1]));
    holds(&format!("{writer:?} beside a collection"), &scenario, all);
}

#[test]
fn a_push_beside_a_collection_at_every_pair_of_calls() {
    beside_a_collection(Writer::Uploads, MONTH);
}

#[test]
fn a_push_that_reuses_beside_a_collection_at_every_pair_of_calls() {
    beside_a_collection(Writer::Reuses, DAYS);
}

#[test]
fn a_renewal_beside_a_forgetting_and_a_collection() {
    // The record that is renewed is forgotten after each of the push's calls.
    let scenario = Scenario { forgets: true, ..Scenario::of(&[Writer::Renews], &[DAYS]) };
    let calls = scenario.run(&Schedule::default()).calls;
    let lengths = (0..=calls[0]).flat_map(|n| (0..=calls[2]).map(move |m| (n, m)));
    let turns = |(n, m)| vec![(0, n), (1, usize::MAX), (2, m), (0, usize::MAX)];
    let schedules = lengths.map(|lengths| Schedule { turns: turns(lengths), killed: None }).collect();
    holds("a renewal, a forgetting and a collection", &scenario, schedules);
}

#[test]
fn two_pushes_at_every_pair_of_calls() {
    for writers in [[Writer::Uploads, Writer::Uploads], [Writer::Uploads, Writer::Reuses]] {
        let scenario = Scenario::of(&writers, &[&[0, 26]]);
        let calls = scenario.run(&Schedule::default()).calls;
        holds(&format!("{writers:?}"), &scenario, two_switches((0, calls[0]), (1, calls[1])));
    }
}

#[test]
fn two_collections_at_every_third_pair_of_calls_and_a_push_between() {
    let scenario = Scenario::of(&[Writer::Reuses], &[DAYS, DAYS]);
    let calls = scenario.run(&Schedule::default()).calls;
    let mut schedules = Vec::new();
    for n in (0..=calls[1]).step_by(3) {
        for m in (0..=calls[2]).step_by(3) {
            let turns = vec![(0, 3), (1, n), (2, m), (0, usize::MAX), (1, usize::MAX)];
            schedules.push(Schedule { turns, killed: None });
        }
    }
    holds("two collections and a push", &scenario, schedules);
}

#[test]
fn whoever_is_killed_at_any_call_leaves_nothing_named_that_is_not_there() {
    for writer in [Writer::Uploads, Writer::Reuses] {
        let scenario = Scenario::of(&[writer], &[MONTH]);
        let calls = scenario.run(&Schedule::default()).calls;
        for (killed, other) in [(0, 1), (1, 0)] {
            let turns = |n| vec![(killed, n), (other, usize::MAX)];
            let all = (0..=calls[killed]).map(|n| Schedule { turns: turns(n), killed: Some(killed) });
            holds(&format!("{writer:?}, agent {killed} killed"), &scenario, all.collect());
        }
    }
    let scenario = Scenario { forgets: true, ..Scenario::of(&[Writer::Renews], &[DAYS]) };
    let turns = |n| vec![(1, n), (0, usize::MAX)];
    let all = (0..=3).map(|n| Schedule { turns: turns(n), killed: Some(1) });
    holds("a forgetting that is killed", &scenario, all.collect());
    let scenario = Scenario { small_packs: 16, ..Scenario::of(&[], &[MONTH]) };
    let calls = scenario.run(&Schedule::default()).calls;
    let all = (0..=calls[0]).map(|n| Schedule { turns: vec![(0, n)], killed: Some(0) });
    holds("a fold that is killed", &scenario, all.collect());
}

#[test]
fn a_fold_beside_a_push_and_a_second_fold() {
    let scenario =
        Scenario { small_packs: 16, ..Scenario::of(&[Writer::Reuses], &[&[0, 26], &[0, 26, 200, 26]]) };
    let calls = scenario.run(&Schedule::default()).calls;
    let mut schedules = Vec::new();
    for n in [3, 6, 8] {
        for m in (0..=calls[1]).step_by(2) {
            let turns = vec![(0, n), (1, m), (2, usize::MAX), (0, usize::MAX)];
            schedules.push(Schedule { turns, killed: None });
        }
    }
    holds("folds and a push", &scenario, schedules);
}

#[test]
fn a_pull_beside_a_collection_that_folds_a_forgetting_and_a_push() {
    // Folds move what is pulled, and weeks later the old packs go.
    let folded = Scenario { reads: true, small_packs: 16, ..Scenario::of(&[], &[&[0, 26, 26, 200, 26]]) };
    // The version is forgotten, and its packs go.
    let forgotten = Scenario { reads: true, forgets: true, ..Scenario::of(&[], &[DAYS]) };
    // The version is renewed while the old record goes.
    let renewed = Scenario { reads: true, forgets: true, ..Scenario::of(&[Writer::Renews], &[DAYS]) };
    for (name, scenario) in [("folded", folded), ("forgotten", forgotten), ("renewed", renewed)] {
        let alone = scenario.run(&Schedule::default());
        let reader = alone.calls.len() - 1;
        let mut schedules = Vec::new();
        for n in 0..=alone.calls[reader].max(8) {
            for (other, calls) in alone.calls[..reader].iter().enumerate() {
                for m in (0..=*calls).step_by(if name == "folded" { 4 } else { 2 }) {
                    // The others go to their ends in between, or a part of the way.
                    let turns =
                        vec![(reader, n), (other, m), (reader, 1), (other, usize::MAX), (reader, usize::MAX)];
                    schedules.push(Schedule { turns, killed: None });
                }
            }
        }
        holds(&format!("a pull of what is {name}"), &scenario, schedules);
    }
}

/// What was added less than 11 hours ago may be missing from a listing, half of a day's grace.
fn lagging() -> Bend {
    Arc::new(|call| (call.step == "list").then(|| Passage::Answered(call.world.list_before(call.object, 11))))
}

#[test]
fn listings_may_lag() {
    let mut scenario = Scenario::of(&[Writer::Uploads], &[DAYS]);
    scenario.bends = vec![Some(Arc::new(lagging)), Some(Arc::new(lagging))];
    let calls = scenario.run(&Schedule::default()).calls;
    let every_second = two_switches((0, calls[0]), (1, calls[1])).into_iter().step_by(2).collect();
    holds("lagging listings", &scenario, every_second);
}

#[test]
fn a_short_listing_of_roots_or_packs_stops_a_collection() {
    for folder in ["roots/", "packs/"] {
        let scenario = Scenario::of(&[Writer::Uploads], &[&[0, 26, 26, 26]]);
        // From its third run on the collector sees nothing of the folder.
        let cut = move || -> Bend {
            let runs = AtomicUsize::new(0);
            Arc::new(move |call| {
                let begun = usize::from((call.step, call.object) == ("list", layout::CLAIMS));
                let run = runs.fetch_add(begun, Ordering::Relaxed) + begun;
                let is_cut = |listed: &Listed| run >= 3 && listed.name.starts_with(folder);
                let seen =
                    || call.world.list(call.object).into_iter().filter(|listed| !is_cut(listed)).collect();
                (call.step == "list").then(|| Passage::Answered(seen()))
            })
        };
        let scenario = Scenario { bends: vec![None, Some(Arc::new(cut))], ..scenario };
        let ran = scenario.run(&Schedule { turns: vec![(0, usize::MAX)], killed: None });
        ran.checked.unwrap();
        assert!(ran.stopped.iter().any(|stopped| stopped.contains("missing")), "{folder}: {:?}", ran.stopped);
    }
}
