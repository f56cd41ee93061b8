//! The story: what is told, typed and expected, in order.

use std::path::Path;

use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::page::Paint;
use crate::cli::report::CliError;

use super::stage::{Stage, StageError, say};

/// The data as they first came: two islands, and some errors. Real, see `fixtures/demo/README.md`.
const FIRST_DATA: &str = include_str!("../../../../fixtures/demo/penguins-1.csv");
/// The data as they came later: three islands, errors corrected.
const SECOND_DATA: &str = include_str!("../../../../fixtures/demo/penguins-2.csv");
/// The program that learns.
const TRAIN: &str = include_str!("../../../../fixtures/demo/train.py");

/// The rules that watch the model, as a team would write them.
const CHECKS: &str = r#"
[table."data/*.csv"]
key = ["id"]

[check.penguin-drift]
kind = "drift"
data = "data/penguins.csv"
reference = "penguins#prod"        # the data that the model in production learnt from
columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
verdict = "retrain"

[check.penguin-accuracy]
kind = "metric"
run = "evaluate"                   # the latest run of this name
metric = "accuracy"
min = 0.9
verdict = "retrain"
"#;

/// One beat of the story.
enum Beat {
    /// A heading.
    Act(&'static str),
    /// A sentence before a command.
    Tell(&'static str),
    /// A command in a folder, and the code that it ends with.
    Run(&'static str, &'static str, i32),
    /// A file appears.
    Write(&'static str, &'static str),
    /// Text is added to a file.
    Append(&'static str, &'static str),
}

use Beat::{Act, Append, Run, Tell, Write};

/// The laptop of the one who builds the model.
const ADA: &str = "penguins";
/// The laptop of a colleague.
const BOB: &str = "colleague";

const LEARN: &str = "git mlrun exec --name learn -i data/penguins.csv -o model.json -- python3 train.py";
const EVALUATE: &str =
    "git mlrun exec --name evaluate -i data/penguins.csv -i model.json -- python3 train.py --evaluate";

const STORY: &[Beat] = &[
    Act("1. Data that Git can carry"),
    Run("", "git init -q --bare origin.git && git clone -q origin.git penguins 2>/dev/null", 0),
    Run(ADA, "git mldata init", 0),
    Run(ADA, "git mldata remote add main ../bucket", 0),
    Tell("Penguins of two islands were measured: here is the table."),
    Write("penguins/data/penguins.csv", FIRST_DATA),
    Run(ADA, "git mldata add data/penguins.csv", 0),
    Tell("The program that learns to tell species, and the rules that its model must keep to (see ml.toml)."),
    Write("penguins/train.py", TRAIN),
    Append("penguins/ml.toml", CHECKS),
    Run(ADA, "git add ml.toml train.py && git commit -q -m 'Penguins of two islands'", 0),
    Run(ADA, "git mldata status", 0),
    Act("2. A model whose origin is known"),
    Run(ADA, LEARN, 0),
    Run(ADA, EVALUATE, 0),
    Run(ADA, "git add . && git commit -q -m 'Learn from two islands'", 0),
    Tell("The push sends the data first, then the commits: nothing is named that is not there."),
    Run(ADA, "git push -q origin main", 0),
    Run(ADA, "git mlmodel register penguins model.json --bump minor", 0),
    Run(ADA, "git mlmodel promote penguins@v0.1.0 prod", 0),
    Act("3. New data, and what a reviewer sees"),
    Tell("A third island was visited, and errors of the first table were found."),
    Run(ADA, "git switch -q -c third-island", 0),
    Write("penguins/data/penguins.csv", SECOND_DATA),
    Run(ADA, "git mldata add data/penguins.csv && git commit -q -m 'Penguins of three islands'", 0),
    Run(ADA, "git mldata diff main", 0),
    Act("4. Is the model still right for the data?"),
    Run(ADA, EVALUATE, 0),
    Tell("Exit code 10 means: retrain. A nightly job would do what follows by itself."),
    Run(ADA, "git mlrun check", 10),
    Run(ADA, LEARN, 0),
    Run(ADA, EVALUATE, 0),
    Run(ADA, "git add . && git commit -q -m 'Learn from three islands'", 0),
    Run(ADA, "git switch -q main && git merge -q third-island && git push -q origin main", 0),
    Run(ADA, "git mlmodel register penguins model.json --bump minor", 0),
    Run(ADA, "git mlmodel promote penguins@v0.2.0 prod", 0),
    Run(ADA, "git mlrun check", 0),
    Run(ADA, "git mlrun sync", 0),
    Act("5. Everything back, on another machine"),
    Run("", "git clone -q origin.git colleague", 0),
    Run(BOB, "git mldata pull", 0),
    Run(
        "",
        "for file in data/penguins.csv model.json; do cmp penguins/$file colleague/$file || exit 1; done; echo 'every byte is the same'",
        0,
    ),
    Run(BOB, "git mlrun sync", 0),
    Run(BOB, "git mlmodel show penguins", 0),
    Run(BOB, "git mlrun lineage model.json", 0),
];

/// Plays the story to its end, or to the first command that ends otherwise.
pub(super) fn play(context: &Context, stage: &Stage) -> Result<(), StageError> {
    let mut here = "";
    for beat in STORY {
        match beat {
            Act(title) => say(context, None, "").and_then(|()| say(context, Some(Paint::Good), title))?,
            Tell(sentence) => say(context, Some(Paint::Faint), &format!("# {sentence}"))?,
            Run(place, line, code) => {
                if *place != here {
                    say(context, Some(Paint::Heading), &format!("$ cd {}", way(here, place)))?;
                    here = place;
                }
                stage.run(context, place, line, *code)?;
            }
            Write(path, text) => stage.write(path, text.as_bytes())?,
            Append(path, text) => stage.append(path, text.as_bytes())?,
        }
    }
    Ok(())
}

/// The way from one folder of the demo to another.
fn way(from: &str, to: &str) -> String {
    match (from, to) {
        ("", to) => to.to_owned(),
        (_, "") => "..".to_owned(),
        (_, to) => format!("../{to}"),
    }
}

/// What is left to look at.
pub(super) fn where_to_look(context: &Context, folder: &Path, took: &str) -> Result<(), CliError> {
    let shown = escape(&folder.display().to_string()).into_owned();
    context.output.print(|out| {
        writeln!(out, "\ndone in {took}; every byte came back. Look around:")?;
        writeln!(
            out,
            "  cd {shown}/penguins && git log --stat     # what Git keeps: pointers of a few lines"
        )?;
        writeln!(out, "  cat {shown}/penguins/data/penguins.csv.mld")?;
        writeln!(
            out,
            "  find {shown}/bucket -type f               # what the remote keeps: packs, an index, roots"
        )?;
        writeln!(out, "  git mldata -h, git mlmodel -h, git mlrun -h")
    })
}
