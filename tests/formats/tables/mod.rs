//! Tables against models: a reader that the world trusts, and a diff that is too simple to be wrong.

mod merge;
mod merge_model;
mod penguins;
mod reading;
mod row_diff;
mod row_diff_model;
