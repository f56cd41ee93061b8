//! `git mlrun lineage`.

use crate::support::Sandbox;

#[test]
fn a_model_leads_back_to_its_data_and_data_forward_to_its_models() {
    let place = Sandbox::new().data_repository("repo");
    place.write("data.csv", "a\n1\n");
    place.run("git mldata add -q data.csv && git commit -qm data").ok();
    place
        .run("git mlrun exec --name learn -i data.csv -o model.bin -- sh -c 'echo weights > model.bin'")
        .ok();
    place.run("git add . && git commit -qm model && git mlmodel register churn model.bin").ok();
    place
        .run("git mlrun lineage churn@v0.0.1")
        .ok()
        .says("")
        .shows("churn@v0.0.1\n  stands for model.bin  ")
        .shows("\n    made by run ")
        .shows(" learn  sh -c ")
        .shows("ran code ")
        .shows("read data.csv  ");
    place
        .run("mkdir sub && cd sub && git mlrun lineage ../data.csv")
        .ok()
        .shows("what came of it\n")
        .shows("registered as churn@v0.0.1");
    assert_eq!(place.run("git mlrun lineage --json learn").ok().json()[0]["subject"]["thing"], "run");
    place.run("git mlrun lineage nothing").fails(128).tells("error: 'nothing' is no run, no model version");
}
