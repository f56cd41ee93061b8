//! Drift agrees with what numpy, scipy and Evidently compute, and is told only where it can be.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use git_ml::checks::{
    BinRange, Drift, NotComputable, Sample, kolmogorov_smirnov, psi, psi_deciles, psi_evidently,
    total_variation,
};
use git_ml::tables::{Column, ColumnType, ColumnValues, Record, TableReader, read_columns};
use serde_json::Value;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

/// A column of these cells, as numbers or as categories; an empty cell is null.
fn column(cells: &[String], numeric: bool) -> Column {
    let values: Vec<_> = cells.iter().filter(|cell| !cell.is_empty()).collect();
    let nulls = (cells.len() - values.len()) as u64;
    let (kind, values) = if numeric {
        (
            ColumnType::Float64,
            ColumnValues::Numbers(values.iter().map(|cell| cell.parse().unwrap()).collect()),
        )
    } else {
        let mut counts = BTreeMap::new();
        values.into_iter().for_each(|cell| *counts.entry(cell.clone()).or_insert(0) += 1);
        (ColumnType::Utf8, ColumnValues::Categories(counts))
    };
    Column { name: String::new(), kind, values, nulls, private: false }
}

/// The columns of a table as texts.
fn texts(table: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut reader = TableReader::open(table).unwrap();
    let mut columns = vec![Vec::new(); reader.names().len()];
    let mut record = Record::default();
    while reader.read(&mut record).unwrap() {
        for (column, cell) in columns.iter_mut().zip(record.iter()) {
            column.push(String::from_utf8_lossy(cell.bytes).into_owned());
        }
    }
    reader.names().iter().cloned().zip(columns).collect()
}

/// Compares all four statistics, as far as a value is expected; how many were compared.
fn agreements(name: &str, reference: &Column, current: &Column, expected: &Value) -> usize {
    type Compute = fn(&Column, &Column, u64) -> Result<Drift, NotComputable>;
    let statistics: [(&str, Compute); 4] = [
        ("psi_evidently", psi_evidently),
        ("psi_ref_deciles", psi_deciles),
        ("ks_statistic", kolmogorov_smirnov),
        ("tvd", total_variation),
    ];
    let expected =
        statistics.iter().filter_map(|(key, compute)| Some((key, compute, expected[key].as_f64()?)));
    let mut compared = 0;
    for (key, compute, expected) in expected {
        let value = compute(reference, current, 1).unwrap().value;
        assert!((value - expected).abs() <= 1e-9, "{key} of {name}: {value}, not {expected}");
        compared += 1;
    }
    compared
}

#[test]
fn agrees_on_real_data() {
    let cases: Value = serde_json::from_slice(&fixture("drift/expected.json")).unwrap();
    let mut compared = 0;
    for (case, columns) in cases.as_object().unwrap() {
        let [reference, current] =
            ["ref", "cur"].map(|side| texts(&fixture(&format!("drift/{case}.{side}.csv"))));
        for (name, expected) in columns.as_object().unwrap() {
            let of =
                |table: &BTreeMap<String, Vec<String>>| column(&table[name], expected["kind"] == "numeric");
            compared += agreements(&format!("{case}.{name}"), &of(&reference), &of(&current), expected);
        }
    }
    assert_eq!(compared, 106);
}

#[test]
fn agrees_on_edge_cases() {
    let cases: Value = serde_json::from_slice(&fixture("drift/edge-cases.json")).unwrap();
    let mut compared = 0;
    for (name, case) in cases.as_object().unwrap() {
        let of = |side: &str| {
            let text = |cell: &Value| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
            let cells = case[side].as_array().unwrap().iter();
            let cells: Vec<_> =
                cells.map(|cell| if cell.is_null() { String::new() } else { text(cell) }).collect();
            column(&cells, case["cat"] == false)
        };
        compared += agreements(name, &of("ref"), &of("cur"), case);
    }
    assert_eq!(compared, 33);
}

fn numbers(values: impl Iterator<Item = f64>) -> Column {
    let values = ColumnValues::Numbers(values.collect());
    Column { name: "x".into(), kind: ColumnType::Float64, values, nulls: 0, private: false }
}

