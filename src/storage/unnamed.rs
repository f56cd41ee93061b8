//! Files without a name until they are whole (Linux: `O_TMPFILE`): a kill leaves nothing behind.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;

/// A new file without a name on the file system of `folder`, with these permissions less the umask; `None` where the system
/// has none.
#[cfg(target_os = "linux")]
pub fn unnamed(folder: &impl AsFd, mode: u32) -> Option<File> {
    use rustix::fs::{Mode, OFlags, openat};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    openat(folder, ".", flags, Mode::from_bits_truncate(mode)).ok().map(File::from)
}

/// There are none on this system.
#[cfg(not(target_os = "linux"))]
pub fn unnamed(_: &impl AsFd, _: u32) -> Option<File> {
    None
}

/// Gives a file without a name the name `name` in `folder`.
///
/// # Errors
///
/// What the system answers: [`io::ErrorKind::AlreadyExists`] where a file of that name is there.
#[cfg(target_os = "linux")]
pub fn link(file: &File, folder: impl AsFd, name: &OsStr) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{AtFlags, CWD, linkat};
    use rustix::io::Errno;
    match linkat(file, "", &folder, name, AtFlags::EMPTY_PATH) {
        // Before Linux 6.10 that needs a capability; the way through /proc does not.
        Err(Errno::NOENT) => {
            let there = format!("/proc/self/fd/{}", file.as_raw_fd());
            Ok(linkat(CWD, there, &folder, name, AtFlags::SYMLINK_FOLLOW)?)
        }
        linked => Ok(linked?),
    }
}

/// There are none on this system.
///
/// # Errors
///
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn link(_: &File, _: impl AsFd, _: &OsStr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
