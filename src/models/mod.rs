//! `git mlmodel`: a model registry inside Git. Versions and promotions are annotated tags, so every Git host is the
//! server, and every CI that reacts to a tag deploys.

mod catalog;
mod message;
mod tag;
mod version;

pub use catalog::{AliasMove, Catalog, FoundTag, Model, RegisteredVersion};
pub use message::{ContentKind, ContentRecord, Facts};
pub use tag::{Alias, Event, ModelName, ModelRef, ModelTag, NameError, Which};
pub use version::{Bump, ParseVersionError, Version};
