//! `git mldata demo`.

use crate::support::Sandbox;

#[test]
fn the_story_plays_to_its_end_and_changes_nothing_of_the_user() {
    let place = Sandbox::new().folder("here");
    let settings = place.text("../home/.gitconfig");
    place
        .run("git mldata demo there")
        .ok()
        .says("")
        .shows("$ git mldata add data/penguins.csv\ndata/penguins.csv  1 file  ")
        .shows("$ git mldata diff main\nmain (")
        .shows("\nchanged  data/penguins.csv  11 kB -> 16 kB\n  rows +")
        .shows("\nverdict: retrain\n")
        .shows("\npenguins#prod is now v0.2.0 (was v0.1.0)\n")
        .shows("\nverdict: pass\n")
        .shows("\nevery byte is the same\n")
        .shows("\nmodel.json  ")
        .shows("    read data/penguins.csv  ")
        .shows("; every byte came back. Look around:\n");
    assert_eq!(place.text("../home/.gitconfig"), settings);
    assert_eq!(place.read("there/penguins/model.json"), place.read("there/colleague/model.json"));
    place.run("ls -A").ok().prints("there\n");
}

#[test]
fn a_folder_that_is_not_empty_is_not_touched() {
    let place = Sandbox::new().folder("here");
    place.write("mine", "x");
    place
        .run("git mldata demo .")
        .fails(128)
        .prints("")
        .says("error: '.' is not empty, and the demo overwrites nothing\nhint: git mldata demo      plays in a temporary folder\n");
    place.run("ls -A").ok().prints("mine\n");
}

#[test]
fn a_missing_program_is_named() {
    let place = Sandbox::new().folder("here");
    place.run("mkdir bin && for tool in git sh git-mldata git-mlmodel git-mlrun; do ln -s $(command -v $tool) bin; done").ok();
    let path = place.path().join("bin").display().to_string();
    place
        .with("PATH", &path)
        .run("git-mldata demo there")
        .fails(128)
        .tells("error: 'python3' is needed and was not found\nhint: the training script is plain Python 3");
}
