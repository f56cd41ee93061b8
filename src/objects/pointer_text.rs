//! The one text of a pointer.

use std::fmt::{self, Write};

use toml::{Table, Value};

use crate::objects::pointer::{Pointer, VERSION};
use crate::objects::shape::{SHAPE, Shape};

const FIRST_LINE: &str = "# git-mldata pointer: `git mldata pull` brings the content";

pub(super) fn write(pointer: &Pointer) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_pointer(&mut text, pointer);
    text
}

fn write_pointer(text: &mut String, pointer: &Pointer) -> fmt::Result {
    writeln!(text, "{FIRST_LINE}\nversion = {VERSION}\nkind = \"{}\"", pointer.kind.word())?;
    writeln!(text, "blake3 = \"{}\"\nsize = {}", pointer.id, pointer.size)?;
    if let Some(manifest) = &pointer.manifest {
        writeln!(text, "manifest = \"{manifest}\"")?;
    }
    let is_table = |value: &Value| match value {
        Value::Table(_) => true,
        Value::Array(values) => !values.is_empty() && values.iter().all(Value::is_table),
        _ => false,
    };
    let unknown = pointer.unknown.clone().into_iter();
    let (tables, values): (Table, Table) = unknown.partition(|(_, value)| is_table(value));
    text.push_str(&values.to_string());
    match &pointer.shape {
        Some(Shape::Table { format, rows, columns }) => {
            writeln!(text, "[table]\nshape = {SHAPE}\nformat = {}\nrows = {rows}", Quoted(format))?;
            write_lines(text, "columns", columns)?;
        }
        Some(Shape::Tree { files, bytes, extensions, folders }) => {
            writeln!(text, "[tree]\nshape = {SHAPE}\nfiles = {files}\nbytes = {bytes}")?;
            write_lines(text, "extensions", extensions)?;
            write_lines(text, "folders", folders)?;
        }
        None => {}
    }
    text.push_str(&tables.to_string());
    Ok(())
}

fn write_lines(text: &mut String, key: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return writeln!(text, "{key} = []");
    }
    writeln!(text, "{key} = [")?;
    lines.iter().try_for_each(|line| writeln!(text, "  {},", Quoted(line)))?;
    writeln!(text, "]")
}

/// A TOML basic string: quote, backslash and control characters escaped, all else as it is.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\t' => f.write_str("\\t")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                c if c.is_control() => write!(f, "\\u{:04X}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
