//! The spool of a run: a file to which everything is appended and synced before it is acknowledged.
//!
//! Writing to Git for every metric would be slow, and a killed run would lose what was not written yet. So the recorder, and
//! `git mlrun log` from inside the command, append to `<common git dir>/ml/runs/<run>/spool`; from there it comes into the
//! log (see `flush`) now and then and when the run ends.
//!
//! A line is the first eight hexadecimal digits of the BLAKE3 of the JSON that follows them, a blank, the JSON and a newline.
//! The first line names the spool. Writers hold a lock on the file while they append. What a killed writer left behind, a
//! line without newline or with other digits, was never acknowledged: the next writer cuts a torn tail, readers stop before it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::Digest;
use crate::base::RandomId;

use super::record::{CreateRecord, Point, TimedOp};

/// So many bytes of a spool are read at once: whatever was logged meanwhile, memory is bounded.
pub const ENOUGH: u64 = 16 << 20;

/// One line of a spool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The first line: which spool this is, of which run.
    Spool {
        /// A random id.
        id: RandomId,
        /// The run.
        run: RandomId,
    },
    /// The run begins.
    Create {
        /// What is known of it.
        record: Box<CreateRecord>,
        /// The tree of Git that its code was kept as.
        code: Option<String>,
    },
    /// Something became known.
    Op(TimedOp),
    /// A point of a metric.
    Metric {
        /// The name of the metric.
        key: String,
        /// The point.
        #[serde(flatten)]
        point: Point,
    },
}

/// What was read from a spool.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Where the next reading begins.
    pub end: u64,
    /// Whether more follows.
    pub more: bool,
}

/// Why a spool could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file system refused.
    #[error("cannot {action} '{}'", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An event has no JSON form.
    #[error("cannot write an event of a run")]
    Event(#[from] serde_json::Error),
    /// The file is no spool.
    #[error("'{}' is not the spool of a run", path.display())]
    NotASpool {
        /// The file.
        path: PathBuf,
    },
}

/// The spool of one run.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    id: RandomId,
    run: RandomId,
}

impl Spool {
    /// Opens the spool in the run's own folder `folder`, or begins it.
    ///
    /// # Errors
    ///
    /// [`SpoolError`].
    pub fn open_or_create(folder: &Path, run: RandomId) -> Result<Self, SpoolError> {
        let path = folder.join("spool");
        std::fs::create_dir_all(folder).map_err(|source| SpoolError::Io {
            action: "create",
            path: folder.into(),
            source,
        })?;
        let fail = |action| {
            let path = path.clone();
            move |source| SpoolError::Io { action, path, source }
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let mut file = lock(&path, &options).map_err(fail("open"))?;
        if file.metadata().map_err(fail("read"))?.len() == 0 {
            let first = Event::Spool { id: RandomId::generate(), run };
            file.write_all(&line(&first)?).and_then(|()| file.sync_all()).map_err(fail("write"))?;
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail("write"))?;
        }
        drop(file);
        Self::open(folder)
    }

    /// Opens the spool in the run's own folder `folder`.
    ///
    /// # Errors
    ///
    /// [`SpoolError`], also when there is none.
    pub fn open(folder: &Path) -> Result<Self, SpoolError> {
        let path = folder.join("spool");
        let mut spool = Self { path, id: RandomId::default(), run: RandomId::default() };
        match spool.read_from(0, 1)?.events.first() {
            Some(Event::Spool { id, run }) => {
                (spool.id, spool.run) = (*id, *run);
                Ok(spool)
            }
            _ => Err(SpoolError::NotASpool { path: spool.path }),
        }
    }

    /// The id of this spool.
    pub fn id(&self) -> RandomId {
        self.id
    }

    /// The run that it belongs to.
    pub fn run(&self) -> RandomId {
        self.run
    }

    /// Appends events. When this returns, they are on the disk.
    ///
    /// # Errors
    ///
    /// [`SpoolError`]; then none of them counts.
    pub fn append(&self, events: &[Event]) -> Result<(), SpoolError> {
        let lines = events.iter().map(line).collect::<Result<Vec<_>, _>>()?.concat();
        // Not created here: a spool that is gone has come into the log, and a new one needs its first line.
        let mut file = self.lock()?;
        file.write_all(&lines).and_then(|()| file.sync_data()).map_err(self.fail("write"))
    }

    /// The whole events from the byte `start` on, of at least `enough` bytes if there are so many.
    ///
    /// # Errors
    ///
    /// [`SpoolError`].
    pub fn read_from(&self, start: u64, enough: u64) -> Result<Batch, SpoolError> {
        let mut file = File::open(&self.path).map_err(self.fail("open"))?;
        file.seek(SeekFrom::Start(start)).map_err(self.fail("read"))?;
        let mut lines = BufReader::new(file);
        let mut batch = Batch { events: Vec::new(), end: start, more: false };
        let mut line = Vec::new();
        loop {
            line.clear();
            lines.read_until(b'\n', &mut line).map_err(self.fail("read"))?;
            let Some(json) = whole_line(&line) else { return Ok(batch) };
            if batch.end - start >= enough {
                batch.more = true;
                return Ok(batch);
            }
            batch.end += line.len() as u64;
            // An event that is whole but not understood comes from a newer program: it is skipped.
            batch.events.extend(serde_json::from_slice::<Event>(json));
        }
    }

