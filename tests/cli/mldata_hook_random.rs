//! Any row of Git commands: what was edited is never lost, and what was not is in step with its pointers.
//!
//! More than what every run tries: `GIT_ML_TEST_SEEDS=100 cargo test --test cli random`.

use crate::support::{Place, Sandbox};

/// What Git is asked to do; `BRANCH` is one of four.
const COMMANDS: [&str; 14] = [
    "git switch -q BRANCH",
    "git switch -q BRANCH",
    "git checkout -q --detach BRANCH~1",
    "git reset -q --hard HEAD~1",
    "git reset -q --hard @{1}",
    "git merge -q --no-edit BRANCH",
    "git merge -q --squash BRANCH && git commit -qm squashed",
    "git rebase -q BRANCH",
    "git rebase -q --apply BRANCH",
    "git cherry-pick BRANCH",
    "git revert --no-edit HEAD",
    "git stash -q && git stash pop -q",
    "git commit -q --amend --no-edit --allow-empty",
    "git checkout -q BRANCH -- a.bin.mld",
];

/// What ends whatever Git was stopped in.
const END: &str = "if [ -d .git/rebase-merge ] || [ -d .git/rebase-apply ]; then git rebase --abort; \
                   elif [ -f .git/CHERRY_PICK_HEAD ]; then git cherry-pick --abort; \
                   elif [ -f .git/REVERT_HEAD ]; then git revert --abort; \
                   elif [ -f .git/MERGE_HEAD ]; then git merge --abort; \
                   elif git ls-files -u | grep -q .; then git reset -q --hard; fi";

/// Numbers that are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn commit(place: &Place, paths: &[&str], content: &str) {
    paths.iter().for_each(|path| place.write(path, content));
    place.run(&format!("git mldata add -q a.bin img && git commit -qm '{content}'")).ok();
}

/// Four branches, one of them without data.
fn repository() -> Place {
    let place = Sandbox::new().data_repository("repo");
    place.run("git mldata hooks install").ok();
    commit(&place, &["a.bin", "img/x", "img/y"], "first");
    for branch in ["one", "two"] {
        place.run(&format!("git switch -qc {branch} && echo >{branch}.py && git add {branch}.py")).ok();
        place.run("git commit -qm code").ok();
        commit(&place, &["a.bin", "img/x"], branch);
        place.run("git switch -q main").ok();
    }
    commit(&place, &["img/y"], "second");
    place.run("git switch -q --orphan none && git commit -q --allow-empty -m none").ok();
    place.run("git switch -q main").ok();
    place
}

fn walk(seed: u64, steps: usize) {
    let place = repository();
    let mut numbers = Numbers(seed);
    let mut edited: Option<String> = None;
    let mut done = Vec::new();
    for step in 0..steps {
        if numbers.below(6) == 0 && place.has("a.bin") {
            let content = format!("edited in step {step}");
            place.write("a.bin", &content);
            done.push(content.clone());
            edited = Some(content);
        } else if numbers.below(4) == 0 && edited.is_some() {
            let back = "git switch -q main && git mldata checkout -qf";
            place.run(back).ok();
            // Where nothing tracks it, it stays.
            edited = edited.filter(|_| !place.has("a.bin.mld"));
            done.push(back.into());
        }
        let branch = ["main", "one", "two", "none"][numbers.below(4)];
        let command = COMMANDS[numbers.below(COMMANDS.len())].replace("BRANCH", branch);
        let ran = place.run(&command);
        assert!(!ran.stderr.contains("panicked"), "{done:#?}\n{ran}");
        done.push(command);
        let ended = place.run(END);
        let story = || format!("seed {seed}: {done:#?}\n{ran}\n{ended}");
        if let Some(content) = &edited {
            assert!(place.has("a.bin") && place.text("a.bin") == *content, "an edit was lost: {}", story());
        } else {
            let status = place.run("git mldata status --porcelain").ok();
            let behind = status.stdout().lines().any(|line| !line.starts_with('.'));
            let left = place.has("a.bin") && !place.has("a.bin.mld");
            assert!(!behind && !left, "not in step:\n{}{}", status.stdout(), story());
        }
    }
}

#[test]
fn random_walks_lose_nothing_and_stay_in_step() {
    let seeds = std::env::var("GIT_ML_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2);
    (1..=seeds).for_each(|seed| walk(seed, 20));
}
