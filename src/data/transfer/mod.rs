//! Between the store and remotes.

mod ahead;
mod announce;
mod assemble;
mod before_push;
mod delivery;
mod error;
mod exchange;
mod fetch;
mod held;
mod knowledge;
pub(in crate::data) mod known;
mod lacking;
mod plan;
mod push;
mod standing;
pub(in crate::data) mod survey;
pub(in crate::data) mod tables;

pub use ahead::{Ahead, push_sent_ahead, send_ahead};
pub use before_push::{Needed, needed_for_push, push_needed};
pub use error::TransferError;
pub use exchange::{With, fetch_versions, learn_roots, push_beside, push_versions, wants, wants_at};
pub(in crate::data) use exchange::{home_remote, push_without};
pub use fetch::{Fetch, Fetched, MissingVersion, Want, fetch};
pub use held::{Holding, holding};
pub use knowledge::Knowledge;
pub use push::{Push, Pushed, PushedVersion, Wish, push};
