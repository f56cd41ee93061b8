//! Tables against models: a reader that the world trusts, and a diff that is too simple to be wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod reading;
mod row_diff;
mod row_diff_model;
