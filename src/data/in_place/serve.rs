//! One Git process, from its first request to its last.

use std::io::{self, Read, Write};

use super::clean::{CleanError, Cleaner};
use super::smudge::{Smudged, Smudger};
use crate::base::Digest;
use crate::data::content::ReadError;
use crate::data::transfer::TransferError;
use crate::data::workspace::Workspace;
use crate::git::{FilterCommand, FilterProcess, FilterRequest, FilterStatus, GitError, Repository};
use crate::objects::pointer::{MAX_IN_PLACE, PointerError};

/// Raw content of a path that should have a pointer is passed through in memory up to so many bytes, else on the disk.
const IN_MEMORY: usize = 8 << 20;

/// What a person should hear of.
#[derive(Debug)]
pub enum FilterNews {
    /// A file could not be taken in; Git fails.
    NotCleaned {
        /// Its path.
        path: String,
        /// Why.
        error: CleanError,
    },
    /// A file looks like a pointer, cannot be used as one, and was taken in as content.
    UnlikePointer {
        /// Its path.
        path: String,
        /// Why it is none.
        error: PointerError,
    },
    /// A content that is in the store cannot be read; its pointer lies in the work tree.
    Damaged {
        /// Its path.
        path: String,
        /// The content.
        id: Digest,
        /// Why.
        error: ReadError,
    },
    /// What is missing could not be fetched; pointers lie in the work tree.
    NotFetched {
        /// How many paths waited for it.
        paths: usize,
        /// Why.
        error: TransferError,
    },
}

/// Answers a Git process until it has no more to ask. What a person should hear is told to `tell`. A repository that cannot
/// be opened is no reason to fail where only pointers and raw content pass.
///
/// # Errors
///
/// When Git breaks off, or does not follow the protocol.
pub fn serve(
    repository: Result<Repository, GitError>,
    input: impl Read,
    output: impl Write,
    tell: &mut dyn FnMut(FilterNews),
) -> io::Result<()> {
    let mut process = FilterProcess::begin(input, output)?;
    let mut filter = match repository {
        Ok(repository) => {
            let store = Workspace::store_of(&repository);
            let cleaner = Cleaner::new(&repository, &store);
            Filter { cleaner: Ok(cleaner), smudger: Some(Smudger::new(&repository)), tell }
        }
        Err(error) => Filter { cleaner: Err(Some(error)), smudger: None, tell },
    };
    while let Some(request) = process.next_request()? {
        match request.command {
            FilterCommand::Clean => filter.clean(&mut process, &request)?,
            FilterCommand::Smudge => filter.smudge(&mut process, &request)?,
            FilterCommand::ListAvailable => filter.list_available(&mut process)?,
            FilterCommand::Unknown => {
                process.content().pass_over()?;
                process.answer_status(FilterStatus::Error)?;
            }
        }
    }
    Ok(())
}

struct Filter<'a> {
    cleaner: Result<Cleaner, Option<GitError>>,
    smudger: Option<Smudger>,
    tell: &'a mut dyn FnMut(FilterNews),
}

impl Filter<'_> {
    fn clean<R: Read, W: Write>(
        &mut self,
        process: &mut FilterProcess<R, W>,
        request: &FilterRequest,
    ) -> io::Result<()> {
        let mut content = process.content();
        let cleaned = match &mut self.cleaner {
            Ok(cleaner) => cleaner.clean(&request.path, &mut content),
            Err(error) => Err(CleanError::NoStore(error.take())),
        };
        content.pass_over()?;
        let path = || String::from_utf8_lossy(&request.path).into_owned();
        match cleaned {
            Ok(cleaned) => {
                if let Some(error) = cleaned.unlike {
                    (self.tell)(FilterNews::UnlikePointer { path: path(), error });
                }
                process.answer_bytes(&cleaned.text)
            }
            Err(error) => {
                (self.tell)(FilterNews::NotCleaned { path: path(), error });
                process.answer_status(FilterStatus::Error)
            }
        }
    }

    fn smudge<R: Read, W: Write>(
        &mut self,
        process: &mut FilterProcess<R, W>,
        request: &FilterRequest,
    ) -> io::Result<()> {
        let mut content = process.content();
        let mut blob = Vec::new();
        (&mut content).take(MAX_IN_PLACE as u64 + 1).read_to_end(&mut blob)?;
        if blob.len() > MAX_IN_PLACE {
            let mut kept = tempfile::spooled_tempfile(IN_MEMORY);
            kept.write_all(&blob)?;
            io::copy(&mut content, &mut kept)?;
            io::Seek::rewind(&mut kept)?;
            return process.answer(&mut kept);
        }
        content.pass_over()?;
        let Some(smudger) = &mut self.smudger else { return process.answer_bytes(&blob) };
        if blob.is_empty()
            && let Some(delayed) = smudger.delayed_blob(&request.path)
        {
            blob = delayed;
        }
        let (smudged, unreadable) = smudger.smudge(&request.path, &blob, request.can_delay);
        if let Some((id, error)) = unreadable {
            let path = String::from_utf8_lossy(&request.path).into_owned();
            (self.tell)(FilterNews::Damaged { path, id, error });
        }
        match smudged {
            Smudged::Content(content) => process.answer_bytes(&content),
            Smudged::AsItIs => process.answer_bytes(&blob),
            Smudged::Later => process.answer_status(FilterStatus::Delayed),
        }
    }

    fn list_available<R: Read, W: Write>(&mut self, process: &mut FilterProcess<R, W>) -> io::Result<()> {
        let Some(smudger) = &mut self.smudger else { return process.answer_available(&[]) };
        let (paths, failed) = smudger.available();
        if let Some(error) = failed {
            (self.tell)(FilterNews::NotFetched { paths: paths.len(), error });
        }
        process.answer_available(&paths)
    }
}
