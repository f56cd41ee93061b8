//! `git mlmodel`: a model registry inside Git. Versions and promotions are annotated tags, so every Git host is the
//! server, and every CI that reacts to a tag deploys.
//!
//! The names of the tags are GTO's (`tag`), so both read the same registry; their messages say which content of which run a
//! version is (`message`). What all tags add up to is a [`Catalog`]. A name is claimed on the Git remote before it exists
//! here (`claim`), so two clones never both own a version.

mod catalog;
mod claim;
mod error;
mod message;
mod registry;
mod tag;
mod version;

pub use catalog::{AliasMove, Catalog, FoundTag, Model, RegisteredVersion};
pub use claim::git_remote;
pub use error::RegistryError;
pub use message::{ContentKind, ContentRecord, Facts};
pub use registry::{
    Number, Promoted, Registered, Registration, catalog, committed_content, model, promote, register, version,
};
pub use tag::{Alias, Event, ModelName, ModelRef, ModelTag, NameError, Which};
pub use version::{Bump, ParseVersionError, Version};
