//! Ages as they are typed: `30d`, `2w`, `12h`.

use std::time::Duration;

/// Reads an age: a number, and `s`, `m`, `h`, `d` or `w` for seconds, minutes, hours, days or weeks.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    const WANTED: &str = "write it as 12h, 30d or 8w";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err(WANTED.into()),
    };
    let number: u64 = digits.parse().map_err(|_| WANTED.to_owned())?;
    number.checked_mul(unit).map(Duration::from_secs).ok_or_else(|| WANTED.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_needs_its_unit() {
        assert_eq!(age("2w"), Ok(Duration::from_secs(14 * 86_400)));
        assert_eq!(age("0s"), Ok(Duration::ZERO));
        for wrong in
            ["", "d", "3", "-1d", "1.5h", "1y", "3 d", "99999999999999999999d", "9999999999999999999w"]
        {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
