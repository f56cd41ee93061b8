//! Columns whose values are shown nowhere.

/// Names of private columns, and the doubt that makes all columns private.
///
/// It fails closed: where a private column is not found at all, the table may be read wrongly (no header, another
/// delimiter), and then nothing is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct PrivateColumns {
    names: Vec<String>,
    all: bool,
}

impl PrivateColumns {
    /// The private columns of tables, each given by the names of its columns and whether these stand in a header.
    pub(super) fn of(private: &[String], tables: &[(&[String], bool)]) -> Self {
        let names: Vec<_> = private.iter().map(|name| name.trim().to_lowercase()).collect();
        let found = |name: &String| {
            tables.iter().any(|(columns, _)| columns.iter().any(|column| is_named(column, name)))
        };
        let unsure = !names.is_empty() && !tables.iter().all(|(_, header)| *header);
        let all = unsure || !names.iter().all(found);
        Self { names, all }
    }

    /// Whether values of this column stay hidden.
    pub(super) fn covers(&self, column: &str) -> bool {
        self.all || self.names.iter().any(|name| is_named(column, name))
    }
}

/// Whether `column` is called `name`, also as its second (`name#2`) or among names that were read as one.
fn is_named(column: &str, name: &str) -> bool {
    let column = column.to_lowercase();
    let without_number = column.rsplit_once('#').map_or(column.as_str(), |(stem, number)| {
        if number.bytes().all(|digit| digit.is_ascii_digit()) { stem } else { column.as_str() }
    });
    let mut parts = column.split([',', ';', '\t', '|']);
    column == name || without_number == name || parts.any(|part| part.trim().trim_matches('"') == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(private: &[&str], columns: &[&str], header: bool) -> Vec<bool> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let names = owned(columns);
        let private = PrivateColumns::of(&owned(private), &[(&names, header)]);
        columns.iter().map(|column| private.covers(column)).collect()
    }

    #[test]
    fn private_columns_are_covered_and_doubt_covers_all() {
        assert_eq!(hidden(&[], &["id", "email"], false), [false, false]);
        assert_eq!(
            hidden(&["Email "], &["id", "email", "email#2", "emails"], true),
            [false, true, true, false]
        );
        assert_eq!(hidden(&["phone"], &["id", "email"], true), [true, true]);
        assert_eq!(hidden(&["id"], &["id", "email"], false), [true, true]);
        assert_eq!(hidden(&["email"], &["id;email", "x"], true), [true, false]);
    }
}
