//! Files of the server, over one connection.

use std::time::{Duration, SystemTime};

use super::PIECE;
use super::packet::{Answer, Attributes, Question, ask, code, open};
use super::session::{Session, SftpError, done};
use crate::storage::remote::connection::Listed;

pub(super) fn refusal(answer: Answer) -> SftpError {
    done(answer).err().unwrap_or(SftpError::Strange)
}

/// A file as a listing tells it; `None` for what is no file.
pub(super) fn listed(name: String, found: &Attributes) -> Option<Listed> {
    let modified = found.modified.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into()));
    Some(Listed { name, size: found.size.filter(|_| !found.is_folder())?, modified })
}

pub(super) fn stat(session: &mut Session, path: &str) -> Result<Attributes, SftpError> {
    match session.ask(Question::new(ask::STAT).text(path.as_bytes()))? {
        Answer::Attributes(found) => Ok(found),
        other => Err(refusal(other)),
    }
}

fn open_file(session: &mut Session, path: &str, how: u32) -> Result<Vec<u8>, SftpError> {
    match session.ask(Question::new(ask::OPEN).text(path.as_bytes()).number(how).plain())? {
        Answer::Handle(handle) => Ok(handle),
        other => Err(refusal(other)),
    }
}

/// Exactly `length` bytes from `offset` on. A server may answer with less than was asked for: then the rest is asked for.
pub(super) fn read(
    session: &mut Session,
    path: &str,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, SftpError> {
    let handle = open_file(session, path, open::READ)?;
    let mut bytes = vec![0; length as usize];
    let mut missing: Vec<(usize, usize)> =
        (0..bytes.len()).step_by(PIECE).map(|start| (start, bytes.len().min(start + PIECE))).collect();
    let mut outcome = Ok(());
    while !missing.is_empty() && outcome.is_ok() {
        let asked = std::mem::take(&mut missing);
        let question = |(start, end): &(usize, usize)| {
            let at = offset + *start as u64;
            Question::new(ask::READ).text(&handle).long(at).number((end - start) as u32)
        };
        for ((start, end), answer) in asked.iter().zip(session.ask_all(asked.iter().map(question))?) {
            match answer {
                Answer::Data(data) if !data.is_empty() && data.len() <= end - start => {
                    bytes[*start..start + data.len()].copy_from_slice(&data);
                    if start + data.len() < *end {
                        missing.push((start + data.len(), *end));
                    }
                }
                Answer::Status(code::END, _) => outcome = Err(SftpError::WrongSize),
                other => outcome = Err(refusal(other)),
            }
        }
    }
    session.ask(Question::new(ask::CLOSE).text(&handle))?;
    outcome.map(|()| bytes)
}

/// Writes a new file in `folder`, which is made where it is missing, and sees to it that it lasts.
pub(super) fn write(session: &mut Session, path: &str, folder: &str, bytes: &[u8]) -> Result<(), SftpError> {
    let handle = match open_file(session, path, open::WRITE_NEW) {
        Err(SftpError::Status(code::NO_SUCH_FILE, _)) => {
            make_folders(session, folder)?;
            open_file(session, path, open::WRITE_NEW)?
        }
        opened => opened?,
    };
    let question = |(number, piece): (usize, &[u8])| {
        Question::new(ask::WRITE).text(&handle).long((number * PIECE) as u64).text(piece)
    };
    let answers = session.ask_all(bytes.chunks(PIECE).enumerate().map(question))?;
    let mut outcome = answers.into_iter().try_for_each(done);
    if outcome.is_ok() && session.extensions.iter().any(|known| known == "fsync@openssh.com") {
        outcome = session.demand(Question::new(ask::EXTENDED).text(b"fsync@openssh.com").text(&handle));
    }
    let closed = session.demand(Question::new(ask::CLOSE).text(&handle));
    outcome.and(closed)
}

/// Moves a file that is whole to its name.
pub(super) fn rename(session: &mut Session, from: &str, to: &str) -> Result<(), SftpError> {
    let folder = to.rsplit_once('/').map_or("", |(folder, _)| folder);
    match rename_once(session, from, to) {
        Err(SftpError::Status(code::NO_SUCH_FILE, _)) => {
            make_folders(session, folder)?;
            rename_once(session, from, to)
        }
        renamed => renamed,
    }
}

fn rename_once(session: &mut Session, from: &str, to: &str) -> Result<(), SftpError> {
    if session.extensions.iter().any(|known| known == "posix-rename@openssh.com") {
        let question = Question::new(ask::EXTENDED).text(b"posix-rename@openssh.com");
        return session.demand(question.text(from.as_bytes()).text(to.as_bytes()));
    }
    let question = || Question::new(ask::RENAME).text(from.as_bytes()).text(to.as_bytes());
    match session.demand(question()) {
        // Whatever has the name has the same bytes: no name is ever given to others.
        Err(SftpError::Status(..)) if stat(session, to).is_ok() => {
            session.demand(Question::new(ask::REMOVE).text(to.as_bytes()))?;
            session.demand(question())
        }
        renamed => renamed,
    }
}

/// Makes a folder and those above it. That it is there already is not an error, and what else is wrong shows when it is used.
fn make_folders(session: &mut Session, folder: &str) -> Result<(), SftpError> {
    let ends = folder.char_indices().filter(|(at, letter)| *at > 0 && *letter == '/').map(|(at, _)| at);
    for end in ends.chain([folder.len()]) {
        session.ask(Question::new(ask::MKDIR).text(&folder.as_bytes()[..end]).plain())?;
    }
    Ok(())
}
