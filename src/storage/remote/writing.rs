//! What changes a remote: objects appear whole, or go.

use std::path::Path;

use opendal::{Buffer, Operator};

use super::connection::{Carrier, Remote, TEMPORARIES, failure};
use super::error::{RemoteError, RemoteErrorKind};
use super::folder::write_into;
use super::service::Service;
use super::sftp::Sftp;
use super::url::ServiceKind;
use crate::base::RandomId;

/// Up to here the upload of an object is a quick call.
const SMALL_UPLOAD: usize = 1 << 20;
impl Remote {
    /// Writes an object. It appears whole or not at all, and lasts when this returns. Gives the memory of `bytes` back,
    /// empty, for the next object, unless something else holds it still.
    ///
    /// In a folder remote the file is written beside, in `tmp/`, synced, renamed, and its folder is synced: OpenDAL's
    /// own writer neither syncs the folder nor removes what a full disk left. A WebDAV server, too, may show what was
    /// only begun under its final name, so there it is written to `tmp/` and moved.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when it could not be written, also after some tries where the failure was temporary.
    pub fn put(&self, name: &str, bytes: Vec<u8>) -> Result<Vec<u8>, RemoteError> {
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.write_by_ssh(sftp, name, bytes, true),
            Carrier::OpenDal(service) => service,
        };
        if bytes.len() <= SMALL_UPLOAD {
            return self.write(service, &service.quick, name, bytes, true);
        }
        if !service.has_answered() {
            // A long upload has minutes, so whether anybody is there is asked before.
            self.stat(name)?;
        }
        self.write(service, &service.bulk, name, bytes, true)
    }

    /// Writes an object as [`Remote::put`] does, but never sends it a second time: for root records, of which a late
    /// copy must not appear after the writer looked for the last time.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] at the first failure; whether the object was written is not known then.
    pub fn put_once_without_retry(&self, name: &str, bytes: Vec<u8>) -> Result<(), RemoteError> {
        let written = match &self.carrier {
            Carrier::Ssh(sftp) => self.write_by_ssh(sftp, name, bytes, false),
            Carrier::OpenDal(service) => self.write(service, &service.once, name, bytes, false),
        };
        written.map(drop)
    }

    /// Removes an object; no error where there is none.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the service refuses.
    pub fn delete(&self, name: &str) -> Result<(), RemoteError> {
        self.refuse_if_read_only("delete", name)?;
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.by_ssh("delete", name, |_| Some(()), || sftp.delete(name)),
            Carrier::OpenDal(service) => service,
        };
        let (operator, path) = (service.quick.clone(), name.to_owned());
        self.run(
            service,
            "delete",
            name,
            |_| Some(()),
            move || {
                let (operator, path) = (operator.clone(), path.clone());
                async move { operator.delete(&path).await }
            },
        )
    }

    fn write_by_ssh(
        &self,
        sftp: &Sftp,
        name: &str,
        bytes: Vec<u8>,
        again: bool,
    ) -> Result<Vec<u8>, RemoteError> {
        self.refuse_if_read_only("write", name)?;
        self.by_ssh("write", name, |_| Some(()), || sftp.put(name, &bytes, again))?;
        Ok(emptied(bytes))
    }

    fn write(
        &self,
        service: &Service,
        operator: &Operator,
        name: &str,
        bytes: Vec<u8>,
        again: bool,
    ) -> Result<Vec<u8>, RemoteError> {
        self.refuse_if_read_only("write", name)?;
        if let Some(folder) = &self.folder {
            self.write_file(folder, name, &bytes)?;
            return Ok(emptied(bytes));
        }
        let (operator, path, bytes) = (operator.clone(), name.to_owned(), Buffer::from(bytes));
        let kept = bytes.to_bytes();
        let aside = matches!(self.kind, ServiceKind::WebDav);
        let aside = aside.then(|| format!("{TEMPORARIES}/{}", RandomId::generate()));
        let writing = move || {
            let (operator, path, bytes, aside) =
                (operator.clone(), path.clone(), bytes.clone(), aside.clone());
            async move {
                let Some(aside) = aside else { return operator.write(&path, bytes).await.map(|_| ()) };
                operator.write(&aside, bytes).await?;
                operator.rename(&aside, &path).await
            }
        };
        let attempt = self.attempt("write", name);
        self.pass(
            &attempt,
            |_| Some(()),
            || {
                let done = if again { service.run(writing) } else { service.run_once(writing) };
                done.map_err(|error| failure(&attempt, error))
            },
        )?;
        Ok(kept.try_into_mut().map_or_else(|_| Vec::new(), |memory| emptied(memory.into())))
    }

    fn refuse_if_read_only(&self, step: &'static str, name: &str) -> Result<(), RemoteError> {
        let Some(said) = self.read_only else { return Ok(()) };
        Err(RemoteError::new(RemoteErrorKind::ReadOnly, &self.attempt(step, name), said))
    }

    fn write_file(&self, folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RemoteError> {
        let attempt = self.attempt("write", name);
        self.pass(&attempt, |_| Some(()), || write_into(folder, name, bytes, &attempt))
    }
}

fn emptied(mut memory: Vec<u8>) -> Vec<u8> {
    memory.clear();
    memory
}
