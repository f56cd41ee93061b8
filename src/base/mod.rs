//! Words that every layer speaks: identities, paths, advice, progress. No input or output.

mod advice;
mod bytes;
mod digest;
mod part_hash;
mod progress;
mod random_id;
mod refusal;
mod repo_path;
mod several;
mod typed;

pub use advice::{Advice, Failure};
pub use bytes::Bytes;
pub use digest::{Digest, Hasher, ParseDigestError};
pub use part_hash::{PART, PartHash, PartHasher, id_of_parts};
pub use progress::{Progress, ProgressSink, Unit, Work};
pub use random_id::{ParseRandomIdError, RandomId};
pub use refusal::refusal_hints;
pub use repo_path::{PathError, RepoPath, check_name};
pub use several::{lines, one_of_each};
pub use typed::typed;
