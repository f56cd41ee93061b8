//! What end-to-end tests stand on: a place of their own, and sessions typed into a shell.

mod ran;
mod sandbox;

pub use ran::{Ran, Seen};
pub use sandbox::{Place, Sandbox};
