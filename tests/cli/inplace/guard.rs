//! Raw content on a pattern is refused: by pre-commit, and by pre-push where that did not run.

use super::tracked;
use crate::support::{Place, Sandbox};

/// A clone that has the hooks and lacks the filter, with raw content staged.
fn without_filter() -> Place {
    let place = tracked();
    place
        .run("git config --unset-all filter.mldata.process && git config --unset-all filter.mldata.required")
        .ok();
    place.write("small.bin", "raw");
    place.run("git add small.bin && git cat-file -p :small.bin").ok().prints("raw");
    place
}

#[test]
fn a_commit_is_stopped_with_the_fix() {
    let place = without_filter();
    place.run("git commit -qm raw").fails(1).says(
        "error: 'small.bin' is tracked in place, and its data itself is staged in Git\n\
         hint: git mldata init && git add --renormalize small.bin\n\
         hint: git commit --no-verify      commits without this check\n",
    );
    place.run("git mldata init && git add --renormalize small.bin && git commit -qm pointer").ok();
    place.run("git cat-file -p HEAD:small.bin").ok().shows("# git-mldata pointer");
}

#[test]
fn a_push_is_stopped_before_refs_move() {
    let place = without_filter();
    let bare = Sandbox::at(&place).folder("bare");
    bare.run("git init -q --bare").ok();
    place.run("git remote add origin ../bare && git commit -qnm raw").ok();
    place.write("code.py", "later");
    place.run("git commit -qanm later").ok();
    place
        .run("git push -q origin main")
        .fails(1)
        .tells("error: 'small.bin' is tracked in place, and its data itself is in commit ")
        .tells("hint: git mldata init && git add --renormalize small.bin && git commit --amend --no-edit");
    bare.run("git rev-parse -q --verify main").fails(1);
    place.run("git push -q --no-verify origin main").ok();
    // What is there already is no news of the next push.
    place.write("code.py", "again");
    place.run("git mldata init && git commit -qam again && git push -q origin main").ok();
}

#[test]
fn what_was_raw_before_the_pattern_is_no_news() {
    let place = Sandbox::new().data_repository("repo");
    place.write("a.bin", "raw");
    place.run("git mldata init && git add . && git commit -qm raw && git mldata track '*.bin'").ok();
    place.run("git commit -qm pattern").ok();
    place.write("empty.bin", "");
    place.run("git add empty.bin && git commit -qm empty").ok();
}
