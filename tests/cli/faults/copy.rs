//! Copies of a folder that a program takes for the folder itself: the same bytes, the same times, and, by the fault
//! layer, the same inodes.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// As what a file is to show: `inode` is its number, the others are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its own inode number.
    pub inode: u64,
    /// The inode number that is told.
    pub shown: u64,
    /// The time of its last change that is told: seconds and nanoseconds.
    pub changed: [i64; 2],
}

impl Identity {
    /// In the form that `faults.c` reads.
    pub fn to_bytes(self) -> Vec<u8> {
        let Self { inode, shown, changed: [seconds, nanoseconds] } = self;
        [inode.to_ne_bytes(), shown.to_ne_bytes(), seconds.to_ne_bytes(), nanoseconds.to_ne_bytes()].concat()
    }
}

/// Identities by inode number.
pub type Identities = HashMap<u64, Identity>;

/// Copies the folder `from`, whose files show as `shown` says, to `to`, which is not there yet.
pub fn copy_folder(from: &Path, to: &Path, shown: &Identities, identities: &mut Identities) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (old, new) = (entry.path(), to.join(entry.file_name()));
        let metadata = entry.metadata().expect("a stat");
        if metadata.is_dir() {
            copy_folder(&old, &new, shown, identities);
            continue;
        }
        if metadata.is_symlink() {
            symlink(fs::read_link(&old).expect("a link"), &new).expect("a link");
        } else {
            fs::copy(&old, &new).expect("a copy");
            set_modified(&new, [metadata.mtime(), metadata.mtime_nsec()]);
        }
        let own = Identity {
            inode: metadata.ino(),
            shown: metadata.ino(),
            changed: [metadata.ctime(), metadata.ctime_nsec()],
        };
        let shown = shown.get(&metadata.ino()).unwrap_or(&own);
        let inode = new.symlink_metadata().expect("a stat").ino();
        identities.insert(inode, Identity { inode, ..*shown });
    }
}

/// Sets the time of a file's last modification: seconds and nanoseconds.
pub fn set_modified(path: &Path, [seconds, nanoseconds]: [i64; 2]) {
    let time = UNIX_EPOCH + Duration::new(seconds.try_into().expect("after 1970"), nanoseconds as u32);
    let file = File::options().write(true).open(path).expect("a file");
    file.set_modified(time).expect("a time");
}
