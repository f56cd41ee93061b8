//! What end-to-end tests stand on: a place of their own, and sessions typed into a shell.

#![expect(dead_code, reason = "the tests that use it come with their subcommands")]

mod ran;
mod sandbox;

pub use ran::Ran;
pub use sandbox::Sandbox;
