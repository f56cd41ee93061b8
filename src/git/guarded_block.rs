//! Lines of ours in a file of the user's, between two marks.
//!
//! ```text
//! # >>> git-mldata
//! /penguins.csv
//! # <<< git-mldata
//! ```
//!
//! What lies outside the marks is never touched. A mark without its partner is the user's line like any other: nothing is
//! guessed away. A merge by union may leave several blocks; they are read as one, and written as one.

/// The line before ours.
const BEGIN: &str = "# >>> git-mldata";
/// The line after ours.
const END: &str = "# <<< git-mldata";

/// A text, taken apart at its blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GuardedBlock {
    /// The user's lines, each with its line end: before our first block, and all that follow it.
    before: String,
    after: String,
    /// Whether the text ends its lines as Windows does.
    crlf: bool,
    /// Our lines, without line ends.
    pub(super) lines: Vec<String>,
}

impl GuardedBlock {
    pub(super) fn parse(text: &str) -> Self {
        let rows: Vec<&str> = text.split_inclusive('\n').collect();
        let (mut before, mut after, mut ours) = (String::new(), String::new(), Vec::new());
        let mut found = false;
        let mut row = 0;
        while row < rows.len() {
            if let Some(end) = end_of_block(&rows[row..]) {
                ours.extend(
                    rows[row + 1..row + end]
                        .iter()
                        .map(|line| line.trim_end_matches(['\r', '\n']).to_owned()),
                );
                found = true;
                row += end + 1;
                continue;
            }
            if found { &mut after } else { &mut before }.push_str(rows[row]);
            row += 1;
        }
        Self { before, after, crlf: text.contains("\r\n"), lines: ours }
    }

    /// The whole text. Without lines of ours, the marks go too.
    pub(super) fn text(&self) -> String {
        let newline = if self.crlf { "\r\n" } else { "\n" };
        let mut text = self.before.clone();
        if !self.lines.is_empty() {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str(newline);
            }
            for line in [BEGIN].into_iter().chain(self.lines.iter().map(String::as_str)).chain([END]) {
                text.push_str(line);
                text.push_str(newline);
            }
        }
        text + &self.after
    }

    /// Passes each line that is not ours, without its line end, through `edit`; `None` takes it out.
    pub(super) fn with_foreign_lines(mut self, edit: &dyn Fn(&str) -> Option<String>) -> Self {
        let edited = |text: &str| -> String {
            let line = |row: &str| {
                let line = row.trim_end_matches(['\r', '\n']);
                edit(line).map(|edited| edited + &row[line.len()..])
            };
            text.split_inclusive('\n').filter_map(line).collect()
        };
        (self.before, self.after) = (edited(&self.before), edited(&self.after));
        self
    }

    /// Adds a line unless it is there; whether it was added. Lines are kept sorted, so that branches merge well.
    pub(super) fn add(&mut self, line: &str) -> bool {
        let place = self.lines.iter().position(|other| &**other >= line).unwrap_or(self.lines.len());
        let absent = self.lines.iter().all(|other| other != line);
        if absent {
            self.lines.insert(place, line.to_owned());
        }
        absent
    }

    /// Removes a line; whether it was there.
    pub(super) fn remove(&mut self, line: &str) -> bool {
        let before = self.lines.len();
        self.lines.retain(|other| other != line);
        before != self.lines.len()
    }
}

/// When `rows` begin with a block: the row of its end mark.
fn end_of_block(rows: &[&str]) -> Option<usize> {
    if rows.first()?.trim_end() != BEGIN {
        return None;
    }
    let mark = rows[1..].iter().position(|row| matches!(row.trim_end(), BEGIN | END))? + 1;
    (rows[mark].trim_end() == END).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, change: impl FnOnce(&mut GuardedBlock)) -> String {
        let mut block = GuardedBlock::parse(text);
        change(&mut block);
        block.text()
    }

    #[test]
    fn the_users_lines_stay_byte_for_byte() {
        for text in ["", "*.o\n", "*.o", "a\r\nb\r\n", "# >>> git-mldata\n*.o\n", "\n# <<< git-mldata\n\n"] {
            assert_eq!(GuardedBlock::parse(text).text(), text);
            let added = with(text, |block| assert!(block.add("/x")));
            assert!(added.starts_with(text) || !text.ends_with('\n'), "{added}");
            let removed = with(&added, |block| assert!(block.remove("/x")));
            assert_eq!(removed.trim_end(), text.trim_end());
        }
        assert_eq!(
            with("*.o", |block| assert!(block.add("/x"))),
            "*.o\n# >>> git-mldata\n/x\n# <<< git-mldata\n"
        );
    }

    #[test]
    fn blocks_that_a_union_left_become_one() {
        let text = "a\n# >>> git-mldata\n/x\n# <<< git-mldata\nb\n# >>> git-mldata\n/y\n# <<< git-mldata\nc";
        assert_eq!(GuardedBlock::parse(text).lines, ["/x", "/y"]);
        assert_eq!(with(text, |_| {}), "a\n# >>> git-mldata\n/x\n/y\n# <<< git-mldata\nb\nc");
    }

    #[test]
    fn windows_line_ends_are_kept() {
        let text = with("a\r\n", |block| assert!(block.add("/x")));
        assert_eq!(text, "a\r\n# >>> git-mldata\r\n/x\r\n# <<< git-mldata\r\n");
        assert!(!with(&text, |block| assert!(!block.add("/x"))).contains("\r\r"));
    }
}
