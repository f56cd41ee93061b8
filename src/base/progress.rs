//! A handle by which long work tells how far it is. Nothing is drawn below `cli`.

use std::fmt;
use std::sync::Arc;

/// What a progress counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things of one kind, named by the title of the work.
    Items,
}

/// Work that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work<'a> {
    /// What it is, in a word or two, or the path that it is about.
    pub title: &'a str,
    /// What is counted.
    pub unit: Unit,
    /// How many units there are, if that is known.
    pub total: Option<u64>,
    /// How many files they are of, where these are counted beside.
    pub files: Option<u64>,
}

/// Whoever shows progress implements this.
pub trait ProgressSink: Send + Sync {
    /// Work begins.
    fn begin(&self, work: &Work<'_>);
    /// `units` more are done.
    fn advance(&self, units: u64);
    /// `files` more are done.
    fn advance_files(&self, files: u64);
    /// The work that was begun last has ended, whether well or not.
    fn end(&self);
}

/// A progress handle: cheap to clone, silent by default.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn ProgressSink>>);

impl Progress {
    /// A handle that tells nobody.
    pub const fn hidden() -> Self {
        Self(None)
    }

    /// A handle that tells `sink`.
    pub fn shown_by(sink: Arc<dyn ProgressSink>) -> Self {
        Self(Some(sink))
    }

    /// Work of `total` units begins (unknown: `None`).
    pub fn begin(&self, title: &str, unit: Unit, total: Option<u64>) {
        if let Some(sink) = &self.0 {
            sink.begin(&Work { title, unit, total, files: None });
        }
    }

    /// Work on so many bytes of so many files begins.
    pub fn begin_files(&self, title: &str, bytes: u64, files: u64) {
        if let Some(sink) = &self.0 {
            sink.begin(&Work { title, unit: Unit::Bytes, total: Some(bytes), files: Some(files) });
        }
    }

    /// `units` more are done.
    pub fn advance(&self, units: u64) {
        if let Some(sink) = &self.0 {
            sink.advance(units);
        }
    }

    /// `files` more are done.
    pub fn advance_files(&self, files: u64) {
        if let Some(sink) = &self.0 {
            sink.advance_files(files);
        }
    }

    /// The work that was begun last has ended, whether well or not.
    pub fn end(&self) {
        if let Some(sink) = &self.0 {
            sink.end();
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Progress(shown)" } else { "Progress(hidden)" })
    }
}
