//! The filter by itself: what goes through unchanged, what is refused, what happens without it.
//! Scenarios of Git's t0021 (clean, smudge, process filter, delay, errors, missing filter) and of Git LFS's t-clean, t-smudge,
//! t-filter-process, t-malformed-pointers, t-unusual-filenames, t-zero-len-file.

use super::{asked, assert_clean, noise, tracked};
use crate::support::Sandbox;

#[test]
fn a_pointer_an_empty_file_and_raw_blobs_go_through_unchanged() {
    let place = tracked();
    // A pointer is what it is, in whatever order it comes.
    place.run("git cat-file -p :large.bin >../pointer && cp ../pointer copy.bin && git add copy.bin").ok();
    place.run("test \"$(git rev-parse :copy.bin)\" = \"$(git rev-parse :large.bin)\"").ok();
    place.run("sed 's/$/\\r/' ../pointer >crlf.bin && git add crlf.bin").ok();
    place.run("test \"$(git rev-parse :crlf.bin)\" = \"$(git rev-parse :large.bin)\"").ok();
    place.write("empty.bin", "");
    place.run("git add empty.bin && git cat-file -s :empty.bin").ok().prints("0\n");
    // Raw blobs under the pattern, as a clone without the filter makes them.
    place.write("../raw", noise(9, 300_000));
    place.run("git update-index --add --cacheinfo 100644,$(git hash-object -w ../raw),raw.bin").ok();
    place
        .run("git update-index --add --cacheinfo 100644,$(echo short | git hash-object -w --stdin),short.bin")
        .ok();
    place
        .run("git checkout -- raw.bin short.bin && cmp raw.bin ../raw && cat short.bin")
        .ok()
        .prints("short\n");
}

#[test]
fn the_same_bytes_give_the_same_pointer() {
    let place = tracked();
    place.run("cp large.bin again.bin && git add again.bin").ok();
    place.run("test \"$(git rev-parse :again.bin)\" = \"$(git rev-parse :large.bin)\"").ok();
    place.run("git hash-object --path large.bin large.bin").ok();
    place
        .run("test \"$(git hash-object --path x.bin --stdin <large.bin)\" = \"$(git rev-parse :large.bin)\"")
        .ok();
    // Words that this version does not know stay as long as the content does.
    place.run("{ git cat-file -p :small.bin; echo 'later = 1'; } >../more").ok();
    place.run("git update-index --cacheinfo 100644,$(git hash-object -w ../more),small.bin").ok();
    place
        .run("git commit -qm more && touch small.bin && git add small.bin && git diff --cached --quiet")
        .ok();
}

#[test]
fn unusual_names_come_back_from_a_delay_too() {
    let place = tracked();
    let names = ["a b.bin", " lead.bin", "=eq=.bin", "ü.bin", "$(x).bin", "new\nline.bin", "-dash.bin"];
    for name in names {
        place.write(name, name);
    }
    place.run("git add -A . && git commit -qm names").ok();
    place.run("git mldata push && rm -rf .git/ml/packs .git/ml/open").ok();
    place.run("git rm -q --cached -- './*.bin*' && rm -f ./*.bin* && git reset -q --hard").ok();
    for name in names {
        assert_eq!(place.text(name), name, "{name:?}");
    }
    assert_clean(&place);
    // A name that is never written elsewhere could not be sent anywhere: better to hear of it now.
    place.write("trail.bin ", "trail");
    place
        .run("git mldata track '*.bin ' && git add 'trail.bin '")
        .fails(128)
        .tells("error: 'trail.bin ' cannot be taken in");
    place.run("rm 'trail.bin '").ok();
}

