//! Reads the text of a team file: what is known is taken over, what is unsafe or unknown is named, and what is wrong is
//! refused with its line.

use std::collections::BTreeMap;
use std::ops::Range;

use toml_edit::{Item, Table, Value};

use crate::base::RandomId;
use crate::git::team_file::{
    IgnoredKey, TableRule, TeamFile, TeamFileError, TeamRemote, VERSION, is_remote_name,
};

/// The keys that this program knows at the top of the file.
const KNOWN_KEYS: [&str; 6] = ["version", "repository", "default-remote", "remote", "table", "check"];

/// Parts of names of keys that would carry a credential or run a program.
const UNSAFE_PARTS: [&str; 10] = [
    "secret",
    "password",
    "passwd",
    "token",
    "credential",
    "access_key",
    "sas",
    "account_key",
    "command",
    "program",
];

/// The team file with this text.
pub(super) fn read(text: &str) -> Result<TeamFile, TeamFileError> {
    let line_at = |span: Option<Range<usize>>| {
        let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
        before.matches('\n').count() + 1
    };
    let source = toml_edit::Document::parse(text).map_err(|error| TeamFileError::Syntax {
        line: line_at(error.span()),
        problem: error.message().lines().next().unwrap_or_default().to_owned(),
    })?;
    let reader = Reader { line_at: &line_at };
    let top = source.as_table();
    let version = reader.integer(top, "version")?.unwrap_or(VERSION);
    if version != VERSION {
        return Err(TeamFileError::Version { version });
    }
    let mut ignored = Vec::new();
    let unknown = top.iter().map(|(key, _)| key).filter(|key| !KNOWN_KEYS.contains(key));
    ignored.extend(unknown.map(|key| IgnoredKey::Unknown(key.to_owned())));
    Ok(TeamFile {
        repository: reader.repository(top)?,
        default_remote: reader.text(top, "default-remote")?,
        remotes: reader.remotes(top, &mut ignored)?,
        tables: reader.tables(top, &mut ignored)?,
        checks: reader.checks(top, text)?,
        ignored,
        document: source.into_mut(),
    })
}

/// Reads values of the kinds that are expected.
struct Reader<'a> {
    line_at: &'a dyn Fn(Option<Range<usize>>) -> usize,
}

impl Reader<'_> {
    fn refuse(&self, item: &Item, key: &str, wanted: &'static str) -> TeamFileError {
        TeamFileError::Value { line: (self.line_at)(item.span()), key: key.to_owned(), wanted }
    }

    fn integer(&self, table: &Table, key: &str) -> Result<Option<i64>, TeamFileError> {
        let read = |item: &Item| item.as_integer().ok_or_else(|| self.refuse(item, key, "a number"));
        table.get(key).map(read).transpose()
    }

    fn text(&self, table: &Table, key: &str) -> Result<Option<String>, TeamFileError> {
        let read =
            |item: &Item| item.as_str().map(str::to_owned).ok_or_else(|| self.refuse(item, key, "a text"));
        table.get(key).map(read).transpose()
    }

    fn repository(&self, top: &Table) -> Result<Option<RandomId>, TeamFileError> {
        let Some(item) = top.get("repository") else { return Ok(None) };
        let id = item.as_str().and_then(|text| text.parse().ok());
        id.map(Some)
            .ok_or_else(|| self.refuse(item, "repository", "an id of 32 lower-case hexadecimal digits"))
    }

    /// The tables `[name.KEY]`, in the order of the file.
    fn tables_of<'t>(&self, top: &'t Table, name: &str) -> Result<Vec<(&'t str, Table)>, TeamFileError> {
        let Some(item) = top.get(name) else { return Ok(Vec::new()) };
        let outer = item.as_table_like().ok_or_else(|| self.refuse(item, name, "a table"))?;
        let inner = |(key, item): (&'t str, &'t Item)| {
            let wrong = || self.refuse(item, &format!("{name}.{key}"), "a table");
            Ok((key, item.clone().into_table().map_err(|_| wrong())?))
        };
        outer.iter().map(inner).collect()
    }

    fn remotes(
        &self,
        top: &Table,
        ignored: &mut Vec<IgnoredKey>,
    ) -> Result<BTreeMap<String, TeamRemote>, TeamFileError> {
        let mut remotes = BTreeMap::new();
        for (name, table) in self.tables_of(top, "remote")? {
            if !is_remote_name(name) {
                // It would name a folder of ours.
                ignored.push(IgnoredKey::Unsafe(format!("remote.{name}")));
                continue;
            }
            let mut remote = TeamRemote::default();
            for (key, item) in &table {
                let whole = format!("remote.{name}.{key}");
                if is_unsafe(key) {
                    ignored.push(IgnoredKey::Unsafe(whole));
                    continue;
                }
                let text =
                    text_of(item).ok_or_else(|| self.refuse(item, &whole, "a text, number or switch"))?;
                if key == "url" {
                    remote.url = text;
                } else {
                    remote.options.insert(key.to_owned(), text);
                }
            }
            if remote.url.is_empty() {
                let item = Item::Table(table);
                return Err(self.refuse(&item, &format!("remote.{name}"), "a remote: it has no 'url'"));
            }
            remotes.insert(name.to_owned(), remote);
        }
        Ok(remotes)
    }

    fn tables(
        &self,
        top: &Table,
        ignored: &mut Vec<IgnoredKey>,
    ) -> Result<Vec<(String, TableRule)>, TeamFileError> {
        let mut rules = Vec::new();
        for (pattern, table) in self.tables_of(top, "table")? {
            let mut rule = TableRule::default();
            for (key, item) in &table {
                let whole = format!("table.\"{pattern}\".{key}");
                let list =
                    || names_of(item).ok_or_else(|| self.refuse(item, &whole, "a list of column names"));
                match key {
                    "key" => rule.key = list()?,
                    "private" => rule.private = list()?,
                    _ => ignored.push(IgnoredKey::Unknown(whole)),
                }
            }
            rules.push((pattern.to_owned(), rule));
        }
        Ok(rules)
    }

    fn checks(&self, top: &Table, text: &str) -> Result<BTreeMap<String, toml::Table>, TeamFileError> {
        let names: Vec<_> =
            self.tables_of(top, "check")?.into_iter().map(|(name, _)| name.to_owned()).collect();
        let plain: toml::Table = toml::from_str(text).map_err(|error| TeamFileError::Syntax {
            line: (self.line_at)(error.span()),
            problem: error.message().to_owned(),
        })?;
        let table_of = |name: String| {
            let table = plain.get("check")?.get(&name)?.as_table()?.clone();
            Some((name, table))
        };
        Ok(names.into_iter().filter_map(table_of).collect())
    }
}

fn is_unsafe(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    UNSAFE_PARTS.iter().any(|part| key.contains(part))
}

fn text_of(item: &Item) -> Option<String> {
    match item.as_value()? {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(number) => Some(number.value().to_string()),
        Value::Boolean(switch) => Some(switch.value().to_string()),
        _ => None,
    }
}

fn names_of(item: &Item) -> Option<Vec<String>> {
    item.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}
