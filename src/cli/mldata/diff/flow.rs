//! Pieces of text one after another, as many on a line as fit.

use std::io;

use crate::cli::escape::escape;
use crate::cli::page::{Page, Paint};

/// Terminals and review comments are at least this wide, in columns.
pub(super) const WIDTH: usize = 80;

/// Words that stay together on one line. Text of others is escaped.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece {
    parts: Vec<(String, Option<Paint>)>,
}

impl Piece {
    /// A piece of plain text.
    pub(super) fn plain(text: &str) -> Self {
        Self::default().then(text, None)
    }

    /// A piece in one colour.
    pub(super) fn painted(text: &str, paint: Paint) -> Self {
        Self::default().then(text, Some(paint))
    }

    /// The same piece with more text.
    pub(super) fn then(mut self, text: &str, paint: Option<Paint>) -> Self {
        self.parts.push((escape(text).into_owned(), paint));
        self
    }

    /// Columns that it takes.
    pub(super) fn width(&self) -> usize {
        self.parts.iter().map(|(text, _)| text.chars().count()).sum()
    }

    /// The piece cut to `width` columns, with `…` where something was cut.
    fn cut(&self, width: usize) -> Self {
        if self.width() <= width {
            return self.clone();
        }
        let mut left = width.saturating_sub(1);
        let mut parts = Vec::new();
        for (text, paint) in &self.parts {
            let kept: String = text.chars().take(left).collect();
            left -= kept.chars().count();
            parts.push((kept, *paint));
        }
        parts.push(("…".to_owned(), None));
        Self { parts }
    }

    fn shown(&self, page: &Page<'_>) -> String {
        let part = |(text, paint): &(String, Option<Paint>)| match paint {
            Some(paint) => page.paint(*paint, text),
            None => text.clone(),
        };
        self.parts.iter().map(part).collect()
    }
}

/// Writes `lead` at `indent`, and the pieces behind it, two blanks apart. Lines after the first begin under the first
/// piece. At most `lines` lines are written; what does not fit is left out, and `…` stands for it.
pub(super) fn write(
    page: &mut Page<'_>,
    indent: usize,
    lead: &Piece,
    pieces: &[Piece],
    lines: usize,
) -> io::Result<()> {
    let hang = if lead.width() == 0 { indent } else { (indent + lead.width() + 1).min(WIDTH / 2) };
    let mut line = format!("{}{}", " ".repeat(indent), lead.cut(WIDTH - indent).shown(page));
    let mut used = indent + lead.width().min(WIDTH - indent);
    if lead.width() > 0 && !pieces.is_empty() {
        line.push(' ');
        used += 1;
    }
    let (mut begun, mut written) = (false, 1);
    for (at, piece) in pieces.iter().enumerate() {
        let is_last = at + 1 == pieces.len();
        let gap = if begun { 2 } else { 0 };
        // The last line keeps room for the mark that something is left out.
        let mark = if written == lines && !is_last { 3 } else { 0 };
        if begun && used + gap + piece.width() + mark > WIDTH {
            if written == lines {
                line.push_str("  …");
                break;
            }
            page.line(format_args!("{line}"))?;
            written += 1;
            line = " ".repeat(hang);
            used = hang;
            begun = false;
        }
        let gap = if begun { "  " } else { "" };
        let piece = piece.cut(WIDTH.saturating_sub(used + gap.len()).max(8));
        used += gap.len() + piece.width();
        line = format!("{line}{gap}{}", piece.shown(page));
        begun = true;
    }
    page.line(format_args!("{line}"))
}

/// Writes a sentence at `indent`, behind `lead`, in as many lines as it takes.
pub(super) fn sentence(
    page: &mut Page<'_>,
    indent: usize,
    lead: &Piece,
    text: &str,
    paint: Paint,
) -> io::Result<()> {
    let room = WIDTH - indent - lead.width() - 1;
    let mut lines: Vec<String> = Vec::new();
    for word in escape(text).split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let lines: Vec<Piece> = lines.iter().map(|line| Piece::painted(line, paint)).collect();
    // Two lines never fit on one, so each piece begins a new line.
    write(page, indent, lead, &lines, usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(lead: &str, pieces: &[&str], lines: usize) -> String {
        let pieces: Vec<Piece> = pieces.iter().map(|text| Piece::plain(text)).collect();
        let mut bytes = Vec::new();
        write(&mut Page::new(&mut bytes, false), 2, &Piece::plain(lead), &pieces, lines).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn lines_are_filled_and_none_is_too_long() {
        let long = "x".repeat(30);
        let drawn_text = drawn("~", &[&long, &long, &long], 9);
        assert_eq!(drawn_text, format!("  ~ {long}  {long}\n    {long}\n"));
        let cut = drawn("~", &[&long, &long, &long], 1);
        assert_eq!(cut, format!("  ~ {long}  {long}  …\n"));
        let wide = drawn("", &["y".repeat(200).as_str()], 9);
        assert_eq!(wide, format!("  {}…\n", "y".repeat(77)));
        assert!(
            drawn("lead", &["z".repeat(90).as_str(), "b"], 9)
                .lines()
                .all(|line| line.chars().count() <= WIDTH)
        );
    }
}
