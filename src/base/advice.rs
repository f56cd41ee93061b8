//! How an error tells what to do next.
//!
//! The rules of errors in this crate: one small enum for each module that can fail, no text variants; the message says
//! what happened, to what, and why; what to *do* is not in the message but comes from [`Advice::hints`], as plain data.
//! Only `cli` turns either into lines on a terminal and into an exit code.

use std::error::Error;

/// What kind of "no" an error is: it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The question was answered, and the answer is no (exit code 1).
    AnswerIsNo,
    /// It could not be done (exit code 128).
    CouldNotDo,
    /// It was asked for in the wrong way (exit code 129).
    WrongUse,
}

/// An error that knows what its reader may do about it.
pub trait Advice: Error + Send + Sync + 'static {
    /// What may be done, one sentence or command each, the best first. No `hint:` prefix, no full stop.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }

    /// The kind of failure.
    fn failure(&self) -> Failure {
        Failure::CouldNotDo
    }
}
