//! A remote: a place for packs that a team shares.
//!
//! What a demanding user expects of it: one word in `ml.toml` names a folder or a bucket; credentials are found where
//! the service's own tools find them and are never shown; a wrong secret fails at once and says which key was used; a
//! service that cannot be reached is given up after seconds, not minutes; what is temporary is tried again, quietly;
//! and whatever fails says so in the service's own words and with the next step.
//!
//! Objects are write-once and small enough for memory (packs of at most 64 MiB). No call relies on compare-and-swap.

mod connection;
mod credentials;
mod error;
mod options;
mod service;
mod url;

pub use connection::{Listed, Passage, Remote, Watch};
pub use credentials::Identity;
pub use error::{RemoteError, RemoteErrorKind};
pub use options::{OptionError, RemoteOptions};
pub use url::{RemoteUrl, UrlError};