    /// All whole events, a part at a time.
    ///
    /// # Errors
    ///
    /// [`SpoolError`].
    pub fn each_event(&self, mut take: impl FnMut(Event)) -> Result<(), SpoolError> {
        let mut start = 0;
        loop {
            let batch = self.read_from(start, ENOUGH)?;
            batch.events.into_iter().for_each(&mut take);
            if !batch.more {
                return Ok(());
            }
            start = batch.end;
        }
    }

    /// Removes the spool if nothing was appended after the byte `end`; whether it did.
    ///
    /// # Errors
    ///
    /// [`SpoolError`].
    pub fn remove_if_read(&self, end: u64) -> Result<bool, SpoolError> {
        let file = self.lock()?;
        if file.metadata().map_err(self.fail("read"))?.len() > end {
            return Ok(false);
        }
        std::fs::remove_file(&self.path).map_err(self.fail("remove"))?;
        Ok(true)
    }

    /// The file, locked, and with no torn tail.
    fn lock(&self) -> Result<File, SpoolError> {
        lock(&self.path, OpenOptions::new().read(true).append(true)).map_err(self.fail("open"))
    }

    fn fail(&self, action: &'static str) -> impl FnOnce(io::Error) -> SpoolError + use<> {
        let path = self.path.clone();
        move |source| SpoolError::Io { action, path, source }
    }
}

fn line(event: &Event) -> Result<Vec<u8>, serde_json::Error> {
    let json = serde_json::to_string(event)?;
    Ok(format!("{} {json}\n", Digest::of(json.as_bytes()).short()).into_bytes())
}

/// The JSON of a line; `None` for a line that was not written whole.
fn whole_line(line: &[u8]) -> Option<&[u8]> {
    let (digits, json) = line.strip_suffix(b"\n")?.split_at_checked(8)?;
    let json = json.strip_prefix(b" ")?;
    (Digest::of(json).short().as_bytes() == digits).then_some(json)
}

/// Opens and locks the file at `path`, and cuts a torn tail. A file that was removed while its lock was waited for is
/// opened anew.
fn lock(path: &Path, options: &OpenOptions) -> io::Result<File> {
    loop {
        let mut file = options.open(path)?;
        file.lock()?;
        if file.metadata()?.nlink() > 0 {
            cut_torn_tail(&mut file)?;
            return Ok(file);
        }
    }
}

/// Cuts what follows the last newline. The caller holds the lock, so nobody is writing it.
fn cut_torn_tail(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut tail_begins = length;
    let mut byte = [0];
    while tail_begins > 0 {
        file.seek(SeekFrom::Start(tail_begins - 1))?;
        file.read_exact(&mut byte)?;
        if byte == *b"\n" {
            break;
        }
        tail_begins -= 1;
    }
    if tail_begins < length { file.set_len(tail_begins) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(step: i64) -> Event {
        Event::Metric { key: "loss".into(), point: Point { step, time: 5, value: f64::INFINITY } }
    }

    #[test]
    fn a_torn_tail_is_cut_and_nothing_acknowledged_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let run = RandomId::generate();
        let spool = Spool::open_or_create(folder.path(), run).unwrap();
        spool.append(&[metric(1), metric(2)]).unwrap();
        let before = spool.read_from(0, ENOUGH).unwrap();
        assert_eq!(before.events[1..], [metric(1), metric(2)]);
        let torn = &line(&metric(3)).unwrap()[..20];
        OpenOptions::new().append(true).open(folder.path().join("spool")).unwrap().write_all(torn).unwrap();
        assert_eq!(spool.read_from(before.end, ENOUGH).unwrap().events, []);
        let again = Spool::open_or_create(folder.path(), run).unwrap();
        assert_eq!((again.id(), again.run()), (spool.id(), run));
        again.append(&[metric(4)]).unwrap();
        assert_eq!(spool.read_from(before.end, ENOUGH).unwrap().events, [metric(4)]);
    }

    #[test]
    fn a_spool_goes_only_when_all_of_it_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open_or_create(folder.path(), RandomId::generate()).unwrap();
        let read = spool.read_from(0, ENOUGH).unwrap();
        spool.append(&[metric(1)]).unwrap();
        assert!(!spool.remove_if_read(read.end).unwrap());
        assert!(spool.remove_if_read(spool.read_from(0, ENOUGH).unwrap().end).unwrap());
        assert!(spool.append(&[metric(2)]).is_err(), "nothing is acknowledged that nobody will read");
    }
}
