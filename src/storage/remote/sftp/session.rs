//! One `ssh` that speaks SFTP: questions go to its stdin, many at once; answers come from its stdout.
//!
//! It never asks anybody anything (`BatchMode`): keys come from the agent and the files that `ssh` is configured to use, and
//! a host whose key is not known is refused. What else the user's configuration may hang on a connection (forwarded ports
//! and agents, local commands) is switched off, as the program `sftp` does. The process ends with its stdin, however this
//! program ends.

use std::collections::HashMap;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::packet::{self, Answer, LONGEST, Question, code};

/// So much of what `ssh` says on stderr is kept, in bytes.
const WORDS: usize = 4096;
/// Questions that are on their way at once. As many answers wait until somebody looks, so neither side can be stuck.
pub(super) const AT_ONCE: usize = 64;
/// How often, and how long apart, it is looked whether a process has ended.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(5);
/// How long the last words of a process are waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Why a call over SFTP failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::storage::remote) enum SftpError {
    /// The server said no: a code and its words.
    Status(u32, String),
    /// There is no connection, or no more; what `ssh` said.
    Lost(String),
    /// Nothing was heard for so long.
    Silence(Duration),
    /// The file is shorter or longer than it must be.
    WrongSize,
    /// The server does not speak SFTP as it is written.
    Strange,
}

/// Whom to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::storage::remote) struct Destination {
    /// The command that stands for `ssh`, as Git's `core.sshCommand`: the shell reads it.
    pub command: String,
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
    /// How long it may be silent.
    pub patience: Duration,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Session {
    process: Child,
    /// Taken when it ends.
    questions: Option<BufWriter<ChildStdin>>,
    answers: Receiver<(u32, Answer)>,
    words: Arc<Mutex<Vec<u8>>>,
    /// Nothing ever comes; it ends with the words.
    said_all: Receiver<()>,
    patience: Duration,
    next: u32,
    /// The extensions of the server.
    pub(super) extensions: Vec<String>,
}

