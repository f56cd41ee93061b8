//! Where bytes live: files that survive a power cut, the local store, remotes. OpenDAL and tokio end here.
//!
//! - [`boot`]: which start of the machine it is.
//! - [`durable`]: files that are whole or absent, and stay.
//! - [`store`]: the packs of this clone, under its Git directory.
//! - [`remote`]: a place for packs that a team shares: a folder or a bucket.
//! - [`remote_reader`]: items out of the packs of a remote, in few requests, verified.
//! - [`unnamed`]: files without a name until they are whole.
//! - [`web`]: plain requests to web servers.

pub mod boot;
pub mod durable;
pub mod remote;
pub mod remote_reader;
pub mod store;
pub mod unnamed;
pub mod web;
