//! Runs a command and records it as a run.
//!
//! Before the start: what the command will read is stored, the code is kept, the record is in the spool. From then on the
//! command comes first: whatever fails in recording becomes a problem to be told, never another exit code.
//!
//! | exit code | when |
//! | --- | --- |
//! | that of the command, or 128 and its signal | it ran |
//! | 127, 126 | it was not found, it could not be executed; the run is recorded as failed |
//! | 125 (by the caller, for an error) | we could not begin: nothing was started and nothing recorded |

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use crate::base::{RandomId, RepoPath};
use crate::git::{Repository, Role};
use crate::models::ContentRecord;

use super::code;
use super::command::{Ended, Watch};
use super::environment::Asked;
use super::error::{DataFailure, RunsError};
use super::flush::{self, Alive, Moment};
use super::record::{CodeState, CreateRecord, FORMAT, Op, Status};
use super::recorder::{RUN_VARIABLE, SPOOL_VARIABLE};
use super::spool::{Event, Spool};
use super::writer::writer;

/// So often a run that is going on comes into the log.
const FLUSH_INTERVAL: Duration = Duration::from_secs(10);

/// What a run needs of the data layer.
pub trait Data {
    /// Stores what lies at `path` now, if it is not stored yet, and tells its identity. A file that is not tracked as
    /// data is told, too.
    ///
    /// # Errors
    ///
    /// [`DataFailure`] when there is nothing, or it cannot be stored.
    fn content_of(&self, path: &RepoPath) -> Result<ContentRecord, DataFailure>;

    /// As [`Data::content_of`], and a pointer is written for it, which is not staged.
    ///
    /// # Errors
    ///
    /// [`DataFailure`] as for [`Data::content_of`].
    fn add_output(&self, path: &RepoPath) -> Result<ContentRecord, DataFailure>;
}

/// What is to be run, and what is known of it before.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A name for the run.
    pub name: Option<String>,
    /// Parameters.
    pub params: Vec<(String, String)>,
    /// What the command reads.
    pub inputs: Vec<RepoPath>,
    /// What it makes.
    pub outputs: Vec<RepoPath>,
    /// The command and its arguments.
    pub command: Vec<OsString>,
}

/// A run that has ended.
#[derive(Debug, Serialize)]
pub struct Execution {
    /// Its id.
    pub id: RandomId,
    /// Its name.
    pub name: Option<String>,
    /// How it went.
    pub status: Status,
    /// What to exit with.
    pub exit_code: i32,
    /// How long the command ran, in milliseconds.
    pub duration_ms: u64,
    /// The code that it ran.
    pub git: CodeState,
    /// What it read.
    pub inputs: Vec<ContentRecord>,
    /// What it made.
    pub outputs: Vec<ContentRecord>,
    /// Why the command could not be started.
    #[serde(skip)]
    pub not_started: Option<io::Error>,
    /// What could not be recorded, and why.
    #[serde(skip)]
    pub problems: Vec<RunsError>,
}

/// Runs a command and records it.
///
/// # Errors
///
/// [`RunsError`] when nothing was started. What fails later is in [`Execution::problems`].
pub fn execute(repository: &Repository, request: &Request, data: &dyn Data) -> Result<Execution, RunsError> {
    let program = request.command.first().cloned().unwrap_or_default();
    let asked = Asked::of(repository, &program);
    let mut inputs = Vec::with_capacity(request.inputs.len());
    for path in &request.inputs {
        let failed = |source| RunsError::Input { path: path.to_string(), source };
        inputs.push(data.content_of(path).map_err(failed)?);
    }
    let recorder = Recorder::begin(repository, request, &inputs, asked)?;
    let variables = [
        (RUN_VARIABLE, recorder.record.id.to_string().into()),
        (SPOOL_VARIABLE, recorder.folder.clone().into_os_string()),
    ];
    let watch = Watch::begin().map_err(RunsError::Signals)?;
    let flusher = Flusher::begin(repository, &recorder.folder);
    let begun = Instant::now();
    let ended = watch.run(&request.command, &variables);
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    flusher.end();
    Ok(recorder.end(repository, request, data, ended, duration_ms, inputs))
}

