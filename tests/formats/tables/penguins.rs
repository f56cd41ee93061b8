//! The data of the demonstration say what their README says.

use std::fs;
use std::path::Path;

use git_ml::tables::{DiffOptions, KeyOrigin, RowCounts, TableShape, row_diff};

fn version(number: u8) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    fs::read(folder.join(format!("penguins-{number}.csv"))).unwrap()
}

#[test]
fn the_shape_of_the_penguins() {
    let shape = TableShape::read(&version(2)[..]).unwrap();
    let lines = [
        "id int64 nulls=0",
        "species utf8 nulls=0",
        "island utf8 nulls=0",
        "bill_length_mm float64 nulls=0",
        "bill_depth_mm float64 nulls=0",
        "flipper_length_mm int64 nulls=0",
        "body_mass_g int64 nulls=0",
        "sex utf8 nulls=9",
        "year int64 nulls=0",
    ];
    assert_eq!((shape.rows, shape.pointer_lines().unwrap()), (342, lines.map(String::from).to_vec()));
}

#[test]
fn what_a_reviewer_of_the_penguins_sees() {
    let (before, after) = (version(1), version(2));
    let diff = row_diff(&before.as_slice(), &after.as_slice(), &DiffOptions::default()).unwrap();
    assert_eq!((diff.key.columns.as_slice(), diff.key.origin), (&["id".to_owned()][..], KeyOrigin::Found));
    let counts = RowCounts { before: 220, after: 342, added: 123, removed: 1, changed: 10, unchanged: 209 };
    assert_eq!(diff.rows, counts);
    let changed: Vec<_> = diff.columns.iter().map(|column| (column.name.as_str(), column.changed)).collect();
    let expected = [
        ("island", 1),
        ("bill_length_mm", 0),
        ("bill_depth_mm", 0),
        ("flipper_length_mm", 0),
        ("body_mass_g", 3),
        ("sex", 6),
    ];
    assert_eq!((changed, diff.reordered), (expected.to_vec(), false));
}
