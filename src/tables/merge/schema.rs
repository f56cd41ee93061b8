//! The columns of the merged table.
//!
//! Columns are one by name, or where one version calls a column otherwise and all its values are the same (see
//! [`super::rename`]). The order is ours, unless only theirs changed it; what theirs added stands behind the column that
//! it stands behind there.

use std::collections::HashMap;

use crate::tables::csv::{Cell, Record};
use crate::tables::private::PrivateColumns;
use crate::tables::shape::TableShape;
use crate::tables::value::{ColumnType, Comparison};

use super::conflict::{Conflict, ConflictKind, NamedCells, Said};
use super::three::{Three, Version};

/// Columns of one version that the base calls otherwise, by the base's name.
pub(super) type Renames = HashMap<String, String>;

/// One column of any of the versions.
#[derive(Debug, Clone)]
pub(super) struct MergedColumn {
    /// Its name in the merged table.
    pub(super) name: String,
    /// Where it stands in each version that has it.
    pub(super) place: Three<Option<usize>>,
    /// Its types; `Null` where a version does not have it.
    pub(super) kinds: Three<ColumnType>,
    pub(super) comparison: Comparison,
    pub(super) private: bool,
}

impl MergedColumn {
    pub(super) fn is_in(&self, version: Version) -> bool {
        self.place.of(version).is_some()
    }

    pub(super) fn cell<'r>(&self, version: Version, record: Option<&'r Record>) -> Option<Cell<'r>> {
        record?.get((*self.place.of(version))?)
    }

    /// Whether the base has it, and this version no more.
    pub(super) fn is_dropped_by(&self, version: Version) -> bool {
        self.is_in(Version::Base) && !self.is_in(version)
    }

    /// Whether the base does not have it, and both others do.
    pub(super) fn is_added_by_both(&self) -> bool {
        !self.is_in(Version::Base) && self.is_in(Version::Ours) && self.is_in(Version::Theirs)
    }

    /// Both gave it another type than it had, and not the same; or added it with different types.
    fn types_conflict(&self) -> bool {
        let Three { base, ours, theirs } = self.kinds;
        let differ = ours != theirs && ![ours, theirs].contains(&ColumnType::Null);
        let in_both = self.is_in(Version::Ours) && self.is_in(Version::Theirs);
        let changed_by_both = ours != base && theirs != base && base != ColumnType::Null;
        in_both && differ && (changed_by_both || !self.is_in(Version::Base))
    }
}

/// All columns of the three versions but those that both dropped, in the order of the merged table.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) columns: Vec<MergedColumn>,
    pub(super) conflicts: Vec<Conflict>,
}

impl Schema {
    /// Unites the columns. `renames` are those of ours and theirs; the base's are none.
    pub(super) fn unite(shapes: &Three<TableShape>, renames: &Three<Renames>, private: &[String]) -> Self {
        let names = Three::from_each(|version| names(shapes.of(version)));
        let headers =
            Version::ALL.map(|version| (names.of(version).as_slice(), shapes.of(version).dialect.header));
        // A base without columns has nothing to hide, and does not make a private column unknown.
        let headers: Vec<_> = headers.into_iter().filter(|(names, _)| !names.is_empty()).collect();
        let private = PrivateColumns::of(private, &headers);
        let mut columns = Vec::new();
        let mut conflicts = Vec::new();
        for (place, base) in names.base.iter().enumerate() {
            let name_in = |version| renames.of(version).get(base).unwrap_or(base).clone();
            let place_in = |version| place_of(names.of(version), &name_in(version));
            let (ours, theirs) = (place_in(Version::Ours), place_in(Version::Theirs));
            if ours.is_none() && theirs.is_none() {
                continue;
            }
            let (name_ours, name_theirs) = (name_in(Version::Ours), name_in(Version::Theirs));
            let renamed_by_both = name_ours != *base && name_theirs != *base && name_ours != name_theirs;
            if renamed_by_both {
                conflicts.push(named_otherwise(base, &name_ours, &name_theirs));
            }
            let name = if name_ours == *base { name_theirs } else { name_ours };
            let place = Three { base: Some(place), ours, theirs };
            columns.push(column(name, place, shapes, &private, base));
        }
        let known = |version: Version, place: usize, columns: &[MergedColumn]| {
            columns.iter().any(|column| *column.place.of(version) == Some(place))
        };
        for (ours, name) in names.ours.iter().enumerate() {
            if !known(Version::Ours, ours, &columns) {
                let theirs =
                    place_of(&names.theirs, name).filter(|place| !known(Version::Theirs, *place, &columns));
                let place = Three { base: None, ours: Some(ours), theirs };
                columns.push(column(name.clone(), place, shapes, &private, name));
            }
        }
        for (theirs, name) in names.theirs.iter().enumerate() {
            if !known(Version::Theirs, theirs, &columns) {
                let place = Three { base: None, ours: None, theirs: Some(theirs) };
                columns.push(column(name.clone(), place, shapes, &private, name));
            }
        }
        conflicts.extend(columns.iter().filter(|column| column.types_conflict()).map(typed_otherwise));
        Self { columns: in_order(columns), conflicts }
    }