impl Drop for Session {
    fn drop(&mut self) {
        // What was not sent is not wanted; without its stdin it ends by itself, and so does what it has started.
        drop(self.questions.take().map(BufWriter::into_parts));
        for _ in 0..LOOKS {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(PAUSE);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Session {
    /// Connects.
    pub(super) fn open(to: &Destination) -> Result<Self, SftpError> {
        let mut process = command(to).spawn().map_err(|error| SftpError::Lost(error.to_string()))?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (process.stdin.take(), process.stdout.take(), process.stderr.take())
        else {
            return Err(SftpError::Strange);
        };
        let (sender, answers) = sync_channel(AT_ONCE);
        let words = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&words);
        thread::spawn(move || listen(stdout, &sender));
        let (until, said_all) = sync_channel(0);
        thread::spawn(move || overhear(stderr, &heard, &until));
        let (questions, extensions) = (Some(BufWriter::with_capacity(1 << 16, stdin)), Vec::new());
        let patience = to.patience;
        let mut session =
            Self { process, questions, answers, words, said_all, patience, next: 0, extensions };
        session.send(&Question::init().packet(None))?;
        session.flush()?;
        match session.hear()? {
            (_, Answer::Version(extensions)) => session.extensions = extensions,
            _ => return Err(SftpError::Strange),
        }
        Ok(session)
    }

    /// Asks all of `questions`, many at once, and gives the answers in their order.
    pub(super) fn ask_all(
        &mut self,
        questions: impl IntoIterator<Item = Question>,
    ) -> Result<Vec<Answer>, SftpError> {
        let (mut questions, mut answers) = (questions.into_iter().peekable(), Vec::new());
        while questions.peek().is_some() {
            let some: Vec<_> = questions.by_ref().take(AT_ONCE).collect();
            answers.extend(self.ask_some(some)?);
        }
        Ok(answers)
    }

    fn ask_some(&mut self, questions: Vec<Question>) -> Result<Vec<Answer>, SftpError> {
        let first = self.next;
        for question in questions {
            let packet = question.packet(Some(self.next));
            self.next = self.next.wrapping_add(1);
            self.send(&packet)?;
        }
        self.flush()?;
        let count = self.next.wrapping_sub(first);
        let mut answers = HashMap::new();
        while answers.len() < count as usize {
            let (number, answer) = self.hear()?;
            if number.wrapping_sub(first) >= count || answers.insert(number, answer).is_some() {
                return Err(SftpError::Strange);
            }
        }
        (0..count).map(|at| answers.remove(&first.wrapping_add(at)).ok_or(SftpError::Strange)).collect()
    }

    /// Asks one question.
    pub(super) fn ask(&mut self, question: Question) -> Result<Answer, SftpError> {
        self.ask_all([question])?.pop().ok_or(SftpError::Strange)
    }

    /// Asks for something to be done.
    pub(super) fn demand(&mut self, question: Question) -> Result<(), SftpError> {
        done(self.ask(question)?)
    }

    fn send(&mut self, packet: &[u8]) -> Result<(), SftpError> {
        let sent = self.questions.as_mut().map_or(Ok(()), |questions| questions.write_all(packet));
        sent.map_err(|error| self.lost(&error))
    }

    fn flush(&mut self) -> Result<(), SftpError> {
        let flushed = self.questions.as_mut().map_or(Ok(()), |questions| questions.flush());
        flushed.map_err(|error| self.lost(&error))
    }

    fn hear(&mut self) -> Result<(u32, Answer), SftpError> {
        self.answers.recv_timeout(self.patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => SftpError::Silence(self.patience),
            RecvTimeoutError::Disconnected => self.lost(&io::ErrorKind::UnexpectedEof.into()),
        })
    }

    /// The connection is gone: what `ssh` said about it.
    fn lost(&mut self, error: &io::Error) -> SftpError {
        // Its last words come before its end.
        let _ = self.said_all.recv_timeout(LAST_WORDS);
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let words = String::from_utf8_lossy(&words);
        let last: Vec<_> = words.lines().filter(|line| !line.trim().is_empty()).collect();
        match last.as_slice() {
            [] => SftpError::Lost(format!("ssh ended: {error}")),
            lines => SftpError::Lost(lines[lines.len().saturating_sub(3)..].join("; ")),
        }
    }
}

/// Whether what was asked for was done.
pub(super) fn done(answer: Answer) -> Result<(), SftpError> {
    match answer {
        Answer::Status(code::OK, _) => Ok(()),
        Answer::Status(code, words) => Err(SftpError::Status(code, words)),
        _ => Err(SftpError::Strange),
    }
}

fn command(to: &Destination) -> Command {
    let mut command = Command::new("sh");
    // As Git runs it: a command with its options, to which ours are added.
    command.args(["-c", &format!("{} \"$@\"", to.command), "ssh"]);
    command.args([
        "-oBatchMode=yes",
        "-oConnectTimeout=10",
        "-oServerAliveInterval=15",
        "-oClearAllForwardings=yes",
    ]);
    command.args(["-oForwardAgent=no", "-oForwardX11=no", "-oPermitLocalCommand=no", "-oRequestTTY=no"]);
    if let Some(user) = &to.user {
        command.args(["-l", user]);
    }
    if let Some(port) = to.port {
        command.args(["-p", &port.to_string()]);
    }
    command.args(["-s", "--", &to.host, "sftp"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Hands on what the server says, to its end.
fn listen(stdout: ChildStdout, answers: &SyncSender<(u32, Answer)>) {
    let mut stdout = BufReader::with_capacity(1 << 16, stdout);
    let mut length = [0; 4];
    while stdout.read_exact(&mut length).is_ok() {
        let length = u32::from_be_bytes(length);
        if length > LONGEST {
            return;
        }
        let mut packet = vec![0; length as usize];
        if stdout.read_exact(&mut packet).is_err() {
            return;
        }
        let Some(answer) = packet::read(&packet) else { return };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

/// Keeps the last words of `ssh`.
fn overhear(mut stderr: ChildStderr, words: &Mutex<Vec<u8>>, _until_the_end: &SyncSender<()>) {
    let mut piece = [0; 512];
    while let Ok(length @ 1..) = stderr.read(&mut piece) {
        let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
        words.extend(&piece[..length]);
        let surplus = words.len().saturating_sub(WORDS);
        words.drain(..surplus);
    }
}
