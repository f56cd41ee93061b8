//! Between the store and remotes.

mod knowledge;

pub use knowledge::Knowledge;
