//! Merges of tables: every case in which peers were seen to lose an edit.

use std::fmt::Write as _;
use std::io::{Cursor, Read};

use git_ml::tables::Source;
use git_ml::tables::merge::{
    Granularity, MergeOptions, MergeOutput, Scratch, TableMerge, TableMergeError, Three, merge_tables,
};
use serde_json::Value;

/// A merge and all that it wrote.
pub struct Merged {
    pub table: String,
    pub conflicts: Vec<Value>,
    pub told: TableMerge,
}

impl Merged {
    /// The conflicts in short: `kind key column: base | ours | theirs`.
    fn in_short(&self) -> Vec<String> {
        self.conflicts.iter().map(in_short).collect()
    }
}

fn in_short(conflict: &Value) -> String {
    let mut text = conflict["kind"].as_str().unwrap().to_owned();
    for (_, value) in conflict["key"].as_object().unwrap() {
        write!(text, " {}", plain(value)).unwrap();
    }
    if let Some(column) = conflict["column"].as_str() {
        write!(text, " {column}").unwrap();
    }
    let [base, ours, theirs] = ["base", "ours", "theirs"].map(|version| plain(&conflict[version]));
    format!("{text}: {base} | {ours} | {theirs}")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        Value::Object(cells) => cells.values().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

pub fn options(key: &[&str]) -> MergeOptions {
    let key = key.iter().map(|name| (*name).to_owned()).collect();
    MergeOptions { key, private: Vec::new(), granularity: Granularity::Cell }
}

pub fn merge_with(
    options: &MergeOptions,
    [ours, base, theirs]: [&str; 3],
) -> Result<Merged, TableMergeError> {
    let tables = [base.as_bytes(), ours.as_bytes(), theirs.as_bytes()];
    let tables = Three { base: &tables[0] as &dyn Source, ours: &tables[1], theirs: &tables[2] };
    let (mut table, mut conflicts) = (Vec::new(), Vec::new());
    let scratch = || Ok(Box::new(Cursor::new(Vec::new())) as Box<dyn Scratch>);
    let output = MergeOutput {
        scratch: &scratch,
        table: &mut table,
        conflict: &mut |conflict| {
            conflicts.push(serde_json::to_value(conflict).unwrap());
            Ok(())
        },
    };
    let told = merge_tables(&tables, options, output)?;
    assert_eq!(told.conflicts, conflicts.len() as u64);
    Ok(Merged { table: String::from_utf8(table).unwrap(), conflicts, told })
}

const BASE: &str = "id,name,qty\n1,a,10\n2,b,20\n3,c,30\n";

fn merge(ours: &str, theirs: &str) -> Merged {
    merge_with(&options(&[]), [ours, BASE, theirs]).unwrap()
}

fn clean(ours: &str, theirs: &str, expected: &str) {
    let merged = merge(ours, theirs);
    assert_eq!((merged.table.as_str(), merged.in_short()), (expected, vec![]), "{ours}+ {theirs}");
}

fn conflicting(ours: &str, theirs: &str, expected: &str, conflicts: &[&str]) {
    let merged = merge(ours, theirs);
    assert_eq!(merged.in_short(), conflicts, "{ours}+ {theirs}");
    assert_eq!(merged.table, expected);
}

/// The base with some texts replaced.
fn with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(BASE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn cells_of_one_row_1_to_4() {
    let (ours, theirs) = (with(&[("1,a,10", "1,a,11")]), with(&[("2,b,20", "2,b,22")]));
    clean(&ours, &theirs, &with(&[("1,a,10", "1,a,11"), ("2,b,20", "2,b,22")]));
    let theirs = with(&[("1,a,10", "1,A,10")]);
    clean(&ours, &theirs, &with(&[("1,a,10", "1,A,11")]));
    let by_row = MergeOptions { granularity: Granularity::Row, ..options(&[]) };
    let merged = merge_with(&by_row, [&ours, BASE, &theirs]).unwrap();
    assert_eq!(merged.in_short(), ["row 1: 1,a,10 | 1,a,11 | 1,A,10"]);
    assert_eq!(merged.table, ours);
    let theirs = with(&[("1,a,10", "1,a,12")]);
    conflicting(&ours, &theirs, &ours, &["cell 1 qty: 10 | 11 | 12"]);
    clean(&ours, &ours, &ours);
}

#[test]
fn edits_and_deletions_5_to_7() {
    let (edited, deleted) = (with(&[("2,b,20", "2,b,99")]), with(&[("2,b,20\n", "")]));
    conflicting(&edited, &deleted, &edited, &["edit_delete 2: 2,b,20 | 2,b,99 | -"]);
    conflicting(&deleted, &edited, &deleted, &["delete_edit 2: 2,b,20 | - | 2,b,99"]);
    clean(&deleted, &deleted, &deleted);
    clean(&deleted, BASE, &deleted);
    clean(BASE, &deleted, &deleted);
}

#[test]
fn additions_8_to_10() {
    let added = |row: &str| format!("{BASE}{row}\n");
    clean(&added("4,d,40"), &added("5,e,50"), &added("4,d,40\n5,e,50"));
    clean(&added("4,d,40"), &added("4,d,40"), &added("4,d,40"));
    conflicting(&added("4,d,40"), &added("4,D,40"), &added("4,d,40"), &["add_add 4 name: - | d | D"]);
    // In the middle, behind the row that it stands behind there.
    let theirs = with(&[("1,a,10\n", "1,a,10\n7,g,70\n")]);
    let ours = with(&[("1,a,10\n", "1,a,10\n6,f,60\n")]);
    clean(&ours, &theirs, &with(&[("1,a,10\n", "1,a,10\n6,f,60\n7,g,70\n")]));
    let first = with(&[("1,a,10\n", "0,z,0\n1,a,10\n")]);
    clean(BASE, &first, &first);
}

#[test]
fn columns_11_to_14() {
    let wider = "id,name,qty,x\n1,a,10,7\n2,b,20,8\n3,c,30,9\n";
    let theirs = with(&[("1,a,10", "1,a,11"), ("3,c,30\n", "3,c,30\n4,d,40\n")]);
    clean(wider, &theirs, "id,name,qty,x\n1,a,11,7\n2,b,20,8\n3,c,30,9\n4,d,40,\n");
    clean(&theirs, wider, "id,name,qty,x\n1,a,11,7\n2,b,20,8\n3,c,30,9\n4,d,40,\n");
    clean(wider, wider, wider);
    let other = wider.replace(",8\n", ",80\n");
    conflicting(wider, &other, wider, &["cell 2 x: - | 8 | 80"]);
    let typed = "id,name,qty,x\n1,a,10,s\n2,b,20,t\n3,c,30,u\n";
    conflicting(wider, typed, wider, &["column_type x: - | int64 | utf8"]);
    let narrow = "id,name\n1,a\n2,b\n3,c\n";
    let edited = with(&[("1,a,10", "1,a,11")]);
    conflicting(narrow, &edited, narrow, &["drop_edit 1 qty: 10 | - | 11"]);
    conflicting(&edited, narrow, &edited, &["edit_drop 1 qty: 10 | 11 | -"]);
    clean(narrow, BASE, narrow);
    clean(BASE, narrow, narrow);
    let renamed_row = with(&[("1,a,10", "1,A,10")]);
    clean(&renamed_row, narrow, "id,name\n1,A\n2,b\n3,c\n");
    clean(narrow, &renamed_row, "id,name\n1,A\n2,b\n3,c\n");
}

#[test]
fn names_and_types_of_columns_15_and_16() {
    let renamed = BASE.replace("qty", "quantity");
    let edited = with(&[("1,a,10", "1,a,11")]);
    let expected = renamed.replace("1,a,10", "1,a,11");
    clean(&renamed, &edited, &expected);
    clean(&edited, &renamed, &expected);
    let otherwise = BASE.replace("qty", "amount");
    conflicting(&renamed, &otherwise, &renamed, &["column_name qty: qty | quantity | amount"]);
    let floats = "id,name,qty\n1,a,10.0\n2,b,20.0\n3,c,30.0\n";
    clean(floats, &edited, &floats.replace("10.0", "11.0"));
    clean(&edited, floats, &edited);
    let texts = "id,name,qty\n1,a,ten\n2,b,20\n3,c,30\n";
    let halves = with(&[("2,b,20", "2,b,20.5")]);
    conflicting(
        texts,
        &halves,
        &texts.replace("20\n", "20.5\n"),
        &["column_type qty: int64 | utf8 | float64"],
    );
}

#[test]
fn order_17() {
    let sorted = "id,name,qty\n3,c,30\n2,b,20\n1,a,10\n";
    let edited = with(&[("1,a,10", "1,a,11")]);
    let expected = sorted.replace("1,a,10", "1,a,11");
    clean(sorted, &edited, &expected);
    clean(&edited, sorted, &expected);
    let otherwise = "id,name,qty\n2,b,20\n1,a,10\n3,c,30\n";
    let merged = merge(sorted, otherwise);
    assert_eq!((merged.table.as_str(), merged.told.reordered_by_both), (sorted, true));
    assert!(merged.conflicts.is_empty());
    let columns = "name,id,qty\na,1,10\nb,2,20\nc,3,30\n";
    clean(&edited, columns, &columns.replace("1,10", "1,11"));
    clean(columns, &edited, &columns.replace("1,10", "1,11"));
}

#[test]
fn keys_18_and_19() {
    let (moved, edited) = (with(&[("1,a,10", "9,a,10")]), with(&[("1,a,10", "1,a,11")]));
    conflicting(&moved, &edited, &moved, &["delete_edit 1: 1,a,10 | - | 1,a,11"]);
    let twice = format!("{BASE}3,x,99\n");
    let theirs = with(&[("3,c,30", "3,c,33")]);
    for key in [&["id"][..], &[]] {
        let merged = merge_with(&options(key), [&twice, BASE, &theirs]).unwrap();
        assert_eq!(merged.in_short(), ["duplicate_key 3: - | 3,c,30 | -"]);
        assert_eq!((merged.table, merged.told.rows), (twice.clone(), None));
    }
}

#[test]
fn rows_without_a_key_20() {
    let merge = |ours: &str, theirs: &str| {
        let base = "x\na\na\nb\n";
        let merged = merge_with(&options(&[]), [ours, base, theirs]).unwrap();
        (merged.table.clone(), merged.in_short())
    };
    assert_eq!(merge("x\na\nb\n", "x\na\na\nb\n"), ("x\na\nb\n".into(), vec![]));
    assert_eq!(merge("x\na\na\nb\n", "x\na\na\nb\na\n"), ("x\na\na\nb\na\n".into(), vec![]));
    let expected = vec!["count a: 2 | 1 | 3".to_owned()];
    assert_eq!(merge("x\na\nb\n", "x\na\na\na\nb\n"), ("x\na\nb\n".into(), expected));
    let merged = merge_with(&options(&[]), ["x\na\na\n", "x,y\na,1\na,1\n", "x,y\na,1\na,2\n"]).unwrap();
    assert_eq!((merged.in_short(), merged.table.as_str()), (vec!["no_key: - | - | -".into()], "x\na\na\n"));
}

#[test]
fn the_form_of_ours_stays_21_and_22() {
    let reformatted = "id,name,qty\n1,a,10.0\n2,b,20.0\n3,c,30.0\n";
    let theirs = with(&[("2,b,20", "2,B,20")]);
    clean(reformatted, &theirs, &reformatted.replace("2,b", "2,B"));
    let ours = "\u{feff}id;name;qty\r\n1;\"a\";10\r\n2;b;20\r\n3;\"c;c\";30";
    let base = "id,name,qty\n1,a,10\n2,b,20\n3,\"c;c\",30\n";
    let theirs = "id,name,qty\n1,a,11\n2,b,20\n3,\"c;c\",30\n4,\"d;,\"\"\",40\n";
    let merged = merge_with(&options(&["id"]), [ours, base, theirs]).unwrap();
    let expected = "\u{feff}id;name;qty\r\n1;\"a\";11\r\n2;b;20\r\n3;\"c;c\";30\r\n4;\"d;,\"\"\";40";
    assert_eq!((merged.table.as_str(), merged.conflicts.len()), (expected, 0));
}

#[test]
fn nothing_empty_text_and_na_are_three_values() {
    let base = "id,note\n1,x\n2,x\n3,x\n";
    let (ours, theirs) = ("id,note\n1,\n2,\n3,NA\n", "id,note\n1,\"\"\n2,\n3,x\n");
    let merged = merge_with(&options(&["id"]), [ours, base, theirs]).unwrap();
    assert_eq!(merged.in_short(), ["cell 1 note: x | - | "]);
    assert_eq!(merged.table, ours);
}

#[test]
fn two_tables_without_an_ancestor_are_united() {
    let merged = merge_with(&options(&[]), ["id,a\n1,x\n2,y\n", "", "id,a\n2,z\n3,w\n"]).unwrap();
    assert_eq!(merged.table, "id,a\n1,x\n2,y\n3,w\n");
    assert_eq!(merged.in_short(), ["add_add 2 a: - | y | z"]);
}

#[test]
fn a_private_column_shows_no_value() {
    let options = MergeOptions { private: vec!["name".into(), "qty".into()], ..options(&["id"]) };
    let (ours, theirs) =
        (with(&[("1,a,10", "1,secret,10")]), with(&[("1,a,10", "1,hidden,10"), ("3,c,30\n", "")]));
    let ours = ours.replace("3,c,30", "3,planted,31");
    let merged = merge_with(&options, [&ours, BASE, &theirs]).unwrap();
    let text = serde_json::to_string(&merged.conflicts).unwrap();
    assert_eq!(merged.conflicts.len(), 2);
    assert!(!["secret", "hidden", "planted", "31"].iter().any(|value| text.contains(value)), "{text}");
}

#[test]
fn what_is_no_table_is_told() {
    let merged = merge_with(&options(&[]), [BASE, BASE, "id,name\n1,a,b\n"]);
    let error = merged.map(|merged| merged.table).unwrap_err();
    assert_eq!(error.to_string(), "cannot merge the rows: their version is no readable table");
    struct Broken;
    impl Source for Broken {
        fn open(&self) -> std::io::Result<Box<dyn Read + '_>> {
            Err(std::io::Error::other("gone"))
        }
    }
    let scratch = || Ok(Box::new(Cursor::new(Vec::new())) as Box<dyn Scratch>);
    let tables = Three { base: &Broken as &dyn Source, ours: &Broken, theirs: &Broken };
    let output = MergeOutput { scratch: &scratch, table: &mut Vec::new(), conflict: &mut |_| Ok(()) };
    assert!(merge_tables(&tables, &options(&[]), output).is_err());
}
