//! `git mldata gc --remote`: what nobody needs any more goes from a remote, while pushes and other collections go on.
//!
//! What a demanding user expects: that it never takes what somebody still needs, not even from a laptop that slept for a
//! week between two requests of a push; that any number of collections may run at once, from anywhere; that a wrong clock,
//! a listing that lags or is cut short, and a kill at any point cost space or time, never data; that it stops with a name
//! rather than guess; and that nothing is deleted before it was asked for (`--yes`). The best peer, restic, locks the
//! repository against all writers while it prunes, and a lock of a client that died must be broken by hand.
//!
//! The protocol was found by exhaustive interleaving. One run does, in this order:
//!
//! 1. *Survey* ([`survey`]): list `gc/`, `claims/`, `roots/`, `index/`, then `gc/` again and all the rest. Claims come
//!    before roots: a push puts its claim, looks at `gc/`, and then puts its root, so that for each pack either the push
//!    sees the condemnation, or every run that acts on that sees claim or root.
//! 2. *Stops* ([`stops`]): a root of the newest certificate is gone and no record forgets it; a needed pack is missing; an
//!    index of a living epoch names a pack that is neither there nor condemned; a root or claim cannot be read.
//! 3. *Verdict* ([`verdict`]): of the packs that records condemned at least one grace (24 h) ago, those that no root and no
//!    claim needs are dead. The needed ones stay, and stay condemned: a condemned name never enters a new root. Packs older
//!    than the grace that nobody needs are condemned now. The floor rises to the highest epoch whose record is a week old.
//! 4. *Record* ([`verdict`]): one uniquely named record with the condemned, the floor and the certificate: the roots whose
//!    packs all exist and are condemned in no record. It carries on what older records say and still matters.
//! 5. *Fold* ([`fold`]): many small packs, and those that are needed and condemned, are copied into others; `moves/` tells.
//! 6. *Index* ([`reindex`]): entries of packs that are gone or condemned go, and small index objects become few.
//! 7. *Delete* ([`delete`]): dead packs, records that a newer one stands for, claims of dead sessions.
//!
//! Now is the time of an object that was just written, by the clock of the service. No clock decides about safety: time
//! only keeps apart the condemnation from the deletion, so that pushes seldom have to begin anew.

mod delete;
mod error;
pub(in crate::data) mod fold;
mod forget;
pub(in crate::data) mod moved;
mod needs;
mod reindex;
mod run;
mod stops;
pub(in crate::data) mod survey;
mod verdict;

pub use error::CollectRemoteError;
pub use forget::{FORGET_AGE, ForgetOptions, Forgotten, ForgottenRoot, forget, remove};
pub use run::{Amount, CollectRemote, Collected, collect, collect_remote};
