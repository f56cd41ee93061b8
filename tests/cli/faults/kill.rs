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
    let count = calls.count;
    assert!(output.status.success() && count > 10, "{}: {count} calls: {}", scene.name(), shown(&output));
    let states = AtomicUsize::new(0);
    for_each(count / step, |number| {
        let number = number * step;
        for fault in [Fault::Kill, Fault::Tear] {
            // Where nothing changed since the call before, or nothing can be torn.
            let needless = match fault {
                Fault::Tear => !calls.is_write(number),
                _ => calls.is_sync(number) && number < count && step == 1,
            };
            if needless && scene.is_in_order() {
                continue;
            }
            let stage = scene.stage();
            let (output, _) = stage.run(fault, number);
            if output.status.success() && !scene.is_in_order() {
                continue; // It was no write, or this time there were fewer calls.
            }
            assert!(!output.status.success(), "{}: call {number} was not made", scene.name());
            states.fetch_add(1, Ordering::Relaxed);
            let when = format!("{}, {fault:?} at call {number} of {count}", scene.name());
            stage.is_sound(&when);
            stage.second_try(&when);
        }
    });
    println!("{}: {count} calls, {} states", scene.name(), states.into_inner());
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

#[test]
fn a_push_that_is_killed() {
    killed_everywhere(&Scene::push());
}

#[test]
fn a_pull_that_is_killed() {
    killed_everywhere(&Scene::pull());
}