    /// A name that two columns of the merged table would have.
    pub(super) fn same_name(&self) -> Option<&str> {
        let mut names: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }

    /// Whether any column of the base has another name in one of the versions, or is gone from it.
    pub(super) fn loses_columns(&self, base: &TableShape) -> bool {
        let shared = |column: &&MergedColumn| {
            let name = |version: &Version| column.place.of(*version).is_some();
            Version::ALL.iter().all(name)
        };
        self.columns.iter().filter(shared).count() < base.columns.len()
    }

    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

pub(super) fn names(shape: &TableShape) -> Vec<String> {
    shape.columns.iter().map(|column| column.name.clone()).collect()
}

fn place_of(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|other| other == name)
}

fn column(
    name: String,
    place: Three<Option<usize>>,
    shapes: &Three<TableShape>,
    private: &PrivateColumns,
    known_as: &str,
) -> MergedColumn {
    let kinds = Three::from_each(|version| {
        place.of(version).map_or(ColumnType::Null, |at| shapes.of(version).columns[at].kind)
    });
    let comparison = Comparison::between(kinds.base.join(kinds.ours), kinds.theirs);
    // A rename does not make a column public.
    let private = private.covers(&name) || private.covers(known_as);
    MergedColumn { name, place, kinds, comparison, private }
}

fn named_otherwise(base: &str, ours: &str, theirs: &str) -> Conflict {
    let said = |name: &str| Said::Name(name.to_owned());
    Conflict {
        kind: ConflictKind::ColumnName,
        key: NamedCells::default(),
        column: Some(base.to_owned()),
        said: Three { base: said(base), ours: said(ours), theirs: said(theirs) },
    }
}

fn typed_otherwise(column: &MergedColumn) -> Conflict {
    let said = |version| match column.is_in(version) {
        true => Said::Type(*column.kinds.of(version)),
        false => Said::Absent,
    };
    Conflict {
        kind: ConflictKind::ColumnType,
        key: NamedCells::default(),
        column: Some(column.name.clone()),
        said: Three::from_each(said),
    }
}

/// Brings the columns in the order of the merged table.
fn in_order(columns: Vec<MergedColumn>) -> Vec<MergedColumn> {
    let keeps_order = |version: Version| {
        let shared = columns.iter().filter(|column| column.is_in(Version::Base) && column.is_in(version));
        let mut places: Vec<_> =
            shared.map(|column| (column.place.base, *column.place.of(version))).collect();
        places.sort_unstable();
        places.is_sorted_by_key(|(_, place)| *place)
    };
    let only_theirs_moved = keeps_order(Version::Ours) && !keeps_order(Version::Theirs);
    let (first, second) = match only_theirs_moved {
        true => (Version::Theirs, Version::Ours),
        false => (Version::Ours, Version::Theirs),
    };
    let in_version = |version: Version| {
        let mut places: Vec<_> =
            (0..columns.len()).filter(|at| columns[*at].is_in(version)).collect::<Vec<_>>();
        places.sort_unstable_by_key(|at| *columns[*at].place.of(version));
        places
    };
    let mut order = in_version(first);
    let mut next = 0;
    for at in in_version(second) {
        if let Some(found) = order.iter().position(|other| *other == at) {
            next = found + 1;
            continue;
        }
        // Behind what the first version added at the same place.
        while order.get(next).is_some_and(|other| !columns[*other].is_in(second)) {
            next += 1;
        }
        order.insert(next, at);
        next += 1;
    }
    let mut columns: Vec<_> = columns.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| columns[at].take()).collect()
}
