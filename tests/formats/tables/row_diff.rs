//! What a reviewer is told about two versions of a table.

use git_ml::tables::{
    CellChange, DiffOptions, Duplicates, KeyOrigin, RowCounts, RowSample, RowSampleKind, Shown, Side, Sided,
    TableDiff, TableError, row_diff,
};

fn diff_with(before: &str, after: &str, options: &DiffOptions) -> TableDiff {
    row_diff(&before.as_bytes(), &after.as_bytes(), options).unwrap()
}

fn diff(before: &str, after: &str, key: &[&str]) -> TableDiff {
    let key = key.iter().map(|name| (*name).to_owned()).collect();
    diff_with(before, after, &DiffOptions { key, ..DiffOptions::default() })
}

fn counts(diff: &TableDiff) -> [u64; 4] {
    [diff.rows.added, diff.rows.removed, diff.rows.changed, diff.rows.unchanged]
}

#[test]
fn rows_are_added_removed_and_changed_by_key() {
    let before = "id,species,mass\n1,Adelie,3750\n2,Adelie,3800\n3,Gentoo,NA\n";
    let after = "id,species,mass\n1,Adelie,3750.0\n3,Gentoo,5000\n4,Chinstrap,3500\n";
    let diff = diff(before, after, &[]);
    assert_eq!((diff.key.columns.as_slice(), diff.key.origin), (&["id".to_owned()][..], KeyOrigin::Found));
    assert_eq!(diff.rows, RowCounts { before: 3, after: 3, added: 1, removed: 1, changed: 1, unchanged: 1 });
    assert_eq!(diff.columns.len(), 1);
    let mass = &diff.columns[0];
    assert_eq!((mass.name.as_str(), mass.changed, mass.nulls), ("mass", 1, Sided { before: 1, after: 0 }));
    let text = |text: &str| Shown::Text(text.to_owned());
    let changed = RowSample {
        kind: RowSampleKind::Changed,
        row: Sided { before: Some(3), after: Some(2) },
        key: vec![text("3")],
        cells: vec![CellChange {
            column: "mass".into(),
            before: Some(text("NA")),
            after: Some(text("5000")),
        }],
    };
    assert_eq!(diff.samples[2], changed);
    let kinds: Vec<_> = diff.samples.iter().map(|sample| sample.kind).collect();
    assert_eq!(kinds, [RowSampleKind::Removed, RowSampleKind::Added, RowSampleKind::Changed]);
}

#[test]
fn a_new_order_is_called_that() {
    let before = "id,x\n1,a\n2,b\n3,c\n";
    for (after, order_only) in [
        ("id,x\n3,c\n1,a\n2,b\n", true),
        ("x,id\na,1\nb,2\nc,3\n", true),
        ("id;x\r\n\"1\";a\r\n2;b\r\n3;c\r\n", false),
    ] {
        let diff = diff(before, after, &["id"]);
        assert_eq!((counts(&diff), diff.has_same_content()), ([0, 0, 0, 3], true), "{after}");
        assert_eq!((diff.is_order_only(), diff.samples.len()), (order_only, 0), "{after}");
    }
}

#[test]
fn rows_of_one_key_are_counted_never_dropped() {
    let diff = diff("id,x\n1,a\n1,b\n2,c\n", "id,x\n1,b\n2,c\n2,c\n2,d\n", &["id"]);
    assert_eq!(counts(&diff), [2, 1, 0, 2]);
    let duplicates = |keys, rows| Duplicates { keys, rows };
    assert_eq!(diff.repeated_keys, Sided { before: duplicates(1, 2), after: duplicates(1, 3) });
}

#[test]
fn without_a_key_rows_are_a_multiset() {
    let diff = diff("x,y\na,1.5\na,1.5\nb,2\n", "x,y\na,1.5\nb,2\nb,2.0\nb,2.5\n", &[]);
    assert_eq!((diff.key.origin, counts(&diff)), (KeyOrigin::None, [2, 1, 0, 2]));
}

#[test]
fn nothing_empty_and_na_are_three_values() {
    let before = "id,text,mass\n1,,\n2,\"\",NA\n3,NA,1\n4,a,2\n";
    let same = diff(before, before, &["id"]);
    assert_eq!(counts(&same), [0, 0, 0, 4]);
    let after = "id,text,mass\n1,\"\",NA\n2,NA,\"\"\n3,,1\n4,a,2\n";
    let diff = diff(before, after, &["id"]);
    let changed: Vec<_> = diff.columns.iter().map(|column| (column.name.as_str(), column.changed)).collect();
    assert_eq!((counts(&diff), changed), ([0, 0, 3, 1], vec![("text", 3), ("mass", 2)]));
}

