//! The repository: the one door to gix and to the `git` program.
//!
//! What Git itself would do is the specification, and the tests ask the real `git` as the judge. So this layer honours
//! what Git honours: the environment of hooks (`GIT_DIR`, `GIT_INDEX_FILE`, linked worktrees), `git -c`, a locked index,
//! ownership (`safe.directory`). Reading is done in the process, without a subprocess; the `git` program is called for
//! network transfer and where only Git keeps every detail right (writing the index, signed tags).
//!
//! No type of gix leaves this module: ids are [`ObjectId`], causes are [`Cause`].

mod attributes;
mod borrowed;
mod commits;
mod config_parameters;
mod credentials;
mod error;
mod filter_process;
mod foreign_lines;
mod guarded_block;
mod history;
mod hook_files;
mod ignore;
mod in_place;
mod index;
mod index_stat;
mod keeping;
mod listed_files;
mod lock_file;
mod object_id;
mod objects;
mod patch_id;
mod pointers;
mod program;
mod ref_update;
mod refs;
mod repository;
mod settings;
mod signature;
mod snapshot;
mod tags;
mod team_file;
mod team_file_reader;
mod temporaries;
mod text_file;
mod transport;
mod tree_union;
mod unmerged;
mod untracked;
mod work_tree_state;

pub use attributes::{AttributesPlace, SHARED_ATTRIBUTES};
pub use borrowed::Borrowed;
pub use commits::{CommitInfo, NewCommit};
pub use error::{Cause, GitError};
pub use filter_process::{FilterCommand, FilterContent, FilterProcess, FilterRequest, FilterStatus};
pub use history::{PointerChange, PointerChanges, PointerInHistory};
pub use hook_files::{HookChange, HookError, HookState, HookStatus, HooksStatus};
pub use in_place::{FILTER, Held, InPlaceEntry};
pub use index_stat::IndexLock;
pub use keeping::Keeping;
pub use listed_files::IndexFile;
pub use lock_file::LockFile;
pub use object_id::{ObjectId, ParseObjectIdError};
pub use objects::{EntryMode, TreeItem};
pub use pointers::{BadPointer, PointerAt, PointerFault, Pointers, pointer_file};
pub use program::{GitProgram, ProgramError};
pub use ref_update::RefUpdate;
pub use refs::{Expected, Ref};
pub use repository::Repository;
pub use signature::{Role, Signature};
pub use snapshot::{LeftOut, LeftOutReason, Snapshot, SnapshotLimits, looks_like_secret};
pub use tags::Tag;
pub use team_file::{IgnoredKey, TEAM_FILE, TableRule, TeamFile, TeamFileError, TeamRemote, is_remote_name};
pub use temporaries::Temporaries;
pub use transport::{GitRemote, PushOptions, PushOutcome, PushedRef};
pub use work_tree_state::{RebaseState, WorkTreeState};
