//! `git mldata track`, `git mldata untrack`.

use crate::support::Sandbox;

#[test]
fn patterns_are_written_listed_and_taken_back() {
    let place = Sandbox::new().data_repository("repo");
    place
        .run("git mldata track '*.bin' 'my data/*.csv'")
        .ok()
        .prints("tracking '*.bin' in place\ntracking 'my data/*.csv' in place\n");
    assert_eq!(
        place.text(".gitattributes"),
        "# >>> git-mldata\n*.bin filter=mldata -text -merge\n\"my data/*.csv\" filter=mldata -text -merge\n\
         # <<< git-mldata\n"
    );
    place.run("git diff --cached --name-only").ok().prints(".gitattributes\n");
    place.run("git mldata track").ok().prints("*.bin\nmy data/*.csv\n");
    place.run("git mldata track --json").ok().prints("\"*.bin\"\n\"my data/*.csv\"\n");
    place.run("git mldata track '*.bin'").ok().shows("(as before)");
    place
        .run("git check-attr filter -- 'my data/x.csv' deep/a.bin a.txt")
        .ok()
        .prints("my data/x.csv: filter: mldata\ndeep/a.bin: filter: mldata\na.txt: filter: unspecified\n");
    place.run("mkdir sub && cd sub && git mldata track '*.dat' ./x").ok();
    place.run("git check-attr filter -- sub/deep/a.dat a.dat sub/x sub/y/x").ok().prints(
        "sub/deep/a.dat: filter: mldata\na.dat: filter: unspecified\nsub/x: filter: mldata\n\
         sub/y/x: filter: unspecified\n",
    );
    // What init writes joins them.
    place.run("git mldata init").ok();
    place.run("git check-attr filter merge -- a.bin .gitignore").ok().shows("a.bin: filter: mldata");
    place.run("git mldata untrack '*.bin' --json").ok().shows("\"changed\":true");
    place.run("cd sub && git mldata untrack '*.dat' ./x").ok();
    place.run("git mldata track").ok().prints("my data/*.csv\n");
    place.run("git mldata untrack '*.bin'").fails(128).tells("hint: git mldata track      lists them");
}

#[test]
fn what_no_pattern_can_say_is_refused_before_anything_is_written() {
    let place = Sandbox::new().data_repository("repo");
    place.write("folder/a", "1");
    for (pattern, said) in [
        ("!*.bin", "attributes know no exceptions"),
        ("folder/", "names a folder"),
        ("folder", "names a folder"),
        ("*", "would track what Git itself reads"),
        (".gitattributes", "would track what Git itself reads"),
        ("sub/ml.toml", "would track what Git itself reads"),
    ] {
        place.run(&format!("git mldata track ok '{pattern}'")).fails(128).tells(said);
    }
    assert!(!place.has(".gitattributes"));
    place.run("git mldata track folder").fails(128).tells("hint: git mldata track 'folder/**'");
    place.run("git mldata untrack").fails(129).tells("required arguments");
}

#[test]
fn files_that_git_has_in_the_other_form_are_told() {
    let place = Sandbox::new().data_repository("repo");
    place.write("a.bin", "raw");
    place.run("git add . && git commit -qm raw").ok();
    place
        .run("git mldata track '*.bin'")
        .ok()
        .says("1 file that Git has raw: a.bin\nhint: git add --renormalize .      stages them in their new form; older commits stay as they are\n");
    place.run("git add --renormalize . && git cat-file -p :a.bin").ok().shows("size = 3");
    place.run("git commit -qm pointers && git status --short").ok().prints("");
    place.run("git mldata untrack '*.bin'").ok().tells("1 file that Git has as pointers: a.bin");
    place.run("git add --renormalize . && git cat-file -p :a.bin").ok().prints("raw");
}

#[test]
fn the_filter_is_set_up_with_the_clone_and_goes_with_it() {
    let place = Sandbox::new().repository("repo");
    place.run("git mldata init").ok();
    place.run("git config filter.mldata.required").ok().prints("true\n");
    place.run("git config filter.mldata.process").ok().shows("git-mldata filter-process");
    place.run("git mldata init --undo").ok();
    place.run("git config --get-regexp 'filter.*'").fails(1);
    // A pattern needs it.
    place.run("git mldata track '*.bin' && git config filter.mldata.required").ok();
}
