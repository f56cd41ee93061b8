//! What a cell means: its type, and when two cells are the same value.
//!
//! | type | written as |
//! | --- | --- |
//! | `int64` | `0`, `-12`: no leading zero, no plus sign, within 64 bits (`007` and longer numbers are text: they are names) |
//! | `float64` | `1.5`, `.5`, `1e-3`, `inf`: finite in 64 bits, no leading zero |
//! | `bool` | `true`, `false` in any case |
//! | `date` | `2009-11-27`, a day that exists |
//! | `utf8` | everything else |
//! | `null` | a column without any value |
//!
//! A cell is *missing* when it is empty or one of [`NULL_WORDS`]. An empty cell in quotes is an empty text in a column
//! of text, and missing elsewhere (writers that quote everything write it so).

use std::fmt;

use serde::Serialize;

use super::csv::Cell;

/// Words that stand for a missing value. (`None` is not among them: it is a usual name of a category.)
pub const NULL_WORDS: [&[u8]; 9] =
    [b"NA", b"N/A", b"n/a", b"#N/A", b"<NA>", b"NaN", b"nan", b"NULL", b"null"];

/// The type of a column: the narrowest that holds all its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// No value at all.
    #[default]
    Null,
    /// Truth values.
    Bool,
    /// Whole numbers of 64 bits.
    Int64,
    /// Numbers of 64-bit floating point.
    Float64,
    /// Days.
    Date,
    /// Text.
    Utf8,
}

impl ColumnType {
    /// The narrowest type that holds the values of both.
    pub(super) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (Self::Int64 | Self::Float64, Self::Int64 | Self::Float64) if self != other => Self::Float64,
            _ if self == other => self,
            _ => Self::Utf8,
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Date => "date",
            Self::Utf8 => "utf8",
        })
    }
}

/// How the cells of a column that two tables share are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// As numbers: `1` is `1.0`, exact for every whole number of 64 bits; NaN is NaN, and -0 is 0.
    Number,
    /// As truth values: `true` is `TRUE`.
    Bool,
    /// As text, byte by byte.
    Text,
}

impl Comparison {
    /// How to compare columns of these types: as the type that loses nothing of either.
    pub fn between(before: ColumnType, after: ColumnType) -> Self {
        match before.join(after) {
            ColumnType::Int64 | ColumnType::Float64 => Self::Number,
            ColumnType::Bool => Self::Bool,
            ColumnType::Null | ColumnType::Date | ColumnType::Utf8 => Self::Text,
        }
    }

    /// Appends bytes that are equal for cells of equal value only, and never the beginning of another cell's.
    pub(super) fn encode(self, cell: Cell<'_>, out: &mut Vec<u8>) {
        const NOTHING: u8 = 0;
        const TEXT: u8 = 1;
        const WHOLE: u8 = 2;
        const FLOAT: u8 = 3;
        const BOOL: u8 = 4;
        let text = trimmed(cell.bytes);
        if cell.bytes.is_empty() && !cell.quoted {
            out.push(NOTHING);
            return;
        }
        if self == Self::Number {
            if let Some(number) = int_of(text) {
                out.push(WHOLE);
                out.extend_from_slice(&number.to_le_bytes());
                return;
            }
            if let Some(number) = float_of(text) {
                match whole(number) {
                    Some(whole) => {
                        out.push(WHOLE);
                        out.extend_from_slice(&whole.to_le_bytes());
                    }
                    None => {
                        out.push(FLOAT);
                        out.extend_from_slice(&number.to_bits().to_le_bytes());
                    }
                }
                return;
            }
        }
        if let Some(value) = bool_of(text).filter(|_| self == Self::Bool) {
            out.extend_from_slice(&[BOOL, u8::from(value)]);
            return;
        }
        let is_nan = self == Self::Number && text.eq_ignore_ascii_case(b"nan");
        let bytes = if is_nan { b"NaN" } else { cell.bytes };
        out.push(TEXT);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    }
}

