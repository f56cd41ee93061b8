//! Names and messages of others, made safe for a terminal.
//!
//! A file name in a clone may hold an escape sequence that clears the screen, or a mark that turns the reading
//! direction. Nothing of that kind is printed: it is shown as `\u{1b}`.

use std::borrow::Cow;

/// `text` with every character that would move, hide or reorder what is on the screen written as an escape.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if is_unprintable(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// A path on a line for scripts, as Git quotes it: `"…"` with C's escapes where it holds a quote, a backslash or a
/// control character, else as it is.
pub(crate) fn quote(path: &str) -> Cow<'_, str> {
    if !path.chars().any(|c| c.is_control() || matches!(c, '"' | '\\')) {
        return Cow::Borrowed(path);
    }
    let mut quoted = String::from('"');
    for c in path.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                quoted.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\{byte:03o}")));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// Control characters, line and paragraph separators, and the marks that change the direction of writing.
fn is_unprintable(c: char) -> bool {
    let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || reorders || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_for_scripts_are_quoted_as_git_quotes_them() {
        assert_eq!(quote("größe a.csv"), "größe a.csv");
        assert_eq!(quote("a\"b\\c\n\u{1b}"), r#""a\"b\\c\n\033""#);
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_the_rest_is_not_touched() {
        assert_eq!(escape("größe/日本.csv"), "größe/日本.csv");
        assert_eq!(escape("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(escape("a\nb\u{202e}c\u{9b}"), "a\\nb\\u{202e}c\\u{9b}");
    }
}
