//! Numbers as people read them: `1.1 GB`, `120,000`, `12 m 04 s`.

use std::time::Duration;

use jiff::Timestamp;

use crate::base::Bytes;

/// A number of bytes in decimal units: `1.1 GB`.
pub(crate) fn size(bytes: u64) -> String {
    Bytes(bytes).to_string()
}

/// A count with commas between groups of three digits: `120,000`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count with the word for what is counted: `1 file`, `120,000 files`. The plural is the word with an `s`.
pub(crate) fn counted(number: u64, singular: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", count(number))
}

/// A measured value with five significant digits, without the zeros that say nothing: `0.97674`, `3750`, `1.2e-7`. JSON has
/// all digits.
pub(crate) fn measured(value: f64) -> String {
    let magnitude = if value == 0.0 || !value.is_finite() { 0 } else { value.abs().log10().floor() as i32 };
    if !(-4..15).contains(&magnitude) {
        return format!("{value:.4e}");
    }
    let digits = usize::try_from(4 - magnitude).unwrap_or(0);
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// How long something took: `0.8 s`, `41 s`, `12 m 04 s`, `3 h 05 m`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
    }
}

/// How fast, in brackets, where it took long enough to tell: ` (16 MB/s)`.
pub(crate) fn rate(bytes: u64, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { String::new() } else { format!(" ({}/s)", size((bytes as f64 / seconds) as u64)) }
}

/// A moment, to the minute: `2026-11-22 18:03 UTC`.
pub(crate) fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_values_keep_what_matters() {
        let shown = [0.976_744_186, 1.0, 3750.0, 123_456.7, 0.0, -0.5, 1.2e-7, f64::NAN].map(measured);
        assert_eq!(shown, ["0.97674", "1", "3750", "123457", "0", "-0.5", "1.2000e-7", "NaN"]);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 120_000, 1_234_567].map(count),
            ["0", "999", "1,000", "120,000", "1,234,567"]
        );
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(1204, "row"), "1,204 rows");
    }

    #[test]
    fn durations_change_their_unit() {
        let shown =
            [0.04, 9.96, 41.0, 724.0, 11_100.0].map(|seconds| duration(Duration::from_secs_f64(seconds)));
        assert_eq!(shown, ["0.0 s", "10.0 s", "41 s", "12 m 04 s", "3 h 05 m"]);
    }
}