/// A run that is being recorded.
struct Recorder {
    record: CreateRecord,
    folder: PathBuf,
    spool: Spool,
    _alive: Option<Alive>,
}

impl Recorder {
    fn begin(
        repository: &Repository,
        request: &Request,
        inputs: &[ContentRecord],
        asked: Asked,
    ) -> Result<Self, RunsError> {
        let code = code::keep(repository)?;
        let command: Vec<_> =
            request.command.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let user = repository.signature(Role::Author).ok();
        let parent = std::env::var(RUN_VARIABLE).ok();
        let record = CreateRecord {
            version: FORMAT,
            id: RandomId::generate(),
            name: request.name.clone(),
            writer: writer(repository)?,
            lamport: 0,
            start: Timestamp::now(),
            user: user.map(|user| format!("{} <{}>", user.name, user.email)),
            parent: parent.and_then(|parent| parent.parse().ok()),
            command: code::without_secrets(&command),
            folder: repository.prefix().map(|prefix| prefix.to_string()).unwrap_or_default(),
            git: code.state,
            environment: asked.answers(),
        };
        let folder = flush::spool_folder(repository, &record.id);
        let alive = Alive::take(&folder)?;
        let spool = Spool::open_or_create(&folder, record.id)?;
        let tree = code.tree.map(|tree| tree.to_string());
        let mut events = vec![Event::Create { record: Box::new(record.clone()), code: tree }];
        events.extend(request.params.iter().map(|(key, value)| Event::param(key, value)));
        events.extend(inputs.iter().map(|input| Event::now(Op::Input(input.clone()))));
        spool.append(&events)?;
        // The kept code is in the object database; once it is in the log, `git gc` keeps it, too. The spool is enough to
        // begin with: what does not come into the log now comes later.
        let _later = flush::flush(repository, &folder, Moment::Between);
        Ok(Self { record, folder, spool, _alive: alive })
    }

    fn end(
        self,
        repository: &Repository,
        request: &Request,
        data: &dyn Data,
        ended: Ended,
        duration_ms: u64,
        inputs: Vec<ContentRecord>,
    ) -> Execution {
        let (mut outputs, mut problems) = (Vec::new(), Vec::new());
        for path in &request.outputs {
            match data.add_output(path) {
                Ok(output) => outputs.push(output),
                Err(source) => problems.push(RunsError::Output { path: path.to_string(), source }),
            }
        }
        let exit_code = ended.exit_code();
        let signal = match &ended {
            Ended::With(status) => status.signal(),
            Ended::NotStarted(_) => None,
        };
        let status = match (exit_code, signal) {
            (_, Some(_)) => Status::Killed,
            (0, None) => Status::Finished,
            _ => Status::Failed,
        };
        let mut events: Vec<_> =
            outputs.iter().map(|output| Event::now(Op::Output(output.clone()))).collect();
        let (exit_code_op, duration) = (Some(exit_code), Some(duration_ms));
        events.push(Event::now(Op::Status {
            status,
            exit_code: exit_code_op,
            signal,
            duration_ms: duration,
        }));
        let recorded = self.spool.append(&events).map_err(RunsError::from);
        let recorded = recorded.and_then(|()| flush::finish(repository, &self.folder));
        problems.extend(recorded.err());
        let not_started = match ended {
            Ended::NotStarted(error) => Some(error),
            Ended::With(_) => None,
        };
        let CreateRecord { id, name, git, .. } = self.record;
        Execution { id, name, status, exit_code, duration_ms, git, inputs, outputs, not_started, problems }
    }
}

/// Brings what is in the spool into the log now and then, while the command runs.
struct Flusher {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Flusher {
    fn begin(repository: &Repository, folder: &Path) -> Self {
        let (stop, stopped) = mpsc::channel();
        let (repository, folder) = (repository.clone(), folder.to_owned());
        let thread = thread::spawn(move || {
            while stopped.recv_timeout(FLUSH_INTERVAL) == Err(mpsc::RecvTimeoutError::Timeout) {
                // What does not come into the log now comes at the end, or when the spool is found.
                let _later = flush::flush(&repository, &folder, Moment::Between);
            }
        });
        Self { stop, thread }
    }

    fn end(self) {
        drop(self.stop);
        let _ended = self.thread.join();
    }
}
