//! End to end: the three programs as people and scripts call them, with real `git`. One file a subcommand.
#![allow(clippy::disallowed_methods, reason = "tests write what no one would miss")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stdout, reason = "a test tells what it leaves out")]

mod at_once;
mod bad_files;
mod bad_input;
mod faults;
mod import_dvc;
mod import_lfs;
mod import_repo;
mod import_url;
mod inplace;
mod mldata_add;
mod mldata_add_to;
mod mldata_cat;
mod mldata_checkout;
mod mldata_demo;
mod mldata_diff;
mod mldata_drop;
mod mldata_du;
mod mldata_export;
mod mldata_fold;
mod mldata_fsck;
mod mldata_fsck_remote;
mod mldata_gc;
mod mldata_gc_remote;
mod mldata_hook_follow;
mod mldata_hook_guard;
mod mldata_hook_lineage;
mod mldata_hook_push;
mod mldata_hook_random;
mod mldata_hooks;
mod mldata_init;
mod mldata_ls;
mod mldata_manual;
mod mldata_merge;
mod mldata_merge_file;
mod mldata_mv;
mod mldata_push;
mod mldata_reflink;
mod mldata_remote;
mod mldata_remote_copy;
mod mldata_remote_forget;
mod mldata_rm;
mod mldata_status;
mod mldata_track;
mod mldata_uninit;
mod mlmodel;
mod mlrun_check;
mod mlrun_exec;
mod mlrun_killed;
mod mlrun_lineage;
mod mlrun_log;
mod mlrun_ls;
mod mlrun_points;
mod mlrun_sync;
mod progress;
mod readme;
mod reference;
mod services;
mod support;
mod usage;

use std::fs;
use std::path::Path;

/// A test that is not named here would never run.
#[test]
fn no_file_was_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let named = fs::read_to_string(folder.join("main.rs")).expect("this file");
    for entry in fs::read_dir(folder).expect("tests/cli") {
        let path = entry.expect("an entry of tests/cli").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        let is_source = path.extension().is_some_and(|ending| ending == "rs");
        let is_named = name == "main" || named.contains(&format!("mod {name};"));
        assert!(!is_source || is_named, "tests/cli/{name}.rs is not named in main.rs");
    }
}
