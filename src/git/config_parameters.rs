//! What `git -c NAME=VALUE mldata …` hands on.
//!
//! Git puts the settings into `GIT_CONFIG_PARAMETERS`, quoted for a shell and separated by blanks: `'NAME'='VALUE'` since
//! Git 2.31, `'NAME=VALUE'` before, `'NAME'=` or `'NAME'` for a name without value. Within quotes only `'\''` and `'\!'`
//! are special. (Git's own words: `git-config(1)`; its code: `quote.c`, `config.c`.)

/// The settings as `NAME=VALUE`, in order; `None` when the text is malformed.
pub(super) fn parse(text: &str) -> Option<Vec<String>> {
    let mut settings = Vec::new();
    let mut rest = text.trim_matches(' ');
    while !rest.is_empty() {
        let (mut setting, after) = unquote(rest)?;
        rest = after;
        if let Some(after) = rest.strip_prefix('=') {
            let (value, after) =
                if after.starts_with('\'') { unquote(after)? } else { (String::new(), after) };
            setting = format!("{setting}={value}");
            rest = after;
        }
        settings.push(setting);
        if !rest.is_empty() && !rest.starts_with(' ') {
            return None;
        }
        rest = rest.trim_start_matches(' ');
    }
    Some(settings)
}

/// The text within the quotes that `text` begins with, and what follows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut plain = String::new();
    loop {
        let (before, after) = rest.split_once('\'')?;
        plain.push_str(before);
        let escaped = after.strip_prefix('\\').and_then(|after| {
            let c = after.chars().next().filter(|c| matches!(c, '\'' | '!'))?;
            Some((c, after[1..].strip_prefix('\'')?))
        });
        let Some((c, after)) = escaped else {
            return Some((plain, after));
        };
        plain.push(c);
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn both_spellings_of_git_are_read() {
        let read = |text| parse(text).unwrap();
        assert_eq!(read("'mldata.remote'='o' 'a.b'='it'\\''s'\\!''"), ["mldata.remote=o", "a.b=it's!"]);
        assert_eq!(read("'mldata.remote=o p' 'a.b'= 'c.d'"), ["mldata.remote=o p", "a.b=", "c.d"]);
        assert!(read("").is_empty());
    }

    #[test]
    fn malformed_text_is_refused() {
        for text in ["a.b=c", "'a.b", "'a.b'='c", "'a.b'='c'x", "'a'\\"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
