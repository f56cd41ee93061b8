//! Runs a command as the shell would, and passes it the signals that reach us.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::thread;

use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::{Handle, Signals};

/// How a command ended.
#[derive(Debug)]
pub enum Ended {
    /// With this status.
    With(ExitStatus),
    /// It could not be started.
    NotStarted(io::Error),
}

impl Ended {
    /// The exit code as the shell tells it: that of the command, 128 and the signal that ended it, 127 for a command
    /// that was not found, 126 for one that cannot be executed.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::With(status) => status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1),
            Self::NotStarted(error) if error.kind() == io::ErrorKind::NotFound => 127,
            Self::NotStarted(_) => 126,
        }
    }
}

/// The signals that reach us while a command runs: we live on, and the command gets them.
pub struct Watch {
    signals: Signals,
}

impl Watch {
    /// Begins to watch. From here on these signals do not end us.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn begin() -> io::Result<Self> {
        Ok(Self { signals: Signals::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2])? })
    }

    /// Runs `command` with our standard streams, and waits for it.
    pub fn run(self, command: &[OsString], variables: &[(&str, OsString)]) -> Ended {
        let Some((program, arguments)) = command.split_first() else {
            return Ended::NotStarted(io::ErrorKind::NotFound.into());
        };
        let spawned = Command::new(program).args(arguments).envs(variables.iter().cloned()).spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return Ended::NotStarted(error),
        };
        let handle = self.pass_to(&child);
        let ended = child.wait();
        handle.close();
        match ended {
            Ok(status) => Ended::With(status),
            Err(error) => Ended::NotStarted(error),
        }
    }

    fn pass_to(mut self, child: &Child) -> Handle {
        let handle = self.signals.handle();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        thread::spawn(move || {
            for number in self.signals.forever() {
                // What is typed at the terminal reaches the whole foreground group: the command has it already.
                let typed = matches!(number, SIGINT | SIGQUIT) && in_foreground();
                if let (Some(pid), Some(signal), false) = (pid, Signal::from_named_raw(number), typed) {
                    let _gone = rustix::process::kill_process(pid, signal);
                }
            }
        });
        handle
    }
}

/// Whether a terminal sends what is typed to us.
fn in_foreground() -> bool {
    let terminal = File::open("/dev/tty").ok();
    let group = terminal.and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
    group == Some(rustix::process::getpgrp())
}
