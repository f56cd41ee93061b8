//! Where records lie in the tree of a log.
//!
//! ```text
//! v1/                                              the format: another one may lie beside it
//!   runs/<aa>/<bb>/<run>/                          aa, bb: the first four digits of the run's id
//!     create.json                                  immutable
//!     code/                                        the work tree when the run began, as a tree of Git
//!     ops/<lamport>-<writer>-<n>.json              operations; lamport has 16 hexadecimal digits, so names sort by time
//!     m/<key>/<lamport>-<writer>-<n>.mcol          points of a metric (see `metric_chunk`); the key is escaped; where
//!                                                  they are too many, operations tell where they lie (see `points`)
//!     m/<key>/<lamport>-<writer>-<n>.roll.json     a thousand points to draw it from, for long metrics
//!   commits/<aa>/<bb>/<commit>/<lamport>-<writer>-<n>.json      where a commit comes from (see `commits`)
//!   checks/<year>/<month>/<lamport>-<writer>-<n>.json           verdicts, by the UTC time of their making
//! ```
//!
//! Each path is written once, by one writer: the fold of two logs is the union of their trees and cannot conflict.
//!
//! In a key every byte but `A-Z a-z 0-9 - _` and inner `.` is written as `%` and two hexadecimal digits; so is the first
//! one of a name that some system reserves (`aux`).

use crate::base::{RandomId, check_name};

/// The folder of the format.
pub const VERSION_FOLDER: &str = "v1";

/// What distinguishes a record from all others: its file name's stem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName {
    /// The Lamport time of the writing.
    pub lamport: u64,
    /// Who wrote it.
    pub writer: RandomId,
    /// Which of the records that were written together.
    pub n: u32,
}

impl RecordName {
    /// The file name with this ending (`json`, `mcol`, `roll.json`).
    pub fn file(&self, ending: &str) -> String {
        format!("{:016x}-{}-{}.{ending}", self.lamport, self.writer, self.n)
    }

    /// Takes a file name apart; `None` if it is not the name of a record.
    pub fn parse(file: &str) -> Option<(Self, &str)> {
        let (stem, ending) = file.split_once('.')?;
        let mut parts = stem.split('-');
        let (lamport, writer, n) = (parts.next()?, parts.next()?, parts.next()?);
        let name = Self {
            lamport: u64::from_str_radix(lamport, 16).ok()?,
            writer: writer.parse().ok()?,
            n: n.parse().ok()?,
        };
        (parts.next().is_none() && name.file(ending) == file).then_some((name, ending))
    }
}

/// The folder of a run.
pub fn run_folder(run: &RandomId) -> String {
    let id = run.to_string();
    format!("{VERSION_FOLDER}/runs/{}/{}/{id}", &id[..2], &id[2..4])
}

/// The folder of what is known of a commit; `commit` is its hexadecimal id.
pub fn commit_folder(commit: &str) -> String {
    let part = |from: usize| commit.get(from..from + 2).unwrap_or("00");
    format!("{VERSION_FOLDER}/commits/{}/{}/{commit}", part(0), part(2))
}

/// The folder of the verdicts of a month.
pub fn checks_folder(year: i16, month: i8) -> String {
    format!("{VERSION_FOLDER}/checks/{year:04}/{month:02}")
}

/// A metric's key as the name of a folder.
pub fn escape_key(key: &str) -> String {
    let escaped = escape_bytes(key);
    match key.bytes().next() {
        Some(first) if check_name(escaped.as_bytes()).is_err() && escaped.starts_with(char::from(first)) => {
            format!("%{first:02X}{}", &escaped[1..])
        }
        _ => escaped,
    }
}

fn escape_bytes(key: &str) -> String {
    let mut escaped = String::with_capacity(key.len());
    for (at, byte) in key.bytes().enumerate() {
        let inner_dot = byte == b'.' && at > 0 && at + 1 < key.len();
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || inner_dot {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The key that [`escape_key`] wrote; `None` for what it does not write.
pub fn unescape_key(escaped: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok().filter(|key| escape_key(key) == escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_records_round_trip_and_sort_by_time() {
        let name = |lamport| RecordName { lamport, writer: RandomId::from_bytes([3; 16]), n: 2 };
        let file = name(300).file("roll.json");
        assert_eq!(file, format!("000000000000012c-{}-2.roll.json", "03".repeat(16)));
        assert_eq!(RecordName::parse(&file), Some((name(300), "roll.json")));
        assert!(name(9).file("json") < name(10).file("json"));
        assert_eq!(RecordName::parse(&file.replace("-2.", "-02.")), None);
        assert_eq!(RecordName::parse("create.json"), None);
    }

    #[test]
    fn keys_become_one_folder_each_and_come_back() {
        for key in ["loss", "val/loss", "größe", "..", ".git", "aux", "con.x", "a%2Fb", "x.y", "a b", "%"] {
            let escaped = escape_key(key);
            assert_eq!(check_name(escaped.as_bytes()), Ok(()));
            assert_eq!(unescape_key(&escaped).as_deref(), Some(key));
        }
        assert_eq!(escape_key("val/loss"), "val%2Floss");
        assert_eq!(unescape_key("%2f"), None);
        assert_eq!(unescape_key("%zz"), None);
    }
}
