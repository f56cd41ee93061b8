//! Row diff against a diff of two nested loops.

use git_ml::tables::{DiffOptions, RowCounts, RowSampleKind, row_diff};
use proptest::prelude::*;

/// A value, and several ways to write it.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Nothing,
    EmptyText,
    NotAvailable,
    Number(i8),
    Text(&'static str),
}

impl Value {
    fn written(&self, style: u8) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::EmptyText => "\"\"".into(),
            Self::NotAvailable => "NA".into(),
            Self::Text(text) if style == 0 => format!("\"{text}\""),
            Self::Text(text) => (*text).into(),
            Self::Number(number) if style == 0 => format!("{number}.0"),
            Self::Number(number) if style == 1 => format!("{number}e0"),
            Self::Number(number) => format!("{number}"),
        }
    }
}

type Row = Vec<Value>;

fn missing() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Nothing), Just(Value::EmptyText), Just(Value::NotAvailable)]
}

fn row() -> impl Strategy<Value = Row> {
    let number = |highest: i8| prop_oneof![8 => (0..highest).prop_map(Value::Number), 1 => missing()];
    let text =
        prop_oneof![8 => prop::sample::select(vec!["a", "b", "a "]).prop_map(Value::Text), 1 => missing()];
    (number(8), number(2), text).prop_map(|(key, number, text)| vec![key, number, text])
}

/// Two tables that have much in common: the second is made of rows of the first, some of them edited, and others.
fn tables() -> impl Strategy<Value = (Vec<Row>, Vec<Row>)> {
    let first = prop::collection::vec(row(), 0..14);
    first.prop_flat_map(|first| {
        let kept = prop::sample::subsequence(first.clone(), 0..=first.len());
        let second = (kept, prop::collection::vec(row(), 0..5), any::<bool>(), any::<u64>()).prop_map(
            |(mut kept, others, shuffled, seed)| {
                kept.extend(others);
                if shuffled {
                    kept.sort_by_key(|row| {
                        format!("{row:?}")
                            .bytes()
                            .fold(seed, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
                    });
                }
                kept
            },
        );
        (Just(first), second)
    })
}

fn written(rows: &[Row], styles: &[u8]) -> String {
    // The first row makes the types plain: numbers, numbers, text. It is the same in both tables.
    let mut text = String::from("k,number,text\n-1,0.5,first\n");
    for (place, row) in rows.iter().enumerate() {
        let cells = row
            .iter()
            .enumerate()
            .map(|(column, value)| value.written(styles[(place * 3 + column) % styles.len()]));
        text.push_str(&cells.collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

#[derive(Debug, PartialEq)]
struct Model {
    counts: RowCounts,
    changed: Vec<(usize, usize)>,
    removed: Vec<usize>,
    added: Vec<usize>,
    changed_cells: Vec<u64>,
    reordered: bool,
}

/// Each row looks through all rows of the other table.
fn diff_by_two_loops(before: &[Row], after: &[Row], key: &[usize]) -> Model {
    let mut partner_of = vec![None; before.len()];
    let mut is_taken = vec![false; after.len()];
    let same_key =
        |one: &Row, other: &Row| !key.is_empty() && key.iter().all(|column| one[*column] == other[*column]);
    let mut pair = |matches: &dyn Fn(&Row, &Row) -> bool| {
        for (old, row) in before.iter().enumerate() {
            if partner_of[old].is_some() {
                continue;
            }
            if let Some(new) = (0..after.len()).find(|new| !is_taken[*new] && matches(row, &after[*new])) {
                partner_of[old] = Some(new);
                is_taken[new] = true;
            }
        }
    };
    pair(&|one, other| one == other);
    pair(&same_key);
    let pairs: Vec<_> = partner_of.iter().enumerate().filter_map(|(old, new)| Some((old, (*new)?))).collect();
    let changed: Vec<_> = pairs.iter().copied().filter(|(old, new)| before[*old] != after[*new]).collect();
    let removed: Vec<_> = (0..before.len()).filter(|old| partner_of[*old].is_none()).collect();
    let added: Vec<_> = (0..after.len()).filter(|new| !is_taken[*new]).collect();
    let differs = |column: usize| {
        changed.iter().filter(|(old, new)| before[*old][column] != after[*new][column]).count()
    };
    Model {
        counts: RowCounts {
            before: before.len() as u64,
            after: after.len() as u64,
            added: added.len() as u64,
            removed: removed.len() as u64,
            changed: changed.len() as u64,
            unchanged: (pairs.len() - changed.len()) as u64,
        },
        changed_cells: (0..3).map(|column| differs(column) as u64).collect(),
        reordered: pairs.iter().any(|one| pairs.iter().any(|other| one.0 < other.0 && one.1 > other.1)),
        changed,
        removed,
        added,
    }
}

fn diff_by_us(before: &str, after: &str, options: &DiffOptions) -> (Model, Vec<String>) {
    let diff = row_diff(&before.as_bytes(), &after.as_bytes(), options).unwrap();
    let place = |row: Option<u32>| row.map(|number| number as usize - 1);
    let of_kind = |kind| diff.samples.iter().filter(move |sample| sample.kind == kind);
    let cells = |name: &str| {
        diff.columns.iter().find(|column| column.name == name).map_or(0, |column| column.changed)
    };
    let mut changed: Vec<_> = of_kind(RowSampleKind::Changed)
        .filter_map(|sample| Some((place(sample.row.before)?, place(sample.row.after)?)))
        .collect();
    changed.sort_unstable();
    let model = Model {
        counts: diff.rows,
        changed,
        removed: of_kind(RowSampleKind::Removed).filter_map(|sample| place(sample.row.before)).collect(),
        added: of_kind(RowSampleKind::Added).filter_map(|sample| place(sample.row.after)).collect(),
        changed_cells: ["k", "number", "text"].map(cells).to_vec(),
        reordered: diff.reordered,
    };
    (model, diff.key.columns)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn agrees_with_two_loops(
        (before, after) in tables(),
        styles in prop::collection::vec(0u8..3, 7),
        keyed: bool,
    ) {
        let (old, new) = (written(&before, &styles), written(&after, &styles[1..]));
        let key = if keyed { vec!["k".to_owned()] } else { Vec::new() };
        let (found, key) = diff_by_us(&old, &new, &DiffOptions { key, samples: 1000, ..DiffOptions::default() });
        let first = vec![Value::Number(-1), Value::Nothing, Value::Text("first")];
        let with_first = |rows: &[Row]| [vec![first.clone()], rows.to_vec()].concat();
        let columns = ["k", "number", "text"];
        let key: Vec<_> = key.iter().filter_map(|name| columns.iter().position(|column| column == name)).collect();
        prop_assert_eq!(found, diff_by_two_loops(&with_first(&before), &with_first(&after), &key));
    }
}
