//! `git mldata fsck --remote`: whether a remote has what its records promise, and what is hurt where it has not.
//!
//! What a demanding user expects: that it costs a few listings where only the structure is looked at (every pack that a
//! record names is there, in its full length), that it reads every byte, or a sample, where that is asked for, and holds it
//! against the ids; that it names commits and paths, not only objects; and that what is still whole somewhere heals the
//! rest. restic's `check --read-data-subset` is the model for the sample.
//!
//! [`inspect`] finds damage, [`hurt`] tells what it hurts, [`repair`] sends what the store has anew: in new packs, under
//! new records, and only then are the damaged records forgotten.

mod hurt;
mod inspect;
mod repair;

pub use inspect::{CheckOptions, Checked, Damage, Harm, Hurt, check_remote};
