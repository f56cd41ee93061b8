//! What may be done when the system refuses to read or write a file.

use std::io::{Error, ErrorKind};
use std::path::Path;

use super::typed;

/// Hints for an `error` of the system on `path`: no room, no permission, a disk that may not be written to. Empty for what
/// has no general answer.
pub fn refusal_hints(path: &Path, error: &Error) -> Vec<String> {
    let folder = path.parent().unwrap_or(path).display();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => vec![format!(
            "make room on the disk of '{folder}' and run the command again; what was there before is untouched"
        )],
        ErrorKind::ReadOnlyFilesystem => vec![format!(
            "the disk of '{folder}' may only be read: mount it for writing, and run the command again"
        )],
        ErrorKind::PermissionDenied => {
            vec![format!("ls -ld {}      tells who owns it, and who may do what", typed(path.display()))]
        }
        _ => Vec::new(),
    }
}
