//! Merges of random tables against a model of maps, and the laws that a merge keeps.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::merge::{Merged, merge_with, options};

/// A table by key: two more cells in each row.
type Table = BTreeMap<u8, [u8; 2]>;

/// What happens to the row of a key on one side.
#[derive(Debug, Clone, Copy)]
enum Step {
    Set(u8, usize, u8),
    Put(u8, [u8; 2]),
    Remove(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..12_u8, 0..2_usize, 0..4_u8).prop_map(|(key, cell, value)| Step::Set(key, cell, value)),
        2 => (0..16_u8, any::<[bool; 2]>()).prop_map(|(key, cells)| Step::Put(key, cells.map(u8::from))),
        2 => (0..12_u8).prop_map(Step::Remove),
    ]
}

fn applied(base: &Table, steps: &[Step]) -> Table {
    let mut table = base.clone();
    for step in steps {
        match *step {
            Step::Set(key, cell, value) => drop(table.get_mut(&key).map(|row| row[cell] = value)),
            Step::Put(key, row) => drop(table.entry(key).or_insert(row)),
            Step::Remove(key) => drop(table.remove(&key)),
        }
    }
    table
}

fn written(table: &Table) -> String {
    let rows = table.iter().map(|(key, [a, b])| format!("{key},{a},{b}\n"));
    format!("id,a,b\n{}", rows.collect::<String>())
}

fn read(text: &str) -> Table {
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<u8> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        (cells[0], [cells[1], cells[2]])
    });
    let rows: Vec<_> = rows.collect();
    let table: Table = rows.iter().copied().collect();
    assert_eq!(table.len(), rows.len(), "a key twice: {text}");
    table
}

/// The merged table, and the rows or cells in conflict.
fn model(base: &Table, ours: &Table, theirs: &Table) -> (Table, BTreeSet<String>) {
    let keys: BTreeSet<u8> =
        [base, ours, theirs].into_iter().flat_map(|table| table.keys().copied()).collect();
    let (mut merged, mut conflicts) = (Table::new(), BTreeSet::new());
    for key in keys {
        let (old, our, their) = (base.get(&key), ours.get(&key), theirs.get(&key));
        let row = match (our, their) {
            _ if our == their || old == their => our.copied(),
            _ if old == our => their.copied(),
            (Some(our), Some(their)) => {
                let cell = |at: usize, conflicts: &mut BTreeSet<String>| match old.map(|old| old[at]) {
                    _ if our[at] == their[at] => our[at],
                    Some(old) if old == our[at] => their[at],
                    Some(old) if old == their[at] => our[at],
                    _ => {
                        conflicts.insert(format!("{key} {at}"));
                        our[at]
                    }
                };
                Some([cell(0, &mut conflicts), cell(1, &mut conflicts)])
            }
            (our, _) => {
                conflicts.insert(format!("{key}"));
                our.copied()
            }
        };
        merged.extend(row.map(|row| (key, row)));
    }
    (merged, conflicts)
}

fn conflicts(merged: &Merged) -> BTreeSet<String> {
    let told = merged.conflicts.iter().map(|conflict| {
        let key = conflict["key"]["id"].as_str().unwrap();
        match conflict["column"].as_str() {
            Some(column) => format!("{key} {}", usize::from(column == "b")),
            None => key.to_owned(),
        }
    });
    told.collect()
}

fn merge(ours: &Table, base: &Table, theirs: &Table) -> Merged {
    let texts = [written(ours), written(base), written(theirs)];
    merge_with(&options(&["id"]), texts.each_ref().map(String::as_str)).unwrap()
}

fn base() -> impl Strategy<Value = Table> {
    prop::collection::btree_map(0..12_u8, [0..4_u8, 0..4_u8], 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_with_a_merge_of_maps(
        base in base(),
        ours in prop::collection::vec(step(), 0..8),
        theirs in prop::collection::vec(step(), 0..8),
    ) {
        let (ours, theirs) = (applied(&base, &ours), applied(&base, &theirs));
        let merged = merge(&ours, &base, &theirs);
        let (expected, expected_conflicts) = model(&base, &ours, &theirs);
        prop_assert_eq!(read(&merged.table), expected);
        prop_assert_eq!(conflicts(&merged), expected_conflicts.clone());

        // The mirror image: the same conflicts, and without one the same rows.
        let mirrored = merge(&theirs, &base, &ours);
        prop_assert_eq!(conflicts(&mirrored), expected_conflicts.clone());
        if expected_conflicts.is_empty() {
            prop_assert_eq!(read(&mirrored.table), read(&merged.table));
        }
        // Merging with the base is the identity.
        prop_assert_eq!(merge(&ours, &base, &base).table, written(&ours));
        prop_assert_eq!(read(&merge(&base, &base, &theirs).table), theirs.clone());
        // Merging the same again brings nothing new.
        if expected_conflicts.is_empty() {
            let again = merge(&read(&merged.table), &base, &theirs);
            prop_assert_eq!(read(&again.table), read(&merged.table));
        }
    }

    #[test]
    fn rows_without_a_key_are_counted(
        base in prop::collection::vec(0..3_u8, 0..8),
        ours in prop::collection::vec(0..3_u8, 0..8),
        theirs in prop::collection::vec(0..3_u8, 0..8),
    ) {
        // Every table has each word twice at first, so that no column is a key.
        let text = |rows: &[u8]| {
            let rows = rows.iter().map(|row| format!("w{row},1\n"));
            format!("word,one\nw0,1\nw0,1\n{}", rows.collect::<String>())
        };
        let count = |rows: &[u8], row: u8| {
            rows.iter().filter(|other| **other == row).count() + 2 * usize::from(row == 0)
        };
        let texts = [text(&ours), text(&base), text(&theirs)];
        let merged = merge_with(&options(&[]), texts.each_ref().map(String::as_str)).unwrap();
        let mut in_conflict = 0;
        for row in 0..3 {
            let [our, old, their] = [&ours, &base, &theirs].map(|rows| count(rows, row));
            let expected = if our == old { their } else { our };
            in_conflict += usize::from(our != old && their != old && our != their);
            let lines = merged.table.lines().filter(|line| *line == format!("w{row},1")).count();
            prop_assert_eq!(lines, if their == old { our } else { expected });
        }
        prop_assert_eq!(merged.conflicts.len(), in_conflict);
    }

    #[test]
    fn no_text_makes_it_panic(texts in prop::array::uniform3("[ab1,;\"\n\r.]{0,24}")) {
        let _ = merge_with(&options(&[]), texts.each_ref().map(String::as_str));
    }
}
