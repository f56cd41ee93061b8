//! The programs on a file system that fails: killed at each call that changes something, refused at each, and what a
//! power cut leaves after each. See `tests/faults/faults.c`.

mod copy;
mod cut_short;
mod disk;
mod journal;
mod kill;
mod layer;
mod power_cut;
mod refused;
mod scene;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does `one` for each number from 1 to `last`, in two threads.
fn for_each(last: usize, one: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(1);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number > last {
                break;
            }
            one(number);
        }
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}