#[test]
fn what_only_looks_like_a_pointer_is_content_and_told() {
    let place = tracked();
    let text = "# git-mldata pointer: x\n<<<<<<< ours\nversion = 1\n=======\nversion = 1\n>>>>>>> theirs\n";
    place.write("odd.bin", text);
    place.run("git add odd.bin").ok().tells("warning: 'odd.bin' begins as a pointer and is none");
    place.run("git cat-file -p :odd.bin").ok().shows(&format!("size = {}", text.len()));
    place.run("rm odd.bin && git checkout -q odd.bin").ok();
    assert_eq!(place.text("odd.bin"), text);
    // A pointer to nothing that anybody has: it comes as it is, and nothing fails.
    let lost = place.text("../repo/.git/HEAD").replace("ref: refs/heads/main\n", &"ab".repeat(32));
    place.write(
        "lost.bin",
        format!("# git-mldata pointer\nversion = 1\nkind = \"file\"\nblake3 = \"{lost}\"\nsize = 7\n"),
    );
    place.run("git add lost.bin && rm lost.bin && git checkout -q -- lost.bin").ok();
    assert!(place.text("lost.bin").contains(&lost));
    assert!(!place.run("git status --short lost.bin").ok().stdout().contains(" M"));
}

#[test]
fn a_store_that_cannot_be_written_fails_the_file_and_says_what_to_do() {
    let sandbox = Sandbox::of_a_user();
    let place = sandbox.data_repository("repo");
    place.run("git mldata track '*.bin' && git add . && git commit -qm track").ok();
    place.write("a.bin", "content");
    place.run("mkdir -p .git/ml && chmod 500 .git/ml").ok();
    place
        .run("git add a.bin")
        .fails(128)
        .tells("error: 'a.bin' cannot be taken in, so Git stops here")
        .tells("hint: ls -ld ");
    place.run("chmod 700 .git/ml && git add a.bin && git status --short").ok().prints("A  a.bin\n");
}

#[test]
fn a_missing_program_fails_loudly_and_undo_or_an_option_is_the_way_out() {
    let place = tracked();
    // Without the program on the PATH; /usr/bin has git.
    let bare = place.with("PATH", "/usr/bin:/bin").with("HOME", &place.path().display().to_string());
    bare.run("rm small.bin; git checkout -q -- small.bin").fails(128).tells("git-mldata");
    bare.run("git -c filter.mldata.process= -c filter.mldata.required=false checkout -q -- small.bin").ok();
    assert!(place.text("small.bin").starts_with("# git-mldata pointer"));
    place.run("git mldata checkout && cat small.bin").ok().shows("small 2");
    assert_clean(&place);
    place.run("git mldata init --undo && rm small.bin && git checkout -q -- small.bin").ok();
    assert!(place.text("small.bin").starts_with("# git-mldata pointer"));
}

#[test]
fn a_filter_that_is_killed_leaves_git_as_it_was() {
    let place = tracked();
    place.run("git config filter.mldata.process 'git-mldata filter-process & sleep 0.05; kill -9 $!'").ok();
    place.write("new.bin", noise(5, 3_000_000));
    place.run("git add new.bin").fails(128);
    place.run("git ls-files new.bin").ok().prints("");
    place.run("git mldata init && git add new.bin && git mldata fsck").ok();
}

#[test]
fn pointers_are_what_comes_when_that_is_wanted() {
    let place = tracked();
    let skipping = place.with("GIT_MLDATA_SKIP_SMUDGE", "1");
    skipping.run("rm *.bin && git checkout -q -- .").ok();
    assert!(place.text("small.bin").starts_with("# git-mldata pointer"));
    skipping.run("git status --porcelain").ok().prints("");
    place.run("git mldata status").ok().shows("not here");
    place.run("git mldata checkout").ok();
    super::assert_version(&place, 2);
}

#[test]
fn one_process_serves_a_whole_command_and_status_asks_nothing() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata track '*.bin'").ok();
    for number in 0..40 {
        place.write(&format!("many/{number}.bin"), format!("file {number}"));
    }
    assert_eq!(asked(&place, "git add many").0, 40);
    place.run("git commit -qm many && rm -r many").ok();
    assert_eq!(asked(&place, "git checkout -q -- many").1, 40);
}