#[test]
fn what_drifted_between_the_two_versions_of_the_penguins() {
    let read =
        |version| read_columns(&fixture(&format!("demo/penguins-{version}.csv")).as_slice(), &[]).unwrap();
    let (old, new) = (read(1), read(2));
    let drift = |name: &str| {
        let of = |columns: &[Column]| columns.iter().find(|column| column.name == name).cloned().unwrap();
        psi(&of(&old), &of(&new), 200).map(|drift| (drift.value * 1000.0).round() / 1000.0)
    };
    let names = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"];
    assert_eq!(names.map(drift), [0.245, 0.589, 0.582, 0.524, 0.021, 0.004].map(Ok));
    assert_eq!(drift("id"), Err(NotComputable::Identifier));
}

#[test]
fn what_psi_sees_that_deciles_do_not() {
    let mostly_zero =
        |share: u32| numbers((0..300).map(|row| f64::from(if row % 100 < share { row } else { 0 })));
    let (old, new) = (mostly_zero(8), mostly_zero(60));
    assert_eq!(psi_deciles(&old, &new, 1).unwrap().value, 0.0);
    assert!(psi(&old, &new, 1).unwrap().value > 0.2);
    let full = numbers((0..300).map(f64::from));
    let half_empty = Column { nulls: 150, ..numbers((0..150).map(|row| f64::from(row * 2))) };
    let drift = psi(&full, &half_empty, 200).unwrap();
    assert!(drift.value > 1.0 && psi_evidently(&full, &half_empty, 1).unwrap().value < 0.1, "{drift:?}");
    assert_eq!(drift.bins.last().map(|bin| bin.range.clone()), Some(BinRange::NoValue));
    assert_eq!(psi(&full, &Column { nulls: 300, ..numbers([].into_iter()) }, 200).unwrap().current_rows, 300);
}

#[test]
fn what_cannot_be_computed_is_no_drift() {
    let many = numbers((0..300).map(f64::from));
    let few = numbers((0..3).map(f64::from));
    let text = column(&vec!["a".to_owned(); 300], false);
    let words: Vec<_> = (0..300).map(|row| format!("bird {row}")).collect();
    let reason = |drift: Result<Drift, NotComputable>| drift.map(|drift| drift.value).unwrap_err();
    assert_eq!(
        reason(psi(&many, &few, 200)),
        NotComputable::TooFewRows { sample: Sample::Current, rows: 3, needed: 200 }
    );
    let empty = Column { nulls: 300, ..numbers([].into_iter()) };
    assert_eq!(reason(psi(&empty, &many, 200)), NotComputable::NoValues { sample: Sample::Reference });
    assert_eq!(reason(psi_evidently(&many, &empty, 0)), NotComputable::NoValues { sample: Sample::Current });
    assert!(matches!(reason(psi(&many, &text, 200)), NotComputable::OtherType { .. }));
    assert!(matches!(reason(psi(&text, &many, 200)), NotComputable::OtherType { .. }));
    assert_eq!(reason(psi(&column(&words, false), &text, 200)), NotComputable::TooManyCategories);
    let infinite = numbers((0..300).map(|row| 1.0 / f64::from(row)));
    assert_eq!(reason(psi(&infinite, &many, 200)), NotComputable::Infinite { sample: Sample::Reference });
    let days = Column { kind: ColumnType::Date, ..text.clone() };
    assert_eq!(reason(psi(&days, &days, 200)), NotComputable::Days);
}

#[test]
fn bins_of_private_columns_are_not_told() {
    let private = Column { private: true, ..column(&["secret a".into(), "secret b".into()], false) };
    let hidden = Column { private: true, ..numbers([777_777.0, 888_888.0].into_iter()) };
    for column in [private, hidden] {
        let json = serde_json::to_string(&psi(&column, &column, 1).unwrap()).unwrap();
        assert!(!json.contains("secret") && !json.contains("777777") && json.contains("private"), "{json}");
    }
}
