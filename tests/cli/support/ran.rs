//! What a command printed and how it ended.

use std::fmt;
use std::path::Path;
use std::process::Output;

/// A finished command. Nothing is checked until [`Ran::ok`] or [`Ran::fails`] says how it should have ended.
#[must_use = "say how it should have ended: .ok() or .fails(CODE)"]
pub struct Ran {
    line: String,
    /// The code; 128 + N for a signal.
    pub code: i32,
    /// What it printed, the sandbox's folder written as `[ROOT]`.
    pub stdout: String,
    /// What it said beside, the same.
    pub stderr: String,
}

impl Ran {
    /// What a command in a sandbox left.
    pub fn new(root: &Path, line: &str, output: &Output) -> Self {
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&root.display().to_string(), "[ROOT]");
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        Self {
            line: line.to_owned(),
            code: output.status.code().or(signal.map(|number| 128 + number)).unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// It ended well.
    #[track_caller]
    pub fn ok(self) -> Seen {
        self.fails(0)
    }

    /// It ended with this code.
    #[track_caller]
    pub fn fails(self, code: i32) -> Seen {
        assert_eq!(self.code, code, "exit code\n{self}");
        assert!(!self.stderr.contains("panicked"), "a panic\n{self}");
        Seen(self)
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$ {}\n{}", self.line, self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", self.stderr)?;
        }
        write!(f, "--- exit {}", self.code)
    }
}

/// A command that ended as it should.
pub struct Seen(Ran);

impl Seen {
    /// What it printed.
    pub fn stdout(&self) -> &str {
        &self.0.stdout
    }

    /// What it said beside.
    pub fn stderr(&self) -> &str {
        &self.0.stderr
    }

    /// All of stdout is this.
    #[track_caller]
    pub fn prints(self, wanted: &str) -> Self {
        assert_eq!(self.0.stdout, wanted, "stdout\n{}", self.0);
        self
    }

    /// All of stderr is this.
    #[track_caller]
    pub fn says(self, wanted: &str) -> Self {
        assert_eq!(self.0.stderr, wanted, "stderr\n{}", self.0);
        self
    }

    /// This is somewhere in stdout.
    #[track_caller]
    pub fn shows(self, part: &str) -> Self {
        assert!(self.0.stdout.contains(part), "stdout lacks '{part}'\n{}", self.0);
        self
    }

    /// This is nowhere in stdout or stderr.
    #[track_caller]
    pub fn lacks(self, part: &str) -> Self {
        assert!(!self.0.stdout.contains(part) && !self.0.stderr.contains(part), "has '{part}'\n{}", self.0);
        self
    }

    /// This is somewhere in stderr.
    #[track_caller]
    pub fn tells(self, part: &str) -> Self {
        assert!(self.0.stderr.contains(part), "stderr lacks '{part}'\n{}", self.0);
        self
    }

    /// stdout as JSON Lines.
    #[track_caller]
    pub fn json(&self) -> Vec<serde_json::Value> {
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}\n{}", self.0));
        self.0.stdout.lines().map(parse).collect()
    }
}
