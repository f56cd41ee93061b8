//! The local store: packs of chunks and nodes under the Git directory, shared by all worktrees.
//!
//! What a demanding user expects of it: what was added is on the disk, checked, before any pointer names it, and stays
//! after a power cut; ten thousand commands that each add one file make a few files, not twenty thousand; several
//! commands, builds and worktrees may add and read at once; a kill at any moment loses nothing that was promised and
//! needs no repair; a full disk gives an error and leaves what was there.
//!
//! ```text
//! packs/ab/<id>       a pack that is whole, in the format of `objects::pack`; never changed
//! open/<random>.pack  a pack that grows: header and items, no footer yet
//! open/<random>.table which items of it are safe: see `table`; its lock says who may append
//! shared/             large files that share their blocks with the work tree: see `clones`
//! users/<process>     who works with the store now: see `users`
//! damaged/            packs that a repair set aside
//! losses              a stamp that changes when something goes: see `losses`
//! ```
//!
//! Appending: the bytes of an item go to the end of the open pack. [`StoreWriter::sync`] makes them last
//! (`fdatasync`), and only then adds their entries to the table and makes that last. So what the table names is whole at
//! any time, and what it does not name is cut off when the pack is taken up again. A pack that is full gets its footer,
//! is synced, and moves to `packs/` under its name; its table goes last.
//!
//! A writer holds the lock of one table (`flock`) as long as it lives; another one takes another open pack, or begins
//! one. Readers lock nothing: they keep the file open, and an open file survives its renaming. The index of all ids is
//! derived from footers and tables, read at the first look-up, and added to when something is asked for that it lacks.
//!
//! Source of the order of steps: `research/store-protocol.md`, section 3.

mod census;
mod check;
mod clones;
mod error;
mod exclusion;
mod handle;
mod index;
mod losses;
mod open_pack;
mod packs;
mod parcel;
mod places;
mod process;
mod reader;
mod standing;
mod sweep;
mod table;
mod users;
mod window;
mod writer;

pub use census::Census;
pub use check::{PackCheck, PackFault};
pub use clones::CloneDraft;
pub use error::StoreError;
pub use exclusion::Exclusion;
pub use handle::{Found, Store, Stored};
pub use losses::LossStamp;
pub use packs::{PackItem, PackOnDisk};
pub use parcel::Parcel;
pub use reader::{ItemReader, ReadOrder};
pub use sweep::{Keeps, Plan, Shares, Swept, Worth};
pub use users::StoreUse;
pub use writer::{Kept, StoreWriter};