#[test]
fn columns_change_the_schema_not_every_row() {
    let before = "id,old,kept,zip\n1,x,5,1\n2,y,6,2\n";
    let after = "id,zip,kept,new\n1,001,5.0,p\n2,2,6.5,q\n";
    let diff = diff(before, after, &["id"]);
    let names = |columns: &[git_ml::tables::ColumnShape]| {
        columns.iter().map(|column| format!("{} {}", column.name, column.kind)).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&diff.schema.added), names(&diff.schema.removed)),
        (vec!["new utf8".into()], vec!["old utf8".into()])
    );
    let retyped: Vec<_> = diff.schema.retyped.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((retyped, diff.schema.reordered), (vec!["zip", "kept"], true));
    let changed: Vec<_> = diff.columns.iter().map(|column| (column.name.as_str(), column.changed)).collect();
    assert_eq!((counts(&diff), changed), ([0, 0, 2, 0], vec![("zip", 1), ("kept", 1)]));
}

#[test]
fn a_declared_key_that_is_gone_is_told() {
    let diff = diff("a,x\n1,p\n2,q\n", "b,x\n1,p\n2,r\n", &["a"]);
    assert_eq!((diff.key.not_in_both.as_slice(), diff.key.origin), (&["a".to_owned()][..], KeyOrigin::Found));
    let nothing_common = row_diff(&&b"a\n1\n2\n"[..], &&b"b\n1\n"[..], &DiffOptions::default()).unwrap();
    assert_eq!(counts(&nothing_common), [1, 2, 0, 0]);
}

#[test]
fn private_values_are_counted_and_shown_nowhere() {
    let before = "email,plan,name\nsecret1@x,free,secret a\nsecret2@x,free,secret b\n";
    let after = "email,plan,name\nsecret1@x,paid,secret c\nsecret3@x,free,\n";
    for key in [vec!["email".to_owned()], Vec::new()] {
        let private = vec!["email".to_owned(), "name".to_owned()];
        let diff = diff_with(before, after, &DiffOptions { key, private, samples: 100 });
        let json = serde_json::to_string(&diff).unwrap();
        assert!(!json.contains("secret") && !format!("{diff:?}").contains("secret"), "{json}");
        assert!(json.contains("paid") && json.contains(r#""private":true"#), "{json}");
        assert_eq!(counts(&diff), [1, 1, 1, 0]);
    }
    let private = vec!["telephone".to_owned()];
    let diff = diff_with(before, after, &DiffOptions { private, ..DiffOptions::default() });
    let json = serde_json::to_string(&diff).unwrap();
    assert!(
        !json.contains("secret") && !json.contains("paid"),
        "a private column that is not found hides all: {json}"
    );
}

#[test]
fn samples_are_few_spread_and_the_same_every_time() {
    let table = |edit: &dyn Fn(u32) -> String| {
        (0..2000).fold(String::from("id,a,b\n"), |text, id| text + &format!("{id},{},{}\n", edit(id), id % 7))
    };
    let (before, after) =
        (table(&|id| format!("v{id}")), table(&|id| format!("v{}", id + u32::from(id % 10 == 3))));
    let one = diff(&before, &after, &["id"]);
    assert_eq!((one.rows.changed, one.samples.len()), (200, 5));
    assert_eq!(one, diff(&before, &after, &["id"]));
    let rows: Vec<_> = one.samples.iter().filter_map(|sample| sample.row.after).collect();
    assert!(rows.is_sorted() && rows.last() > Some(&500), "{rows:?}");
    let none = diff_with(&before, &after, &DiffOptions { samples: 0, ..DiffOptions::default() });
    assert_eq!((none.samples.len(), none.columns[0].changed), (0, 200));
}

#[test]
fn rows_that_moved_and_changed_find_their_partner() {
    let row = |id: u32, value: u32| format!("{id},{value}\n");
    let before: String = (0..300).map(|id| row(id, id)).collect();
    let after: String = (0..300).rev().map(|id| row(id, id + u32::from(id % 3 == 0))).collect();
    let diff = diff(&format!("id,v\n{before}"), &format!("id,v\n{after}"), &["id"]);
    assert_eq!((counts(&diff), diff.reordered, diff.columns[0].changed), ([0, 0, 100, 200], true, 100));
}

#[test]
fn an_error_names_the_side_and_the_line() {
    let error = row_diff(&&b"a,b\n1,2\n"[..], &&b"a,b\n1,2\n3\n"[..], &DiffOptions::default()).unwrap_err();
    assert_eq!(error.side, Side::After);
    assert!(matches!(error.source, TableError::Ragged { line: 3, .. }), "{error:?}");
    assert_eq!(error.to_string(), "cannot compare the rows: the newer version is no readable table");
}