/// The whole number that `number` is, if it is one of 64 bits.
fn whole(number: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let is_whole = number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number);
    is_whole.then_some(number as i64)
}

/// The text without blanks around it.
pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Whether the text is one of the words for a missing value.
pub(super) fn is_null_word(text: &[u8]) -> bool {
    text.len() <= 4 && NULL_WORDS.contains(&text)
}

/// The type of one value; `None` for a missing one, quoted or not.
pub(super) fn type_of(cell: Cell<'_>) -> Option<ColumnType> {
    let text = trimmed(cell.bytes);
    if cell.bytes.is_empty() || is_null_word(text) {
        return None;
    }
    Some(match text.first() {
        Some(b'0'..=b'9' | b'-' | b'.' | b'i' | b'I') if int_of(text).is_some() => ColumnType::Int64,
        Some(b'0'..=b'9' | b'-' | b'.' | b'i' | b'I') if float_of(text).is_some() => ColumnType::Float64,
        Some(b'0'..=b'9') if is_date(text) => ColumnType::Date,
        Some(b't' | b'T' | b'f' | b'F') if bool_of(text).is_some() => ColumnType::Bool,
        _ => ColumnType::Utf8,
    })
}

/// Whether a cell is plainly a value of a column of this type. A quick look, for the most of a column's cells: `false` may
/// be wrong, `true` never is.
pub(super) fn is_plainly(kind: ColumnType, text: &[u8]) -> bool {
    match kind {
        ColumnType::Null | ColumnType::Bool => false,
        ColumnType::Int64 => is_plain_number(text, false),
        ColumnType::Float64 => is_plain_number(text, true),
        ColumnType::Date => is_date(text),
        // A word for a missing value begins with one of these, or with the blank before it.
        ColumnType::Utf8 => {
            matches!(text.first(), Some(first) if first.is_ascii_graphic() && !matches!(first, b'N' | b'n' | b'#' | b'<'))
        }
    }
}

/// Whether the text is a number of so few digits that it fits its type: no exponent, no leading zero.
fn is_plain_number(text: &[u8], with_point: bool) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let mut points = 0;
    let only_digits = digits.iter().all(|byte| match byte {
        b'0'..=b'9' => true,
        b'.' => {
            points += 1;
            with_point && points == 1
        }
        _ => false,
    });
    only_digits
        && digits.len() <= 18
        && digits.first() != Some(&b'.')
        && !digits.is_empty()
        && !has_leading_zero(digits)
}

fn bool_of(text: &[u8]) -> Option<bool> {
    let is_true = text.eq_ignore_ascii_case(b"true");
    (is_true || text.eq_ignore_ascii_case(b"false")).then_some(is_true)
}

/// The whole number that the text is.
pub(super) fn int_of(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) || has_leading_zero(digits) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn has_leading_zero(digits: &[u8]) -> bool {
    matches!(digits, [b'0', b'0'..=b'9', ..])
}

/// The number that the text is: written with a point or an exponent, or infinite by name.
pub(super) fn float_of(text: &[u8]) -> Option<f64> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let named = [&b"inf"[..], b"infinity"].iter().any(|name| unsigned.eq_ignore_ascii_case(name));
    if !named {
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
        let starts = matches!(unsigned, [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..]);
        let is_whole = unsigned.iter().all(u8::is_ascii_digit);
        if !starts || is_whole || has_leading_zero(unsigned) || !unsigned.iter().all(is_part) {
            return None;
        }
    }
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let mantissa = unsigned.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
    let is_lost = !named
        && (number.is_infinite()
            || (number == 0.0 && mantissa.iter().any(|byte| matches!(byte, b'1'..=b'9'))));
    (!is_lost).then_some(number)
}

fn is_date(text: &[u8]) -> bool {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text else { return false };
    let number = |digits: &[&u8]| {
        digits
            .iter()
            .try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i32::from(**digit - b'0')))
    };
    let day = (number(&[y0, y1, y2, y3]), number(&[m0, m1]), number(&[d0, d1]));
    let (Some(year), Some(month), Some(day)) = day else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether the text is a year of our time: such numbers are usual as names of columns.
