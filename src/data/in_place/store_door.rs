//! The way into the store, open as long as files come one after the other.
//!
//! Git keeps the filter for as long as its own command runs, with hooks and the user's editor in between. Meanwhile gc and
//! other commands must not wait for a writer that has nothing to write. So it is let go when no file came for a moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::data::content::Intake;
use crate::storage::store::Store;

/// A writer that was not used for so long is let go.
const IDLE: Duration = Duration::from_millis(200);

/// Lends a writer of a store.
pub(super) struct StoreDoor {
    store: Store,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    intake: Option<Intake<'static>>,
    used: Option<Instant>,
}

impl StoreDoor {
    pub(super) fn new(store: Store) -> Self {
        Self { store, open: Arc::default() }
    }

    /// Calls `work` with a writer; one that failed once is not lent again.
    pub(super) fn with<T, E>(&self, work: impl FnOnce(&Intake<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut open = locked(&self.open);
        let was_closed = open.intake.is_none();
        let intake = open.intake.get_or_insert_with(|| Intake::new(&self.store));
        let done = work(intake);
        if done.is_err() {
            open.intake = None;
        }
        open.used = Some(Instant::now());
        drop(open);
        if was_closed && done.is_ok() {
            let open = Arc::clone(&self.open);
            // Without the thread it is let go at the end.
            let _watcher =
                thread::Builder::new().name("store door".into()).spawn(move || close_when_idle(&open));
        }
        done
    }
}

fn locked(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

fn close_when_idle(open: &Mutex<Open>) {
    loop {
        thread::sleep(IDLE / 2);
        let mut open = locked(open);
        if open.intake.is_none() {
            return;
        }
        if open.used.is_none_or(|used| used.elapsed() >= IDLE) {
            open.intake = None;
            return;
        }
    }
}
