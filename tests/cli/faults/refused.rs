//! A disk that is full, broken or not to be written to, at any call: a clear error, nothing lost, nothing half done, and
//! a second try when there is room again.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::for_each;
use super::layer::Fault;
use super::scene::{Scene, shown};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const EDQUOT: i32 = 122;

/// What is tried at every call, and what at every third, for it goes the same way.
const EVERYWHERE: [Fault; 2] = [Fault::Stays(ENOSPC), Fault::Once(EIO)];
const HERE_AND_THERE: [Fault; 5] =
    [Fault::Once(ENOSPC), Fault::Stays(EDQUOT), Fault::Stays(EROFS), Fault::Stays(EIO), Fault::Short];

fn refused_everywhere(scene: &Scene) {
    let (output, calls) = scene.stage().run(Fault::None, 0);
    let count = calls.count;
    assert!(output.status.success() && count > 10, "{}: {count} calls: {}", scene.name(), shown(&output));
    let states = AtomicUsize::new(0);
    for_each(count, |number| {
        let some = if number % 3 == 0 { &HERE_AND_THERE[..] } else { &[] };
        let can_be = |fault: &&Fault| **fault != Fault::Short || calls.is_write(number);
        for fault in EVERYWHERE.iter().chain(some).filter(can_be) {
            refused(scene, *fault, number, count);
            states.fetch_add(1, Ordering::Relaxed);
        }
    });
    println!("{}: {count} calls, {} states", scene.name(), states.into_inner());
}

fn refused(scene: &Scene, fault: Fault, number: usize, calls: usize) {
    let stage = scene.stage();
    let (output, _) = stage.run(fault, number);
    let when = format!("{}, {fault:?} at call {number} of {calls}", scene.name());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{when}: {said}");
    if output.status.success() {
        // It could do without.
        stage.is_done(&when);
        return;
    }
    assert_eq!(output.status.code(), Some(128), "{when}: {said}");
    assert!(said.starts_with("error: ") || said.contains("\nerror: "), "{when}: {said}");
    if matches!(fault, Fault::Stays(ENOSPC | EDQUOT | EROFS)) {
        assert!(said.contains("\nhint: "), "{when}: no hint: {said}");
    }
    stage.is_sound(&when);
    if fault != Fault::Stays(EROFS) {
        let left = stage.leftovers();
        assert!(left.is_empty(), "{when}: left over: {left:?}");
    }
    stage.second_try(&when);
}

#[test]
fn an_add_that_is_refused() {
    refused_everywhere(&Scene::first_add());
}

#[test]
fn an_add_of_a_second_version_that_is_refused() {
    refused_everywhere(&Scene::second_add());
}

#[test]
fn a_checkout_that_is_refused() {
    refused_everywhere(&Scene::checkout());
}
