//! See `git_ml::cli`.
fn main() {}
