//! What the pointers of two versions of a table say about its columns: exact, and told without the data.

use serde::Serialize;

use crate::objects::pointer::Pointer;
use crate::objects::shape::Shape;
use crate::tables::Sided;

/// One column, as a pointer holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnLine {
    /// Its name.
    pub name: String,
    /// Its type, such as `int64`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Cells without a value.
    pub nulls: u64,
}

/// How the columns of a table changed, as far as pointers tell it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ColumnsChange {
    /// Only the newer version has them.
    pub added: Vec<ColumnLine>,
    /// Only the older version has them.
    pub removed: Vec<ColumnLine>,
    /// Columns of another type or with another number of nulls.
    pub changed: Vec<Sided<ColumnLine>>,
}

impl ColumnLine {
    /// Reads `species utf8 nulls=12`; a name may hold blanks.
    fn parse(line: &str) -> Option<Self> {
        let (rest, nulls) = line.rsplit_once(" nulls=")?;
        let (name, kind) = rest.rsplit_once(' ')?;
        Some(Self { name: name.to_owned(), kind: kind.to_owned(), nulls: nulls.parse().ok()? })
    }
}

/// Rows and number of columns of a table, if its pointer tells them.
pub(super) fn table_facts(shape: Option<&Shape>) -> (Option<u64>, Option<u64>) {
    match shape {
        Some(Shape::Table { rows, columns, .. }) => (Some(*rows), Some(columns.len() as u64)),
        _ => (None, None),
    }
}

/// How the columns changed, where both pointers tell of them.
pub(super) fn between(before: &Pointer, after: &Pointer) -> Option<ColumnsChange> {
    let (before, after) = (lines(before)?, lines(after)?);
    let named = |lines: &[ColumnLine], name: &str| lines.iter().find(|line| line.name == name).cloned();
    let alone = |lines: &[ColumnLine], others: &[ColumnLine]| {
        lines.iter().filter(|line| named(others, &line.name).is_none()).cloned().collect()
    };
    let changed = after.iter().filter_map(|line| {
        let old = named(&before, &line.name)?;
        (old != *line).then(|| Sided { before: old, after: line.clone() })
    });
    Some(ColumnsChange {
        added: alone(&after, &before),
        removed: alone(&before, &after),
        changed: changed.collect(),
    })
}

fn lines(pointer: &Pointer) -> Option<Vec<ColumnLine>> {
    match &pointer.shape {
        Some(Shape::Table { columns, .. }) => columns.iter().map(|line| ColumnLine::parse(line)).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;

    fn table(columns: &[&str]) -> Pointer {
        let columns = columns.iter().map(|line| (*line).to_owned()).collect();
        let shape = Shape::Table { format: "csv".into(), rows: 3, columns };
        Pointer::file(Digest::of(b"x"), 1, None).with_shape(Some(shape))
    }

    #[test]
    fn pointers_tell_which_columns_came_went_and_changed() {
        let before = table(&["id int64 nulls=0", "body mass utf8 nulls=1", "old date nulls=0"]);
        let after = table(&["id int64 nulls=0", "body mass float64 nulls=2", "region utf8 nulls=0"]);
        let change = between(&before, &after).unwrap();
        assert_eq!((change.added[0].name.as_str(), change.removed[0].name.as_str()), ("region", "old"));
        let Sided { before: old, after: new } = &change.changed[0];
        assert_eq!((old.name.as_str(), old.kind.as_str(), new.nulls), ("body mass", "utf8", 2));
        assert!(between(&before, &table(&["no such line"])).is_none());
    }
}
