//! The README's console blocks, run as they are written.
//!
//! Ids, times and the user's name differ from run to run and are not compared. To write what the programs print now into
//! the README: `GIT_ML_UPDATE=1 cargo test --test cli readme`.

use std::fs;
use std::path::Path;

use crate::support::{Place, Sandbox};

#[test]
fn the_first_session_is_as_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let written = fs::read_to_string(&path).expect("README.md");
    let played = play(&written);
    if std::env::var_os("GIT_ML_UPDATE").is_some() && without_chance(&played) != without_chance(&written) {
        fs::write(&path, &played).expect("README.md");
        return;
    }
    let (wanted, found) = (without_chance(&written), without_chance(&played));
    let differing = wanted.lines().zip(found.lines()).find(|(wanted, found)| wanted != found);
    assert!(wanted == found, "README.md is not what is printed: {differing:?}");
}

/// The text with every console block's commands run, in one session, and their output in place of what stood there.
fn play(text: &str) -> String {
    let mut session = Session::new();
    let mut played = String::new();
    let mut in_block = false;
    for line in text.lines() {
        match line {
            "```console" => in_block = true,
            "```" => in_block = false,
            _ if !in_block => {}
            _ => match line.strip_prefix("$ ") {
                Some(command) => {
                    played += &format!("$ {command}\n{}", session.run(command));
                    continue;
                }
                // What was printed when the README was written.
                None => continue,
            },
        }
        played += line;
        played.push('\n');
    }
    played
}

/// Commands that share a folder, as in a terminal.
struct Session {
    place: Place,
    folder: String,
}

impl Session {
    fn new() -> Self {
        Self { place: Sandbox::new().folder("ada").with("USER", "ada"), folder: ".".into() }
    }

    /// What a command prints on both streams.
    fn run(&mut self, command: &str) -> String {
        let line = format!("exec 2>&1; cd '{}'; {command}\necho \"at $PWD\"", self.folder);
        let ran = self.place.run(&line).ok();
        let (printed, folder) = ran.stdout().rsplit_once("at ").expect("a folder");
        self.folder = folder.trim_end().replace("[ROOT]/ada", ".");
        if self.folder.is_empty() {
            self.folder = ".".into();
        }
        as_ada(printed)
    }
}

/// Whoever runs the test, the README's user is Ada.
fn as_ada(printed: &str) -> String {
    const OWNER: &str = "reachable as folder of ";
    match printed.split_once(OWNER).and_then(|(before, after)| Some((before, after.split_once(',')?.1))) {
        Some((before, after)) => format!("{before}{OWNER}ada,{after}"),
        None => printed.to_owned(),
    }
}

/// The text without what chance, time and place decide.
fn without_chance(text: &str) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        let words: Vec<String> = line.split(' ').map(steady).collect();
        shown += words.join(" ").trim_end();
        shown.push('\n');
    }
    shown
}

/// A word that tells the same each time.
fn steady(word: &str) -> String {
    let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_id = core.len() >= 8 && core.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_time = core.contains(':') && core.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let is_date = core.len() == 10 && core.bytes().filter(|byte| *byte == b'-').count() == 2;
    let is_seconds = core.len() >= 3
        && core.contains('.')
        && core.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match () {
        () if is_id => word.replacen(core, "[id]", 1),
        () if is_time || is_date || is_seconds => word.replacen(core, "[n]", 1),
        () => word.to_owned(),
    }
}
