//! Between the store and remotes.

mod ahead;
mod announce;
mod assemble;
mod before_push;
mod bring;
mod copy;
mod delivery;
mod descend;
mod doubt;
mod error;
mod exchange;
mod fallback;
mod fetch;
mod held;
mod knowledge;
pub(in crate::data) mod known;
mod lacking;
mod origin;
mod plan;
mod push;
mod standing;
mod stored_chunks;
pub(in crate::data) mod survey;
pub(in crate::data) mod tables;

pub use ahead::{Ahead, push_sent_ahead, send_ahead};
pub use before_push::{Needed, needed_for_push, push_needed};
pub use copy::{Copied, CopyOptions, DamagedVersion, copy_versions};
pub use error::TransferError;
pub use exchange::{PushOptions, With, learn_roots, push_beside, push_versions, wants, wants_at};
pub(in crate::data) use exchange::{home_remote, push_without};
pub use fallback::{FellBack, fetch_versions};
pub use fetch::{Fetch, Fetched, MissingVersion, Want, fetch};
pub use held::{Holding, holding};
pub use knowledge::Knowledge;
pub use origin::Origin;
pub use push::{Push, Pushed, PushedVersion, Wish, push};
