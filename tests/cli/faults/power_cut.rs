//! The power goes after any call, and what was not synced is lost, or half of it: no pointer names what is not there.

use std::collections::HashSet;
use std::sync::Mutex;

use super::disk::{Disk, Unsynced};
use super::for_each;
use super::journal::{self, Record};
use super::layer::Fault;
use super::scene::{Scene, shown};

/// What becomes of names and of bytes that were not synced: all extremes, and some throws of dice.
const LOTS: [(Unsynced, Unsynced); 7] = [
    (Unsynced::Lost, Unsynced::Lost),
    (Unsynced::There, Unsynced::Lost),
    (Unsynced::There, Unsynced::Zeros),
    (Unsynced::Lost, Unsynced::There),
    (Unsynced::Dice(1), Unsynced::Dice(1)),
    (Unsynced::Dice(2), Unsynced::There),
    (Unsynced::Dice(3), Unsynced::Dice(3)),
];

/// How many of the lots are extremes; they come first.
const EXTREMES: usize = 4;

/// Checkout syncs no file of the work tree, and relies on what file systems with a journal keep: new names come in the order
/// in which they were given.
const LOTS_IN_ORDER: [(Unsynced, Unsynced); 6] = [
    (Unsynced::Lost, Unsynced::Lost),
    (Unsynced::There, Unsynced::Lost),
    (Unsynced::There, Unsynced::Zeros),
    (Unsynced::Lost, Unsynced::There),
    (Unsynced::There, Unsynced::Dice(1)),
    (Unsynced::There, Unsynced::Dice(3)),
];

/// States that were looked at: many calls leave the same.
type Seen = Mutex<HashSet<u64>>;

/// Cuts the power after all of `records`, which began on `disk`.
fn cut(
    scene: &Scene,
    disk: &Disk,
    records: &[Record],
    lots: &[(Unsynced, Unsynced)],
    seen: &Seen,
    when: &str,
) {
    let mut disk = disk.clone();
    records.iter().for_each(|record| disk.apply(record));
    for (names, bytes) in lots.iter().copied() {
        let remains = disk.after(names, bytes);
        if !seen.lock().expect("a lock").insert(remains.digest()) {
            continue;
        }
        let stage = scene.empty_stage();
        let identities = remains.write(&stage.layer.root);
        let stage = stage.with(identities);
        let when = format!("{}, {when}, names {names:?}, bytes {bytes:?}", scene.name());
        stage.reboot();
        stage.is_sound_after_cut(&when);
        stage.second_try(&when);
    }
}

fn cut_everywhere(scene: &Scene, lots: &[(Unsynced, Unsynced)]) {
    let stage = scene.stage();
    let disk = Disk::read(&stage.layer.root, &stage.shown);
    stage.layer.begin_journal();
    let (output, _) = stage.run(Fault::None, 0);
    assert!(output.status.success(), "{}: {}", scene.name(), shown(&output));
    let records = journal::read(&stage.layer.journal());
    assert!(records.len() > 20, "{}: {} calls", scene.name(), records.len());
    let seen = Seen::default();
    for_each(records.len(), |number| {
        let last = &records[number - 1];
        let when = format!("power cut after {} of {} calls, {}", number, records.len(), last.name());
        // Of many calls, dice are thrown at some only.
        let lots = if number.is_multiple_of(4) || records.len() < 50 { lots } else { &lots[..EXTREMES] };
        cut(scene, &disk, &records[..number], lots, &seen, &when);
    });
    println!("{}: {} states", scene.name(), seen.into_inner().expect("a lock").len());
}

/// Killed at any call, tried again, and then the power goes: the second try relied on nothing that the first one had not
/// made to last.
fn cut_after_a_second_try(scene: &Scene) {
    let (_, calls) = scene.stage().run(Fault::None, 0);
    let seen = Seen::default();
    for_each(calls.count, |number| {
        if calls.is_sync(number) && number < calls.count {
            return; // The next call finds the same.
        }
        let stage = scene.stage();
        let disk = Disk::read(&stage.layer.root, &stage.shown);
        stage.layer.begin_journal();
        let (killed, _) = stage.run(Fault::Kill, number);
        assert!(!killed.status.success(), "{}: call {number} was not made", scene.name());
        let (output, _) = stage.run(Fault::None, 0);
        assert!(output.status.success(), "{}: {}", scene.name(), shown(&output));
        let records = journal::read(&stage.layer.journal());
        let when = format!("killed at call {number} of {}, tried again, power cut", calls.count);
        cut(scene, &disk, &records, &LOTS[..EXTREMES], &seen, &when);
    });
    println!("{}, after a second try: {} states", scene.name(), seen.into_inner().expect("a lock").len());
}

#[test]
fn a_power_cut_during_an_add() {
    cut_everywhere(&Scene::first_add(), &LOTS);
}

#[test]
fn a_power_cut_during_an_add_of_a_second_version() {
    cut_everywhere(&Scene::second_add(), &LOTS);
}

#[test]
fn a_power_cut_during_a_checkout() {
    cut_everywhere(&Scene::checkout(), &LOTS_IN_ORDER);
}

#[test]
fn a_power_cut_after_an_add_that_went_on_where_another_was_killed() {
    cut_after_a_second_try(&Scene::first_add());
    cut_after_a_second_try(&Scene::second_add());
}
