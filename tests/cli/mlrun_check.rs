//! `git mlrun check`.

use crate::support::{Place, Sandbox};

const RULES: &str = r#"
[check.drift]
kind = "drift"
data = "penguins.csv"
reference = "penguins#prod"
columns = ["bill_length_mm", "flipper_length_mm"]
verdict = "retrain"

[check.accuracy]
kind = "metric"
run = "evaluate"
metric = "accuracy"
min = 0.9
verdict = "investigate"
"#;

/// Writes a version of the penguins and adds it.
fn penguins(place: &Place, version: &str) {
    let fixture = format!("{}/fixtures/demo/penguins-{version}.csv", env!("CARGO_MANIFEST_DIR"));
    place.write("penguins.csv", std::fs::read(fixture).expect("a fixture"));
    place.run("git mldata add -q penguins.csv && git add . && git commit -qm penguins").ok();
}

fn evaluated(place: &Place, accuracy: &str) {
    place.run(&format!("git mlrun exec --name evaluate -- git mlrun log metric accuracy={accuracy}")).ok();
}

/// A model in production that was trained on the first version.
fn in_production() -> Place {
    let place = Sandbox::new().data_repository("repo");
    let settings = place.text("ml.toml") + RULES;
    place.write("ml.toml", settings);
    penguins(&place, "1");
    place.run("git mlrun exec -q -i penguins.csv -o model.bin -- cp penguins.csv model.bin").ok();
    place.run("git add . && git commit -qm model && git mlmodel register -q penguins model.bin").ok();
    place.run("git mlmodel promote -q penguins@v0.0.1 prod").ok();
    place
}

#[test]
fn the_exit_code_tells_a_job_what_to_do() {
    let place = in_production();
    place
        .run("git mlrun check")
        .fails(13)
        .shows("there is no run to take 'accuracy' from")
        .shows("verdict: insufficient data\n");
    evaluated(&place, "0.95");
    place.run("git mlrun check").ok().says("").shows("accuracy  ").shows("verdict: pass\n");
    evaluated(&place, "0.8");
    place
        .run("git mlrun check")
        .fails(11)
        .shows("accuracy = 0.800 of run ")
        .shows("at least 0.9 wanted")
        .shows("verdict: investigate\n");
    penguins(&place, "2");
    place
        .run("git mlrun check")
        .fails(10)
        .shows("penguins.csv against penguins#prod: ")
        .shows("verdict: retrain\n");
    place.run("git mlrun check accuracy").fails(11).lacks("drift");
    place.run("git mlrun check --fail-on blocked,investigate").ok().shows("verdict: retrain\n");
    place.run("git mlrun check --fail-on none --json").ok().shows("\"verdict\":\"retrain\"");
}

#[test]
fn what_cannot_be_checked_is_128_and_never_a_verdict() {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mlrun check").fails(128).tells("error: no check is written in ml.toml\nhint: ");
    place.write("ml.toml", place.text("ml.toml") + "[check.x]\nkind = \"drift\"\ntreshold = 1\n");
    place
        .run("git mlrun check")
        .fails(128)
        .tells("error: check 'x' in ml.toml: ")
        .tells("hint: mend the table [check.x] in ml.toml\n");
    place.run("git mlrun check nowhere").fails(128);
    place.run("git mlrun check --fail-on maybe").fails(129).tells("it is not one of: retrain, ");
}

#[test]
fn a_fresh_clone_in_ci_fetches_what_a_check_needs_and_shares_its_verdict() {
    let place = in_production();
    evaluated(&place, "0.95");
    place.run("git init -q --bare ../origin.git && git remote add origin ../origin.git").ok();
    place.run("git mldata remote add main ../bucket -q && git commit -qm remote && git mldata push -q").ok();
    place.run("git push -q origin main 'refs/tags/*' && git mlrun sync -q && git clone -q ../origin.git ../agent").ok();
    let agent = Sandbox::at(&place).folder("agent").with("CI", "true");
    agent.run("git mldata pull -q && git mlrun check").ok().shows("verdict: pass\n");
    place.run("git mlrun sync").ok().shows("1 log changed");
    agent
        .run("git remote set-url origin ../nowhere.git && git mlrun check")
        .ok()
        .tells("warning: the runs of others were not fetched: ");
    agent.run("git mlrun check --no-sync --no-record").ok().says("");
}
