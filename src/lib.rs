//! Data, models and runs of machine-learning teams, versioned in Git.
//!
//! The layers, lowest first. A module uses the rows above its own, never a neighbour nor a row below; the test
//! `architecture` holds this.
//!
//! 1. [`base`]: words that every layer speaks. No input or output.
//! 2. [`objects`]: the formats, bytes to types, pure.
//! 2. [`tables`]: rows and columns of delimited text.
//! 3. [`git`]: the repository; the one door to gix and to the `git` program.
//! 3. [`storage`]: where bytes live.
//! 4. [`data`]: `git mldata`, contents and the repository together.
//! 5. [`models`]: `git mlmodel`, the registry of models in tags.
//! 6. [`runs`]: `git mlrun`, the records of runs in logs.
//! 8. [`checks`]: rules on data and models, and their verdict.
//! 9. [`interop`]: other tools' repositories.
//! 11. [`cli`]: arguments, wording, exit codes.

pub mod base;
pub mod checks;
pub mod cli;
pub mod data;
pub mod git;
pub mod interop;
pub mod models;
pub mod objects;
pub mod runs;
pub mod storage;
pub mod tables;
