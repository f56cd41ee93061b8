//! Which process an entry in `users/` belongs to, and whether it still runs.
//!
//! The answer must never be "gone" for a process that works: what gc would take then is data. So age says nothing. The
//! entry is locked (`flock`) as long as its process lives, which is exact among the processes of one running kernel,
//! containers included; after a reboot of the same machine its boot id is another; and what belongs to another machine
//! counts as running until somebody who knows better removes the entry.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use crate::base::RandomId;
use crate::storage::boot::boot_id;

/// What a process does with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It puts items, or relies on items that are there.
    User,
    /// It removes items.
    Collector,
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Collector => "gc",
        }
    }
}

/// A process, as the name of its entry tells it: `ROLE_RANDOM_PID_NAMESPACE_BOOT_MACHINE_HOST`. All of it stands in the
/// name, so an entry is never half written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProcessName {
    /// What it does.
    pub role: Role,
    id: RandomId,
    pid: u32,
    /// Which numbers of processes count: those of one container.
    namespace: String,
    boot: String,
    machine: String,
    host: String,
}

/// The names of entries that are being made begin so.
pub(super) const HIDDEN: &str = ".tmp-";
/// What cannot be found out.
const UNKNOWN: &str = "-";

impl ProcessName {
    /// This process; each call gives another name.
    pub fn own(role: Role) -> Self {
        static FIXED: OnceLock<[String; 4]> = OnceLock::new();
        let [namespace, boot, machine, host] = FIXED.get_or_init(fixed).clone();
        Self { role, id: RandomId::generate(), pid: std::process::id(), namespace, boot, machine, host }
    }

    /// The name of its entry.
    pub fn file_name(&self) -> String {
        let Self { role, id, pid, namespace, boot, machine, host } = self;
        format!("{}_{id}_{pid}_{namespace}_{boot}_{machine}_{host}", role.word())
    }

    /// The name of its entry while that is being made.
    pub fn hidden_name(&self) -> String {
        format!("{HIDDEN}{}", self.file_name())
    }

    /// The process that the entry of this name belongs to; `None` for the name of something else.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.splitn(7, '_');
        let word = parts.next()?;
        let role = [Role::User, Role::Collector].into_iter().find(|role| role.word() == word)?;
        let mut next = || parts.next();
        let (id, pid) = (next()?.parse().ok()?, next()?.parse().ok()?);
        let (namespace, boot, machine) = (next()?.to_owned(), next()?.to_owned(), next()?.to_owned());
        Some(Self { role, id, pid, namespace, boot, machine, host: next()?.to_owned() })
    }

    /// Whether the process may still run; `path` is its entry.
    pub fn may_run(&self, path: &Path) -> bool {
        let own = Self::own(self.role);
        if !self.is_of_kernel(&own) {
            return !self.is_of_earlier_boot(&own);
        }
        match locked(path) {
            Ok(locked) => locked,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            // A file system without locks: the number of the process must do.
            Err(_) => self.namespace != own.namespace || runs(self.pid),
        }
    }

    /// Whether the process is gone for certain, as its name alone tells: its machine was started anew, or nobody has its
    /// number. For entries that are being made: their locks must not be tried, for their process is about to take them.
    pub fn is_gone(&self) -> bool {
        let own = Self::own(self.role);
        match self.is_of_kernel(&own) {
            true => self.namespace == own.namespace && self.namespace != UNKNOWN && !runs(self.pid),
            false => self.is_of_earlier_boot(&own),
        }
    }

    /// Whether both processes run, or ran, since the same start of the same machine.
    fn is_of_kernel(&self, own: &Self) -> bool {
        self.boot == own.boot && (self.boot != UNKNOWN || self.host == own.host)
    }

    /// Whether the process ran on this machine before that was started anew. `own` is of another kernel.
    fn is_of_earlier_boot(&self, own: &Self) -> bool {
        let same_machine = (&self.host, &self.machine) == (&own.host, &own.machine);
        same_machine && self.machine != UNKNOWN && self.boot != UNKNOWN
    }
}

impl std::fmt::Display for ProcessName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

/// Whether somebody holds the lock of the file.
fn locked(path: &Path) -> io::Result<bool> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a process has this number.
fn runs(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Holds the lock of a new entry, where the file system has locks.
pub(super) fn hold(entry: &File) {
    // Without it, the number of the process is asked for.
    let _ = entry.try_lock();
}

/// Namespace, boot, machine and host of this process.
fn fixed() -> [String; 4] {
    let namespace = fs::read_link("/proc/self/ns/pid").ok();
    let namespace = namespace.map(|link| link.to_string_lossy().into_owned()).unwrap_or_default();
    let boot = boot_id().unwrap_or_default().to_owned();
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let plain = |text: String, longest: usize| {
        let known = text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        let known: String = known.take(longest).collect();
        if known.is_empty() { UNKNOWN.to_owned() } else { known }
    };
    [plain(namespace, 20), plain(boot, 36), plain(machine, 32), plain(host, 64)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(folder: &Path, name: &ProcessName) -> std::path::PathBuf {
        let path = folder.join(name.file_name());
        File::create(&path).unwrap();
        path
    }

    #[test]
    fn a_name_tells_all_of_a_process() {
        for role in [Role::User, Role::Collector] {
            let own = ProcessName::own(role);
            assert_eq!(ProcessName::parse(&own.file_name()), Some(own));
        }
        for other in ["", "user", "user_1_2_3_4_5_6", ".tmp-x", "packs"] {
            assert_eq!(ProcessName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn only_what_is_known_to_be_gone_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let own = ProcessName::own(Role::User);
        assert!(!own.may_run(&entry(folder.path(), &own)), "nobody holds its lock");
        let path = entry(folder.path(), &own);
        let held = OpenOptions::new().write(true).open(&path).unwrap();
        hold(&held);
        assert!(own.may_run(&path));
        let elsewhere = ProcessName { boot: "other".into(), host: "elsewhere".into(), ..own.clone() };
        assert!(elsewhere.may_run(&entry(folder.path(), &elsewhere)), "another host, however old");
        let namesake = ProcessName { boot: "other".into(), machine: UNKNOWN.into(), ..own.clone() };
        assert!(namesake.may_run(&entry(folder.path(), &namesake)), "perhaps another host of this name");
        assert!(!own.is_gone() && !elsewhere.is_gone() && !namesake.is_gone());
        // Larger than any number that a system gives.
        let dead = ProcessName { pid: i32::MAX as u32, ..own.clone() };
        assert_eq!(dead.is_gone(), own.namespace != UNKNOWN);
        if own.machine != UNKNOWN && own.boot != UNKNOWN {
            let before = ProcessName { boot: "other".into(), ..own };
            assert!(before.is_gone());
            assert!(!before.may_run(&entry(folder.path(), &before)), "before the reboot of this host");
        }
    }
}
