//! A remote: a place for packs that a team shares.
//!
//! What a demanding user expects of it: one word in `ml.toml` names a folder, a bucket or a server; credentials are found
//! where the service's own tools find them and are never shown; a wrong secret fails at once and says which key was used; a
//! service that cannot be reached is given up after seconds, not minutes; what is temporary is tried again, quietly; and
//! whatever fails says so in the service's own words and with the next step. The best peers: rclone for the breadth of
//! services, restic for not losing anything on the worst of them.
//!
//! Objects are write-once and small enough for memory (packs of at most 64 MiB). No call relies on compare-and-swap, nor on
//! a service that shows only what is whole: see [`Remote::put`].
//!
//! | service | address and options | as whom | how it is written | tested against |
//! | --- | --- | --- | --- | --- |
//! | folder | [`RemoteUrl`] | owner | aside, synced, renamed | the file system |
//! | S3 | [`RemoteOptions`] | AWS's own sources | PUT | SeaweedFS; `rclone serve s3`, which ignores conditions |
//! | Azure Blob | | key, signature, Entra | PUT | Azurite |
//! | Google Cloud Storage | | Google's own sources | PUT | fake-gcs-server |
//! | WebDAV | | Git's credential helpers | PUT aside, MOVE | `rclone serve webdav` |
//! | SFTP | | the user's own `ssh` | aside, synced, renamed | `rclone serve sftp` |
//! | HTTP | | Git's credential helpers | never | `rclone serve http` |

mod access;
mod advice;
mod answer;
mod aws;
mod azure;
mod calls;
mod connection;
mod error;
mod folder;
mod google;
mod identity;
mod index_page;
mod options;
mod reading;
mod service;
mod sftp;
mod url;
mod url_error;
mod watch;
mod writing;

pub use access::{Access, Login};
pub use connection::{Listed, Remote};
pub use error::{RemoteError, RemoteErrorKind};
pub use identity::Identity;
pub use options::{OptionError, RemoteOptions};
pub(in crate::storage) use service::runtime;
pub use url::{RemoteUrl, ServiceKind};
pub use url_error::UrlError;
pub use watch::{Passage, Watch};
