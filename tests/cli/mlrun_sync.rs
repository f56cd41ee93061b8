//! `git mlrun sync`.

use crate::support::Sandbox;

#[test]
fn runs_travel_by_the_git_remote() {
    let sandbox = Sandbox::new();
    let ada = sandbox.data_repository("ada");
    ada.run("git mlrun sync")
        .fails(128)
        .tells("error: there is no Git remote to share runs with\nhint: git remote add origin URL\n");
    ada.run(
        "git init -q --bare ../origin.git && git remote add origin ../origin.git && git push -q origin main",
    )
    .ok();
    ada.run("git mlrun exec --name base -- true").ok();
    ada.run("git mlrun sync").ok().says("").prints("'origin': nothing new; runs sent\n");
    ada.run("git mlrun sync").ok().prints("'origin': nothing new; all runs were sent before\n");
    ada.run("git clone -q ../origin.git ../bob").ok();
    let bob = sandbox.folder("bob");
    bob.run("git mlrun ls").ok().prints("");
    bob.run("git mlrun sync").ok().prints("'origin': 1 log changed; no runs to send yet\n");
    bob.run("git mlrun show base").ok().shows("status   finished");
    assert_eq!(bob.run("git mlrun sync --json").ok().json()[0]["received"], 0);
}
