//! A watch over the calls of a remote, for tests: they count calls, let them fail, or stop everything after the n-th.

use std::sync::Arc;

use super::connection::Listed;

/// What a [`Watch`] lets happen to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// It is carried out.
    Through,
    /// It fails, and nothing is carried out.
    Refused,
    /// It is carried out, and fails all the same: its answer is lost.
    Lost,
    /// It is not carried out; a listing answers this, a question after one object the first of these, and a write or
    /// delete says that it is done. A read fails.
    Answered(Vec<Listed>),
}

/// Asked before each call what is to happen to it, by the step (`read`, `write`, `list`, `ask for`, `delete`, `reach`) and
/// the name of the object.
pub type Watch = Arc<dyn Fn(&str, &str) -> Passage + Send + Sync>;
