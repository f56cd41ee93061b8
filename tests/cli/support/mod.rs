//! What end-to-end tests stand on: a place of their own, and sessions typed into a shell.

mod peers;
mod ran;
mod sandbox;

pub use peers::{LfsServer, peers, with_peers};
pub use ran::{Ran, Seen};
pub use sandbox::{Place, Sandbox};
