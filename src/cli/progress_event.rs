//! Progress for programs: one JSON object a line on stderr, where `--json` was asked for.
//!
//! stdout stays what was asked for, so a script that reads it sees no difference between work of a second and of an hour.
//! Peers: restic mixes its status lines into stdout, and each reader must sort them out; rclone (`--use-json-log`) and
//! `docker build --progress=rawjson` tell them on stderr. Work of less than a second tells nothing; then there is a line a
//! second, and a last one when the work has ended.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::base::{Unit, Work};

/// What is told of one piece of work.
#[derive(Debug)]
pub(super) struct Tally {
    title: String,
    unit: Unit,
    total: Option<u64>,
    files: Option<u64>,
    files_done: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Silent,
    Told,
    Ended,
}

/// One line.
#[derive(Debug, Serialize)]
struct Event<'a> {
    event: &'static str,
    work: &'a str,
    unit: &'static str,
    done: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files_done: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files_total: Option<u64>,
    seconds: f64,
    per_second: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_left: Option<u64>,
    ended: bool,
}

impl Tally {
    /// Nothing done yet.
    pub(super) fn of(work: &Work<'_>) -> Self {
        Self {
            title: work.title.to_owned(),
            unit: work.unit,
            total: work.total,
            files: work.files,
            files_done: AtomicU64::new(0),
            state: Mutex::new(State::Silent),
        }
    }

    /// `files` more are done.
    pub(super) fn advance_files(&self, files: u64) {
        self.files_done.fetch_add(files, Ordering::Relaxed);
    }

    /// How many files are done, and of how many, where there are several.
    pub(super) fn files(&self) -> Option<(u64, u64)> {
        let total = self.files.filter(|files| *files > 1)?;
        Some((self.files_done.load(Ordering::Relaxed), total))
    }

    /// Tells that `done` units are done after so long.
    pub(super) fn tell(&self, done: u64, took: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state != State::Ended {
            *state = State::Told;
            write_line(&self.event(done, took, false));
        }
    }

    /// Tells the end of work of which something was told.
    pub(super) fn end(&self, done: u64, took: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *state, State::Ended) == State::Told {
            write_line(&self.event(done, took, true));
        }
    }

    fn event(&self, done: u64, took: Duration, ended: bool) -> Event<'_> {
        let seconds = took.as_secs_f64();
        let per_second = if seconds > 0.0 { done as f64 / seconds } else { 0.0 };
        let left = self.total.map(|total| total.saturating_sub(done)).filter(|_| per_second > 0.0);
        Event {
            event: "progress",
            work: &self.title,
            unit: match self.unit {
                Unit::Bytes => "bytes",
                Unit::Items => "items",
            },
            done,
            total: self.total,
            files_done: self.files.map(|_| self.files_done.load(Ordering::Relaxed)),
            files_total: self.files,
            seconds: (seconds * 10.0).round() / 10.0,
            per_second: per_second as u64,
            seconds_left: left.map(|left| (left as f64 / per_second).ceil() as u64),
            ended,
        }
    }
}

/// That nobody listens is not an error.
fn write_line(event: &Event<'_>) {
    if let Ok(mut line) = serde_json::to_vec(event) {
        line.push(b'\n');
        let _ = io::stderr().lock().write_all(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_tells_how_far_how_fast_and_how_long() {
        let work = Work { title: "sending", unit: Unit::Bytes, total: Some(4000), files: Some(7) };
        let tally = Tally::of(&work);
        tally.advance_files(2);
        let event = serde_json::to_string(&tally.event(1000, Duration::from_secs(2), false)).unwrap();
        let wanted = r#"{"event":"progress","work":"sending","unit":"bytes","done":1000,"total":4000,"files_done":2,"files_total":7,"seconds":2.0,"per_second":500,"seconds_left":6,"ended":false}"#;
        assert_eq!(event, wanted);
        let tally = Tally::of(&Work { title: "x", unit: Unit::Items, total: None, files: None });
        let event = serde_json::to_string(&tally.event(3, Duration::ZERO, true)).unwrap();
        let wanted = r#"{"event":"progress","work":"x","unit":"items","done":3,"seconds":0.0,"per_second":0,"ended":true}"#;
        assert_eq!(event, wanted);
    }

    #[test]
    fn the_end_of_work_is_told_once_and_only_where_something_was_told() {
        let tally = Tally::of(&Work { title: "x", unit: Unit::Items, total: None, files: None });
        tally.end(1, Duration::ZERO);
        assert_eq!(*tally.state.lock().unwrap(), State::Ended);
        tally.tell(2, Duration::ZERO);
        assert_eq!(*tally.state.lock().unwrap(), State::Ended, "nothing comes after the end");
    }
}
