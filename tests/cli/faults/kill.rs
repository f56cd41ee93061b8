//! Killed at any call: nothing is lost, nothing half done shows, and a second try ends as if nothing had happened.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::for_each;
use super::layer::Fault;
use super::scene::{Scene, shown};

fn killed_everywhere(scene: &Scene) {
    killed_at_each(1, scene);
}

/// Killed at one of `step` calls.
fn killed_at_each(step: usize, scene: &Scene) {
    let (output, calls) = scene.stage().run(Fault::None, 0);
    assert!(output.status.success() && calls > 10, "{}: {calls} calls: {}", scene.name(), shown(&output));
    let states = AtomicUsize::new(0);
    for_each(calls / step, |number| {
        let number = number * step;
        for fault in [Fault::Kill, Fault::Tear] {
            let stage = scene.stage();
            let (output, _) = stage.run(fault, number);
            if fault == Fault::Tear && output.status.success() {
                continue; // It was no write.
            }
            assert!(!output.status.success(), "{}: call {number} was not made", scene.name());
            states.fetch_add(1, Ordering::Relaxed);
            let when = format!("{}, {fault:?} at call {number} of {calls}", scene.name());
            stage.is_sound(&when);
            stage.is_whole(&when);
            stage.second_try(&when);
            stage.is_whole(&when);
        }
    });
    println!("{}: {calls} calls, {} states", scene.name(), states.into_inner());
}

#[test]
fn an_add_that_is_killed() {
    killed_everywhere(&Scene::first_add());
}

#[test]
fn an_add_of_a_second_version_that_is_killed() {
    killed_everywhere(&Scene::second_add());
}

#[test]
fn an_add_that_makes_many_packs_few_and_is_killed() {
    killed_at_each(37, &Scene::folding_add());
}

#[test]
fn a_hook_that_is_killed_while_data_follows() {
    killed_everywhere(&Scene::follow());
}

#[test]
fn a_checkout_that_is_killed() {
    killed_everywhere(&Scene::checkout());
}