pub(super) fn is_year(text: &[u8]) -> bool {
    int_of(text).is_some_and(|year| (1800..=2200).contains(&year))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<ColumnType> {
        type_of(Cell { bytes: text.as_bytes(), quoted: false })
    }

    #[test]
    fn types_lose_nothing() {
        use ColumnType::{Bool, Date, Float64, Int64, Utf8};
        let int = ["0", "-12", " 7", "9223372036854775807", "-0"];
        let float = ["1.5", ".5", "5.", "-1e-3", "1E+9", "inf", "-Infinity", "0.000"];
        let text =
            ["007", "+5", "9223372036854775808", "1e400", "1e-400", "00.5", "1.2.3", "-", "1e", "i", "0x1f"];
        assert!(int.iter().all(|text| kind(text) == Some(Int64)), "{:?}", int.map(kind));
        assert!(float.iter().all(|text| kind(text) == Some(Float64)), "{:?}", float.map(kind));
        assert!(text.iter().all(|text| kind(text) == Some(Utf8)), "{:?}", text.map(kind));
        assert_eq!(["TRUE", "false"].map(kind), [Some(Bool); 2]);
        assert_eq!(["2008-02-29", "2007-02-29"].map(kind), [Some(Date), Some(Utf8)]);
        assert_eq!(["", "NA", "nan", "null"].map(kind), [None; 4]);
    }

    #[test]
    fn a_quick_look_never_says_yes_wrongly() {
        let texts = [
            "",
            " ",
            "0",
            "-",
            "-0",
            "00",
            "007",
            "1.",
            ".5",
            "1.5",
            "1.5.2",
            "-1.25",
            "1e5",
            "+5",
            "123456789012345678",
            "9999999999999999999",
            "0.0000000000000001",
            "NA",
            " NA",
            "nan",
            "#N/A",
            "<NA>",
            "null",
            "text",
            "x NA",
            "2008-02-29",
            "2007-02-29",
            "true",
            "inf",
            "-inf",
            "\u{e4}",
            "N",
            "n/a ",
        ];
        for text in texts {
            for column in [ColumnType::Int64, ColumnType::Float64, ColumnType::Date, ColumnType::Utf8] {
                let plainly = is_plainly(column, text.as_bytes());
                let agrees = kind(text).is_some_and(|kind| column.join(kind) == column);
                assert!(!plainly || agrees, "'{text}' in a column of {column}");
            }
        }
        assert!(is_plainly(ColumnType::Float64, b"-12.5") && is_plainly(ColumnType::Utf8, b"harbour"));
    }

    fn same(comparison: Comparison, one: &str, other: &str) -> bool {
        let encode = |text: &str| {
            let mut bytes = Vec::new();
            let quoted = text == "\"\"";
            let text = if quoted { "" } else { text };
            comparison.encode(Cell { bytes: text.as_bytes(), quoted }, &mut bytes);
            bytes
        };
        encode(one) == encode(other)
    }

    #[test]
    fn values_are_compared_exactly() {
        let number = |one, other| same(Comparison::Number, one, other);
        assert!(number("1", "1.0") && number("1e3", "1000") && number("-0.0", "0") && number("nan", "NaN"));
        assert!(number("0.1", "0.10") && number("Inf", "inf"));
        assert!(
            !number("9007199254740993", "9007199254740992")
                && !number("9007199254740993", "9007199254740992.0")
        );
        assert!(!number("", "NA") && !number("", "\"\"") && !number("\"\"", "NA") && !number("NA", "null"));
        assert!(!number("0", "") && !number("0.1", "0.1000001"));
        let text = |one, other| same(Comparison::Text, one, other);
        assert!(!text("1", "1.0") && !text("a", "a ") && !text("", "\"\"") && text("NA", "NA"));
        assert!(same(Comparison::Bool, "True", "TRUE") && !same(Comparison::Bool, "true", "false"));
    }
}
