//! Files that moved: removed here, added there, with the same content.

use std::collections::HashMap;

use crate::base::Digest;

use super::result::{Change, ChangeKind, FileFacts, FileKind};

/// Joins each removed file with an added one of the same content: of the same name if there is one, else the first by
/// path. Empty files and links are all alike and stay as they are; so does what is not fully known.
pub(super) fn join_renames(changes: &mut Vec<Change>) {
    let mut partners = vec![None; changes.len()];
    let mut gone = vec![false; changes.len()];
    // Those that kept their name first: they must not lose their partner to another.
    for same_name in [true, false] {
        let key = |path, facts: &FileFacts| (facts.id, if same_name { name(path) } else { "" });
        let mut removed: HashMap<(Digest, &str), Vec<usize>> = HashMap::new();
        for (at, change) in changes.iter().enumerate().rev().filter(|(at, _)| !gone[*at]) {
            if let Some(facts) = movable(change, ChangeKind::Removed, &change.before) {
                removed.entry(key(&change.path, facts)).or_default().push(at);
            }
        }
        for (at, change) in changes.iter().enumerate() {
            let Some(facts) = movable(change, ChangeKind::Added, &change.after) else { continue };
            if partners[at].is_none()
                && let Some(from) = removed.get_mut(&key(&change.path, facts)).and_then(Vec::pop)
            {
                (partners[at], gone[from]) = (Some(from), true);
            }
        }
    }
    for (at, from) in partners.into_iter().enumerate() {
        let Some(from) = from else { continue };
        let (path, before) = (changes[from].path.clone(), changes[from].before.take());
        let change = &mut changes[at];
        (change.kind, change.from, change.before) = (ChangeKind::Renamed, Some(path), before);
    }
    let mut gone = gone.into_iter();
    changes.retain(|_| !gone.next().unwrap_or(false));
}

/// What is known of a file of this kind of change that may have moved.
fn movable<'a>(change: &Change, kind: ChangeKind, facts: &'a Option<FileFacts>) -> Option<&'a FileFacts> {
    let sure = change.kind == kind && change.not_here.is_none();
    facts.as_ref().filter(|facts| sure && facts.kind == FileKind::File && facts.size > 0)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::RepoPath;

    fn change(kind: ChangeKind, path: &str, content: &str) -> Change {
        let facts = FileFacts {
            kind: FileKind::File,
            id: Digest::of(content.as_bytes()),
            size: content.len() as u64,
            files: Some(1),
            executable: false,
            rows: None,
            columns: None,
        };
        let (before, after) = match kind {
            ChangeKind::Removed => (Some(facts), None),
            _ => (None, Some(facts)),
        };
        let (path, tracked) = (path.to_owned(), RepoPath::new("data").unwrap());
        Change { kind, path, from: None, tracked, before, after, table: None, not_here: None }
    }

    #[test]
    fn equal_contents_are_joined_by_name_first_and_empty_ones_never() {
        use ChangeKind::{Added, Removed};
        let mut changes = vec![
            change(Removed, "a/1.png", "cat"),
            change(Removed, "a/2.png", "cat"),
            change(Removed, "a/empty", ""),
            change(Added, "b/0.png", "cat"),
            change(Added, "b/1.png", "cat"),
            change(Added, "b/3.png", "cat"),
            change(Added, "b/empty", ""),
        ];
        join_renames(&mut changes);
        let told: Vec<_> = changes
            .iter()
            .map(|change| (change.from.as_deref().unwrap_or(""), change.path.as_str()))
            .collect();
        let wanted = [
            ("", "a/empty"),
            ("a/2.png", "b/0.png"),
            ("a/1.png", "b/1.png"),
            ("", "b/3.png"),
            ("", "b/empty"),
        ];
        assert_eq!(told, wanted);
        assert!(changes.iter().filter(|change| change.from.is_some()).all(|c| c.before.is_some()));
    }
}
