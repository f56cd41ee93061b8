//! A checkout that was killed left files of two versions: they are ours, an edit among them is not.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::for_each;
use super::layer::Fault;
use super::scene::{Files, Scene, Stage, files_in, pointers_in, shown};

/// A file that is the same in both versions.
const SAME: &str = "data/images/0/0.png";

fn images(files: &Files) -> Files {
    let images = files.iter().filter(|(path, _)| path.starts_with("data/images/"));
    images.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
}

/// Kills the command at any call, then does `then` with what is left.
fn after_each_kill(scene: &Scene, then: impl Fn(&Stage<'_>, &str) + Sync) {
    let (output, calls) = scene.stage().run(Fault::None, 0);
    let count = calls.count;
    assert!(output.status.success() && count > 10, "{}: {count} calls: {}", scene.name(), shown(&output));
    for_each(count, |number| {
        if calls.is_sync(number) && number < count {
            return; // The next call finds the same.
        }
        let stage = scene.stage();
        let (killed, _) = stage.run(Fault::Kill, number);
        assert!(!killed.status.success(), "{}: call {number} was not made", scene.name());
        then(&stage, &format!("{}, killed at call {number} of {count}", scene.name()));
    });
}

fn done(stage: &Stage<'_>, arguments: &[&str], when: &str) -> String {
    let output = stage.try_out(arguments);
    assert!(output.status.success(), "{when}: {arguments:?}: {}", shown(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn named_and_taken_back(scene: &Scene) {
    let mixes = AtomicUsize::new(0);
    after_each_kill(scene, |stage, when| {
        let found = images(&files_in(stage.place.path()));
        let is_begun = stage.place.path().join("data/images/2").exists();
        let is_mix = (found != images(&scene.old) || is_begun) && found != images(&scene.new);
        let status = done(stage, &["status"], when);
        assert_eq!(status.contains("was interrupted"), is_mix, "{when}: {status}");
        let json = done(stage, &["status", "--json"], when);
        assert_eq!(json.contains(r#""finish":"git mldata checkout data/images""#), is_mix, "{when}: {json}");
        assert!(!json.contains(r#""state":"modified""#), "{when}: {json}");
        mixes.fetch_add(usize::from(is_mix), Ordering::Relaxed);

        stage.place.run("git checkout -q HEAD~ -- data").ok();
        done(stage, &["checkout"], when);
        assert!(files_in(stage.place.path()) == scene.old, "{when}: not taken back");
        let status = done(stage, &["status"], when);
        assert!(!status.contains("interrupted") && !status.contains("modified"), "{when}: {status}");
    });
    let mixes = mixes.into_inner();
    assert!(mixes > 3, "{mixes} kills left a mix");
}

#[test]
fn a_checkout_that_is_killed_is_named_and_taken_back_without_force() {
    named_and_taken_back(&Scene::checkout());
}

#[test]
fn a_hook_that_is_killed_leaves_what_can_be_taken_back_without_force() {
    named_and_taken_back(&Scene::follow());
}

#[test]
fn what_was_edited_after_a_kill_stays_and_add_takes_it_and_no_mix() {
    let scene = Scene::checkout();
    after_each_kill(&scene, |stage, when| {
        // Without an edit there is nothing to add but what the pointer names.
        done(stage, &["add", "data/images"], when);
        assert_eq!(pointers_in(stage.place.path()), scene.after.pointers, "{when}: a mix was added");

        stage.place.write(SAME, "edited");
        let refused = stage.try_out(&["checkout"]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(128), "{when}: {said}");
        assert!(said.contains("'data/images' is modified") && said.contains(SAME), "{when}: {said}");
        assert!(said.contains("1 file would be lost"), "{when}: {said}");

        done(stage, &["add", "data/images"], when);
        done(stage, &["checkout"], when);
        let mut wanted = scene.new.clone();
        wanted.insert(SAME.into(), b"edited".to_vec());
        assert!(files_in(stage.place.path()) == wanted, "{when}: other files");
        let status = done(stage, &["status"], when);
        assert!(!status.contains("interrupted") && !status.contains("modified"), "{when}: {status}");
    });
}
