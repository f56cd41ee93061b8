//! Which start of this machine it is: what was not synced before another start may be lost.

use std::fs;
use std::sync::OnceLock;

/// The id of this start, as Linux gives it; `None` where a system has none that can be read.
pub fn boot_id() -> Option<&'static str> {
    static ID: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(id.trim().to_owned()).filter(|id| !id.is_empty())
    };
    ID.get_or_init(read).as_deref()
}
