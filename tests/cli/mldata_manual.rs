//! `git mldata manual`: pages that man finds, completions that the shells find.

use std::os::unix::fs::PermissionsExt;

use crate::support::Sandbox;

#[test]
fn pages_and_completions_are_written_below_a_prefix() {
    let place = Sandbox::new().folder("nowhere");
    place.run("git mldata manual install --to there").ok().shows("written below 'there'\n");
    assert!(place.text("there/share/man/man1/git-mldata.1").contains(".TH git-mldata 1"));
    assert!(place.text("there/share/man/man1/git-mldata-manual-install.1").contains("PREFIX"));
    assert!(place.has("there/share/zsh/site-functions/_git-mldata"));
    assert!(place.has("there/share/fish/vendor_completions.d/git-mldata.fish"));
    let page = place.path().join("there/share/man/man1/git-mldata.1");
    assert_eq!(page.metadata().expect("a page").permissions().mode() & 0o444, 0o444, "others may read it");
}

#[test]
fn git_help_shows_the_page() {
    let sandbox = Sandbox::new();
    let place = sandbox.folder("prefix");
    place.run("git mldata manual install --to . -q").ok().prints("").says("");
    let manpath = place.path().join("share/man").display().to_string();
    place
        .with("MANPATH", &manpath)
        .with("MANPAGER", "cat")
        .with("MANWIDTH", "80")
        .run("git mldata --help")
        .ok()
        .shows("Version large data with Git")
        .shows("Show progress even where stderr is not a terminal")
        .shows("128");
}

#[test]
fn bash_completes_words_after_git() {
    let place = Sandbox::new().folder("prefix");
    place.run("git mldata manual install --to . -q").ok();
    // What Git's own completion does before it calls us.
    let script = r#"
        . share/bash-completion/completions/git-mldata
        words=(git mldata manual in); cword=3; cur=in; prev=manual; __git_cmd_idx=1
        _git_mldata; echo "${COMPREPLY[@]}"
    "#;
    place.write("try.bash", script);
    place.run("bash try.bash").ok().prints("install\n");
}

#[test]
fn a_prefix_that_cannot_be_written_is_an_error_with_a_way_out() {
    let place = Sandbox::new().folder("nowhere");
    place.write("file", "");
    place
        .run("git mldata manual install --to file")
        .fails(128)
        .tells("error: cannot write 'file/share/man/man1/git-mldata.1'\ncause: ")
        .tells("hint: git mldata manual install --to ~/.local\n");
}
