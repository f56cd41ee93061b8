//! What one can ask of a remote: objects, parts of them, listings.

use opendal::options::ReadOptions;

use super::calls::{LARGEST_OBJECT, first_of, list_pages, list_service, read_whole, stat_of};
use super::connection::{Carrier, Listed, Remote, TEMPORARIES};
use super::error::{RemoteError, RemoteErrorKind};
use super::url::ServiceKind;

impl Remote {
    /// Asks whether the remote is there and may be listed: one request.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] that says why not.
    pub fn check(&self) -> Result<(), RemoteError> {
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.by_ssh("reach", "", |_| Some(()), || sftp.check()),
            Carrier::OpenDal(service) => service,
        };
        let (operator, pages) = (service.quick.clone(), self.pages.clone());
        let answer = self.run(
            service,
            "reach",
            "",
            |_| Some(()),
            move || {
                let (operator, pages) = (operator.clone(), pages.clone());
                async move {
                    match pages {
                        Some(pages) => pages.check().await,
                        None => first_of(&operator).await,
                    }
                }
            },
        );
        match answer {
            // A folder of a server is made by the first object; a bucket is not.
            Err(error) if error.kind() == RemoteErrorKind::NotFound => match self.kind {
                ServiceKind::WebDav => Ok(()),
                ServiceKind::Http => Err(error),
                _ => {
                    Err(RemoteError::new(RemoteErrorKind::NoRemote, &self.attempt("reach", ""), error.said()))
                }
            },
            other => other,
        }
    }

    /// The bytes of an object.
    ///
    /// # Errors
    ///
    /// [`RemoteErrorKind::NotFound`], [`RemoteErrorKind::WrongSize`] for more than any object may have, and others.
    pub fn get(&self, name: &str) -> Result<Vec<u8>, RemoteError> {
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.by_ssh("read", name, unanswered, || sftp.get(name)),
            Carrier::OpenDal(service) => service,
        };
        let (operator, path) = (service.quick.clone(), name.to_owned());
        let bytes =
            self.run(service, "read", name, unanswered, move || read_whole(operator.clone(), path.clone()))?;
        bytes.ok_or_else(|| {
            let said = format!("more than {LARGEST_OBJECT} bytes");
            RemoteError::new(RemoteErrorKind::WrongSize, &self.attempt("read", name), &said)
        })
    }

    /// Exactly `length` bytes of an object, from `offset` on.
    ///
    /// # Errors
    ///
    /// [`RemoteErrorKind::WrongSize`] when the object ends before, and others.
    pub fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Vec<u8>, RemoteError> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => {
                return self.by_ssh("read", name, unanswered, || sftp.get_range(name, offset, length));
            }
            Carrier::OpenDal(service) => service,
        };
        let (operator, path) = (service.quick.clone(), name.to_owned());
        let range = (offset..offset.saturating_add(length)).into();
        let options = ReadOptions { range, ..ReadOptions::default() };
        let reading = move || {
            let (operator, path, options) = (operator.clone(), path.clone(), options.clone());
            async move { operator.read_options(&path, options).await }
        };
        let bytes = self.run(service, "read", name, unanswered, reading)?.to_vec();
        if bytes.len() as u64 != length {
            let said = format!("{} bytes came instead of {length} from {offset} on", bytes.len());
            return Err(RemoteError::new(RemoteErrorKind::WrongSize, &self.attempt("read", name), &said));
        }
        Ok(bytes)
    }

    /// What lies where objects are written before they are whole, in no order: what is being written, and what killed
    /// writers left. Nothing on services that take an object in one piece.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the listing fails.
    pub fn unfinished(&self) -> Result<Vec<Listed>, RemoteError> {
        match self.kind {
            ServiceKind::Folder | ServiceKind::WebDav | ServiceKind::Sftp => self.list_all(TEMPORARIES),
            _ => Ok(Vec::new()),
        }
    }

    /// All objects under `folder` and its folders, in no order; empty where there is no such folder.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the listing fails or is not complete.
    pub fn list(&self, folder: &str) -> Result<Vec<Listed>, RemoteError> {
        let whole = |object: &Listed| !object.name.starts_with(&format!("{TEMPORARIES}/"));
        Ok(self.list_all(folder)?.into_iter().filter(whole).collect())
    }

    fn list_all(&self, folder: &str) -> Result<Vec<Listed>, RemoteError> {
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.by_ssh("list", folder, Some, || sftp.list(folder)),
            Carrier::OpenDal(service) => service,
        };
        let operator = service.quick.clone();
        let folder_path = folder.trim_matches('/').to_owned();
        let pages = self.pages.clone();
        self.run(service, "list", folder, Some, move || {
            let (operator, pages, folder) = (operator.clone(), pages.clone(), folder_path.clone());
            async move {
                match pages {
                    Some(pages) => list_pages(operator, pages, &folder).await,
                    None => list_service(operator, &folder).await,
                }
            }
        })
    }

    /// Size and time of an object; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the service does not say.
    pub fn stat(&self, name: &str) -> Result<Option<Listed>, RemoteError> {
        let first = |answer: Vec<Listed>| Some(answer.into_iter().next());
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.by_ssh("ask for", name, first, || sftp.stat(name)),
            Carrier::OpenDal(service) => service,
        };
        let (operator, path) = (service.quick.clone(), name.to_owned());
        let asking = move || {
            let (operator, path) = (operator.clone(), path.clone());
            async move { stat_of(&operator, &path).await }
        };
        self.run(service, "ask for", name, first, asking)
    }
}

/// Nobody but the remote can answer this call.
fn unanswered<T>(_: Vec<Listed>) -> Option<T> {
    None
}
